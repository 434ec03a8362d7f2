/** Reading decoded payloads: each function takes one shape or throws LEDGER_FORM naming what was expected. */
import { GdoError, HASH_BYTES, type Hash, hashOf32, type PublicKey, publicKeyOf32 } from "../base/index.ts";
import type { Canonical, CanonicalMap } from "../codec/index.ts";

export function refuse(what: string): GdoError {
  return new GdoError("LEDGER_FORM", what);
}

export function isMap(value: Canonical | undefined): value is CanonicalMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** A map with exactly these keys. */
export function mapWith(value: Canonical | undefined, keys: readonly string[], what: string): CanonicalMap {
  if (!isMap(value)) throw refuse(`${what} is not a map`);
  const present = Object.keys(value);
  if (present.length !== keys.length || keys.some((key) => !Object.hasOwn(value, key))) {
    throw refuse(`${what} has the keys ${present.join(" ") || "(none)"}, not ${keys.join(" ")}`);
  }
  return value;
}

export function mapOf(value: Canonical | undefined, what: string): CanonicalMap {
  if (!isMap(value)) throw refuse(`${what} is not a map`);
  return value;
}

export function arrayOf(value: Canonical | undefined, what: string): readonly Canonical[] {
  if (!Array.isArray(value)) throw refuse(`${what} is not an array`);
  return value as readonly Canonical[];
}

export function textOf(value: Canonical | undefined, what: string): string {
  if (typeof value !== "string") throw refuse(`${what} is not text`);
  return value;
}

export function countOf(value: Canonical | undefined, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw refuse(`${what} is not a count`);
  return value;
}

export function bytes32(value: Canonical | undefined, what: string): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== HASH_BYTES) throw refuse(`${what} is not 32 bytes`);
  return value;
}

export function hashAt(value: Canonical | undefined, what: string): Hash {
  return hashOf32(bytes32(value, what));
}

export function hashOrNull(value: Canonical | undefined, what: string): Hash | null {
  return value === null ? null : hashAt(value, what);
}

export function keyAt(value: Canonical | undefined, what: string): PublicKey {
  return publicKeyOf32(bytes32(value, what));
}

/** Names of principals, roles, branches, dapps: also parts of state keys, so without a slash. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export function isName(text: Canonical | undefined): text is string {
  return typeof text === "string" && NAME.test(text);
}

export function nameOf(value: Canonical | undefined, what: string): string {
  if (!isName(value)) throw refuse(`${what} is not a name (a-z, 0-9, ".", "_", "-"; 1 to 63 characters)`);
  return value;
}

export function checkAscending(names: readonly string[], what: string): void {
  if (names.some((name, index) => index > 0 && name <= (names[index - 1] as string)))
    throw refuse(`${what} out of order or double`);
}

/** Hashes, each once, so that a set has one form. */
export function ascendingHashes(value: Canonical | undefined, what: string, max: number): Hash[] {
  const hashes = arrayOf(value, what).map((item) => hashAt(item, `one of ${what}`));
  if (hashes.length > max) throw refuse(`more than ${max} ${what}`);
  checkAscending(hashes, what);
  return hashes;
}
