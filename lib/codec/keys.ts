/**
 * Ed25519 (RFC 8032), with keys as raw bytes. Every key is checked before it is used [L3]. libsodium signs and
 * verifies, in a fifth and half of the time that node:crypto takes; what it does not take node:crypto judges, so that
 * a signature counts exactly where the equation of RFC 8032 holds, whichever library is the stricter.
 */
import { createPublicKey, type KeyObject, randomBytes, verify } from "node:crypto";
import { ed25519Verify, ed25519VerifyAll, SigningKey, VERIFY_MESSAGE_AT, VERIFY_ROW_BYTES } from "../addon.ts";
import { bytesOf, concatBytes, fromHex, GdoError, HASH_BYTES, type Hash, Kept, type PublicKey } from "../base/index.ts";
import type { HashContext } from "./digest.ts";
import { assertUsableKey } from "./usable-key.ts";

export const SEED_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** SubjectPublicKeyInfo of RFC 8410 up to the raw key. */
const SPKI_PREFIX = fromHex("302a300506032b6570032100") as Uint8Array;

/** A device's key. The private part stays inside. */
export interface KeyPair {
  readonly publicKey: PublicKey;
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
  /** The hash of `bytes`, and the signature over `prefix` and the hash's 32 bytes, for the price of one call. */
  signHash(context: HashContext, bytes: Uint8Array, prefix: Uint8Array): { hash: Hash; sig: Uint8Array };
  /** Begins to sign on another thread; what comes back waits for the signatures. */
  begin(messages: readonly Uint8Array[]): () => Uint8Array[];
}

/** What somebody claims to have signed. */
export interface Signed {
  readonly key: PublicKey;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** A fresh key and the 32 secret bytes to keep. */
export function generateKey(): { pair: KeyPair; seed: Uint8Array } {
  const seed = new Uint8Array(randomBytes(SEED_BYTES));
  return { pair: keyFromSeed(seed), seed };
}

/** The key that RFC 8032 §5.1.5 derives from 32 secret bytes. Throws KEY_INVALID for another length. */
export function keyFromSeed(seed: Uint8Array): KeyPair {
  if (seed.length !== SEED_BYTES) throw new GdoError("KEY_INVALID", `a key's seed has 32 bytes, not ${seed.length}`);
  const secret = new SigningKey(seed);
  return {
    publicKey: assertUsableKey(secret.publicKey()),
    sign: (message) => secret.sign(message),
    signHash: (context, bytes, prefix) => {
      const [hash, sig] = secret.signHash(context, bytes, prefix);
      return { hash: hash as Hash, sig };
    },
    begin: (messages) => {
      const finish = secret.begin(messages);
      return () => signaturesIn(finish());
    },
  };
}

function signaturesIn(joined: Uint8Array): Uint8Array[] {
  const count = joined.length / SIGNATURE_BYTES;
  // Copies: one that is kept should not keep all.
  return Array.from({ length: count }, (_, at) => joined.slice(at * SIGNATURE_BYTES, (at + 1) * SIGNATURE_BYTES));
}

/** A key that may be used; the object is made when it is needed. */
interface KnownKey {
  readonly raw: Uint8Array;
  object?: KeyObject;
}

/** Checking a key is costly; a node meets some hundred keys, a hostile peer may name any number. */
const KEYS_KEPT_MAX = 4096;
const keysKept = new Kept<PublicKey, KnownKey>(KEYS_KEPT_MAX);

/**
 * Good signatures of late: a block that waits for its parents, or that several peers send, comes again and
 * again, and a look-up costs a hundredth of a verification.
 */
const GOOD_KEPT_MAX = 1024;
const goodKept = new Kept<string, true>(GOOD_KEPT_MAX);

/** Whether the signature is this key's over this message. False, too, for a key that may not be used [L3]. */
export function verifySignature(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const name = message.length > GOOD_MESSAGE_BYTES_MAX ? undefined : key + latin1(signature) + latin1(message);
  if (name !== undefined && goodKept.get(name) === true) return true;
  const known = knownKey(key);
  const isGood =
    known !== undefined && (ed25519Verify(known.raw, message, signature) || holds(known, message, signature));
  if (isGood && name !== undefined) goodKept.set(name, true);
  return isGood;
}

/** What fits a row of ed25519VerifyAll. */
const ROW_MESSAGE_BYTES_MAX = VERIFY_ROW_BYTES - VERIFY_MESSAGE_AT;

/** So many at a time go to one thread. */
const PART = 64;

/** As verifySignature of each, on other threads as far as messages are short. */
export async function verifySignatures(all: readonly Signed[]): Promise<boolean[]> {
  const parts = Array.from({ length: Math.ceil(all.length / PART) }, (_, part) =>
    verifyPart(all.slice(part * PART, (part + 1) * PART)),
  );
  return (await Promise.all(parts)).flat();
}

async function verifyPart(all: readonly Signed[]): Promise<boolean[]> {
  const rows = new Uint8Array(all.length * VERIFY_ROW_BYTES);
  for (const [index, each] of all.entries()) writeRow(rows.subarray(index * VERIFY_ROW_BYTES), each);
  const areGood = await ed25519VerifyAll(rows);
  return all.map(
    ({ key, message, signature }, index) => areGood[index] === 1 || verifySignature(key, message, signature),
  );
}

/** A row of zeroes for what does not fit or may not be: nobody's signature. */
function writeRow(row: Uint8Array, { key, message, signature }: Signed): void {
  const known = knownKey(key);
  const fits = signature.length === SIGNATURE_BYTES && message.length <= ROW_MESSAGE_BYTES_MAX;
  if (known === undefined || !fits) return;
  row.set(known.raw);
  row.set(signature, HASH_BYTES);
  row[VERIFY_MESSAGE_AT - 1] = message.length;
  row.set(message, VERIFY_MESSAGE_AT);
}

/** By node:crypto. */
function holds(known: KnownKey, message: Uint8Array, signature: Uint8Array): boolean {
  known.object ??= createPublicKey({
    key: Buffer.from(concatBytes([SPKI_PREFIX, known.raw])),
    format: "der",
    type: "spki",
  });
  return verify(null, message, known.object, signature);
}

/** What a block signs is shorter: kind and id. */
const GOOD_MESSAGE_BYTES_MAX = 64;

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function knownKey(key: PublicKey): KnownKey | undefined {
  const kept = keysKept.get(key);
  if (kept !== undefined) return kept;
  const raw = bytesOf(key);
  try {
    assertUsableKey(raw);
  } catch (error) {
    if (error instanceof GdoError) return undefined;
    throw error;
  }
  return keysKept.set(key, { raw });
}
