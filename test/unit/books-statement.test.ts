import { createHash } from "node:crypto";
import test from "ava";
import { amountOf } from "../../lib/interop/books/amount.ts";
import { bankActs, parseBankRules, readStatement } from "../../lib/interop/index.ts";

const sha256Of = (text: string): string => createHash("sha256").update(text).digest("hex");
const RULES = {
  account: "assets:bank",
  currency: "EUR",
  delimiter: ";",
  skip: 1,
  columns: { date: "Datum", amount: "Betrag", payee: "Name", text: "Zweck" },
  date: "DD.MM.YYYY",
  decimal: ",",
  rules: [
    { text: "dues ([a-z.0-9]+)", account: "income:dues", dues: "monthly", person: "$1" },
    { text: "rent", account: "expenses:rent" },
  ],
};
const HEAD = "Konto 123\nDatum;Name;Zweck;Betrag\n";
const rules = (changes: object = {}) => parseBankRules({ ...RULES, ...changes }, "rules.yaml");
const read = (body: string, changes: object = {}, digits = 2) =>
  readStatement(new TextEncoder().encode(HEAD + body), { rules: rules(changes), digits, sha256Of });

test("statement: rows are dated amounts of the smallest unit, with the line in the file", (t) => {
  const { rows, problems } = read('22.11.2026;Kim;"DUES kim";"1.234,50"\n23.11.2026;Landlord;Rent Nov;-800\n');
  t.deepEqual(problems, []);
  t.deepEqual(
    rows.map(({ id: _, ...row }) => row),
    [
      { line: 3, date: "2026-11-22", amount: 123_450, payee: "Kim", text: "DUES kim", reference: "" },
      { line: 4, date: "2026-11-23", amount: -80_000, payee: "Landlord", text: "Rent Nov", reference: "" },
    ] as never,
  );
});

const ODD: readonly [row: string, what: RegExp][] = [
  ["32.11.2026;K;x;1", /"32.11.2026" is no date as in DD.MM.YYYY/],
  ["29.02.2026;K;x;1", /is no date/],
  ["2026-11-22;K;x;1", /is no date/],
  ["22.11.2026;K;x;1,234", /finer than the smallest unit \(2 digits\)/],
  ["22.11.2026;K;x;one", /"one" is no amount/],
  ["22.11.2026;K;x;", /"" is no amount/],
  ["22.11.2026;K;x;99999999999999999", /is larger than/],
  ["22.11.2026;K;x;0,00", /the amount is zero/],
  ["22.11.2026;K", /the row has 2 columns, not 4/],
  ['22.11.2026;"K;x;1', /a quote opens and does not close/],
];

for (const [row, what] of ODD) {
  test(`statement: an odd row is named and left out, the rest is read: ${row}`, (t) => {
    const { rows, problems } = read(`${row}\n23.11.2026;Kim;dues kim;5\n`);
    t.is(rows.length, 1);
    t.is(problems.length, 1);
    t.is(problems[0]?.line, 3);
    t.regex(problems[0]?.what ?? "", what);
  });
}

test("statement: rows are known again in another statement, equal payments of a day stay two, references decide", (t) => {
  const first = read("22.11.2026;Kim;coffee;2\n22.11.2026;Kim;coffee;2\n23.11.2026;Kim;coffee;2\n").rows;
  const second = read("23.11.2026;Kim;coffee;2,00\n22.11.2026;Kim;coffee;2\n22.11.2026;Kim;coffee;2\n").rows;
  t.is(new Set(first.map(({ id }) => id)).size, 3);
  t.deepEqual(first.map(({ id }) => id).sort(), second.map(({ id }) => id).sort());
  const other = read("23.11.2026;Kim;coffee;2\n", { account: "assets:cash" }).rows;
  t.false(first.some(({ id }) => id === other[0]?.id));
  const columns = { date: "Datum", amount: "Betrag", reference: "Zweck" };
  const numbered = read("22.11.2026;Kim;n1;2\n22.11.2026;Kim;n2;2\n", { columns }).rows;
  const corrected = read("22.11.2026;Kimberly;n1;2\n", { columns }).rows;
  t.is(numbered[0]?.id, corrected[0]?.id);
  t.not(numbered[0]?.id, numbered[1]?.id);
});

test("statement: a file without the rules' columns is refused", (t) => {
  const columns = { date: "Datum", amount: "Amount" };
  t.throws(() => read("", { columns }), {
    code: "INPUT_INVALID",
    message: /no column "Amount": Datum, Name, Zweck, Betrag/,
  });
  t.throws(() => readStatement(new Uint8Array(), { rules: rules(), digits: 2, sha256Of }), { code: "INPUT_INVALID" });
});

test("bank rules: the first that matches, dues with their person, what is missing is opened, nothing is guessed", (t) => {
  const { rows } = read(
    "22.11.2026;Kim;Dues kim.r;25\n23.11.2026;Lord;RENT; -800\n24.11.2026;Who;?;7\n25.11.2026;Back;dues kim;-25\n",
  );
  const { acts, problems, dues } = bankActs(rows, rules(), ["assets:bank"]);
  t.is(dues, 1);
  t.deepEqual(problems, [
    { line: 5, what: 'no rule is for "Who ?"', effect: "left out" },
    { line: 6, what: 'no rule is for "Back dues kim"', effect: "left out" },
  ]);
  t.deepEqual(
    acts.map(({ type, body }) => [type, body["account"] ?? body["date"]]),
    [
      ["account.open", "income:dues"],
      ["account.open", "expenses:rent"],
      ["transaction.post", "2026-11-22"],
      ["transaction.post", "2026-11-23"],
    ],
  );
  t.like(acts[2]?.body, {
    payee: "Kim",
    note: "Dues kim.r",
    postings: [
      { account: "assets:bank", amount: 2500 },
      { account: "income:dues", amount: -2500 },
    ],
    dues: [{ plan: "monthly", person: "kim.r", amount: 2500 }],
  });
  const all = bankActs(rows, rules({ otherwise: { in: "income:other", out: "expenses:other" } }), []);
  t.deepEqual(all.problems, []);
});

const WRONG: readonly [changes: object, message: RegExp][] = [
  [{ acount: "x" }, /rules\.yaml: .*acount/],
  [{ account: "bank" }, /account: is an account below/],
  [{ currency: "Euro" }, /currency: is a currency/],
  [{ rules: [{ text: "(", account: "income:x" }] }, /rules\.0\.text: is no regular expression/],
  [{ rules: [{ text: "x", account: "income:x", dues: "p" }] }, /rules\.0: dues and person go together/],
  [{ columns: { date: "D" } }, /columns\.amount/],
];

for (const [changes, message] of WRONG) {
  test(`bank rules: what is wrong is named: ${JSON.stringify(changes)}`, (t) => {
    t.throws(() => rules(changes), { code: "INPUT_INVALID", message });
  });
}

test("amounts: exact, in the style that the bank has", (t) => {
  const comma = { decimal: "," } as const;
  const point = { decimal: "." } as const;
  t.deepEqual(
    ["1'234,5", "-0,01", "5-", "+7", "1 000", "\u22123"].map((text) => amountOf(text, 2, comma)),
    [123_450, -1, -500, 700, 100_000, -300],
  );
  t.deepEqual(
    ["1,234.50", "0.1", ".5", "1.", "90071992.54"].map((text) => amountOf(text, 2, point)),
    [123_450, 10, '".5" is no amount', 100, 9_007_199_254],
  );
  t.is(amountOf("-0", 2, point), 0);
  t.is(amountOf("12", 0, point), 12);
});
