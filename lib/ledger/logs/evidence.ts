/**
 * Evidence of equivocation: two signed blocks with one number of one log [L6]. The pair proves itself, so
 * anybody may append it. Where both do not fit into a block, they are named by blobs that hold them.
 */
import { bytesOf, GdoError, HASH_BYTES, type Hash, hashOf32, type PublicKey } from "../../base/index.ts";
import {
  type Block,
  type Canonical,
  decodeBlock,
  ENVELOPE_BYTES_MAX,
  encodeEnvelope,
  verifyBlock,
} from "../../codec/index.ts";
import { arrayOf, mapWith, refuse } from "../shape.ts";

/** One of the two: the envelope itself, or the id of the blob that holds it. */
export type EvidenceSide = { readonly envelope: Uint8Array } | { readonly blob: Hash };

export interface EvidencePayload {
  readonly blocks: readonly [EvidenceSide, EvidenceSide];
}

/** The place that was used twice. */
export interface Equivocation {
  readonly author: PublicKey;
  readonly l: string;
  readonly n: number;
  /** Ascending. */
  readonly ids: readonly [Hash, Hash];
}

/** Both together must leave room for the rest of a body. */
const ENVELOPES_BYTES_MAX = 60 * 1024;

/** Whether both fit into an evidence block as they are. */
export function fitsEvidence(x: Pick<Block, "body" | "sig">, y: Pick<Block, "body" | "sig">): boolean {
  return encodeEnvelope(x).length + encodeEnvelope(y).length <= ENVELOPES_BYTES_MAX;
}

/** The payload of an evidence block. Throws LEDGER_FORM for what parseEvidence would refuse. */
export function encodeEvidence({ blocks }: EvidencePayload): Canonical {
  const encoded = { blocks: blocks.map((side) => ("blob" in side ? bytesOf(side.blob) : side.envelope)) };
  parseEvidence(encoded);
  return encoded;
}

/** Throws LEDGER_FORM: not two, two that prove nothing, a blob and an envelope. Signatures are `equivocationOf`'s. */
export function parseEvidence(payload: Canonical): EvidencePayload {
  const [x, y, ...rest] = arrayOf(mapWith(payload, ["blocks"], "evidence")["blocks"], "blocks");
  if (rest.length > 0) throw refuse("evidence is of two blocks");
  const [one, other] = [sideOf(x), sideOf(y)];
  if ("blob" in one !== "blob" in other) throw refuse("evidence has both blocks in it, or both in blobs");
  if ("envelope" in one && "envelope" in other) pairOf(decodeBlock(one.envelope), decodeBlock(other.envelope));
  if ("blob" in one && "blob" in other && one.blob === other.blob) throw refuse("evidence names one blob twice");
  return { blocks: [one, other] };
}

/** No envelope is as short as a hash. */
function sideOf(value: Canonical | undefined): EvidenceSide {
  if (!(value instanceof Uint8Array) || value.length > ENVELOPE_BYTES_MAX) throw refuse("evidence holds no block");
  return value.length === HASH_BYTES ? { blob: hashOf32(value) } : { envelope: value };
}

function pairOf(x: Block, y: Block): Equivocation {
  if (x.a !== y.a || x.l !== y.l || x.n !== y.n || x.o !== y.o) throw refuse("evidence is of one number of one log");
  if (x.id >= y.id) throw refuse("evidence names its two blocks in the order of their ids");
  return { author: x.a, l: x.l, n: x.n, ids: [x.id, y.id] };
}

/** The payload of an evidence block, and that what it holds proves itself [L6]. Throws LEDGER_FORM. */
export function checkEvidence({ d, o }: Pick<Block, "d" | "o">): void {
  const proven = provenBy(d);
  if (proven !== undefined && proven.o !== o) throw refuse("evidence of another organisation");
}

/** What an evidence block's payload proves by itself; undefined when its two blocks are in blobs. LEDGER_FORM. */
export function provenBy(payload: Canonical): (Equivocation & Pick<Block, "o">) | undefined {
  const [x, y] = parseEvidence(payload).blocks;
  if (!("envelope" in x && "envelope" in y)) return undefined;
  return { ...equivocationOf(x.envelope, y.envelope), o: decodeBlock(x.envelope).o };
}

/** What two envelopes prove, their signatures verified [L6]. Throws LEDGER_FORM. */
export function equivocationOf(x: Uint8Array, y: Uint8Array): Equivocation {
  const [one, other] = [decodeBlock(x), decodeBlock(y)];
  const proven = pairOf(one, other);
  if (!verifyBlock(one) || !verifyBlock(other)) throw refuse("evidence of which one block is not its author's");
  return proven;
}

/** As provenBy, of two envelopes that stood in blobs; undefined where they prove nothing, or of somebody else. */
export function provenByBlobs([x, y]: readonly [Uint8Array, Uint8Array], organisation: Hash): Equivocation | undefined {
  try {
    const proven = equivocationOf(x, y);
    return decodeBlock(x).o === organisation ? proven : undefined;
  } catch (error) {
    if (error instanceof GdoError) return undefined;
    throw error;
  }
}
