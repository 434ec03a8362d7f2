/** Books with two currencies, some accounts and two plans, and entries for them. */
import { type Canonical, type Dapp, type Entry, msOfDate } from "../../../sdk/index.ts";
import { entryOf, MemoryState, merge, withSchemas } from "../../../sdk/testing.ts";
import { accountingWith as plainAccounting } from "../accounting.ts";
import { type Payment, settle } from "../dues.ts";
import type { LedgerProgram } from "../judge.ts";

/** Where the schemas are written; this runs from dist/images/dapps/accounting/test. */
export const FOLDER = new URL("../../../../../images/dapps/accounting/", import.meta.url);

export function accountingWith(program: LedgerProgram): Dapp {
  return withSchemas(plainAccounting(program), FOLDER);
}

const ACCOUNTS = ["assets:bank", "income:dues", "income:lockers", "expenses:rent", "equity:retained"];
/** When the entries are made: a year ahead of it is the last date that may be posted. */
const NOW = msOfDate("2026-06-01") as number;

export const DAY = (date: string): number => msOfDate(date) as number;

const at = (acts: Entry["acts"]): Entry => entryOf(acts, { timeMs: NOW });

/** Opened, empty. */
export async function books(): Promise<MemoryState> {
  const plan = { currency: "EUR", months: 1 };
  const acts: Entry["acts"] = [
    ["currency.put", { currency: "EUR", digits: 2 }],
    ["currency.put", { currency: "CHF", digits: 2 }],
    ...ACCOUNTS.map((account) => ["account.open", { account }] as const),
    ["plan.put", { ...plan, plan: "monthly", amount: 2500, account: "income:dues", membership: true }],
    ["plan.put", { ...plan, plan: "locker", amount: 500, account: "income:lockers", membership: false }],
  ];
  const opening = accountingWith(async () => ({ balances: {} }));
  const { outcomes, after } = await merge(opening, [at(acts)], new MemoryState("accounting"));
  if (outcomes[0]?.void !== undefined) throw new Error(outcomes[0].void);
  return after;
}

type Line = readonly [account: string, amount: number, currency?: string];

export function post(id: string, date: string, lines: readonly Line[], more: Record<string, Canonical> = {}): Entry {
  const postings = lines.map(([account, amount, currency = "EUR"]) => ({ account, amount, currency }));
  return at([["transaction.post", { id, date, payee: "Somebody", postings, ...more }]]);
}

/** From income to the bank. */
export function transfer(id: string, date: string, amount: number): Entry {
  return post(id, date, [
    ["assets:bank", amount],
    ["income:dues", -amount],
  ]);
}

export function pay(person: string, date: string, amount: number, plan = "monthly"): Entry {
  const account = plan === "monthly" ? "income:dues" : "income:lockers";
  const lines: Line[] = [
    ["assets:bank", amount],
    [account, -amount],
  ];
  const id = `pay-${person.replaceAll("/", "-")}-${date}`;
  return post(id, date, lines, { dues: [{ person, plan, amount }] });
}

export function dues(date: string, amount: number, months: number): Payment {
  return { date, amount, price: 100, months };
}

export const settled = settle;

export function reasons(outcomes: readonly { void?: string }[]): (string | undefined)[] {
  return outcomes.map((item) => item.void);
}
