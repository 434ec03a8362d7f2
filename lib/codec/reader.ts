/**
 * Canonical CBOR, reading side. A strict reader takes only what [L1] lists and keeps the limits of
 * [L2] before it allocates anything; then the writer, which shares no code with it, must write the same
 * bytes from the result [L2].
 */
import { CBOR_DEPTH_MAX, GdoError, OBJECT_BYTES_MAX, toHex } from "../base/index.ts";
import { type Canonical, encodesTo, INTEGER_MIN } from "./canonical.ts";

export interface DecodeLimits {
  /** Default 32 MiB. */
  readonly bytesMax?: number;
  /** Nested arrays and maps; default and greatest 16 [L2]. */
  readonly depthMax?: number;
}

/**
 * The value of canonical bytes. Throws LEDGER_FORM, naming what and at which offset, for anything
 * that is not the canonical form of exactly one value, or is beyond the limits. Maps come without
 * prototype, integers as bigint beyond 2^53 - 1.
 */
export function decodeCanonical(bytes: Uint8Array, limits: DecodeLimits = {}): Canonical {
  const bytesMax = limits.bytesMax ?? OBJECT_BYTES_MAX;
  if (bytes.length > bytesMax) throw new GdoError("LEDGER_FORM", `${bytes.length} bytes, more than ${bytesMax}`);
  const value = new Reader(bytes, Math.min(limits.depthMax ?? CBOR_DEPTH_MAX, CBOR_DEPTH_MAX)).whole();
  if (!encodesTo(value, bytes)) throw new GdoError("LEDGER_FORM", "not canonical: encodes to other bytes");
  return value;
}

/** The value of bytes that encodeCanonical wrote, or that were decoded before: they need not be written again. */
export function decodeWritten(bytes: Uint8Array): Canonical {
  return new Reader(bytes, CBOR_DEPTH_MAX).whole();
}

const UINT32 = 2 ** 32;
/** Upper halves below it make integers that a number holds. */
const SAFE_HIGH = 2 ** 21 - 1;

/** Copied byte by byte. */
const SHORT_BYTES = 64;
/** Texts of one byte: a block's keys. */
const ASCII = Array.from({ length: 128 }, (_, unit) => String.fromCharCode(unit));

class Reader {
  readonly #bytes: Buffer;
  readonly #depthMax: number;
  #at = 0;

  constructor(bytes: Uint8Array, depthMax: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#depthMax = depthMax;
  }

  whole(): Canonical {
    const value = this.#item(0);
    if (this.#at !== this.#bytes.length) throw this.#refuse("bytes after the end", this.#at);
    return value;
  }

  #refuse(what: string, at: number): GdoError {
    return new GdoError("LEDGER_FORM", `not canonical: ${what} at byte ${at}`);
  }

  #item(depth: number): Canonical {
    const at = this.#at;
    const initial = this.#byte();
    const major = initial >> 5;
    const info = initial & 0x1f;
    if (major === 7) return this.#simple(info, at);
    if (major === 6) throw this.#refuse("a tag", at);
    if (info === 31) throw this.#refuse("an indefinite length", at);
    if (major === 0) return this.#integer(this.#argument(info, at));
    if (major === 1) return this.#negative(this.#argument(info, at), at);
    const length = this.#length(info, at);
    if (major === 2) return this.#content(length, at);
    if (major === 3) return this.#text(length, at);
    if (depth >= this.#depthMax) throw this.#refuse(`nesting deeper than ${this.#depthMax}`, at);
    return major === 4 ? this.#array(length, depth) : this.#map(length, depth);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.#refuse("cut short", this.#at);
    this.#at += 1;
    return byte;
  }

  #simple(info: number, at: number): null | boolean {
    if (info === 20) return false;
    if (info === 21) return true;
    if (info === 22) return null;
    if (info === 23) throw this.#refuse("undefined", at);
    if (info >= 25 && info <= 27) throw this.#refuse("a float", at);
    throw this.#refuse(info === 31 ? "a break" : "a simple value", at);
  }

  /** The argument of a head, which must be in the fewest bytes that hold it. */
  #argument(info: number, at: number): number | bigint {
    if (info < 24) return info;
    if (info > 27) throw this.#refuse("a reserved head", at);
    const width = 1 << (info - 24);
    const start = this.#at;
    this.#skip(width, at);
    if (width === 8) return this.#wideArgument(start, at);
    const value = this.#bytes.readUIntBE(start, width);
    if (value < (width === 1 ? 24 : 2 ** (width * 4)))
      throw this.#refuse("an integer or length in more bytes than it needs", at);
    return value;
  }

  #wideArgument(start: number, at: number): number | bigint {
    const high = this.#bytes.readUInt32BE(start);
    if (high === 0) throw this.#refuse("an integer or length in more bytes than it needs", at);
    // -1 less this is still safe.
    if (high < SAFE_HIGH) return high * UINT32 + this.#bytes.readUInt32BE(start + 4);
    return this.#bytes.readBigUInt64BE(start);
  }

  #integer(value: number | bigint): number | bigint {
    return typeof value === "bigint" && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }

  #negative(argument: number | bigint, at: number): number | bigint {
    if (typeof argument === "number") return -1 - argument;
    const value = -1n - argument;
    if (value < INTEGER_MIN) throw this.#refuse("an integer below -2^63", at);
    return value >= Number.MIN_SAFE_INTEGER ? Number(value) : value;
  }

  /** A length or count. Every item takes a byte or more, so none can exceed what is left. */
  #length(info: number, at: number): number {
    const length = this.#argument(info, at);
    if (length > this.#bytes.length - this.#at) throw this.#refuse("cut short", at);
    return Number(length);
  }

  #skip(length: number, at: number): void {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw this.#refuse("cut short", at);
    this.#at = end;
  }

  /** In memory of its own, and no Buffer. */
  #content(length: number, at: number): Uint8Array {
    const start = this.#at;
    this.#skip(length, at);
    const content = new Uint8Array(length);
    if (length > SHORT_BYTES) content.set(this.#bytes.subarray(start, this.#at));
    else for (let index = 0; index < length; index += 1) content[index] = this.#bytes[start + index] as number;
    return content;
  }

  #text(length: number, at: number): string {
    const start = this.#at;
    this.#skip(length, at);
    if (length === 1) {
      const known = ASCII[this.#bytes[start] as number];
      if (known !== undefined) return known;
    }
    const text = this.#bytes.toString("utf8", start, this.#at);
    if (text.length === length && !text.includes("\ufffd")) return text; // ASCII is in every normal form.
    // What is not UTF-8 has become U+FFFD.
    if (text.includes("\ufffd") && !Buffer.from(text).equals(this.#bytes.subarray(start, this.#at)))
      throw this.#refuse("text that is not UTF-8", at);
    if (text.normalize("NFC") !== text) throw this.#refuse("text that is not in normal form C", at);
    return text;
  }

  #array(length: number, depth: number): Canonical[] {
    const items = new Array<Canonical>(length);
    for (let index = 0; index < length; index += 1) items[index] = this.#item(depth + 1);
    return items;
  }

  #map(length: number, depth: number): Canonical {
    const map = Object.create(null) as Record<string, Canonical>;
    let lastStart = 0;
    let lastEnd = 0;
    for (let index = 0; index < length; index += 1) {
      const start = this.#at;
      const key = this.#key();
      if (index > 0) this.#checkOrder(lastStart, lastEnd, start);
      lastStart = start;
      lastEnd = this.#at;
      map[key] = this.#item(depth + 1);
    }
    return map;
  }

  #key(): string {
    const at = this.#at;
    const initial = this.#byte();
    if (initial >> 5 !== 3) throw this.#refuse("a key that is not text", at);
    const info = initial & 0x1f;
    if (info === 31) throw this.#refuse("an indefinite length", at);
    return this.#text(this.#length(info, at), at);
  }

  #checkOrder(lastStart: number, lastEnd: number, start: number): void {
    // Heads tell lengths, so in most pairs the first byte or the one after it decides.
    const bytes = this.#bytes;
    const ahead = (bytes[start] as number) - (bytes[lastStart] as number);
    const isEmpty = this.#at === start + 1; // What follows its head is no part of it.
    if (ahead > 0 || (ahead === 0 && !isEmpty && (bytes[start + 1] as number) > (bytes[lastStart + 1] as number)))
      return;
    const order = bytes.compare(bytes, start, this.#at, lastStart, lastEnd);
    if (order < 0) return;
    const key = toHex(this.#bytes.subarray(start, this.#at));
    throw this.#refuse(order === 0 ? `the key ${key} twice` : `the key ${key} out of order`, start);
  }
}
