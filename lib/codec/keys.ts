/** Ed25519 (RFC 8032) by node:crypto, with keys as raw bytes. Every key is checked before it is used [L3]. */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { bytesOf, concatBytes, fromHex, GdoError, type PublicKey } from "../base/index.ts";
import { assertUsableKey } from "./usable-key.ts";

export const SEED_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** PKCS#8 and SubjectPublicKeyInfo of RFC 8410 up to the raw key. */
const PKCS8_PREFIX = fromHex("302e020100300506032b657004220420") as Uint8Array;
const SPKI_PREFIX = fromHex("302a300506032b6570032100") as Uint8Array;
const SPKI_KEY_OFFSET = 12;

/** A device's key. The private part stays inside. */
export interface KeyPair {
  readonly publicKey: PublicKey;
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** A fresh key and the 32 secret bytes to keep. */
export function generateKey(): { pair: KeyPair; seed: Uint8Array } {
  const seed = new Uint8Array(randomBytes(SEED_BYTES));
  return { pair: keyFromSeed(seed), seed };
}

/** The key that RFC 8032 §5.1.5 derives from 32 secret bytes. Throws KEY_INVALID for another length. */
export function keyFromSeed(seed: Uint8Array): KeyPair {
  if (seed.length !== SEED_BYTES) throw new GdoError("KEY_INVALID", `a key's seed has 32 bytes, not ${seed.length}`);
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(secret).export({ format: "der", type: "spki" });
  return {
    publicKey: assertUsableKey(new Uint8Array(spki.subarray(SPKI_KEY_OFFSET))),
    sign: (message) => new Uint8Array(sign(null, message, secret)),
  };
}

/** Key objects are costly to make; a node meets some hundred keys, a hostile peer may name any number. */
const KEYS_KEPT_MAX = 4096;
const keysKept = new Map<PublicKey, KeyObject>();

/**
 * Good signatures of late: a block that waits for its parents, or that several peers send, comes again and
 * again, and a look-up costs a hundredth of a verification.
 */
const GOOD_KEPT_MAX = 1024;
const goodKept = new Set<string>();

/** Whether the signature is this key's over this message. False, too, for a key that may not be used [L3]. */
export function verifySignature(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const name = message.length > GOOD_MESSAGE_BYTES_MAX ? undefined : key + latin1(signature) + latin1(message);
  if (name !== undefined && goodKept.has(name)) return true;
  const object = keysKept.get(key) ?? importKey(key);
  const isGood = object !== undefined && verify(null, message, object, signature);
  if (isGood && name !== undefined) keepGood(name);
  return isGood;
}

/** What a block signs is shorter: kind and id. */
const GOOD_MESSAGE_BYTES_MAX = 64;

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function keepGood(name: string): void {
  for (const oldest of goodKept) {
    if (goodKept.size < GOOD_KEPT_MAX) break;
    goodKept.delete(oldest);
  }
  goodKept.add(name);
}

function importKey(key: PublicKey): KeyObject | undefined {
  const raw = bytesOf(key);
  try {
    assertUsableKey(raw);
  } catch (error) {
    if (error instanceof GdoError) return undefined;
    throw error;
  }
  const object = createPublicKey({ key: Buffer.from(concatBytes([SPKI_PREFIX, raw])), format: "der", type: "spki" });
  if (keysKept.size >= KEYS_KEPT_MAX) {
    // The oldest goes; which one does not matter, only that there is a bound.
    for (const oldest of keysKept.keys()) {
      keysKept.delete(oldest);
      break;
    }
  }
  keysKept.set(key, object);
  return object;
}
