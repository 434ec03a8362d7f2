import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import test from "ava";
import fc from "fast-check";
import { journalActs, readJournal } from "../../../../lib/interop/index.ts";
import { addMonths, type Canonical, dateOfMs, type Entry, msOfDate, type State } from "../../../sdk/index.ts";
import { ask, entryOf, MemoryState, merge } from "../../../sdk/testing.ts";
import { judge } from "../judge.ts";
import { balancesOf, ledgerBalances } from "../ledger-program.ts";
import { accountingWith, books, pay, post, transfer } from "./books.ts";

const MERGE_ENTRIES = 6;
const RUNS = { numRuns: 60 };
const withLedger = existsSync("/usr/bin/ledger") ? test : test.skip;
const accounting = accountingWith(async () => ({ balances: {} }));

test("dates: the calendar is that of Date, forth and back", (t) => {
  const days = fc.integer({ min: 0, max: 83_000 }).map((day) => day * 86_400_000);
  fc.assert(
    fc.property(days, fc.integer({ min: 0, max: 24 }), (ms, months) => {
      const text = new Date(ms).toISOString().slice(0, 10);
      const then = new Date(ms);
      then.setUTCMonth(then.getUTCMonth() + months);
      const isOver = then.getUTCDate() !== new Date(ms).getUTCDate();
      if (isOver) then.setUTCDate(0); // The last day of the month before.
      return dateOfMs(ms) === text && msOfDate(text) === ms && addMonths(ms, months) === then.getTime();
    }),
  );
  for (const wrong of ["2026-02-29", "1900-01-01", "2026-1-1", "2026-13-01", "2026-00-10", "2026-06-31", "", "x"])
    t.is(msOfDate(wrong), undefined, wrong);
});

const place = fc.constantFrom("assets:bank", "income:dues", "expenses:rent", "equity:retained");
const date = fc
  .integer({ min: 0, max: 200 })
  .map((day) => dateOfMs((msOfDate("2026-01-01") as number) + day * 86_400_000));
const amount = fc.integer({ min: -1_000_000, max: 1_000_000 });
const entry: fc.Arbitrary<(n: number) => Entry> = fc.oneof(
  fc.record({ date, from: place, to: place, amount, currency: fc.constantFrom("EUR", "CHF") }).map(
    (at) => (n: number) =>
      post(`t${n}`, at.date, [
        [at.from, at.amount, at.currency],
        [at.to, -at.amount, at.currency],
      ]),
  ),
  fc
    .record({ date, amount: fc.integer({ min: 1, max: 9000 }), who: fc.constantFrom("kim", "a/b") })
    .map(
      (at) => (n: number) =>
        entryOf([["transaction.post", { ...(pay(at.who, at.date, at.amount).acts[0]?.[1] as object), id: `d${n}` }]]),
    ),
  fc.record({ date, of: fc.integer({ min: 0, max: 12 }) }).map(
    ({ date: on, of }) =>
      (n: number) =>
        entryOf([["transaction.reverse", { id: `r${n}`, of: `t${of}`, date: on }]]),
  ),
  date.map((until) => () => entryOf([["period.close", { until, into: "equity:retained" }]])),
);
const entries = fc.array(entry, { maxLength: 25 }).map((list) => list.map((make, n) => make(n)));

test("books: whatever is posted, reversed and closed, in one merge or in many, they balance and are the same", async (t) => {
  await fc.assert(
    fc.asyncProperty(entries, fc.integer({ min: 1, max: 10 }), async (list, size) => {
      const whole = await merge(accounting, list, await books());
      let state = await books();
      for (let from = 0; from < list.length; from += size) {
        state = (await merge(accounting, list.slice(from, from + size), state)).after;
      }
      const sums: Record<string, number> = {};
      const all = [await keysOf(whole.after), await keysOf(state)];
      t.deepEqual(all[0], all[1]);
      for (const [key, value] of all[0] ?? []) {
        const [kind, account = "", currency = ""] = key.split("/");
        if (kind === "balance") sums[currency] = (sums[currency] ?? 0) + (value as number);
        if (kind === "balance") sums[`${account}/${currency}`] = value as number;
        if (kind === "day") sums[`${account}/${currency}`] = (sums[`${account}/${currency}`] ?? 0) - (value as number);
      }
      return Object.values(sums).every((sum) => sum === 0);
    }),
    RUNS,
  );
});

async function keysOf(state: MemoryState): Promise<[string, unknown][]> {
  const found: [string, unknown][] = [];
  for await (const [key, value] of state.scan("")) found.push([key, value]);
  return found;
}

/** The whole journal. */
const judged = (after: State) =>
  judge({ entries: [] }, { before: new MemoryState("accounting"), after }, ledgerBalances);

withLedger(
  "books: Debian's ledger reads every journal, merge by merge, whole or in pages, and has the same balances",
  async (t) => {
    const checked = accountingWith(ledgerBalances);
    await fc.assert(
      fc.asyncProperty(entries, async (list) => {
        let after = await books();
        for (let from = 0; from < list.length; from += MERGE_ENTRIES) {
          const merged = await merge(checked, list.slice(from, from + MERGE_ENTRIES), after);
          t.deepEqual(merged.verdict, { verdict: "PASS" });
          after = merged.after;
        }
        t.deepEqual(await judged(after), { verdict: "PASS" });
        const pages: string[] = [];
        for (let page = { text: "", next: "" as string | null }; page.next !== null; pages.push(page.text)) {
          page = (await ask(
            accounting,
            "journal",
            page.next === "" ? { limit: 3 } : { after: page.next, limit: 3 },
            after,
          )) as typeof page;
        }
        const whole = (await ask(accounting, "journal", {}, after)) as { text: string };
        return pages.join("") === whole.text;
      }),
      { numRuns: 15 },
    );
  },
);

withLedger(
  "ledger finds a balance that the journal does not come to, and an assertion that does not hold",
  async (t) => {
    const { after } = await merge(accounting, [transfer("t1", "2026-01-05", 100)], await books());
    after.set("balance/assets:bank/EUR", 101);
    t.deepEqual(await judged(after), {
      verdict: "FAIL",
      findings: ["assets:bank/EUR: the books say 1.01, ledger says 1.00"],
    });
    after.set("balance/assets:bank/EUR", 100);
    after.set("assertion/assets:bank/EUR/2026-01-05", 99);
    const verdict = await judged(after);
    t.regex(verdict.verdict === "FAIL" ? (verdict.findings[0] ?? "") : "", /^ledger: [\s\S]*alance assertion/);
  },
);

withLedger("ledger takes no harm from what people write", async (t) => {
  const texts = [
    "a: b",
    "[2020-99-99]",
    "x:: (1/0)",
    "total:: x",
    ":tag:",
    "@ 5 EUR",
    "= 3",
    '"',
    "(code)",
    "!",
    "P 2020",
    "é日本 ‮",
  ];
  const list = texts.map((text, n) =>
    post(
      `t${n}`,
      "2026-01-05",
      [
        ["assets:bank", 5],
        ["income:dues", -5],
      ],
      { payee: text, note: text },
    ),
  );
  const { outcomes, after } = await merge(accounting, list, await books());
  t.deepEqual(
    outcomes.map((outcome) => outcome.void),
    texts.map(() => undefined),
  );
  t.deepEqual(await judged(after), { verdict: "PASS" });
});

test("books: a journal that was exported is imported as the same books", async (t) => {
  const sha256Of = (text: string): string => createHash("sha256").update(text).digest("hex");
  await fc.assert(
    fc.asyncProperty(entries, async (list) => {
      const { after } = await merge(accounting, list, await books());
      const { text } = (await ask(accounting, "journal", {}, after)) as { text: string };
      const { opening, posts, assertions } = journalActs(readJournal(text), { accounts: [], currencies: {} }, sha256Of);
      const acts = [...opening, ...posts, ...assertions].map(({ type, body }) => [type, body as Canonical] as const);
      const timeMs = msOfDate("2026-06-01") as number;
      const again = await merge(accounting, [entryOf(acts, { timeMs })], new MemoryState("accounting"));
      t.is(again.outcomes[0]?.void, undefined);
      t.deepEqual(await ask(accounting, "accounts", {}, again.after), await ask(accounting, "accounts", {}, after));
      const ids = async (state: MemoryState) =>
        (await keysOf(state)).map(([key]) => key).filter((key) => key.startsWith("journal/"));
      t.deepEqual(await ids(again.after), await ids(after));
    }),
    { numRuns: 30 },
  );
});

test("what ledger writes is read strictly", (t) => {
  t.deepEqual(
    { ...balancesOf("@assets:bank\n10.00 EUR\n-3 HOURS\n@equity\n0\n") },
    { "assets:bank/EUR": "10.00", "assets:bank/HOURS": "-3" },
  );
  t.throws(() => balancesOf("@a\nten EUR\n"), { message: /not understood: ten EUR/ });
});
