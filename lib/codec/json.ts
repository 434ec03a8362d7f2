/**
 * JSON and canonical values, in dag-json's form: bytes are {"/":{"bytes":"<base64, no padding>"}}. Integers
 * beyond 2^53 - 1, which JSON readers round, are {"/":{"int":"123"}}.
 */
import { GdoError } from "../base/index.ts";
import { type Canonical, type CanonicalMap, INTEGER_MAX, INTEGER_MIN } from "./canonical.ts";

const RESERVED = "/";
const BASE64 = /^[A-Za-z0-9+/]*$/;
const DECIMAL = /^(?:0|-?[1-9][0-9]{0,19})$/;
/** Deeper than any canonical value, so that only hostile JSON meets it. */
const JSON_DEPTH_MAX = 64;

function refuse(path: string, why: string): GdoError {
  return new GdoError("INPUT_INVALID", `no canonical form: ${why}${path === "" ? "" : ` at ${path}`}`);
}

/** The canonical value of parsed JSON; text is brought to NFC. Throws INPUT_INVALID, naming the place. */
export function canonicalFromJson(value: unknown): Canonical {
  return fromJson(value, "", 0);
}

function fromJson(value: unknown, path: string, depth: number): Canonical {
  if (depth > JSON_DEPTH_MAX) throw refuse(path, "nesting too deep");
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return value.normalize("NFC");
  if (typeof value === "number") return integer(value, path);
  if (Array.isArray(value)) return value.map((item, index) => fromJson(item, `${path}[${index}]`, depth + 1));
  if (typeof value !== "object") throw refuse(path, typeof value);
  if (Object.hasOwn(value, RESERVED)) return special(value as Readonly<Record<string, unknown>>, path);
  return mapFromJson(value as Readonly<Record<string, unknown>>, path, depth);
}

function integer(value: number, path: string): number {
  if (!Number.isInteger(value)) throw refuse(path, `the float ${value}`);
  if (!Number.isSafeInteger(value)) throw refuse(path, 'an integer beyond 2^53 - 1 (write {"/":{"int":"…"}})');
  return value === 0 ? 0 : value;
}

function mapFromJson(value: Readonly<Record<string, unknown>>, path: string, depth: number): Canonical {
  const map = Object.create(null) as Record<string, Canonical>;
  for (const [key, item] of Object.entries(value)) {
    const name = key.normalize("NFC");
    if (name in map) throw refuse(path, `the key ${JSON.stringify(name)} twice`);
    map[name] = fromJson(item, path === "" ? name : `${path}.${name}`, depth + 1);
  }
  return map;
}

function special(value: Readonly<Record<string, unknown>>, path: string): Canonical {
  const inner = value[RESERVED];
  if (Object.keys(value).length === 1 && typeof inner === "object" && inner !== null) {
    const entries = Object.entries(inner);
    const [kind, text] = entries.length === 1 ? (entries[0] as [string, unknown]) : [];
    if (kind === "bytes" && typeof text === "string") return bytesFrom(text, path);
    if (kind === "int" && typeof text === "string") return bigFrom(text, path);
  }
  throw refuse(path, 'an object with the key "/" that is neither bytes nor int');
}

function bytesFrom(text: string, path: string): Uint8Array {
  const bytes = BASE64.test(text) ? new Uint8Array(Buffer.from(text, "base64")) : undefined;
  // Writing back shows a wrong length and stray bits at the end.
  if (bytes === undefined || base64(bytes) !== text) throw refuse(path, "bytes that are not base64 without padding");
  return bytes;
}

function bigFrom(text: string, path: string): number | bigint {
  if (!DECIMAL.test(text)) throw refuse(path, "an int that is not decimal");
  const value = BigInt(text);
  if (value < INTEGER_MIN || value > INTEGER_MAX) throw refuse(path, "an integer beyond 64 bits");
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64").replace(/=+$/, "");
}

/**
 * What JSON.stringify may be given for a canonical value. Objects are plain. Throws INPUT_INVALID
 * for a map with the key "/", which JSON cannot tell from bytes.
 */
export function jsonFromCanonical(value: Canonical): unknown {
  return toJson(value, "");
}

function toJson(value: Canonical, path: string): unknown {
  if (value instanceof Uint8Array) return { [RESERVED]: { bytes: base64(value) } };
  if (typeof value === "bigint")
    return Number.isSafeInteger(Number(value)) ? Number(value) : { [RESERVED]: { int: value.toString() } };
  if (Array.isArray(value)) return value.map((item, index) => toJson(item, `${path}[${index}]`));
  if (typeof value !== "object" || value === null) return value;
  if (Object.hasOwn(value, RESERVED)) throw refuse(path, 'a map with the key "/" has no JSON form');
  const object: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value as CanonicalMap)) {
    // Defined, not assigned: assigning "__proto__" would set the prototype.
    Object.defineProperty(object, key, {
      value: toJson(item, path === "" ? key : `${path}.${key}`),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return object;
}
