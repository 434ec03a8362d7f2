/**
 * One record of a pack, as it is read [T7]; native/store/record.cc writes it. Pure. docs/design/pack-format.md is the specification.
 *
 *   0 magic 4 | 4 kind | 5 codec | 6 bases | 7 zero | 8 raw length 4 | 12 stored length 4 | 16 id 32
 *   48 base ids 32 each | payload | CRC-32C of all before it, 4            (numbers little-endian)
 */
import { crc32c } from "../../addon.ts";
import { HASH_BYTES, type Hash, hashOf32, OBJECT_BYTES_MAX } from "../../base/index.ts";
import type { ObjectKind } from "../chunk-store.ts";

export const RECORD_MAGIC = Uint8Array.of(0xb7, 0x47, 0x44, 0x52);
export const RECORD_HEADER_BYTES = 48;
export const CRC_BYTES = 4;
export const RECORD_BYTES_MIN = RECORD_HEADER_BYTES + CRC_BYTES;
const BASES_MAX = 4;

/** Kind 0 marks a commit: all records before it were asked to be durable. */
export const MARK_KIND = 0;
export const KINDS: readonly (ObjectKind | undefined)[] = [undefined, "chunk", "blob", "tree"];

export const CODEC = { raw: 0, zeroRun: 1, zstd: 2, zstdBase: 3 } as const;

export interface RecordHeader {
  /** undefined for a commit mark. */
  readonly kind: ObjectKind | undefined;
  readonly codec: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  readonly id: Hash;
  readonly bases: number;
  /** The whole record: header, bases, payload, checksum. */
  readonly recordBytes: number;
}

/** The header at the start of `bytes` (48 or more), or undefined where none that this format allows can be. */
export function decodeRecordHeader(bytes: Uint8Array): RecordHeader | undefined {
  if (RECORD_MAGIC.some((byte, index) => bytes[index] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_HEADER_BYTES);
  const kindNumber = view.getUint8(4);
  const codec = view.getUint8(5);
  const bases = view.getUint8(6);
  const rawBytes = view.getUint32(8, true);
  const storedBytes = view.getUint32(12, true);
  const isAllowed =
    kindNumber < KINDS.length &&
    view.getUint8(7) === 0 &&
    bases > 0 === (codec === CODEC.zstdBase) &&
    bases <= BASES_MAX &&
    rawBytes <= OBJECT_BYTES_MAX &&
    (kindNumber !== MARK_KIND || rawBytes === 0) &&
    areLengthsAllowed(codec, rawBytes, storedBytes);
  if (!isAllowed) return undefined;
  const recordBytes = RECORD_BYTES_MIN + bases * HASH_BYTES + storedBytes;
  const id = hashOf32(bytes.subarray(16, RECORD_HEADER_BYTES));
  return { kind: KINDS[kindNumber], codec, rawBytes, storedBytes, id, bases, recordBytes };
}

/** A length that its codec cannot have tells a damaged header from a record that the file's end cuts off. */
function areLengthsAllowed(codec: number, rawBytes: number, storedBytes: number): boolean {
  switch (codec) {
    case CODEC.raw:
      return storedBytes === rawBytes;
    case CODEC.zeroRun:
      return storedBytes === 0 && rawBytes > 0;
    case CODEC.zstd:
    case CODEC.zstdBase:
      return storedBytes > 0 && storedBytes < rawBytes;
    default:
      return false;
  }
}

/** Whether the checksum at the end of a whole record is right. */
export function isRecordIntact(record: Uint8Array): boolean {
  const end = record.length - CRC_BYTES;
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  return view.getUint32(end, true) === crc32c(record.subarray(0, end));
}
