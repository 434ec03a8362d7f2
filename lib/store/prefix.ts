/** Short ids: as many hex digits as make an id unique. */
import { GdoError } from "../base/index.ts";

const HEX_PREFIX = /^[0-9a-f]{1,64}$/;

/** Throws INPUT_INVALID unless 1 to 64 lower-case hex digits. */
export function assertPrefix(hex: string): void {
  if (!HEX_PREFIX.test(hex)) throw new GdoError("INPUT_INVALID", `not the beginning of an id: ${JSON.stringify(hex)}`);
}
