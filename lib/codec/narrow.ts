/**
 * Shortens integer heads that cbor-x wrote wider than they need be. It has no way to write an
 * integer from -2^32 to -2^31 - 1 in its five canonical bytes: as a number it becomes a float, as a
 * BigInt it takes nine bytes.
 */
import { concatBytes } from "../base/index.ts";

const NEGATIVE_64 = 0x3b;
const WIDE_BYTES = 9;

/** Rewrites each nine-byte negative integer that fits five bytes [L1]. The input is well-formed. */
export function narrowIntegers(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let kept = 0;
  for (let at = 0; at < bytes.length; at += itemBytes(view, at)) {
    if (view.getUint8(at) !== NEGATIVE_64 || view.getUint32(at + 1) !== 0) continue;
    parts.push(bytes.subarray(kept, at), Uint8Array.of(0x3a), bytes.subarray(at + 5, at + WIDE_BYTES));
    kept = at + WIDE_BYTES;
  }
  parts.push(bytes.subarray(kept));
  return concatBytes(parts);
}

/** Bytes of the head at `at`, with the content if it is a string. */
function itemBytes(view: DataView, at: number): number {
  const initial = view.getUint8(at);
  const info = initial & 0x1f;
  const headBytes = info < 24 ? 1 : 1 + 2 ** (info - 24);
  const major = initial >> 5;
  return major === 2 || major === 3 ? headBytes + argument(view, at, info) : headBytes;
}

function argument(view: DataView, at: number, info: number): number {
  if (info < 24) return info;
  if (info === 24) return view.getUint8(at + 1);
  if (info === 25) return view.getUint16(at + 1);
  if (info === 26) return view.getUint32(at + 1);
  return Number(view.getBigUint64(at + 1));
}
