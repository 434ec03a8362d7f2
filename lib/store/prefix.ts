/** Short ids: as many hex digits as make an id unique. */
import { GdoError } from "../base/index.ts";

const HEX_PREFIX = /^[0-9a-f]{1,64}$/;

/** Throws INPUT_INVALID unless 1 to 64 lower-case hex digits. */
export function assertPrefix(hex: string): void {
  if (!HEX_PREFIX.test(hex)) throw new GdoError("INPUT_INVALID", `not the beginning of an id: ${JSON.stringify(hex)}`);
}

/** The next id that there can be; undefined after the last. */
export function idAfter(id: Uint8Array): Uint8Array | undefined {
  const next = Uint8Array.from(id);
  for (let at = next.length - 1; at >= 0; at -= 1) {
    next[at] = ((next[at] ?? 0) + 1) & 0xff;
    if (next[at] !== 0) return next;
  }
  return undefined;
}
