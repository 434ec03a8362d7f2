/**
 * The first and the last bytes of a pack [T7], as they are read; native/store/record.cc writes them. Pure. docs/design/pack-format.md is the specification.
 *
 * Header, 32 bytes: magic 8 | version | hash algorithm | zero 2 | pack number 4 | zero 12 | CRC-32C 4
 * Footer: magic 4 | count 4 | per record, sorted: id 32, offset 4, length 4 |
 *         offset of the footer 8 | CRC-32C of the footer so far 4 | end magic 8
 */
import { crc32c } from "../../addon.ts";
import { bytesOf, equalBytes, type Hash, hashOf32, utf8 } from "../../base/index.ts";

export const PACK_HEADER_BYTES = 32;
const PACK_MAGIC = Uint8Array.of(0x89, ...utf8("gdopack"));
const PACK_VERSION = 1;
const ALGORITHM_BLAKE3_256 = 1; // [T1]

export const FOOTER_MAGIC = Uint8Array.of(0xb7, 0x47, 0x44, 0x46);
const END_MAGIC = Uint8Array.of(0xb7, ...utf8("gdoend"), 0x0a);
const FOOTER_HEAD_BYTES = 8;
export const ENTRY_BYTES = 40;
/** Offset, checksum and end magic: a reader begins with these, from the end of the file. */
export const TRAILER_BYTES = 20;
export const FOOTER_BYTES_MIN = FOOTER_HEAD_BYTES + TRAILER_BYTES;

export interface FooterEntry {
  readonly id: Hash;
  readonly offset: number;
  readonly recordBytes: number;
}

export function encodePackHeader(pack: number): Uint8Array {
  const bytes = new Uint8Array(PACK_HEADER_BYTES);
  bytes.set(PACK_MAGIC);
  bytes[8] = PACK_VERSION;
  bytes[9] = ALGORITHM_BLAKE3_256;
  const view = new DataView(bytes.buffer);
  view.setUint32(12, pack, true);
  view.setUint32(28, crc32c(bytes.subarray(0, 28)), true);
  return bytes;
}

/** "ok", "damaged", or "newer": whole, but of a version or hash algorithm that this reader does not know. */
export function checkPackHeader(bytes: Uint8Array, pack: number): "ok" | "damaged" | "newer" {
  if (bytes.length !== PACK_HEADER_BYTES || !equalBytes(bytes.subarray(0, 8), PACK_MAGIC)) return "damaged";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(28, true) !== crc32c(bytes.subarray(0, 28))) return "damaged";
  if (bytes[8] !== PACK_VERSION || bytes[9] !== ALGORITHM_BLAKE3_256) return "newer";
  return equalBytes(bytes, encodePackHeader(pack)) ? "ok" : "damaged";
}

function footerBytes(count: number): number {
  return FOOTER_BYTES_MIN + count * ENTRY_BYTES;
}

/** One of a footer's rows. */
export function encodeEntry(entry: FooterEntry): Uint8Array {
  const bytes = new Uint8Array(ENTRY_BYTES);
  bytes.set(bytesOf(entry.id));
  const view = new DataView(bytes.buffer);
  view.setUint32(32, entry.offset, true);
  view.setUint32(36, entry.recordBytes, true);
  return bytes;
}

/** Whether bytes end as a footer does. */
export function endsLikeFooter(tail: Uint8Array): boolean {
  return equalBytes(tail.subarray(-END_MAGIC.length), END_MAGIC);
}

/** Where the footer starts, from the file's last 20 bytes; undefined when the pack does not end with one. */
export function footerOffset(trailer: Uint8Array, packBytes: number): number | undefined {
  if (!endsLikeFooter(trailer)) return undefined;
  const offset = new DataView(trailer.buffer, trailer.byteOffset, trailer.length).getBigUint64(0, true);
  const isPossible = offset >= BigInt(PACK_HEADER_BYTES) && offset <= BigInt(packBytes - FOOTER_BYTES_MIN);
  return isPossible ? Number(offset) : undefined;
}

/** How many bytes the footer that begins with these 8 has; undefined when none begins here. */
export function footerLength(head: Uint8Array): number | undefined {
  if (head.length < FOOTER_HEAD_BYTES || !equalBytes(head.subarray(0, 4), FOOTER_MAGIC)) return undefined;
  return footerBytes(new DataView(head.buffer, head.byteOffset, head.length).getUint32(4, true));
}

/** The rows of a whole footer, or undefined when any byte of it is damaged. */
export function footerRows(bytes: Uint8Array, offset: number): Uint8Array | undefined {
  if (footerLength(bytes) !== bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const trailer = bytes.length - TRAILER_BYTES;
  if (footerOffset(bytes.subarray(trailer), offset + bytes.length) !== offset) return undefined;
  if (view.getUint32(trailer + 8, true) !== crc32c(bytes.subarray(0, trailer + 8))) return undefined;
  return bytes.subarray(FOOTER_HEAD_BYTES, trailer);
}

/** One of a footer's rows, by its number. */
export function rowAt(rows: Uint8Array, row: number): FooterEntry {
  const at = row * ENTRY_BYTES;
  const view = new DataView(rows.buffer, rows.byteOffset + at, ENTRY_BYTES);
  const id = hashOf32(rows.subarray(at, at + 32));
  return { id, offset: view.getUint32(32, true), recordBytes: view.getUint32(36, true) };
}
