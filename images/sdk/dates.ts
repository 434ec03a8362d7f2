/**
 * Civil dates, "2026-11-22", in the proleptic Gregorian calendar and UTC. No clock and no time zone: what
 * a date means is the same on every node [D3]. Days are counted from 1970-01-01.
 */
import type { Check } from "./refusal.ts";
import type { Canonical } from "./types.ts";

const MS_PER_DAY = 86_400_000;
const YEAR_MIN = 1970;
const YEAR_MAX = 2199;
const MONTHS_PER_YEAR = 12;
const FORM = /^(\d{4})-(\d{2})-(\d{2})$/;

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** Days of a month, 1 to 12. */
function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function daysBeforeYear(year: number): number {
  const before = year - 1;
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  return before * 365 + leaps;
}

const EPOCH_DAYS = daysBeforeYear(YEAR_MIN);

function daysOf(year: number, month: number, day: number): number {
  let days = daysBeforeYear(year) - EPOCH_DAYS + day - 1;
  for (let earlier = 1; earlier < month; earlier += 1) days += daysIn(year, earlier);
  return days;
}

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

function partsOf(ms: number): Parts {
  const days = Math.floor(ms / MS_PER_DAY);
  let year = YEAR_MIN + Math.floor(days / 366);
  while (daysOf(year + 1, 1, 1) <= days) year += 1;
  let month = 1;
  while (month < MONTHS_PER_YEAR && daysOf(year, month + 1, 1) <= days) month += 1;
  return { year, month, day: days - daysOf(year, month, 1) + 1 };
}

function textOf({ year, month, day }: Parts): string {
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** 00:00 UTC of a date, ms since 1970; undefined when the calendar has no such date (or it is not of 1970 to 2199). */
export function msOfDate(date: string): number | undefined {
  const [, year = 0, month = 0, day = 0] = FORM.exec(date)?.map(Number) ?? [];
  const isDate = year >= YEAR_MIN && year <= YEAR_MAX && month >= 1 && month <= MONTHS_PER_YEAR && day >= 1;
  return isDate && day <= daysIn(year, month) ? daysOf(year, month, day) * MS_PER_DAY : undefined;
}

/** The date of a moment of 1970 or later. */
export function dateOfMs(ms: number): string {
  return textOf(partsOf(ms));
}

/** The same day some months later, or that month's last day where it has no such day. */
export function addMonths(ms: number, months: number): number {
  const { year, month, day } = partsOf(ms);
  const count = year * MONTHS_PER_YEAR + month - 1 + months;
  const then = { year: Math.floor(count / MONTHS_PER_YEAR), month: (count % MONTHS_PER_YEAR) + 1 };
  return daysOf(then.year, then.month, Math.min(day, daysIn(then.year, then.month))) * MS_PER_DAY;
}

export function addDays(ms: number, days: number): number {
  return ms + days * MS_PER_DAY;
}

/** A field that is a date. */
export const dateField: Check<string> = {
  says: "a date as in 2026-11-22",
  accepts: (value: Canonical | undefined): value is string =>
    typeof value === "string" && msOfDate(value) !== undefined,
};
