/** Amounts in manifests: "64MiB", "10s". A bare number would hide its unit, so there is none. Pure. */

const BYTE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000 };

function parse(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit] = /^([1-9][0-9]{0,8}) ?([A-Za-z]+)$/.exec(text) ?? [];
  const factor = unit !== undefined && Object.hasOwn(units, unit) ? units[unit] : undefined;
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** Bytes of an amount like "64MiB"; undefined when it is none. */
export function parseBytes(text: string): number | undefined {
  return parse(text, BYTE_UNITS);
}

/** Milliseconds of a span like "10s"; undefined when it is none. */
export function parseMs(text: string): number | undefined {
  return parse(text, TIME_UNITS);
}

/** As a person writes it: the largest unit that divides it. */
export function formatBytes(bytes: number): string {
  const [name, factor] = Object.entries(BYTE_UNITS).findLast(([, unit]) => bytes % unit === 0) ?? ["B", 1];
  return `${bytes / factor} ${name}`;
}

/** As a person writes it: the largest unit that divides it. */
export function formatMs(ms: number): string {
  const [name, factor] = Object.entries(TIME_UNITS).findLast(([, unit]) => ms % unit === 0) ?? ["ms", 1];
  return `${ms / factor} ${name}`;
}
