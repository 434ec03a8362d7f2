/**
 * Frames: what they hold, and their bytes. Canonical CBOR maps with one-letter keys; each is self-contained
 * [S1]. Lengths are checked before decoding, lists and numbers while it goes on [S5]. Pure.
 */
import {
  bytesOf,
  concatBytes,
  FRAME_BYTES_DEFAULT,
  fromHex,
  type Hash,
  type PublicKey,
  utf8,
} from "../../base/index.ts";
import { type Canonical, encodeCanonical, type KeyPair, verifySignature } from "../../codec/index.ts";
import type { ObjectKind } from "../types.ts";

/** Who is there and holds what. Retained and signed, at most 300 bytes. */
export interface HelloFrame {
  readonly type: "hello";
  readonly key: PublicKey;
  /** Digest of the frontier. */
  readonly digest: Hash;
  /** As many branches as fit; `id` is the first 16 hex digits of the merge's id. */
  readonly finals: readonly { readonly branch: string; readonly h: number; readonly id: string }[];
  /** Largest frame that the node takes. */
  readonly frameBytesMax: number;
  /** What it takes in one answer. */
  readonly creditBytes: number;
  readonly signature: Uint8Array;
}

/** Tag of a log: 16 hex digits; [tag, newest number]. */
export type TagTip = readonly [tag: string, n: number];

/**
 * A frontier, within a window of tags (`to` empty: to the end). Not an answer: every log that the sender
 * holds there, and credit for what the receiver has beyond it. An answer: only logs where the sender has more.
 */
export interface FrontFrame {
  readonly type: "front";
  readonly key: PublicKey;
  readonly digest: Hash;
  readonly window: { readonly from: string; readonly to: string };
  readonly tips: readonly TagTip[];
  readonly isAnswer: boolean;
  readonly creditBytes: number;
}

export interface WantFrame {
  readonly type: "want";
  readonly key: PublicKey;
  readonly ranges: readonly (readonly [tag: string, from: number, to: number])[];
  readonly ids: readonly Hash[];
  readonly creditBytes: number;
}

/** `farewell`: how the charter went on until it revoked the receiver. */
export type PieceKind = ObjectKind | "block" | "farewell";

/** Part of something larger than a frame. A block's id here is the hash of its envelope. */
export interface Piece {
  readonly kind: PieceKind;
  readonly id: Hash;
  readonly offset: number;
  readonly totalBytes: number;
  readonly bytes: Uint8Array;
}

export type DataEnd = "none" | "blocks" | "objects";

export interface DataFrame {
  readonly type: "data";
  readonly key: PublicKey;
  readonly envelopes: readonly Uint8Array[];
  readonly pieces: readonly Piece[];
  /** Objects asked for that the sender does not have. */
  readonly lacks: readonly Hash[];
  /** Nothing more comes in answer to what was asked for. */
  readonly end: DataEnd;
}

/** Logs from a tag to before another (empty: to the end), and 16 hex digits for what is held of them all. */
export interface TagWindow {
  readonly from: string;
  readonly to: string;
  readonly print: string;
}

/** A log, a number of it, and 16 hex digits: the beginning of an id, or what the log comes to up to there. */
export type LogPoint = readonly [tag: string, n: number, print: string];

/** Where numbers agree and blocks do not [L6]: lib/sync/step/repair.ts. */
export interface RepairFrame {
  readonly type: "repair";
  readonly key: PublicKey;
  readonly windows: readonly TagWindow[];
  /** What the sender's logs come to at some numbers. */
  readonly claims: readonly LogPoint[];
  /** The sender's blocks of the first number that differs. */
  readonly versions: readonly LogPoint[];
  /** Blocks that the sender asks for, with what is on top of them. */
  readonly wants: readonly LogPoint[];
  /** Its versions answer the receiver's: none are to be said back. */
  readonly isAnswer: boolean;
  readonly creditBytes: number;
}

export type Frame = HelloFrame | FrontFrame | WantFrame | DataFrame | RepairFrame;

export const HELLO_BYTES_MAX = 300;
/** Smallest and largest frame that a node may ask for. */
export const FRAME_BYTES_MIN = 1024;
export const FRAME_BYTES_MAX = 1024 * 1024;
export const FINALS_MAX = 16;
export const BRANCH_CHARS_MAX = 32;
export const WANT_RANGES_MAX = 512;
export const WANT_IDS_MAX = 128;
export const DATA_ENVELOPES_MAX = 1024;
export const DATA_PIECES_MAX = 16;
export const REPAIR_WINDOWS_MAX = 64;
/** Claims, versions and wants of one frame, each. */
export const REPAIR_POINTS_MAX = 64;
/** First tag of all; the window from it to "" is everything. */
export const TAG_FIRST = "0000000000000000";
/** Both in the order of their numbers on the wire. */
export const DATA_ENDS: readonly DataEnd[] = ["none", "blocks", "objects"];
export const PIECE_KINDS: readonly PieceKind[] = ["block", "chunk", "blob", "tree", "farewell"];

const HELLO_CONTEXT = "gdo/1/hello\0";

export function encodeFrame(frame: Frame): Uint8Array {
  if (frame.type === "hello") return encodeCanonical({ ...helloFields(frame), s: frame.signature });
  if (frame.type === "front") return encodeCanonical(frontFields(frame));
  if (frame.type === "repair") return encodeCanonical(repairFields(frame));
  return encodeCanonical(frame.type === "want" ? wantFields(frame) : dataFields(frame));
}

function helloFields(frame: Omit<HelloFrame, "signature">): { [key: string]: Canonical } {
  return {
    f: "hello",
    k: bytesOf(frame.key),
    g: bytesOf(frame.digest),
    m: frame.finals.map(({ branch, h, id }) => [branch, h, hexBytes(id)]),
    x: frame.frameBytesMax,
    c: frame.creditBytes,
  };
}

function frontFields(frame: FrontFrame): Canonical {
  return {
    f: "front",
    k: bytesOf(frame.key),
    g: bytesOf(frame.digest),
    w: [hexBytes(frame.window.from), hexBytes(frame.window.to)],
    // Flat, not pairs: about 13 bytes a log.
    l: frame.tips.flatMap(([tag, n]): Canonical[] => [hexBytes(tag), n]),
    a: frame.isAnswer,
    c: frame.creditBytes,
  };
}

function wantFields(frame: WantFrame): Canonical {
  return {
    f: "want",
    k: bytesOf(frame.key),
    r: frame.ranges.flatMap(([tag, from, to]): Canonical[] => [hexBytes(tag), from, to]),
    i: frame.ids.map(bytesOf),
    c: frame.creditBytes,
  };
}

function dataFields(frame: DataFrame): Canonical {
  const pieces = frame.pieces.map(({ kind, id, offset, totalBytes, bytes }): Canonical[] => {
    return [PIECE_KINDS.indexOf(kind), bytesOf(id), offset, totalBytes, bytes];
  });
  return {
    f: "data",
    k: bytesOf(frame.key),
    b: frame.envelopes,
    o: pieces,
    n: frame.lacks.map(bytesOf),
    e: DATA_ENDS.indexOf(frame.end),
  };
}

function repairFields(frame: RepairFrame): Canonical {
  const flat = (points: readonly LogPoint[]): Canonical[] =>
    points.flatMap(([tag, n, print]): Canonical[] => [hexBytes(tag), n, hexBytes(print)]);
  return {
    f: "repair",
    k: bytesOf(frame.key),
    w: frame.windows.flatMap(({ from, to, print }): Canonical[] => [hexBytes(from), hexBytes(to), hexBytes(print)]),
    r: flat(frame.claims),
    v: flat(frame.versions),
    i: flat(frame.wants),
    a: frame.isAnswer,
    c: frame.creditBytes,
  };
}

function hexBytes(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new RangeError(`not hex: ${hex}`);
  return bytes;
}

/** What the node's key signs: not the frame alone, so that it says nothing in another organisation. */
function helloMessage(organisation: Hash, frame: Omit<HelloFrame, "signature">): Uint8Array {
  return concatBytes([utf8(HELLO_CONTEXT), bytesOf(organisation), encodeCanonical(helloFields(frame))]);
}

/** Signs, leaving out the last branches if the frame would be larger than 300 bytes. */
export function signHello(
  organisation: Hash,
  pair: KeyPair,
  fields: Omit<HelloFrame, "type" | "key" | "signature">,
): HelloFrame {
  const unsigned = { ...fields, type: "hello" as const, key: pair.publicKey };
  const finals = fields.finals.filter(({ branch }) => branch.length <= BRANCH_CHARS_MAX).slice(0, FINALS_MAX);
  for (;;) {
    const frame = { ...unsigned, finals: [...finals] };
    const signed = { ...frame, signature: pair.sign(helloMessage(organisation, frame)) };
    if (encodeFrame(signed).length <= HELLO_BYTES_MAX || finals.length === 0) return signed;
    finals.pop();
  }
}

/** Good HELLOs by the frame itself, and the organisation that they are good for. */
const hellosVerified = new WeakMap<HelloFrame, Hash>();

export function verifyHello(organisation: Hash, frame: HelloFrame): boolean {
  if (hellosVerified.get(frame) === organisation) return true;
  const isGood = verifySignature(frame.key, helloMessage(organisation, frame), frame.signature);
  if (isGood) hellosVerified.set(frame, organisation);
  return isGood;
}

/** Bytes of a DATA frame beside its envelopes' own, and of each envelope beside its bytes; upper bounds. */
const DATA_BYTES = 64;
const ENVELOPE_HEAD_BYTES = 5;
const PIECE_HEAD_BYTES = 64;

/** Cuts envelopes into the fields of as few frames as hold them in this order. */
export function packEnvelopes(
  envelopes: readonly Uint8Array[],
  idOf: (envelope: Uint8Array) => Hash,
  frameBytesMax = FRAME_BYTES_DEFAULT,
): Pick<DataFrame, "envelopes" | "pieces">[] {
  const frames: { envelopes: Uint8Array[]; pieces: Piece[] }[] = [];
  let roomBytes = 0;
  for (const envelope of envelopes) {
    const sizeBytes = envelope.length + ENVELOPE_HEAD_BYTES;
    if (sizeBytes > frameBytesMax - DATA_BYTES) {
      const pieces = cutPieces("block", idOf(envelope), envelope, frameBytesMax);
      frames.push(...pieces.map((piece) => ({ envelopes: [], pieces: [piece] })));
      roomBytes = 0;
      continue;
    }
    const last = frames.at(-1);
    if (last !== undefined && sizeBytes <= roomBytes && last.envelopes.length < DATA_ENVELOPES_MAX) {
      last.envelopes.push(envelope);
    } else {
      frames.push({ envelopes: [envelope], pieces: [] });
      roomBytes = frameBytesMax - DATA_BYTES;
    }
    roomBytes -= sizeBytes;
  }
  return frames;
}

/** At least one piece, also of nothing. */
export function cutPieces(kind: PieceKind, id: Hash, bytes: Uint8Array, frameBytesMax = FRAME_BYTES_DEFAULT): Piece[] {
  const stepBytes = frameBytesMax - DATA_BYTES - PIECE_HEAD_BYTES;
  const pieces: Piece[] = [];
  for (let offset = 0; offset === 0 || offset < bytes.length; offset += stepBytes) {
    pieces.push({ kind, id, offset, totalBytes: bytes.length, bytes: bytes.subarray(offset, offset + stepBytes) });
  }
  return pieces;
}
