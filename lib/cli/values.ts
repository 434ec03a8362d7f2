/** Text given on the command line to values, refused with what was expected. */
import { GdoError } from "../base/index.ts";

/** A parser of whole numbers within bounds, both included. */
export function wholeNumber(what: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new GdoError("USAGE", `${what} takes a whole number from ${min} to ${max}, not '${text}'`);
  };
}

/** JSON given as an argument. */
export function jsonArgument(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GdoError("USAGE", `${what} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** For an option that may be given several times: all that was given, in order. */
export function collected(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A parser of spans of time: 30s, 15m, 12h, 7d. In milliseconds. */
export function duration(what: string): (text: string) => number {
  return (text) => {
    const [, count = "", unit = ""] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
    const unitMs = UNIT_MS[unit];
    if (unitMs !== undefined) return Number(count) * unitMs;
    throw new GdoError("USAGE", `${what} takes a time like 30s, 15m, 12h or 7d, not '${text}'`);
  };
}
