/** Runs of zeros: never stored as data [T4][T7]. */

const PAGE = Buffer.alloc(128 * 1024);

export function isAllZero(bytes: Uint8Array): boolean {
  if (bytes.length > 0 && bytes[0] !== 0) return false; // The usual answer, without a comparison.
  for (let start = 0; start < bytes.length; start += PAGE.length) {
    const piece = bytes.subarray(start, start + PAGE.length);
    if (PAGE.compare(piece, 0, piece.length, 0, piece.length) !== 0) return false;
  }
  return true;
}

/** `lengthBytes` zeros in pieces of bounded size. The pieces are fresh: a caller may write to them. */
export function* zeroPieces(lengthBytes: number): Generator<Uint8Array> {
  for (let left = lengthBytes; left > 0; left -= PAGE.length) yield new Uint8Array(Math.min(left, PAGE.length));
}
