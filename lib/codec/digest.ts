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

/** As deriveHashBytes of each. */
export function deriveHashesBytes(context: HashContext, pieces: readonly Uint8Array[]): Uint8Array[] {
  const hashes = blake3DeriveKeys(
    context,
    concatBytes(pieces),
    Uint32Array.from(pieces, ({ length }) => length),
  );
  return pieces.map((_, index) => hashes.subarray(HASH_BYTES * index, HASH_BYTES * (index + 1)));
}

export function deriveHash(context: HashContext, bytes: Uint8Array): Hash {
  return blake3DeriveKeyHex(context, bytes) as Hash;
}
