import test from "ava";
import type { Canonical, Entry } from "../../../sdk/index.ts";
import { ask, entryOf, Harness, type MemoryState, merge } from "../../../sdk/testing.ts";
import type { LedgerProgram } from "../judge.ts";
import { prefixesAfter } from "../pages.ts";
import { accountingWith, books, DAY, dues, FOLDER, pay, post, reasons, settled, transfer } from "./books.ts";

/** Says what the journal's own postings add up to: enough where ledger is not what is tested. */
const agreeing: LedgerProgram = async (journal) => {
  const sums = new Map<string, bigint>();
  for (const [, account, amount = "", currency] of journal.matchAll(/^ {4}(\S+) {2}(-?[\d.]+) ([A-Z]+)$/gm)) {
    const key = `${account}/${currency}`;
    sums.set(key, (sums.get(key) ?? 0n) + BigInt(amount.replace(".", "")));
  }
  const shown = (sum: bigint): string =>
    `${sum < 0n ? "-" : ""}${String(sum < 0n ? -sum : sum)
      .padStart(3, "0")
      .replace(/(..)$/, ".$1")}`;
  const entries = [...sums].filter(([, sum]) => sum !== 0n).map(([key, sum]) => [key, shown(sum)]);
  return { balances: Object.fromEntries(entries) };
};
const accounting = accountingWith(agreeing);
const run = (entries: readonly Entry[], before: MemoryState) => merge(accounting, entries, before);

test("a transaction is booked: its balances, its place by date, nothing else", async (t) => {
  const { outcomes, verdict, after } = await run(
    [
      post("t1", "2026-11-22", [
        ["assets:bank", 2500],
        ["income:dues", -2500],
      ]),
    ],
    await books(),
  );
  t.deepEqual(reasons(outcomes), [undefined]);
  t.deepEqual(verdict, { verdict: "PASS" });
  t.deepEqual(await ask(accounting, "accounts", {}, after), {
    "assets:bank": { EUR: 2500 },
    "income:dues": { EUR: -2500 },
  });
  t.like(await ask(accounting, "transaction", { id: "t1" }, after), {
    id: "t1",
    date: "2026-11-22",
    payee: "Somebody",
  });
});

const REFUSED: readonly [what: string, entry: Entry, reason: RegExp][] = [
  [
    "that does not balance",
    post("t", "2026-01-01", [
      ["assets:bank", 5],
      ["income:dues", -4],
    ]),
    /does not balance: 1 EUR/,
  ],
  [
    "that balances only across currencies",
    post("t", "2026-01-01", [
      ["assets:bank", 5],
      ["income:dues", -5, "CHF"],
    ]),
    /does not balance: 5 EUR/,
  ],
  [
    "in an account that nobody opened",
    post("t", "2026-01-01", [
      ["assets:bnak", 5],
      ["income:dues", -5],
    ]),
    /there is no account assets:bnak/,
  ],
  [
    "in a currency that is not there",
    post("t", "2026-01-01", [
      ["assets:bank", 5, "USD"],
      ["income:dues", -5, "USD"],
    ]),
    /there is no currency USD/,
  ],
  ["of one posting", post("t", "2026-01-01", [["assets:bank", 5]]), /postings must be a list of 2 to 64/],
  [
    "with an amount of zero",
    post("t", "2026-01-01", [
      ["assets:bank", 0],
      ["income:dues", 0],
    ]),
    /posting 1: amount must not be zero/,
  ],
  [
    "with a fraction of the smallest unit",
    post("t", "2026-01-01", [
      ["assets:bank", 0.5],
      ["income:dues", -0.5],
    ]),
    /posting 1: amount must be an integer/,
  ],
  [
    "on a day that no calendar has",
    post("t", "2026-02-29", [
      ["assets:bank", 5],
      ["income:dues", -5],
    ]),
    /date must be a date/,
  ],
  [
    "years ahead of the clock",
    post("t", "2099-01-01", [
      ["assets:bank", 5],
      ["income:dues", -5],
    ]),
    /more than a year ahead/,
  ],
  [
    "larger than any sum",
    post("t", "2026-01-01", [
      ["assets:bank", 1e15 + 1],
      ["income:dues", -1e15 - 1],
    ]),
    /amount must be an integer/,
  ],
  [
    "whose payee would begin a comment",
    post(
      "t",
      "2026-01-01",
      [
        ["assets:bank", 5],
        ["income:dues", -5],
      ],
      { payee: "a; b" },
    ),
    /payee must be one line/,
  ],
  [
    "by somebody without the right",
    {
      ...post("t", "2026-01-01", [
        ["assets:bank", 5],
        ["income:dues", -5],
      ]),
      rights: ["append"],
    },
    /does not have the right accounts/,
  ],
  [
    "that pays dues which it does not receive",
    post(
      "t",
      "2026-01-01",
      [
        ["assets:bank", 5],
        ["expenses:rent", -5],
      ],
      { dues: [{ person: "kim", plan: "monthly", amount: 5 }] },
    ),
    /dues of 5 go to income:dues in EUR, which receives 0/,
  ],
];

for (const [what, entry, reason] of REFUSED) {
  test(`a transaction ${what} is void, with the reason, and books nothing`, async (t) => {
    const before = await books();
    const { outcomes, after } = await run([entry], before);
    t.regex(outcomes[0]?.void ?? "", reason);
    t.deepEqual(await ask(accounting, "accounts", {}, after), {});
  });
}

test("a transaction of the same id is booked once, also within one merge", async (t) => {
  const entries = [transfer("t1", "2026-01-05", 100), transfer("t1", "2026-01-05", 100)];
  const { outcomes, after } = await run(entries, await books());
  t.deepEqual(reasons(outcomes), [undefined, "transaction.post: the transaction t1 is there already"]);
  t.deepEqual(await ask(accounting, "known", { ids: ["t1", "t2"] }, after), ["t1"]);
  t.regex(reasons((await run([transfer("t1", "2026-01-06", 7)], after)).outcomes)[0] ?? "", /there already/);
});

test("a reversal undoes a transaction once, and both stay to be seen", async (t) => {
  const reverse = (id: string, of: string, date = "2026-02-01") => entryOf([["transaction.reverse", { id, of, date }]]);
  const { outcomes, after } = await run(
    [
      transfer("t1", "2026-01-05", 100),
      reverse("r0", "t1", "2026-01-04"),
      reverse("r1", "t1"),
      reverse("r2", "t1"),
      reverse("r3", "r1"),
    ],
    await books(),
  );
  t.deepEqual(reasons(outcomes), [
    undefined,
    "transaction.reverse: it cannot be reversed before 2026-01-05",
    undefined,
    "transaction.reverse: t1 was reversed by r1",
    "transaction.reverse: r1 itself reverses t1",
  ]);
  t.deepEqual(await ask(accounting, "accounts", {}, after), {});
  t.is(((await ask(accounting, "register", { account: "assets:bank" }, after)) as unknown[]).length, 2);
});

test("an asserted balance must be true, and nothing is posted behind it any more", async (t) => {
  const assertion = (amount: number, date = "2026-01-31") =>
    entryOf([["balance.assert", { account: "assets:bank", currency: "EUR", date, amount }]]);
  const entries = [
    transfer("t1", "2026-01-05", 100),
    transfer("t2", "2026-02-05", 30),
    assertion(130),
    assertion(100),
    transfer("t3", "2026-01-31", 1),
    transfer("t4", "2026-02-01", 1),
  ];
  const { outcomes, verdict } = await run(entries, await books());
  t.deepEqual(reasons(outcomes), [
    undefined,
    undefined,
    "balance.assert: assets:bank has 100 EUR on 2026-01-31, not 130 (in the smallest unit)",
    undefined,
    "transaction.post: the balance of assets:bank in EUR was asserted on 2026-01-31",
    undefined,
  ]);
  t.is(verdict.verdict, "PASS");
});

test("closing a period carries income and expenses into equity, per currency, and locks it", async (t) => {
  const entries = [
    transfer("t1", "2026-01-05", 300),
    post("t2", "2026-01-06", [
      ["expenses:rent", 120],
      ["assets:bank", -120],
    ]),
    post("t3", "2026-01-06", [
      ["assets:bank", 7, "CHF"],
      ["income:dues", -7, "CHF"],
    ]),
    transfer("t4", "2027-01-02", 50),
    entryOf([["period.close", { until: "2026-12-31", into: "equity:retained" }]]),
    transfer("t5", "2026-12-31", 1),
    entryOf([["period.close", { until: "2026-12-31", into: "equity:retained" }]]),
  ];
  const { outcomes, verdict, after } = await run(entries, await books());
  t.deepEqual(reasons(outcomes).slice(5), [
    "transaction.post: the books are closed up to 2026-12-31",
    "period.close: the books are closed up to 2026-12-31 already",
  ]);
  t.is(verdict.verdict, "PASS");
  t.deepEqual(await ask(accounting, "accounts", { on: "2026-12-31" }, after), {
    "assets:bank": { CHF: 7, EUR: 180 },
    "equity:retained": { CHF: -7, EUR: -180 },
    "expenses:rent": { EUR: 0 },
    "income:dues": { CHF: 0, EUR: 0 },
  });
  t.deepEqual(((await ask(accounting, "accounts", {}, after)) as Record<string, unknown>)["income:dues"], { EUR: -50 });
});

test("the merge test reads what is after the last close, over its balances; all of it where that is spoken of", async (t) => {
  const read: string[][] = [];
  const listening = accountingWith(async (journal) => {
    read.push([...journal.matchAll(/^\S+ \* (?:\((\S+)\) )?/gm)].map(([, id = "balance"]) => id));
    return agreeing(journal);
  });
  const close = (until: string) => entryOf([["period.close", { until, into: "equity:retained" }]]);
  const assertion = (date: string, amount: number) =>
    entryOf([["balance.assert", { account: "assets:bank", currency: "EUR", date, amount }]]);
  let state = await books();
  const run = async (...entries: Entry[]) => {
    read.length = 0;
    const { outcomes, verdict, after } = await merge(listening, entries, state);
    t.deepEqual(
      reasons(outcomes).filter((reason) => reason !== undefined),
      [],
    );
    t.deepEqual(verdict, { verdict: "PASS" });
    state = after;
    return read;
  };
  t.deepEqual(await run(transfer("t1", "2026-01-05", 100), transfer("t2", "2026-02-05", 30)), [["t1", "t2"]]);
  const closed = await run(close("2026-01-31"), transfer("t3", "2026-02-01", 1));
  t.deepEqual(
    closed,
    [
      ["t1", "close-2026-01-31", "t3", "t2"],
      ["t1", "close-2026-01-31"],
    ],
    "and the balances at the close",
  );
  t.deepEqual(await run(transfer("t4", "2026-12-05", 1)), [["opening", "t3", "t2", "t4"]]);
  t.deepEqual(await run(assertion("2026-01-31", 100)), [["t1", "close-2026-01-31", "balance", "t3", "t2", "t4"]]);
  const again = await run(close("2026-02-28"), assertion("2026-03-01", 131));
  t.deepEqual(
    again.map(([first, ...rest]) => [first, rest.length]),
    [
      ["opening", 5],
      ["opening", 3],
    ],
  );
  t.deepEqual(await run(), [["opening", "balance", "t4"]]);
  state.set("base/assets:bank/EUR", 99);
  const { verdict } = await merge(listening, [], state);
  t.deepEqual(verdict, { verdict: "FAIL", findings: ["assets:bank/EUR: the books say 1.32, ledger says 1.00"] });
});

test("the dates after one, by how they begin", (t) => {
  const days = ["2025-12-31", "2026-02-28", "2026-11-22", "2026-11-29", "2029-12-31", "2030-01-01", "2199-12-31"];
  for (const since of days) {
    const prefixes = prefixesAfter(since);
    t.deepEqual(prefixes, [...prefixes].sort(), "in the order of time");
    for (const day of [...days, "1970-01-01", "2026-11-23", "2026-12-01", "2030-10-10"])
      t.is(prefixes.filter((prefix) => day.startsWith(prefix)).length, day > since ? 1 : 0, `${day} after ${since}`);
  }
});

test("dues buy whole periods, one after the other; what is over waits", async (t) => {
  const entries = [pay("kim", "2026-01-10", 2500), pay("kim", "2026-01-20", 3000), pay("kim", "2026-05-02", 2000)];
  const { outcomes, after } = await run(entries, await books());
  t.deepEqual(
    outcomes.map(({ events }) => events),
    [
      [{ type: "dues", person: "kim", untilMs: DAY("2026-02-10") }],
      [{ type: "dues", person: "kim", untilMs: DAY("2026-03-10") }], // An early payer gains nothing and loses nothing.
      [{ type: "dues", person: "kim", untilMs: DAY("2026-06-02") }], // A late payer's period begins when it is paid.
    ],
  );
  t.deepEqual(await ask(accounting, "dues", { person: "kim" }, after), {
    person: "kim",
    plans: { monthly: { untilMs: DAY("2026-06-02"), credit: 0, membership: true } },
  });
});

test("a payment that is reversed takes its period with it", async (t) => {
  const reverse = entryOf([["transaction.reverse", { id: "r", of: "pay-kim-2026-01-20", date: "2026-02-01" }]]);
  const { outcomes, after } = await run(
    [pay("kim", "2026-01-10", 2500), pay("kim", "2026-01-20", 2500), reverse],
    await books(),
  );
  t.deepEqual(outcomes[2]?.events, [{ type: "dues", person: "kim", untilMs: DAY("2026-02-10") }]);
  const again = entryOf([["transaction.reverse", { id: "r2", of: "pay-kim-2026-01-10", date: "2026-02-01" }]]);
  t.deepEqual((await run([again], after)).outcomes[0]?.events, [{ type: "dues", person: "kim", untilMs: 0 }]);
});

test("a plan that is no membership makes nobody active", async (t) => {
  const { outcomes } = await run([pay("kim", "2026-01-10", 500, "locker")], await books());
  t.deepEqual(outcomes[0]?.events, [{ type: "dues", person: "kim", untilMs: 0 }]);
});

test("the treasurer sees whose dues lapse", async (t) => {
  const { after } = await run([pay("a/b", "2026-01-10", 2500), pay("kim", "2026-02-10", 2500)], await books());
  const at = DAY("2026-03-08");
  t.deepEqual(await ask(accounting, "lapsing", { at }, after), [
    { person: "a/b", untilMs: DAY("2026-02-10"), lapsed: true },
    { person: "kim", untilMs: DAY("2026-03-10"), lapsed: false },
  ]);
});

test("what is said of the journal: the books disagree with the program, or it does not read it", async (t) => {
  const wrong = accountingWith(async () => ({ balances: { "assets:bank/EUR": "1.00" } }));
  const { verdict } = await merge(wrong, [transfer("t1", "2026-01-05", 100)], await books());
  t.deepEqual(verdict, {
    verdict: "FAIL",
    findings: ["income:dues/EUR: the books say -1.00, ledger says 0"],
  });
  const unread = accountingWith(async () => ({ complaint: "line 3: no" }));
  t.deepEqual((await merge(unread, [], await books())).verdict, { verdict: "FAIL", findings: ["ledger: line 3: no"] });
});

test("a plan's dues are checked against what is there", async (t) => {
  const plan = (changes: Record<string, Canonical>) =>
    entryOf([
      ["plan.put", { plan: "p", amount: 1, currency: "EUR", account: "income:dues", membership: true, ...changes }],
    ]);
  const { outcomes } = await run(
    [
      plan({}),
      plan({ months: 1, days: 1 }),
      plan({ months: 1, currency: "USD" }),
      plan({ days: 1, account: "assets:bank" }),
      plan({ days: 1 }),
    ],
    await books(),
  );
  t.deepEqual(reasons(outcomes), [
    "plan.put: a plan has months or days",
    "plan.put: a plan has months or days",
    "plan.put: there is no currency USD: currency.put makes it",
    "plan.put: account must be one below income",
    undefined,
  ]);
});

test("a currency keeps its digits", async (t) => {
  const { outcomes } = await run([entryOf([["currency.put", { currency: "EUR", digits: 3 }]])], await books());
  t.deepEqual(reasons(outcomes), ["currency.put: EUR has 2 digits"]);
});

test("settle: months are calendar months", (t) => {
  t.is(settled([dues("2026-01-31", 100, 1)]).untilMs, DAY("2026-02-28"));
  t.is(settled([dues("2024-01-31", 100, 1)]).untilMs, DAY("2024-02-29"));
  t.is(settled([dues("2026-12-15", 300, 1)]).untilMs, DAY("2027-03-15"));
});

test("pay takes somebody's dues, one period today where nothing else is said; each act is a command too [D7]", async (t) => {
  const dapp = await Harness.open(accounting, FOLDER);
  const treasurer = { by: "treasurer", rights: ["append", "accounts"] };
  const book = async (name: string, args: object): Promise<void> => {
    const acts = await dapp.command(name, args, treasurer);
    t.deepEqual((await dapp.merge([{ ...treasurer, acts }])).voids, {}, name);
  };
  await book("currency.put", { currency: "EUR", digits: 2 });
  for (const account of ["assets:cash", "income:dues", "equity:retained"]) await book("account.open", { account });
  const plan = { plan: "monthly", amount: 2500, currency: "EUR", account: "income:dues", months: 1, membership: true };
  await book("plan.put", plan);
  const paid = { person: "a;b", plan: "monthly", into: "assets:cash" };
  await book("pay", paid);
  await book("pay", { ...paid, person: "kim", amount: 5000, date: "2023-11-01", note: "in two coins" });
  t.like(await dapp.query("dues", { person: "a;b" }), { plans: { monthly: { untilMs: DAY("2023-12-14") } } });
  t.like(await dapp.query("dues", { person: "kim" }), { plans: { monthly: { untilMs: DAY("2024-01-01") } } });
  await book("balance.assert", { account: "assets:cash", currency: "EUR", date: "2023-11-30", amount: 7500 });
  await book("period.close", { until: "2023-11-30", into: "equity:retained" });
  const refused = (name: string, args: object, message: string, by = treasurer) =>
    t.throwsAsync(dapp.command(name, args, by), { message: `accounting ${name}: ${message}` });
  await refused("pay", { ...paid, person: "ben" }, "the books are closed up to 2023-11-30");
  await refused("pay", { ...paid, plan: "yearly" }, "there is no plan yearly");
  await refused("pay", { ...paid, into: "assets:till" }, "there is no account assets:till: account.open makes it");
  await refused("pay", { ...paid, amount: 0 }, "amount must be at least 1");
  await refused("pay", paid, "kim does not have the right accounts", { by: "kim", rights: ["append"] });
});
