/** How an object's bytes are stored in a record: as they are, as a run of zeros, or compressed [T7]. */
import { zstdCompress, zstdDecompress } from "../../addon.ts";
import { concatBytes, GdoError } from "../../base/index.ts";
import { isAllZero } from "../zeros.ts";
import { CODEC, type RecordHeader } from "./record.ts";

const ZSTD_LEVEL = 3;
/** The addon compresses on the calling thread; a larger object would hold it up for too long. */
const COMPRESS_BYTES_MAX = 1024 * 1024;
const COMPRESS_BYTES_MIN = 64; // Below, the frame's own header eats the gain.
const PROBE_PIECES = 4;
const PROBE_PIECE_BYTES = 1024;
const PROBE_LEVEL = 1;
const PROBE_GAIN_MIN = 0.03;

export interface Payload {
  readonly codec: number;
  readonly rawBytes: number;
  readonly payload: Uint8Array;
}

/** The smallest of the forms that are worth trying. */
export function packPayload(bytes: Uint8Array): Payload {
  const rawBytes = bytes.length;
  if (rawBytes > 0 && isAllZero(bytes)) return { codec: CODEC.zeroRun, rawBytes, payload: new Uint8Array(0) };
  const raw = { codec: CODEC.raw, rawBytes, payload: bytes };
  if (rawBytes < COMPRESS_BYTES_MIN || rawBytes > COMPRESS_BYTES_MAX || isIncompressible(bytes)) return raw;
  const payload = zstdCompress(bytes, ZSTD_LEVEL);
  return payload.length < rawBytes ? { codec: CODEC.zstd, rawBytes, payload } : raw;
}

/** Four pieces from all over a larger object tell whether the whole is worth the time. */
function isIncompressible(bytes: Uint8Array): boolean {
  if (bytes.length < 4 * PROBE_PIECES * PROBE_PIECE_BYTES) return false;
  const stepBytes = Math.floor((bytes.length - PROBE_PIECE_BYTES) / (PROBE_PIECES - 1));
  const starts = Array.from({ length: PROBE_PIECES }, (_, index) => index * stepBytes);
  const probe = concatBytes(starts.map((start) => bytes.subarray(start, start + PROBE_PIECE_BYTES)));
  return zstdCompress(probe, PROBE_LEVEL).length > probe.length * (1 - PROBE_GAIN_MIN);
}

/** The object's bytes again; not yet checked against the id. STORE_CORRUPT when the form is broken. */
export function unpackPayload(header: RecordHeader, payload: Uint8Array): Uint8Array {
  switch (header.codec) {
    case CODEC.raw:
      return Uint8Array.from(payload);
    case CODEC.zeroRun:
      return new Uint8Array(header.rawBytes);
    case CODEC.zstd:
      return zstdDecompress(payload, header.rawBytes);
    default:
      throw new GdoError("STORE_CORRUPT", `codec ${header.codec} is not known to this version`);
  }
}
