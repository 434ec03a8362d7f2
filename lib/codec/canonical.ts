/**
 * Canonical CBOR, writing side: RFC 8949 §4.2.1 narrowed to what [L1] lists. One pass, straight into a buffer
 * that is used again: every block is written when it is signed, and once more when it is read [L2].
 */
import { CBOR_DEPTH_MAX, equalBytes, GdoError } from "../base/index.ts";
import { ByteSink } from "./byte-sink.ts";

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

/**
 * The canonical bytes of a value [L1]. Throws INPUT_INVALID, naming the place, for what has no
 * canonical form: floats, undefined, text that is not NFC, nesting deeper than 16 [L2].
 */
export function encodeCanonical(value: Canonical): Uint8Array {
  return written(value, (sink) => sink.copy());
}

/** Whether these are the value's canonical bytes [L2]. Throws as encodeCanonical does. */
export function encodesTo(value: Canonical, bytes: Uint8Array): boolean {
  return written(value, (sink) => equalBytes(sink.view(), bytes));
}

/**
 * The value as it would be read from its canonical bytes: its own arrays, and maps in order and without prototype.
 * `value` has a canonical form.
 */
export function copyCanonical(value: Canonical): Canonical {
  if (typeof value === "number") return value + 0; // -0 is 0.
  if (typeof value === "bigint") return isSafe(value) ? Number(value) : value;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  return Array.isArray(value) ? value.map(copyCanonical) : copyMap(value as CanonicalMap);
}

function isSafe(value: bigint): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
}

function copyMap(map: CanonicalMap): CanonicalMap {
  const copy = Object.create(null) as Record<string, Canonical>;
  for (const key of inOrder(Object.keys(map))) copy[key] = copyCanonical(map[key] as Canonical);
  return copy;
}

const sink = new ByteSink();
let isWriting = false;

function written<T>(value: Canonical, use: (sink: ByteSink) => T): T {
  // A getter of the value could come back here; it gets a sink of its own.
  const own = isWriting ? new ByteSink() : sink;
  const wasWriting = isWriting;
  isWriting = true;
  try {
    new Writer(own).write(value, 0);
    return use(own);
  } finally {
    own.reset();
    isWriting = wasWriting;
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Heads: the major type in the upper three bits. */
const [UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP] = [0x00, 0x20, 0x40, 0x60, 0x80, 0xa0];
const [FALSE, TRUE, NULL] = [0xf4, 0xf5, 0xf6];

class Writer {
  readonly #sink: ByteSink;
  /** Where the value is that is being written: the first `depth` of it. */
  readonly #path: (string | number)[] = [];

  constructor(into: ByteSink) {
    this.#sink = into;
  }

  write(value: unknown, depth: number): void {
    if (typeof value === "string") this.#text(value, depth);
    else if (typeof value === "number") this.#number(value, depth);
    else if (value === null) this.#sink.byte(NULL);
    else if (typeof value === "object") this.#object(value, depth);
    else if (typeof value === "boolean") this.#sink.byte(value ? TRUE : FALSE);
    else if (typeof value === "bigint") this.#bigint(value, depth);
    else throw this.#refuse(typeof value, depth);
  }

  #refuse(why: string, depth: number): GdoError {
    const steps = this.#path.slice(0, depth).map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`));
    const path = steps.join("").replace(/^\./, "");
    return new GdoError("INPUT_INVALID", `no canonical form: ${why}${path === "" ? "" : ` at ${path}`}`);
  }

  #number(value: number, depth: number): void {
    if (!Number.isInteger(value)) throw this.#refuse(`the float ${value}`, depth);
    if (!Number.isSafeInteger(value)) throw this.#refuse("an integer beyond 2^53 - 1 that is not a bigint", depth);
    if (value < 0) this.#sink.head(NEGATIVE, -1 - value);
    else this.#sink.head(UNSIGNED, value); // -0 is 0.
  }

  #bigint(value: bigint, depth: number): void {
    if (value < INTEGER_MIN || value > INTEGER_MAX) throw this.#refuse("an integer beyond 64 bits", depth);
    if (value < 0n) this.#sink.wideHead(NEGATIVE, -1n - value);
    else this.#sink.wideHead(UNSIGNED, value);
  }

  #text(text: string, depth: number): void {
    if (this.#sink.ascii(TEXT, text)) return; // In every normal form.
    if (LONE_SURROGATE.test(text)) throw this.#refuse("text with half a surrogate pair", depth);
    if (text.normalize("NFC") !== text) throw this.#refuse("text that is not in normal form C", depth);
    this.#sink.utf8(TEXT, text);
  }

  #object(value: object, depth: number): void {
    if (value instanceof Uint8Array) return this.#sink.string(BYTES, value);
    if (depth >= CBOR_DEPTH_MAX) throw this.#refuse(`nesting deeper than ${CBOR_DEPTH_MAX}`, depth);
    if (Array.isArray(value)) return this.#array(value, depth);
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null)
      throw this.#refuse(`a ${value.constructor?.name ?? "class instance"}`, depth);
    this.#map(value as Readonly<Record<string, unknown>>, depth);
  }

  #array(items: readonly unknown[], depth: number): void {
    this.#sink.head(ARRAY, items.length);
    // By index: a hole is undefined and must be refused, not skipped.
    for (let index = 0; index < items.length; index += 1) {
      this.#path[depth] = index;
      this.write(items[index], depth + 1);
    }
  }

  #map(map: Readonly<Record<string, unknown>>, depth: number): void {
    if (Object.getOwnPropertySymbols(map).length > 0) throw this.#refuse("a symbol as key", depth);
    const keys = inOrder(Object.keys(map));
    this.#sink.head(MAP, keys.length);
    for (const key of keys) {
      this.#path[depth] = key;
      this.#text(key, depth + 1);
      this.write(map[key], depth + 1);
    }
  }
}

/** Most maps come in order: those that were read, and those that are made so. */
function inOrder(keys: string[]): string[] {
  for (let index = 1; index < keys.length; index += 1) {
    const [before, key] = [keys[index - 1] as string, keys[index] as string];
    // A block's own keys, quickly.
    const areLetters = before.length === 1 && key.length === 1 && before < "\x80" && key < "\x80";
    if (areLetters ? before > key : compareKeys(before, key) > 0) return keys.sort(compareKeys);
  }
  return keys;
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
