import { createHash } from "node:crypto";
import test from "ava";
import { journalActs, readJournal } from "../../lib/interop/index.ts";

const sha256Of = (text: string): string => createHash("sha256").update(text).digest("hex");
const EMPTY = { accounts: [], currencies: {} };
const actsOf = (text: string, books: Parameters<typeof journalActs>[1] = EMPTY) =>
  journalActs(readJournal(text), books, sha256Of);

const JOURNAL = `; a comment
commodity EUR
    format 1,000.00 EUR
account Assets:Cash Box

2026/1/5=2026/1/7 * (abc-1) Baker  ; rolls
    ; a note
    Expenses:Food        €12.50  ; more
    Assets:Cash Box

2026-01-06 ! Exchange
    Assets:CHF  10 CHF
    Equity:Exchange  -10 CHF
    Equity:Exchange  EUR 11.00
    Assets:Cash Box  -11.00 EUR = -23.50 EUR

2026-01-07 Check
    Assets:Cash Box  0.00 EUR = -23.50 EUR
`;

test("journal: transactions, what is left out is filled in, balances become assertions", (t) => {
  const { opening, posts, assertions } = actsOf(JOURNAL);
  t.deepEqual(
    opening.map(({ body }) => body),
    [
      { currency: "EUR", digits: 2 },
      { currency: "CHF", digits: 0 },
      { account: "assets:Cash Box" },
      { account: "expenses:Food" },
      { account: "assets:CHF" },
      { account: "equity:Exchange" },
    ],
  );
  t.deepEqual(posts[0]?.body, {
    id: "abc-1",
    date: "2026-01-05",
    payee: "Baker",
    postings: [
      { account: "expenses:Food", currency: "EUR", amount: 1250 },
      { account: "assets:Cash Box", currency: "EUR", amount: -1250 },
    ],
  });
  t.is(posts.length, 2, "what moves nothing is no transaction");
  t.regex(posts[1]?.id ?? "", /^ledger-[0-9a-f]{32}$/);
  const claim = { account: "assets:Cash Box", currency: "EUR", amount: -2350 };
  t.deepEqual(
    assertions.map(({ body }) => body),
    [
      { ...claim, date: "2026-01-06" },
      { ...claim, date: "2026-01-07" },
    ] as never,
  );
});

test("journal: the same transaction has the same id, twice the same are two, whatever stands around them", (t) => {
  const coffee = "2026-01-05 Coffee\n    expenses:food  2 EUR\n    assets:bank\n\n";
  const tea = coffee.replace("Coffee", "Tea");
  const one = actsOf(coffee + coffee).posts.map(({ id }) => id);
  t.is(new Set(one).size, 2);
  t.deepEqual(
    actsOf(tea + coffee + coffee)
      .posts.map(({ id }) => id)
      .slice(1),
    one,
  );
});

test("journal: what the books know is not opened again, and their digits count", (t) => {
  const books = { accounts: ["assets:bank", "expenses:food"], currencies: { EUR: { digits: 2 } } };
  const { opening, posts } = actsOf("2026-01-05 Coffee\n    expenses:food  2 EUR\n    assets:bank\n", books);
  t.deepEqual(opening, []);
  t.like(posts[0]?.body, { postings: [{ amount: 200 }, { amount: -200 }] });
  t.throws(() => actsOf("2026-01-05 x\n    expenses:food  2.005 EUR\n    assets:bank\n", books), {
    message: /line 2: .*finer/,
  });
});

const WRONG: readonly [text: string, message: RegExp][] = [
  ["P 2026-01-01 EUR 1 CHF\n", /line 1: 'P' is not imported/],
  ["include other\n", /'include' is not imported/],
  ["= expr\n", /is not imported/],
  ["    assets:bank  1 EUR\n", /line 1: an indented line belongs to nothing/],
  ["2026-13-01 x\n", /the calendar has no 2026-13-01/],
  ["2026-02-30 x\n", /the calendar has no 2026-02-30/],
  ["26-01-01 x\n", /is no transaction/],
  ["2026-01-01 x\n    (assets:bank)  1 EUR\n", /line 2: virtual postings/],
  ["2026-01-01 x\n    assets:bank  1 EUR @ 2 CHF\n", /line 2: prices and lots/],
  ["2026-01-01 x\n    assets:bank  1 EUR {2 CHF}\n", /prices and lots/],
  ["2026-01-01 x\n    Bank  1 EUR\n", /line 2: the account Bank lies below none/],
  ["2026-01-01 x\n    assets:bank  1\n", /'1' is no amount of one currency/],
  ["2026-01-01 x\n    assets:bank  EUR 1 EUR\n", /is no amount/],
  ["2026-01-01 x\n    assets:bank  --1 EUR\n", /is no amount/],
  ['2026-01-01 x\n    assets:bank  1 "my money"\n', /is no amount/],
  ["2026-01-01 x\n    assets:bank  1 EUR\n    income:x  -2 EUR\n", /line 1: the transaction does not balance: EUR/],
  ["2026-01-01 x\n    assets:bank  1 EUR\n    income:x\n    income:y\n", /more than one posting has no amount/],
];

for (const [text, message] of WRONG) {
  test(`journal: what is not understood is refused with its line: ${JSON.stringify(text)}`, (t) => {
    t.throws(() => actsOf(text), { code: "INPUT_INVALID", message });
  });
}
