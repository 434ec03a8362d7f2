/**
 * JSON and canonical values, in dag-json's form: bytes are {"/":{"bytes":"<base64, no padding>"}}. Integers
 * beyond 2^53 - 1, which JSON readers round, are {"/":{"int":"123"}}.
 */
import { GdoError } from "../base/index.ts";
import { type Canonical, type CanonicalMap, INTEGER_MAX, INTEGER_MIN } from "./canonical.ts";

const RESERVED = "/";
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const BEYOND_ASCII = /[^\u0000-\u007f]/;
const BASE64 = /^[A-Za-z0-9+/]*$/;
const DECIMAL = /^(?:0|-?[1-9][0-9]{0,19})$/;
/** Deeper than any canonical value, so that only hostile JSON meets it. */
const JSON_DEPTH_MAX = 64;

/** Why a value has no form, and where: the way to the place is filled in on the way out, so that good values cost none. */
class NoForm extends Error {
  readonly way: string[] = [];
}

function refuse(why: string): NoForm {
  return new NoForm(why);
}

function under(way: string, cause: unknown): unknown {
  if (cause instanceof NoForm) cause.way.unshift(way);
  return cause;
}

/** Runs `work`; throws INPUT_INVALID, naming the place. */
function named<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof NoForm)) throw cause;
    const path = cause.way.join("").replace(/^\./, "");
    throw new GdoError("INPUT_INVALID", `no canonical form: ${cause.message}${path === "" ? "" : ` at ${path}`}`);
  }
}

/** The canonical value of parsed JSON; text is brought to NFC. Throws INPUT_INVALID, naming the place. */
export function canonicalFromJson(value: unknown): Canonical {
  return named(() => fromJson(value, 0));
}

function fromJson(value: unknown, depth: number): Canonical {
  if (depth > JSON_DEPTH_MAX) throw refuse("nesting too deep");
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return normal(value);
  if (typeof value === "number") return integer(value);
  if (typeof value !== "object") throw refuse(typeof value);
  if (Array.isArray(value)) return listFromJson(value, depth);
  if (Object.hasOwn(value, RESERVED)) return special(value as Readonly<Record<string, unknown>>);
  return mapFromJson(value as Readonly<Record<string, unknown>>, depth);
}

/** ASCII, as most text is, is in every normal form. */
function normal(text: string): string {
  return BEYOND_ASCII.test(text) ? text.normalize("NFC") : text;
}

function integer(value: number): number {
  if (!Number.isInteger(value)) throw refuse(`the float ${value}`);
  if (!Number.isSafeInteger(value)) throw refuse('an integer beyond 2^53 - 1 (write {"/":{"int":"…"}})');
  return value === 0 ? 0 : value;
}

function listFromJson(value: readonly unknown[], depth: number): Canonical {
  return value.map((item, index) => {
    try {
      return fromJson(item, depth + 1);
    } catch (cause) {
      throw under(`[${index}]`, cause);
    }
  });
}

function mapFromJson(value: Readonly<Record<string, unknown>>, depth: number): Canonical {
  const map = Object.create(null) as Record<string, Canonical>;
  for (const key of Object.keys(value)) {
    const name = normal(key);
    if (name in map) throw refuse(`the key ${JSON.stringify(name)} twice`);
    try {
      map[name] = fromJson(value[key], depth + 1);
    } catch (cause) {
      throw under(`.${name}`, cause);
    }
  }
  return map;
}

function special(value: Readonly<Record<string, unknown>>): Canonical {
  const inner = value[RESERVED];
  if (Object.keys(value).length === 1 && typeof inner === "object" && inner !== null) {
    const entries = Object.entries(inner);
    const [kind, text] = entries.length === 1 ? (entries[0] as [string, unknown]) : [];
    if (kind === "bytes" && typeof text === "string") return bytesFrom(text);
    if (kind === "int" && typeof text === "string") return bigFrom(text);
  }
  throw refuse('an object with the key "/" that is neither bytes nor int');
}

function bytesFrom(text: string): Uint8Array {
  const bytes = BASE64.test(text) ? new Uint8Array(Buffer.from(text, "base64")) : undefined;
  // Writing back shows a wrong length and stray bits at the end.
  if (bytes === undefined || base64(bytes) !== text) throw refuse("bytes that are not base64 without padding");
  return bytes;
}

function bigFrom(text: string): number | bigint {
  if (!DECIMAL.test(text)) throw refuse("an int that is not decimal");
  const value = BigInt(text);
  if (value < INTEGER_MIN || value > INTEGER_MAX) throw refuse("an integer beyond 64 bits");
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
  return named(() => toJson(value));
}

function toJson(value: Canonical): unknown {
  if (typeof value === "bigint")
    return Number.isSafeInteger(Number(value)) ? Number(value) : { [RESERVED]: { int: value.toString() } };
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return { [RESERVED]: { bytes: base64(value) } };
  return Array.isArray(value) ? listToJson(value) : mapToJson(value as CanonicalMap);
}

function listToJson(value: readonly Canonical[]): unknown {
  return value.map((item, index) => {
    try {
      return toJson(item);
    } catch (cause) {
      throw under(`[${index}]`, cause);
    }
  });
}

function mapToJson(value: CanonicalMap): unknown {
  if (Object.hasOwn(value, RESERVED)) throw refuse('a map with the key "/" has no JSON form');
  const object: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    try {
      const item = toJson(value[key] as Canonical);
      if (key === "__proto__") define(object, key, item);
      else object[key] = item;
    } catch (cause) {
      throw under(`.${key}`, cause);
    }
  }
  return object;
}

/** Assigning "__proto__" would set the prototype. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}
