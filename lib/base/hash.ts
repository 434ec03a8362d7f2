/** Names of things: branded lower-case hex, so that they can be map keys and cannot be mixed up. */
import { fromHex, toHex } from "./bytes.ts";

declare const brand: unique symbol;

/** BLAKE3-256 as 64 hex digits. */
export type Hash = string & { readonly [brand]: "Hash" };
/** Ed25519 public key, 32 bytes, as 64 hex digits. */
export type PublicKey = string & { readonly [brand]: "PublicKey" };

export const HASH_BYTES = 32;
const HEX_64 = /^[0-9a-f]{64}$/;

export function isHash(text: string): text is Hash {
  return HEX_64.test(text);
}

export function isPublicKey(text: string): text is PublicKey {
  return HEX_64.test(text);
}

/** Throws RangeError unless 32 bytes. */
export function hashOf32(bytes: Uint8Array): Hash {
  if (bytes.length !== HASH_BYTES) throw new RangeError(`a hash has 32 bytes, not ${bytes.length}`);
  return toHex(bytes) as Hash;
}

export function publicKeyOf32(bytes: Uint8Array): PublicKey {
  if (bytes.length !== HASH_BYTES) throw new RangeError(`a public key has 32 bytes, not ${bytes.length}`);
  return toHex(bytes) as PublicKey;
}

export function bytesOf(name: Hash | PublicKey): Uint8Array {
  const bytes = fromHex(name);
  if (bytes === undefined) throw new RangeError(`not hex: ${name}`);
  return bytes;
}
