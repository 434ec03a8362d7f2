/** BLAKE3-256 in derive-key mode: every use has its own context, so no hash can stand for another. */
import { blake3DeriveKey, blake3DeriveKeyHex, blake3DeriveKeys } from "../addon.ts";
import { concatBytes, HASH_BYTES, type Hash } from "../base/index.ts";

/** The contexts in use, all in one place. They are part of the format: never change one. */
export type HashContext =
  | "gdo v1 block"
  | "gdo v1 blob"
  | "gdo v1 tree"
  | "gdo v1 snapshot"
  | "gdo v1 order"
  | "gdo v1 seed"
  | "gdo v1 dapp seed"
  | "gdo v1 operation"
  | "gdo v1 recovery key"
  | "gdo v1 recovery"
  | "gdo v1 invitation"
  | "gdo v1 invitation seal"
  | "gdo v1 included"
  | "gdo v1 included node"
  | "gdo v1 state path"
  | "gdo v1 state leaf"
  | "gdo v1 state node"
  | "gdo v1 stored row"
  | "gdo v1 policy content"
  | "gdo v1 log tag"
  | "gdo v1 frontier"
  | "gdo v1 log versions"
  | "gdo v1 envelope"
  | "gdo v1 output"
  | "gdo v1 trace";

export function deriveHashBytes(context: HashContext, bytes: Uint8Array): Uint8Array {
  return blake3DeriveKey(context, bytes);
}

/** Of pieces that are put together for one call; what is longer goes by itself. */
const JOINED_BYTES_MAX = 1024 * 1024;

/** As deriveHashBytes of each. */
export function deriveHashesBytes(context: HashContext, pieces: readonly Uint8Array[]): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let start = 0; start < pieces.length; ) {
    let end = start;
    for (let total = 0; end < pieces.length; end += 1) {
      total += (pieces[end] as Uint8Array).length;
      if (total > JOINED_BYTES_MAX && end > start) break;
    }
    const joined = pieces.slice(start, end);
    const lengths = Uint32Array.from(joined, ({ length }) => length);
    for (const hash of hashesIn(blake3DeriveKeys(context, concatBytes(joined), lengths))) hashes.push(hash);
    start = end;
  }
  return hashes;
}

/** As deriveHashesBytes, of pieces of one length that lie one after another. */
export function deriveHashesOf(context: HashContext, joined: Uint8Array, pieceBytes: number): Uint8Array[] {
  const lengths = new Uint32Array(joined.length / pieceBytes).fill(pieceBytes);
  return hashesIn(blake3DeriveKeys(context, joined, lengths));
}

function hashesIn(joined: Uint8Array): Uint8Array[] {
  const hashes = new Array<Uint8Array>(joined.length / HASH_BYTES);
  for (let index = 0; index < hashes.length; index += 1)
    hashes[index] = joined.subarray(HASH_BYTES * index, HASH_BYTES * (index + 1));
  return hashes;
}

/** Of `bytes`, and of those that come after them. */
export function deriveHash(context: HashContext, bytes: Uint8Array, more?: Uint8Array): Hash {
  return blake3DeriveKeyHex(context, bytes, more) as Hash;
}
