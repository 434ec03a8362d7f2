/**
 * Canonical CBOR, writing side: RFC 8949 §4.2.1 narrowed to what [L1] lists. cbor-x writes the bytes;
 * this file gives it only values for which it writes the one canonical form. Its traps, and where
 * each is kept out: keys in insertion order (sorted here), maps of objects with number-like keys
 * (handed over as Map), integers beyond 32 bits as floats (handed over as BigInt), integers from
 * -2^32 to -2^31 - 1 wider than they need be (narrowed afterwards).
 */
import { Encoder } from "cbor-x/encode"; // Without streams, and without a look for a native decoder.
import { CBOR_DEPTH_MAX, GdoError } from "../base/index.ts";
import { narrowIntegers } from "./narrow.ts";

/** What has a canonical form [L1]. Integers: -2^63 to 2^64 - 1, as bigint beyond 2^53 - 1. Text: NFC. */
export type Canonical =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Canonical[]
  | { readonly [key: string]: Canonical };

/** A canonical map as decoded: no prototype, so that no key can mean anything but itself. */
export type CanonicalMap = { readonly [key: string]: Canonical };

export const INTEGER_MIN = -(2n ** 63n);
export const INTEGER_MAX = 2n ** 64n - 1n;

const engine = new Encoder({
  useRecords: false,
  mapsAsObjects: false, // Else a Map is written under tag 259.
  variableMapSize: true,
  tagUint8Array: false,
  structuredClone: false,
});

const LONE_SURROGATE = /\p{Surrogate}/u;
const UINT32_MAX = 2 ** 32 - 1;
const INT32_MIN = -(2 ** 31);
const UINT32_NEGATIVE_MIN = -(2 ** 32);

/** What one encoding has met. */
interface Pass {
  /** Some integer will come out of the engine wider than it need be. */
  hasWide: boolean;
}

/**
 * The canonical bytes of a value [L1]. Throws INPUT_INVALID, naming the place, for what has no
 * canonical form: floats, undefined, text that is not NFC, nesting deeper than 16 [L2].
 */
export function encodeCanonical(value: Canonical): Uint8Array {
  const pass: Pass = { hasWide: false };
  const prepared = prepare(value, 0, "", pass);
  const bytes = new Uint8Array(engine.encode(prepared));
  return pass.hasWide ? narrowIntegers(bytes) : bytes;
}

function refuse(path: string, why: string): GdoError {
  return new GdoError("INPUT_INVALID", `no canonical form: ${why}${path === "" ? "" : ` at ${path}`}`);
}

function prepare(value: unknown, depth: number, path: string, pass: Pass): unknown {
  switch (typeof value) {
    case "string":
      return checkText(value, path);
    case "number":
      return prepareNumber(value, path, pass);
    case "bigint":
      return prepareBigint(value, path, pass);
    case "boolean":
      return value;
    case "object":
      return value === null ? null : prepareObject(value, depth, path, pass);
    default:
      throw refuse(path, typeof value);
  }
}

function checkText(text: string, path: string): string {
  if (LONE_SURROGATE.test(text)) throw refuse(path, "text with half a surrogate pair");
  if (text.normalize("NFC") !== text) throw refuse(path, "text that is not in normal form C");
  return text;
}

function prepareNumber(value: number, path: string, pass: Pass): number | bigint {
  if (!Number.isInteger(value)) throw refuse(path, `the float ${value}`);
  if (!Number.isSafeInteger(value)) throw refuse(path, "an integer beyond 2^53 - 1 that is not a bigint");
  if (value >= INT32_MIN && value <= UINT32_MAX) return value === 0 ? 0 : value; // -0 is 0.
  if (value < 0 && value >= UINT32_NEGATIVE_MIN) pass.hasWide = true;
  return BigInt(value);
}

function prepareBigint(value: bigint, path: string, pass: Pass): number | bigint {
  if (value < INTEGER_MIN || value > INTEGER_MAX) throw refuse(path, "an integer beyond 64 bits");
  const small = Number(value);
  return Number.isSafeInteger(small) ? prepareNumber(small, path, pass) : value;
}

function prepareObject(value: object, depth: number, path: string, pass: Pass): unknown {
  if (value instanceof Uint8Array) {
    // The engine goes by the exact class.
    return value.constructor === Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (depth >= CBOR_DEPTH_MAX) throw refuse(path, `nesting deeper than ${CBOR_DEPTH_MAX}`);
  if (Array.isArray(value)) return prepareArray(value, depth, path, pass);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw refuse(path, `a ${value.constructor?.name ?? "class instance"}`);
  return prepareMap(value as Readonly<Record<string, unknown>>, depth, path, pass);
}

function prepareArray(items: readonly unknown[], depth: number, path: string, pass: Pass): unknown[] {
  const prepared = new Array<unknown>(items.length);
  // By index: a hole is undefined and must be refused, not skipped.
  for (let index = 0; index < items.length; index += 1) {
    prepared[index] = prepare(items[index], depth + 1, `${path}[${index}]`, pass);
  }
  return prepared;
}

function prepareMap(map: Readonly<Record<string, unknown>>, depth: number, path: string, pass: Pass): unknown {
  if (Object.getOwnPropertySymbols(map).length > 0) throw refuse(path, "a symbol as key");
  const prepared = new Map<string, unknown>();
  for (const key of Object.keys(map).sort(compareKeys)) {
    const keyPath = path === "" ? key : `${path}.${key}`;
    prepared.set(checkText(key, keyPath), prepare(map[key], depth + 1, keyPath, pass));
  }
  return prepared;
}

/** Order of text keys in a canonical map: bytewise over their encodings, so the shorter first [L1]. */
export function compareKeys(a: string, b: string): number {
  const aBytes = Buffer.byteLength(a);
  const bBytes = Buffer.byteLength(b);
  if (aBytes !== bBytes) return aBytes - bBytes;
  // UTF-16 order differs from UTF-8 order only outside ASCII.
  if (aBytes === a.length && bBytes === b.length) return a < b ? -1 : Number(a > b);
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
