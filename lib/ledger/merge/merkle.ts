/**
 * The two hash trees of a merge: a dapp's state [L19] and the set of included entries. Both are 32-ary,
 * and functions of the set alone. docs/design/ledger.md gives the bytes.
 *
 * The state tree is a trie over the hash of each key, five bits a level. So every key has one place
 * whatever else is there: a change touches one path, nothing shifts, and no choice of keys makes it deep.
 */
import { concatBytes, HASH_BYTES, type Hash, hashOf32, utf8 } from "../../base/index.ts";
import { type Canonical, deriveHashBytes, deriveHashesBytes, encodeCanonical } from "../../codec/index.ts";

/** Of the state tree; the digits of a path go up to it. */
export const STATE_ARITY = 32;
const ARITY = STATE_ARITY;
const DIGIT_BITS = 5;
/** Of the set's tree. */
const GROUP_BYTES = ARITY * HASH_BYTES;
const STATE_NODE = "gdo v1 state node";

/** One key of a state tree: its place and the hash of what is there. */
export interface StateLeaf {
  /** Derive-key "gdo v1 state path" over the key's UTF-8. */
  readonly path: Uint8Array;
  /** Derive-key "gdo v1 state leaf" over canonical [key, value]. */
  readonly hash: Uint8Array;
}

/** Leaves of these keys, in their order. */
export function stateLeaves(pairs: readonly (readonly [string, Canonical])[]): StateLeaf[] {
  const hashes = deriveHashesBytes("gdo v1 state leaf", pairs.map(encodeCanonical));
  return statePaths(pairs.map(([key]) => key)).map((path, index) => ({ path, hash: hashes[index] as Uint8Array }));
}

export function statePaths(keys: readonly string[]): Uint8Array[] {
  return deriveHashesBytes("gdo v1 state path", keys.map(utf8));
}

/** Root of a dapp's state [L19]. Keys in any order, each once; a key twice is a RangeError. */
export function stateRoot(pairs: Iterable<readonly [string, Canonical]>): Hash {
  const leaves = stateLeaves([...pairs]);
  leaves.sort((a, b) => Buffer.compare(a.path, b.path));
  return hashOf32(subtree(leaves, 0));
}

/** Digit of a path: bits 5·depth to 5·depth + 4, the first bit being the highest of the first byte. */
export function digitOf(path: Uint8Array, depth: number): number {
  const bit = depth * DIGIT_BITS;
  const byte = bit >> 3;
  const pair = ((path[byte] ?? 0) << 8) | (path[byte + 1] ?? 0);
  return (pair >> (16 - DIGIT_BITS - (bit & 7))) & (ARITY - 1);
}

/** Hash over leaves that share their first `depth` digits: a lone leaf's own, else a node's. */
function subtree(leaves: readonly StateLeaf[], depth: number): Uint8Array {
  if (leaves.length === 1) return (leaves[0] as StateLeaf).hash;
  if (depth * DIGIT_BITS >= 256) throw new RangeError("a key twice in one state");
  const children: Uint8Array[] = [];
  let bitmap = 0;
  for (let start = 0; start < leaves.length; ) {
    const branch = digitOf((leaves[start] as StateLeaf).path, depth);
    let end = start + 1;
    while (end < leaves.length && digitOf((leaves[end] as StateLeaf).path, depth) === branch) end += 1;
    children.push(subtree(leaves.slice(start, end), depth + 1));
    bitmap += 2 ** branch;
    start = end;
  }
  return stateNodeHash(bitmap, children);
}

/** As stateNodeHash, of what each is over. */
export function stateNodeHashes(written: readonly Uint8Array[]): Uint8Array[] {
  return deriveHashesBytes(STATE_NODE, written);
}

/** Derive-key "gdo v1 state node" over the children present, as u32 big-endian with bit i for digit i, and their hashes. */
function stateNodeHash(bitmap: number, children: readonly Uint8Array[]): Uint8Array {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, bitmap);
  return deriveHashBytes(STATE_NODE, concatBytes([head, ...children]));
}

/**
 * Root over a merge's included ids: sorted, each level groups up to 32 into one node (derive-key
 * "gdo v1 included node" over the concatenation) until one is left; then derive-key "gdo v1 included"
 * over canonical [count, that one or null]. The count fixes the depth. An id twice is a RangeError.
 */
export function includedRoot(ids: readonly Hash[]): Hash {
  const sorted = [...ids].sort();
  if (sorted.some((id, index) => index > 0 && id === sorted[index - 1]))
    throw new RangeError("an id twice in one merge");
  let level: Uint8Array = Buffer.from(sorted.join(""), "hex");
  while (level.length > HASH_BYTES) {
    const groups: Uint8Array[] = [];
    for (let start = 0; start < level.length; start += GROUP_BYTES) {
      groups.push(level.subarray(start, start + GROUP_BYTES));
    }
    level = concatBytes(deriveHashesBytes("gdo v1 included node", groups));
  }
  const top = level.length === 0 ? null : level;
  return hashOf32(deriveHashBytes("gdo v1 included", encodeCanonical([ids.length, top])));
}
