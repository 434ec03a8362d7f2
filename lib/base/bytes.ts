/** Byte strings: hex, order, equality. No meaning here, only shape. */

/** Value of each lower-case hex digit by its code; of anything else more than any two digits could make. */
const NO_DIGIT = 0x1000;
const DIGIT_OF = Uint16Array.from({ length: 128 }, (_, code) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(code));
  return digit < 0 ? NO_DIGIT : digit;
});
/** For names: without a view of each. */
const SHORT = Buffer.alloc(32);

/** As many as a number holds. */
const START_BYTES = 6;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function toHex(bytes: Uint8Array): string {
  if (bytes.length === SHORT.length) {
    SHORT.set(bytes);
    return SHORT.toString("hex");
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** Lower-case hex to bytes; undefined when the text is not hex. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = digitAt(text, 2 * at) * 16 + digitAt(text, 2 * at + 1);
    if (byte >= NO_DIGIT) return undefined;
    bytes[at] = byte;
  }
  return bytes;
}

function digitAt(text: string, at: number): number {
  return DIGIT_OF[text.charCodeAt(at)] ?? NO_DIGIT;
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Throws TypeError on bytes that are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/**
 * The first six bytes as a number, which orders hashes as their bytes do, where it differs: numbers are compared many
 * times faster.
 */
export function startNumber(bytes: Uint8Array): number {
  let start = 0;
  for (let index = 0; index < START_BYTES; index += 1) start = start * 256 + (bytes[index] as number);
  return start;
}

/** Bytewise order, shorter first on a common prefix. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
