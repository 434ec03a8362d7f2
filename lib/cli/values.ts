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
