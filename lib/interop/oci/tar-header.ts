/**
 * Headers of tar archives: POSIX ustar and pax, and the long names and sizes of GNU tar. Pure. Written
 * from POSIX.1-2001 (pax) and the GNU tar manual.
 */
import { GdoError } from "../../base/index.ts";

export const TAR_BLOCK_BYTES = 512;

export type TarKind = "file" | "hardlink" | "link" | "folder" | "other";

/** What a header says of its member, before pax and GNU records are taken into account. */
export interface TarHeader {
  readonly flag: string;
  readonly path: string;
  readonly target: string;
  readonly mode: number;
  readonly sizeBytes: number;
}

const KINDS: Readonly<Record<string, TarKind>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "link",
  "5": "folder",
};

/** "other" is a device, a pipe, or something unknown that can be passed over. */
export function tarKind(flag: string, path: string): TarKind {
  const kind = KINDS[flag] ?? "other";
  return kind === "file" && path.endsWith("/") ? "folder" : kind; // As before POSIX.
}

export function tarFault(what: string): GdoError {
  return new GdoError("INPUT_INVALID", `not a sound tar archive: ${what}`);
}

/** Undefined for a block of zeros, with which an archive ends. INPUT_INVALID. */
export function parseTarHeader(block: Uint8Array): TarHeader | undefined {
  if (block.length < TAR_BLOCK_BYTES) throw tarFault("it ends in a header");
  if (block.every((byte) => byte === 0)) return undefined;
  if (checksumOf(block) !== numberIn(block, 148, 8)) throw tarFault("a header's sum is wrong");
  const name = textIn(block, 0, 100);
  // GNU's own form has times where ustar has the prefix.
  const hasPrefix = textOf(block.subarray(257, 263)) === "ustar\0";
  const prefix = hasPrefix ? textIn(block, 345, 155) : "";
  return {
    flag: String.fromCharCode(block[156] ?? 0),
    path: prefix === "" ? name : `${prefix}/${name}`,
    target: textIn(block, 157, 100),
    mode: numberIn(block, 100, 8),
    sizeBytes: numberIn(block, 124, 12),
  };
}

/** The sum of all bytes, those of the sum itself counted as spaces. */
export function checksumOf(block: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < TAR_BLOCK_BYTES; at += 1) sum += at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
  return sum;
}

function textIn(block: Uint8Array, at: number, sizeBytes: number): string {
  const field = block.subarray(at, at + sizeBytes);
  const end = field.indexOf(0);
  return textOf(end < 0 ? field : field.subarray(0, end));
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function textOf(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new GdoError("INPUT_INVALID", "a tar archive has a name that is no UTF-8", { cause });
  }
}

/** Octal digits; or, with the first bit set, a big-endian number, as GNU tar writes what has no room. */
function numberIn(block: Uint8Array, at: number, sizeBytes: number): number {
  const field = block.subarray(at, at + sizeBytes);
  if (((field[0] ?? 0) & 0x80) !== 0) return binaryNumber(field);
  const text = Buffer.from(field)
    .toString("latin1")
    .replace(/[\0 ]+$/, "")
    .trim();
  if (!/^[0-7]*$/.test(text)) throw tarFault("a number is none");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function binaryNumber(field: Uint8Array): number {
  let value = (field[0] ?? 0) & 0x7f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  if (!Number.isSafeInteger(value)) throw tarFault("a number is too large");
  return value;
}

/** Records of a pax header, "LENGTH KEY=VALUE\n" one after the other; a later one wins. */
export function parsePax(bytes: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? "" : Buffer.from(bytes.subarray(at, space)).toString("latin1");
    const end = /^[1-9][0-9]{0,9}$/.test(digits) ? at + Number(digits) : 0;
    const equals = bytes.indexOf(0x3d, space);
    if (end <= equals || equals < 0 || end > bytes.length || bytes[end - 1] !== 0x0a)
      throw tarFault("a pax record is wrong");
    const key = Buffer.from(bytes.subarray(space + 1, equals)).toString("latin1");
    // Attributes may hold any bytes; they are not for images, and are not read.
    if (["path", "linkpath", "size"].includes(key)) records.set(key, textOf(bytes.subarray(equals + 1, end - 1)));
    else records.set(key, "");
    at = end;
  }
  return records;
}
