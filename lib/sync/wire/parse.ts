/** Bytes to frames. The bytes come from anybody: everything is checked, nothing is trusted [S5]. Pure. */
import {
  GdoError,
  type Hash,
  hashOf32,
  OBJECT_BYTES_MAX,
  type PublicKey,
  publicKeyOf32,
  toHex,
} from "../../base/index.ts";
import { type Canonical, decodeCanonical, SIGNATURE_BYTES } from "../../codec/index.ts";
import {
  BRANCH_CHARS_MAX,
  DATA_ENDS,
  DATA_ENVELOPES_MAX,
  DATA_PIECES_MAX,
  FINALS_MAX,
  FRAME_BYTES_MAX,
  FRAME_BYTES_MIN,
  type Frame,
  type LogPoint,
  PIECE_KINDS,
  type Piece,
  REPAIR_POINTS_MAX,
  REPAIR_WINDOWS_MAX,
  WANT_IDS_MAX,
  WANT_RANGES_MAX,
} from "./frames.ts";

const FRAME_DEPTH_MAX = 3;
const TAG_BYTES = 8;
const CREDIT_BYTES_MAX = 2 ** 40;

/** Frames by their bytes' own array: where several peers in one process are given one, it is read once. */
const framesRead = new WeakMap<Uint8Array, Frame>();

/** The bytes must not change any more. Throws GdoError SYNC_FRAME for anything that is not one canonical frame within the limits. */
export function decodeFrame(bytes: Uint8Array, bytesMax: number): Frame {
  if (bytes.length > bytesMax) throw refuse(`${bytes.length} bytes, more than ${bytesMax}`);
  const known = framesRead.get(bytes);
  if (known !== undefined) return known;
  const fields = new Fields(decode(bytes, bytesMax));
  const frame = read(fields);
  fields.end();
  framesRead.set(bytes, frame);
  return frame;
}

/** Undefined instead of an error. */
export function tryDecodeFrame(bytes: Uint8Array, bytesMax: number): Frame | undefined {
  try {
    return decodeFrame(bytes, bytesMax);
  } catch (error) {
    if (error instanceof GdoError) return undefined;
    throw error;
  }
}

function decode(bytes: Uint8Array, bytesMax: number): Canonical {
  try {
    return decodeCanonical(bytes, { bytesMax, depthMax: FRAME_DEPTH_MAX });
  } catch (cause) {
    if (cause instanceof GdoError) throw new GdoError("SYNC_FRAME", `no frame: ${cause.message}`, { cause });
    throw cause;
  }
}

function read(fields: Fields): Frame {
  const type = fields.take("f");
  const key = publicKeyOf32(bytes32(fields.take("k")));
  if (type === "hello") return readHello(fields, key);
  if (type === "front") return readFront(fields, key);
  if (type === "want") return readWant(fields, key);
  if (type === "data") return readData(fields, key);
  if (type === "repair") return readRepair(fields, key);
  throw refuse("an unknown kind of frame");
}

function readHello(fields: Fields, key: PublicKey): Frame {
  const finals = list(fields.take("m"), FINALS_MAX).map((item) => {
    const [branch, h, id, ...rest] = list(item, 3);
    if (typeof branch !== "string" || branch.length > BRANCH_CHARS_MAX || rest.length > 0)
      throw refuse("a branch's name");
    return { branch, h: integer(h), id: toHex(byteString(id, TAG_BYTES)) };
  });
  const frameBytesMax = integer(fields.take("x"), FRAME_BYTES_MAX);
  if (frameBytesMax < FRAME_BYTES_MIN) throw refuse("a largest frame that holds nothing");
  const digest = hash(fields.take("g"));
  const signature = byteString(fields.take("s"), SIGNATURE_BYTES);
  return { type: "hello", key, digest, finals, frameBytesMax, creditBytes: credit(fields), signature };
}

function readFront(fields: Fields, key: PublicKey): Frame {
  const [from, to, ...rest] = list(fields.take("w"), 2);
  if (rest.length > 0) throw refuse("a window");
  const window = readWindow(from, to);
  const flat = list(fields.take("l"), Number.MAX_SAFE_INTEGER);
  const tips = groups(flat, 2).map(([log, n]) => [tag(log), integer(n)] as const);
  const isInside = ([log]: readonly [string, number]): boolean =>
    log >= window.from && (window.to === "" || log < window.to);
  if (!tips.every(isInside)) throw refuse("a log outside its window");
  const isAnswer = flag(fields.take("a"));
  return { type: "front", key, digest: hash(fields.take("g")), window, tips, isAnswer, creditBytes: credit(fields) };
}

function readWant(fields: Fields, key: PublicKey): Frame {
  const flat = list(fields.take("r"), 3 * WANT_RANGES_MAX);
  const ranges = groups(flat, 3).map(([log, from, to]) => {
    const range = [tag(log), integer(from), integer(to)] as const;
    if (range[1] > range[2]) throw refuse("a range that ends before it starts");
    return range;
  });
  return {
    type: "want",
    key,
    ranges,
    ids: list(fields.take("i"), WANT_IDS_MAX).map(hash),
    creditBytes: credit(fields),
  };
}

function readData(fields: Fields, key: PublicKey): Frame {
  const envelopes = list(fields.take("b"), DATA_ENVELOPES_MAX).map((item) => byteString(item));
  const pieces = list(fields.take("o"), DATA_PIECES_MAX).map(readPiece);
  const lacks = list(fields.take("n"), WANT_IDS_MAX).map(hash);
  const end = DATA_ENDS[integer(fields.take("e"))];
  if (end === undefined) throw refuse("an unknown end");
  return { type: "data", key, envelopes, pieces, lacks, end };
}

function readRepair(fields: Fields, key: PublicKey): Frame {
  const windows = groups(list(fields.take("w"), 3 * REPAIR_WINDOWS_MAX), 3).map(([from, to, print]) => {
    return { ...readWindow(from, to), print: tag(print) };
  });
  const points = (name: string): LogPoint[] =>
    groups(list(fields.take(name), 3 * REPAIR_POINTS_MAX), 3).map(([log, n, print]) => [
      tag(log),
      integer(n),
      tag(print),
    ]);
  const [claims, versions, wants] = [points("r"), points("v"), points("i")] as const;
  const isAnswer = flag(fields.take("a"));
  return { type: "repair", key, windows, claims, versions, wants, isAnswer, creditBytes: credit(fields) };
}

function readWindow(from: Canonical | undefined, to: Canonical | undefined): { from: string; to: string } {
  if (!(to instanceof Uint8Array)) throw refuse("a window");
  return { from: tag(from), to: to.length === 0 ? "" : tag(to) };
}

function readPiece(item: Canonical): Piece {
  const [kindNumber, id, offset, totalBytes, bytes, ...rest] = list(item, 5);
  const kind = PIECE_KINDS[integer(kindNumber)];
  if (kind === undefined || rest.length > 0) throw refuse("a piece of nothing known");
  const piece = {
    kind,
    id: hash(id),
    offset: integer(offset),
    totalBytes: integer(totalBytes, OBJECT_BYTES_MAX),
    bytes: byteString(bytes),
  };
  if (piece.offset + piece.bytes.length > piece.totalBytes) throw refuse("a piece beyond its whole");
  return piece;
}

class Fields {
  readonly #fields: Map<string, Canonical>;

  constructor(value: Canonical) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
      throw refuse("not a map");
    }
    this.#fields = new Map(Object.entries(value));
  }

  take(name: string): Canonical | undefined {
    const value = this.#fields.get(name);
    this.#fields.delete(name);
    return value;
  }

  /** Refuses what no field asked for. */
  end(): void {
    if (this.#fields.size > 0) throw refuse("a field too many");
  }
}

function refuse(what: string): GdoError {
  return new GdoError("SYNC_FRAME", `no frame: ${what}`);
}

function list(value: Canonical | undefined, lengthMax: number): readonly Canonical[] {
  if (!Array.isArray(value) || value.length > lengthMax) throw refuse("a list missing or too long");
  return value as readonly Canonical[];
}

function groups(flat: readonly Canonical[], size: number): Canonical[][] {
  if (flat.length % size !== 0) throw refuse("a list cut short");
  return Array.from({ length: flat.length / size }, (_, index) => flat.slice(index * size, (index + 1) * size));
}

function integer(value: Canonical | undefined, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "number" || value < 0 || value > max) throw refuse("a number missing or out of range");
  return value;
}

function byteString(value: Canonical | undefined, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length))
    throw refuse("a byte string");
  return value;
}

function bytes32(value: Canonical | undefined): Uint8Array {
  return byteString(value, 32);
}

function hash(value: Canonical | undefined): Hash {
  return hashOf32(bytes32(value));
}

function tag(value: Canonical | undefined): string {
  return toHex(byteString(value, TAG_BYTES));
}

function flag(value: Canonical | undefined): boolean {
  if (typeof value !== "boolean") throw refuse("a flag");
  return value;
}

function credit(fields: Fields): number {
  return integer(fields.take("c"), CREDIT_BYTES_MAX);
}
