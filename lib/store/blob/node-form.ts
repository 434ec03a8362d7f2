/** Reading canonical nodes that others may have written: one place for their refusals. */
import { GdoError } from "../../base/index.ts";
import type { Canonical, CanonicalMap } from "../../codec/index.ts";

export function malformed(kind: "blob" | "tree" | "snapshot", why: string, cause?: unknown): GdoError {
  return new GdoError("STORE_CORRUPT", `malformed ${kind} node: ${why}`, { cause });
}

/** The map that `decode` gives, if its keys are exactly these. */
export function asNode(
  kind: "blob" | "tree" | "snapshot",
  decode: () => Canonical,
  keys: readonly string[],
): CanonicalMap {
  let value: Canonical;
  try {
    value = decode();
  } catch (cause) {
    if (cause instanceof GdoError) throw malformed(kind, cause.message, cause);
    throw cause;
  }
  const map = asMap(value);
  if (map === undefined) throw malformed(kind, "it is not a map");
  const names = Object.keys(map);
  if (names.length !== keys.length || names.some((name) => !keys.includes(name)))
    throw malformed(kind, "its keys are wrong");
  return map;
}

export function asMap(value: Canonical | undefined): CanonicalMap | undefined {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
  return isMap ? (value as CanonicalMap) : undefined;
}

/** An integer from 0 to `max`, or undefined. */
export function asInteger(value: Canonical | undefined, max: number): number | undefined {
  return typeof value === "number" && value >= 0 && value <= max ? value : undefined;
}
