/** Which snapshots stay when old ones are forgotten. Pure. Days begin at midnight UTC, weeks on Monday. */

/** How many to keep of each kind; of one hour, day, … the newest stays. */
export interface RetentionPolicy {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
}

export type RetentionKind = keyof RetentionPolicy;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Two times are in the same period if this is the same. */
const PERIODS: Readonly<Record<Exclude<RetentionKind, "last">, (timeMs: number) => number>> = {
  hourly: (timeMs) => Math.floor(timeMs / HOUR_MS),
  daily: (timeMs) => Math.floor(timeMs / DAY_MS),
  weekly: (timeMs) => Math.floor((Math.floor(timeMs / DAY_MS) + 3) / 7), // 1970 began on a Thursday.
  monthly: (timeMs) => monthOf(Math.floor(timeMs / DAY_MS)),
  yearly: (timeMs) => Math.floor(monthOf(Math.floor(timeMs / DAY_MS)) / 12),
};

/** The reasons for which each item stays; one without a reason goes. A policy without numbers keeps nothing. */
export function retained<T extends { readonly timeMs: number }>(
  items: readonly T[],
  policy: RetentionPolicy,
): ReadonlyMap<T, readonly RetentionKind[]> {
  const newestFirst = items.toSorted((a, b) => b.timeMs - a.timeMs);
  const reasons = new Map<T, RetentionKind[]>(items.map((item) => [item, []]));
  for (const item of newestFirst.slice(0, policy.last ?? 0)) reasons.get(item)?.push("last");
  for (const [kind, periodOf] of Object.entries(PERIODS) as [keyof typeof PERIODS, (timeMs: number) => number][]) {
    const seen = new Set<number>();
    for (const item of newestFirst) {
      const period = periodOf(item.timeMs);
      if (seen.has(period) || seen.size >= (policy[kind] ?? 0)) continue;
      seen.add(period);
      reasons.get(item)?.push(kind);
    }
  }
  return reasons;
}

const DAYS_IN_400_YEARS = 146_097;
/** From 0000-03-01, with which leap days come last in their year, to 1970-01-01. */
const DAYS_BEFORE_1970 = 719_468;

/** Months since year 0 of the day so many days after 1970-01-01, in the Gregorian calendar. */
function monthOf(day: number): number {
  const shifted = day + DAYS_BEFORE_1970;
  const era = Math.floor(shifted / DAYS_IN_400_YEARS);
  const dayOfEra = shifted - era * DAYS_IN_400_YEARS;
  const leaps = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const month = Math.floor((5 * dayOfYear + 2) / 153); // 0 is March.
  return (era * 400 + yearOfEra) * 12 + month + 2;
}
