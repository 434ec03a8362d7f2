/**
 * A day of card frames as a file: one JSON object a line, `{"at_ms", "reader", "bits"}`, at_ms
 * counted from midnight and never falling. Anything else is refused with its line number.
 */
import { GdoError } from "../../base/index.ts";

export interface Frame {
  readonly atMs: number;
  readonly reader: string;
  /** "0" and "1" in the order of the pulses. */
  readonly bits: string;
  /** Whose card it is, where the script knows. */
  readonly who?: string;
}

export const DAY_MS = 86_400_000;
const BITS_MAX = 128;
const KEYS = new Set(["at_ms", "reader", "bits"]);

/** What is wrong with one parsed line; undefined when nothing is. */
function fault(value: unknown, readers: ReadonlySet<string>, afterMs: number): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "is not an object";
  const { at_ms: atMs, reader, bits } = value as Record<string, unknown>;
  const unknown = Object.keys(value).find((key) => !KEYS.has(key));
  if (unknown !== undefined) return `has a key '${unknown}' that a frame does not have`;
  if (typeof atMs !== "number" || !Number.isInteger(atMs) || atMs < 0 || atMs >= DAY_MS) {
    return "needs at_ms, a whole number of milliseconds within the day";
  }
  if (atMs < afterMs) return "is earlier than the line before it";
  if (typeof reader !== "string") return "needs reader, a name";
  if (!readers.has(reader)) return `names the reader '${reader}', which is none of ${[...readers].join(", ")}`;
  if (typeof bits !== "string" || !/^[01]+$/.test(bits) || bits.length > BITS_MAX) {
    return `needs bits, 1 to ${BITS_MAX} of 0 and 1`;
  }
  return undefined;
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Named by `fault` as what it is: not an object.
  }
}

/** The frames of a day file. INPUT_INVALID names `path` and the line. */
export function parseDay(text: string, path: string, readers: ReadonlySet<string>): Frame[] {
  const frames: Frame[] = [];
  let lastMs = 0;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const value = parseLine(line);
    const wrong = fault(value, readers, lastMs);
    if (wrong !== undefined) throw new GdoError("INPUT_INVALID", `${path} line ${index + 1} ${wrong}`);
    const { at_ms: atMs, reader, bits } = value as { at_ms: number; reader: string; bits: string };
    frames.push({ atMs, reader, bits });
    lastMs = atMs;
  }
  if (frames.length === 0) throw new GdoError("INPUT_INVALID", `${path} holds no frames`);
  return frames;
}
