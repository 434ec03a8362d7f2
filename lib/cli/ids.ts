/** Names: hashes, shortened for people while they stay unique; moments; machines. */

const DIGITS_MIN = 12;

/** The fewest digits, at least twelve, at which no two of these ids begin alike. */
export function uniqueDigits(ids: Iterable<string>): number {
  const sorted = [...new Set(ids)].sort();
  let digits = DIGITS_MIN;
  for (let at = 1; at < sorted.length; at += 1) {
    const before = sorted[at - 1] ?? "";
    const here = sorted[at] ?? "";
    while (digits < here.length && before.slice(0, digits) === here.slice(0, digits)) digits += 1;
  }
  return digits;
}

/** A block's clock may say anything; beyond this there are no dates. */
const DATE_MS_MAX = 8.64e15;

/** "2026-11-23 07:01:24" in UTC: the same on every machine. */
export function moment(ms: number): string {
  if (!(Math.abs(ms) <= DATE_MS_MAX)) return `${ms} ms`;
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

/** The machine's name as a node's: a-z, 0-9 and -, at most 32. */
export function nodeNameOf(host: string): string {
  const name = host
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 32);
  return name === "" ? "node" : name;
}
