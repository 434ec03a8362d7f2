/**
 * Frames between a door process and its agent: a length (u32 little-endian) and one canonical map.
 * The length is checked before anything is kept or decoded. Rules: docs/design/door.md.
 *
 *   door → agent   {f: "door-front", door, key, l, n}   {f: "data", blocks}
 *   agent → door   {f: "want", from}                    {f: "policy", bytes}
 */
import {
  bytesOf,
  concatBytes,
  fromHex,
  GdoError,
  OBJECT_BYTES_MAX,
  type PublicKey,
  publicKeyOf32,
  toHex,
} from "../../base/index.ts";
import { type Canonical, type CanonicalMap, decodeCanonical, encodeCanonical } from "../../codec/index.ts";

/** A door names itself and the newest block of its log; n is -1 for an empty log. */
export interface FrontFrame {
  readonly f: "door-front";
  readonly door: string;
  readonly key: PublicKey;
  readonly l: string;
  readonly n: number;
}

/** The agent asks for the log from this number on, those to come included. */
export interface WantFrame {
  readonly f: "want";
  readonly from: number;
}

/** Envelopes in order of the log. */
export interface DataFrame {
  readonly f: "data";
  readonly blocks: readonly Uint8Array[];
}

/** A signed policy, as encodeSignedPolicy made it. */
export interface PolicyFrame {
  readonly f: "policy";
  readonly bytes: Uint8Array;
}

export type LinkFrame = FrontFrame | WantFrame | DataFrame | PolicyFrame;

const LENGTH_BYTES = 4;
const FRAME_DEPTH_MAX = 2;
const LOG_NAME_BYTES = 8;
const DOOR_NAME_MAX = 64;
const FRAME_OVERHEAD_BYTES = 4096;

/** How many bytes of envelopes go into one data frame; one envelope may be larger. */
export const DATA_BYTES = 128 * 1024;
/** The agent takes no larger frame from a door. */
export const DOOR_FRAME_BYTES_MAX = 2 * DATA_BYTES;
/** The door takes a policy from its agent. */
export const AGENT_FRAME_BYTES_MAX = OBJECT_BYTES_MAX + FRAME_OVERHEAD_BYTES;

export function encodeLinkFrame(frame: LinkFrame): Uint8Array {
  const body = encodeCanonical(bodyOf(frame));
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, body.length, true);
  return concatBytes([length, body]);
}

function bodyOf(frame: LinkFrame): Canonical {
  if (frame.f !== "door-front") return { ...frame };
  return { ...frame, key: bytesOf(frame.key), l: fromHex(frame.l) ?? null };
}

function parseLinkFrame(body: Uint8Array): LinkFrame {
  const value = decodeCanonical(body, { depthMax: FRAME_DEPTH_MAX });
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
  const frame = isMap ? parseFields(value as CanonicalMap) : undefined;
  if (frame === undefined) throw new GdoError("SYNC_FRAME", "a door link frame is not understood");
  return frame;
}

function parseFields(map: CanonicalMap): LinkFrame | undefined {
  switch (map["f"]) {
    case "door-front":
      return parseFront(map);
    case "want":
      return isCount(map["from"], 0) ? { f: "want", from: map["from"] } : undefined;
    case "data":
      return isEnvelopes(map["blocks"]) ? { f: "data", blocks: map["blocks"] } : undefined;
    case "policy":
      return map["bytes"] instanceof Uint8Array ? { f: "policy", bytes: map["bytes"] } : undefined;
    default:
      return undefined;
  }
}

function parseFront({ door, key, l, n }: CanonicalMap): FrontFrame | undefined {
  const isNamed = typeof door === "string" && door.length > 0 && door.length <= DOOR_NAME_MAX;
  const isKeyed = key instanceof Uint8Array && key.length === 32;
  if (!isNamed || !isKeyed || !(l instanceof Uint8Array) || l.length !== LOG_NAME_BYTES || !isCount(n, -1))
    return undefined;
  return { f: "door-front", door, key: publicKeyOf32(key), l: toHex(l), n };
}

function isCount(value: Canonical | undefined, least: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least;
}

function isEnvelopes(value: Canonical | undefined): value is readonly Uint8Array[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => item instanceof Uint8Array);
}

/** Cuts a stream of bytes into frames. */
export class LinkFrameReader {
  readonly #bytesMax: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The frames that are whole now. Throws GdoError on garbage; then the reader is of no more use. */
  *take(chunk: Uint8Array): Generator<LinkFrame> {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    for (
      let length = this.#length();
      length !== undefined && this.#heldBytes >= LENGTH_BYTES + length;
      length = this.#length()
    ) {
      const all = concatBytes(this.#held);
      const end = LENGTH_BYTES + length;
      this.#held = [all.subarray(end)];
      this.#heldBytes = all.length - end;
      yield parseLinkFrame(all.subarray(LENGTH_BYTES, end));
    }
  }

  /** Length of the frame that comes next; undefined while that is not known. */
  #length(): number | undefined {
    if (this.#heldBytes < LENGTH_BYTES) return undefined;
    if ((this.#held[0]?.length ?? 0) < LENGTH_BYTES) this.#held = [concatBytes(this.#held)];
    const first = this.#held[0] as Uint8Array;
    const length = new DataView(first.buffer, first.byteOffset).getUint32(0, true);
    if (length > this.#bytesMax) throw new GdoError("SYNC_FRAME", `a door link frame of ${length} bytes is too long`);
    return length;
  }
}
