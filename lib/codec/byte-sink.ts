/** Bytes of CBOR as they are written, in a buffer that grows and is used again. */

/** What is kept between two writings; a larger buffer is given back. */
const KEPT_BYTES = 256 * 1024;
/** The widest head. */
const HEAD_BYTES_MAX = 9;
/** Short texts are written here; of longer ones the engine's own copy is faster. */
const SHORT_TEXT_UNITS = 48;
const UTF8_BYTES_A_UNIT = 3;
const UINT32 = 2 ** 32;

export class ByteSink {
  #bytes = Buffer.allocUnsafeSlow(4096);
  #at = 0;

  /** What was written, good until the next call. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** What was written, in memory of its own. */
  copy(): Uint8Array {
    return new Uint8Array(this.view());
  }

  reset(): void {
    this.#at = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(KEPT_BYTES);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }

  /** A head in the fewest bytes; `argument` is a count up to 2^53 - 1. */
  head(major: number, argument: number): void {
    this.#reserve(HEAD_BYTES_MAX);
    const bytes = this.#bytes;
    const at = this.#at;
    if (argument < 24) {
      bytes[at] = major + argument;
      this.#at = at + 1;
    } else if (argument < 0x100) {
      bytes[at] = major + 24;
      bytes[at + 1] = argument;
      this.#at = at + 2;
    } else if (argument < 0x10000) {
      bytes[at] = major + 25;
      this.#at = bytes.writeUInt16BE(argument, at + 1);
    } else if (argument < UINT32) {
      bytes[at] = major + 26;
      this.#at = bytes.writeUInt32BE(argument, at + 1);
    } else {
      bytes[at] = major + 27;
      bytes.writeUInt32BE(Math.floor(argument / UINT32), at + 1);
      this.#at = bytes.writeUInt32BE(argument % UINT32, at + 5);
    }
  }

  /** As head, of up to 2^64 - 1. */
  wideHead(major: number, argument: bigint): void {
    if (argument <= Number.MAX_SAFE_INTEGER) return this.head(major, Number(argument));
    this.#reserve(HEAD_BYTES_MAX);
    this.#bytes[this.#at] = major + 27;
    this.#at = this.#bytes.writeBigUInt64BE(argument, this.#at + 1);
  }

  /** A string of bytes. */
  string(major: number, content: Uint8Array): void {
    this.head(major, content.length);
    this.#reserve(content.length);
    this.#bytes.set(content, this.#at);
    this.#at += content.length;
  }

  /** Text of ASCII alone; false, and nothing is written, for any other. */
  ascii(major: number, text: string): boolean {
    const start = this.#at;
    this.head(major, text.length);
    this.#reserve(UTF8_BYTES_A_UNIT * text.length);
    if (text.length > SHORT_TEXT_UNITS) this.#at += this.#bytes.write(text, this.#at, "utf8");
    else this.#shortAscii(text);
    // Only ASCII has as many bytes as units.
    if (this.#at === start + headBytes(text.length) + text.length) return true;
    this.#at = start;
    return false;
  }

  #shortAscii(text: string): void {
    const bytes = this.#bytes;
    const at = this.#at;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) return;
      bytes[at + index] = unit;
    }
    this.#at = at + text.length;
  }

  /** Any text that is well-formed. */
  utf8(major: number, text: string): void {
    this.head(major, Buffer.byteLength(text));
    this.#reserve(UTF8_BYTES_A_UNIT * text.length);
    this.#at += this.#bytes.write(text, this.#at, "utf8");
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.view());
    this.#bytes = grown;
  }
}

function headBytes(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x10000) return 3;
  return argument < UINT32 ? 5 : HEAD_BYTES_MAX;
}
