/**
 * The node of a blob's chunk list [T3]. Pure. A leaf lists chunks, an inner node lists nodes of the
 * level below; each entry has the bytes that it stands for, so that any offset is found by going down.
 *
 * Canonical map: f profile | h level, 0 for a leaf | i ids, 32 bytes each | l lengths | v 1.
 * The id of 32 zero bytes stands for a run of zeros, of any length, that needs no chunk.
 */
import { PROFILE_NAMES, type ProfileName } from "../../addon.ts";
import { bytesOf, concatBytes, HASH_BYTES, type Hash, hashOf32 } from "../../base/index.ts";
import { type Canonical, decodeCanonical, encodeCanonical } from "../../codec/index.ts";
import { asInteger, asNode, malformed } from "./node-form.ts";

/** What stands for a run of zeros. No bytes are known to hash to it. */
export const ZEROS_ID = "0".repeat(2 * HASH_BYTES) as Hash;

export interface BlobEntry {
  /** A chunk in a leaf, a node of the level below in an inner node, or ZEROS_ID in a leaf. */
  readonly id: Hash;
  readonly lengthBytes: number;
}

export interface BlobNode {
  readonly profile: ProfileName;
  readonly level: number;
  readonly entries: readonly BlobEntry[];
}

export const NODE_ENTRIES_MIN = 64;
export const NODE_ENTRIES_MAX = 1024;
/** One id in 192 ends a node: 64 + 192 = 256 entries on average. */
const CUT_BELOW = Math.floor(2 ** 32 / 192);
/** 64^10 chunks of 1 byte are more than any length; deeper nodes are an attack. */
const LEVEL_MAX = 10;
const NODE_BYTES_MAX = 64 * 1024;
const BLOB_VERSION = 1;

/** Whether a node ends after its `count`-th entry, which has this id: a rule of contents, not of position [T3]. */
export function endsNode(count: number, id: Hash): boolean {
  if (count >= NODE_ENTRIES_MAX) return true;
  if (count < NODE_ENTRIES_MIN || id === ZEROS_ID) return false;
  return Number.parseInt(id.slice(0, 8), 16) < CUT_BELOW;
}

export function nodeLengthBytes(node: BlobNode): number {
  return node.entries.reduce((sum, entry) => sum + entry.lengthBytes, 0);
}

/** The ids that a node needs, once each. */
export function blobLinks(node: BlobNode): Hash[] {
  return [...new Set(node.entries.map(({ id }) => id))].filter((id) => id !== ZEROS_ID);
}

export function encodeBlobNode(node: BlobNode): Uint8Array {
  return encodeCanonical({
    f: node.profile,
    h: node.level,
    i: concatBytes(node.entries.map(({ id }) => bytesOf(id))),
    l: node.entries.map(({ lengthBytes }) => lengthBytes),
    v: BLOB_VERSION,
  });
}

/** Throws STORE_CORRUPT for anything that encodeBlobNode does not write. */
export function decodeBlobNode(bytes: Uint8Array): BlobNode {
  const map = asNode("blob", () => decodeCanonical(bytes, { bytesMax: NODE_BYTES_MAX, depthMax: 2 }), [
    "f",
    "h",
    "i",
    "l",
    "v",
  ]);
  const { f: profile, i: ids, l: lengths } = map;
  if (map.v !== BLOB_VERSION) throw malformed("blob", "its version is unknown");
  if (!isProfile(profile)) throw malformed("blob", "its chunking profile is unknown");
  const level = asInteger(map.h, LEVEL_MAX);
  if (level === undefined) throw malformed("blob", "its level is wrong");
  if (!(ids instanceof Uint8Array) || !Array.isArray(lengths) || ids.length !== lengths.length * HASH_BYTES) {
    throw malformed("blob", "ids and lengths do not match");
  }
  const entries = lengths.map((length, index) =>
    entryOf(ids.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES), length),
  );
  assertShape(level, entries);
  return { profile, level, entries };
}

function entryOf(id: Uint8Array, length: Canonical): BlobEntry {
  const lengthBytes = asInteger(length, Number.MAX_SAFE_INTEGER);
  if (lengthBytes === undefined || lengthBytes === 0) throw malformed("blob", "an entry's length is wrong");
  return { id: hashOf32(id), lengthBytes };
}

function assertShape(level: number, entries: readonly BlobEntry[]): void {
  if (entries.length > NODE_ENTRIES_MAX) throw malformed("blob", "it has too many entries");
  const lengthBytes = entries.reduce((sum, entry) => sum + entry.lengthBytes, 0);
  if (!Number.isSafeInteger(lengthBytes)) throw malformed("blob", "it is longer than any blob");
  if (level === 0) return;
  if (entries.length === 0) throw malformed("blob", "an inner node has no entries");
  if (entries.some(({ id }) => id === ZEROS_ID)) throw malformed("blob", "an inner node has a run of zeros");
}

function isProfile(value: Canonical | undefined): value is ProfileName {
  return (PROFILE_NAMES as readonly unknown[]).includes(value);
}
