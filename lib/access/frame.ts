/**
 * Reader frames: bits to a credential. Only a 26-bit frame with both parities right becomes a
 * credential; everything else is refused here, so that a damaged frame never looks up a card.
 * Pure. Rules: docs/design/door.md.
 */

/** What a card reader said, once it is known to be whole. `raw` and `value` never leave memory [A6]. */
export interface Credential {
  readonly bits: number;
  readonly value: bigint;
  readonly raw: string;
}

/** Why a frame is no credential. */
export type FrameReason = "frame_parity" | "frame_length" | "frame_fault";

export type ParsedFrame =
  | { readonly ok: true; readonly credential: Credential }
  | { readonly ok: false; readonly reason: FrameReason };

/** H10301: even parity over the first 12 of the 24 data bits, the data, odd parity over the last 12. */
const W26_BITS = 26;
const W26_HALF = 12;

function isOddCount(bits: string): boolean {
  let count = 0;
  for (const bit of bits) if (bit === "1") count += 1;
  return count % 2 === 1;
}

/**
 * Reads one frame of "0" and "1". `fault` is the line decoder's own complaint (a pulse too soon after
 * the last, too many bits): such a frame is refused whatever its bits.
 */
export function parseFrame(bits: string, fault = "none"): ParsedFrame {
  if (fault !== "none") return { ok: false, reason: "frame_fault" };
  if (bits.length !== W26_BITS || /[^01]/.test(bits)) return { ok: false, reason: "frame_length" };
  const isFirstEven = !isOddCount(bits.slice(0, 1 + W26_HALF));
  const isLastOdd = isOddCount(bits.slice(1 + W26_HALF));
  if (!isFirstEven || !isLastOdd) return { ok: false, reason: "frame_parity" };
  const value = BigInt(`0b${bits.slice(1, -1)}`);
  return { ok: true, credential: { bits: W26_BITS, value, raw: bits } };
}
