/**
 * The block envelope: a canonical body, its id, a detached signature [L1][L2][L3]. What is checked
 * here needs the block alone; what needs its parents is lib/ledger's.
 *
 * Body: a map of the single letters of BlockFields. Hashes and keys are 32 bytes, `l` is 8. Envelope:
 * canonical [body as bytes, signature as bytes].
 */
import {
  BLOCK_BODY_BYTES_MAX,
  BLOCK_PARENTS_MAX,
  fromHex,
  GdoError,
  HASH_BYTES,
  type Hash,
  hashOf32,
  Kept,
} from "../base/index.ts";
import { BLOCK_KINDS, type BlockFields, type BlockKind, LOG_BYTES, ownFields, parseFields } from "./block-fields.ts";
import { type Canonical, copyCanonical, encodeCanonical } from "./canonical.ts";
import { deriveHash, deriveHashesBytes } from "./digest.ts";
import { type KeyPair, SIGNATURE_BYTES, verifySignature, verifySignatures } from "./keys.ts";
import { decodeCanonical, decodeWritten } from "./reader.ts";

export interface Block extends BlockFields {
  readonly id: Hash;
  readonly body: Uint8Array;
  readonly sig: Uint8Array;
}

const BLOCK = "gdo v1 block";

/** Head of an array of two, and two byte-string heads at their widest. */
const ENVELOPE_OVERHEAD_BYTES = 1 + 5 + 2;
/** No envelope is longer: check before decoding [L2]. */
export const ENVELOPE_BYTES_MAX = BLOCK_BODY_BYTES_MAX + SIGNATURE_BYTES + ENVELOPE_OVERHEAD_BYTES;

/** What a signature is over [L3]: "gdo/1/" || kind || 0x00 || id. */
export function signedMessage(kind: BlockKind, id: Hash): Uint8Array {
  const prefix = SIGNED_PREFIXES[kind];
  const message = Buffer.alloc(prefix.length + HASH_BYTES);
  prefix.copy(message);
  if (message.write(id, prefix.length, "hex") !== HASH_BYTES) throw new RangeError(`not an id: ${id}`);
  return message;
}

const SIGNED_PREFIXES = Object.fromEntries(BLOCK_KINDS.map((kind) => [kind, Buffer.from(`gdo/1/${kind}\0`)])) as Record<
  BlockKind,
  Buffer
>;

/** Has its id already, so that another can follow it: no id covers a signature. */
export interface UnsignedBlock {
  readonly fields: BlockFields;
  readonly id: Hash;
  readonly body: Uint8Array;
}

/** Throws LEDGER_FORM for fields that no block may have. */
export function unsignedBlock(fields: BlockFields): UnsignedBlock {
  const made = madeOf(fields);
  return { ...made, id: blockId(made.body) };
}

/** A signed block. Throws as unsignedBlock does; signing for another key is a bug. */
export function signBlock(fields: BlockFields, pair: KeyPair): Block {
  const made = madeOf(fields);
  checkSigner(made.fields, pair);
  const { hash: id, sig } = pair.signHash(BLOCK, made.body, SIGNED_PREFIXES[made.fields.k]);
  return assemble(made.fields, { id, body: made.body, sig });
}

function madeOf(fields: BlockFields): Omit<UnsignedBlock, "id"> {
  const body = encodeCanonical(bodyOf(fields));
  checkBodyLength(body);
  // As others will read it, without reading it.
  return { fields: ownFields(fields, copyCanonical(fields.d), BLOCK_PARENTS_MAX), body };
}

/** So many at a time: a thread for each part costs little then, and what a part waits for is short. */
const SIGNED_PART = 64;

/**
 * Signed blocks in their order, part by part: while a part is signed on another thread, the caller makes the next
 * one and does its work with the one before.
 */
export function* signBlocks(blocks: Iterable<UnsignedBlock>, pair: KeyPair): Generator<Block[]> {
  let finish: (() => Block[]) | undefined;
  let part: UnsignedBlock[] = [];
  const begun = (): (() => Block[]) => {
    const [made, signatures] = [part, pair.begin(part.map((block) => messageBy(block, pair)))];
    part = [];
    return () => signatures().map((sig, index) => signed(made[index] as UnsignedBlock, sig));
  };
  for (const block of blocks) {
    if (part.push(block) < SIGNED_PART) continue;
    const next = begun();
    if (finish !== undefined) yield finish();
    finish = next;
  }
  const last = part.length === 0 ? undefined : begun();
  if (finish !== undefined) yield finish();
  if (last !== undefined) yield last();
}

function messageBy({ fields, id }: UnsignedBlock, pair: KeyPair): Uint8Array {
  checkSigner(fields, pair);
  return signedMessage(fields.k, id);
}

function checkSigner({ a }: BlockFields, { publicKey }: KeyPair): void {
  if (a !== publicKey) throw new RangeError(`a block by ${a} cannot be signed by ${publicKey}`);
}

function signed({ fields, id, body }: UnsignedBlock, sig: Uint8Array): Block {
  return assemble(fields, { id, body, sig });
}

function bodyOf({ v, k, o, a, l, n, b, p, c, t, d }: BlockFields): Canonical {
  const name = (hex: string): Uint8Array => named(hex, HASH_BYTES);
  const nameOrNull = (hex: string | null): Uint8Array | null => (hex === null ? null : name(hex));
  const log = named(l, LOG_BYTES);
  // In the order of their keys: others have to be sorted.
  return { a: name(a), b: nameOrNull(b), c, d, k, l: log, n, o: nameOrNull(o), p: p.map(name), t, v };
}

function named(hex: string, length: number): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes?.length !== length) throw new GdoError("LEDGER_FORM", `not ${length} bytes in hex: ${hex}`);
  return bytes;
}

/** Blocks by their envelope's own array, as long as somebody has that: read once. */
const blocksRead = new WeakMap<Uint8Array, Block>();

/**
 * The block of an envelope, which must not change any more: canonical [L2], its fields typed and within limits; the signature is not
 * verified. Throws LEDGER_FORM.
 */
export function decodeBlock(envelope: Uint8Array): Block {
  const known = blocksRead.get(envelope);
  if (known !== undefined) return known;
  const block = readShared(envelope);
  blocksRead.set(envelope, block);
  return block;
}

/** Blocks by their envelope's bytes, for a process of many nodes that are given the same ones again and again. */
let blocksShared: Kept<string, Block> | undefined;

/** From now on what is read of an envelope is remembered for others with the same bytes, of the last so many. */
export function shareBlocksRead(envelopesMax: number): void {
  blocksShared = new Kept(envelopesMax);
}

function readShared(envelope: Uint8Array): Block {
  if (blocksShared === undefined) return readEnvelope(envelope);
  const bytes = Buffer.from(envelope.buffer, envelope.byteOffset, envelope.length).toString("latin1");
  return blocksShared.get(bytes) ?? blocksShared.set(bytes, readEnvelope(envelope));
}

function readEnvelope(envelope: Uint8Array): Block {
  const parts = decodeCanonical(envelope, { bytesMax: ENVELOPE_BYTES_MAX, depthMax: 1 });
  if (Array.isArray(parts) && parts.length === 2) {
    const [body, sig] = parts as readonly Canonical[];
    if (body instanceof Uint8Array && sig instanceof Uint8Array) return blockFromBody(body, sig);
  }
  throw new GdoError("LEDGER_FORM", "an envelope is [body, signature]");
}

/** Canonical [body, signature]. */
export function encodeEnvelope(block: Pick<Block, "body" | "sig">): Uint8Array {
  return encodeCanonical([block.body, block.sig]);
}

/** The block of a body and its signature, checked as by decodeBlock. Throws LEDGER_FORM. */
export function blockFromBody(body: Uint8Array, sig: Uint8Array): Block {
  const value = decodeCanonical(body, { bytesMax: BLOCK_BODY_BYTES_MAX });
  return blockOf(body, sig, parseFields(value, BLOCK_PARENTS_MAX));
}

/** As blockFromBody, of bytes that were written or checked here before: not written again to compare. */
export function blockWritten(body: Uint8Array, sig: Uint8Array): Block {
  return blockOf(body, sig, fieldsWritten(body));
}

/** As blockWritten of each. */
export function blocksWritten(rows: readonly Pick<Block, "body" | "sig">[]): Block[] {
  const ids = deriveHashesBytes(
    BLOCK,
    rows.map(({ body }) => body),
  );
  return rows.map(({ body, sig }, index) => {
    checkSignatureLength(sig);
    return assemble(fieldsWritten(body), { id: hashOf32(ids[index] as Uint8Array), body, sig });
  });
}

function fieldsWritten(body: Uint8Array): BlockFields {
  checkBodyLength(body);
  return parseFields(decodeWritten(body), BLOCK_PARENTS_MAX);
}

function checkBodyLength(body: Uint8Array): void {
  if (body.length > BLOCK_BODY_BYTES_MAX)
    throw new GdoError("LEDGER_FORM", `${body.length} bytes, more than ${BLOCK_BODY_BYTES_MAX}`);
}

function blockOf(body: Uint8Array, sig: Uint8Array, fields: BlockFields): Block {
  checkSignatureLength(sig);
  return assemble(fields, { id: blockId(body), body, sig });
}

function checkSignatureLength(sig: Uint8Array): void {
  if (sig.length !== SIGNATURE_BYTES) throw new GdoError("LEDGER_FORM", `a signature has 64 bytes, not ${sig.length}`);
}

/** Field by field: a spread of so many costs as much as the hash. */
function assemble({ v, k, o, a, l, n, b, p, c, t, d }: BlockFields, rest: Pick<Block, "id" | "body" | "sig">): Block {
  return { v, k, o, a, l, n, b, p, c, t, d, id: rest.id, body: rest.body, sig: rest.sig };
}

/** BLAKE3-256, derive-key context "gdo v1 block", over the body [L3]. */
export function blockId(body: Uint8Array): Hash {
  return deriveHash(BLOCK, body);
}

/** Whether the signature is the author's [L3]. */
export function verifyBlock(block: Pick<Block, "a" | "k" | "id" | "sig">): boolean {
  return verifySignature(block.a, signedMessage(block.k, block.id), block.sig);
}

/** As verifyBlock of each, on other threads. */
export function verifyBlocks(blocks: readonly Block[]): Promise<boolean[]> {
  return verifySignatures(
    blocks.map(({ a, k, id, sig }) => ({ key: a, message: signedMessage(k, id), signature: sig })),
  );
}
