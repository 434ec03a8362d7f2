import test from "ava";
import fc from "fast-check";
import { type RetentionPolicy, retained } from "../../lib/store/index.ts";

const DAY_MS = 86_400_000;
const times = fc.uniqueArray(fc.integer({ min: Date.UTC(1999, 0, 1), max: Date.UTC(2101, 0, 1) }), { maxLength: 60 });
const near = fc.uniqueArray(
  fc.integer({ min: 0, max: 3 * 365 * DAY_MS }).map((ms) => Date.UTC(2019, 11, 1) + ms),
  { maxLength: 60 },
);
const count = fc.nat(5);
const policies = fc.record(
  { last: count, hourly: count, daily: count, weekly: count, monthly: count, yearly: count },
  { requiredKeys: [] },
);

/** The periods by JavaScript's own calendar: the other opinion. */
const PERIODS = {
  hourly: (ms: number) => new Date(ms).toISOString().slice(0, 13),
  daily: (ms: number) => new Date(ms).toISOString().slice(0, 10),
  weekly: (ms: number) => {
    const date = new Date(ms);
    date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
    return date.toISOString().slice(0, 10);
  },
  monthly: (ms: number) => new Date(ms).toISOString().slice(0, 7),
  yearly: (ms: number) => new Date(ms).toISOString().slice(0, 4),
};

function expected(all: readonly number[], policy: RetentionPolicy): number[] {
  const sorted = all.toSorted((a, b) => b - a);
  const kept = new Set(sorted.slice(0, policy.last ?? 0));
  for (const [kind, periodOf] of Object.entries(PERIODS) as [keyof typeof PERIODS, (ms: number) => string][]) {
    const newest = new Map(sorted.toReversed().map((ms) => [periodOf(ms), ms]));
    for (const ms of [...newest.values()].sort((a, b) => b - a).slice(0, policy[kind] ?? 0)) kept.add(ms);
  }
  return [...kept].sort((a, b) => a - b);
}

test("[T5] of each hour, day, week, month and year as many as asked for stay, the newest of each", (t) => {
  fc.assert(
    fc.property(fc.oneof(times, near), policies, (all, policy) => {
      const items = all.map((timeMs) => ({ timeMs }));
      const reasons = retained(items, policy as RetentionPolicy);
      const kept = items.filter((item) => (reasons.get(item) ?? []).length > 0).map(({ timeMs }) => timeMs);
      t.deepEqual(
        kept.sort((a, b) => a - b),
        expected(all, policy as RetentionPolicy),
      );
    }),
    { numRuns: 500 },
  );
});

test("[T5] the newest stays as long as anything is asked for", (t) => {
  fc.assert(
    fc.property(times, policies, (all, policy) => {
      if (all.length === 0 || Object.values(policy).every((value) => (value ?? 0) === 0)) return;
      const items = all.map((timeMs) => ({ timeMs }));
      const newest = items.toSorted((a, b) => b.timeMs - a.timeMs)[0]!;
      t.true(retained(items, policy as RetentionPolicy).get(newest)!.length > 0);
    }),
  );
});
