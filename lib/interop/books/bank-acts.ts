/** A statement's rows as acts of the accounting dapp, by the rules. Pure. */
import { tidy } from "./amount.ts";
import { type BankRules, personOf } from "./rules.ts";
import type { OddRow, StatementRow } from "./statement.ts";

const PAYEE_CHARS_MAX = 200;
const NOTE_CHARS_MAX = 400;

export interface BooksAct {
  readonly type: "account.open" | "currency.put" | "transaction.post" | "balance.assert";
  readonly body: Readonly<Record<string, unknown>>;
}

export interface BankActs {
  readonly acts: readonly BooksAct[];
  readonly problems: readonly OddRow[];
  /** Rows that pay dues. */
  readonly dues: number;
}

/** `accounts` are those that are open; what else is needed is opened first. Rows without a rule are named and left out. */
export function bankActs(rows: readonly StatementRow[], rules: BankRules, accounts: readonly string[]): BankActs {
  const problems: OddRow[] = [];
  const posts: BooksAct[] = [];
  let dues = 0;
  for (const row of rows) {
    const found = targetOf(row, rules);
    if (found === undefined) {
      problems.push({ line: row.line, what: `no rule is for "${wordsOf(row)}"`, effect: "left out" });
      continue;
    }
    if (found.dues !== undefined) dues += 1;
    posts.push({ type: "transaction.post", body: bodyOf(row, rules, found) });
  }
  const used = posts.flatMap(({ body }) => (body["postings"] as { account: string }[]).map(({ account }) => account));
  const missing = [...new Set(used)].filter((account) => !accounts.includes(account));
  const opened = missing.map((account): BooksAct => ({ type: "account.open", body: { account } }));
  return { acts: [...opened, ...posts], problems, dues };
}

interface Target {
  readonly account: string;
  readonly dues?: { readonly plan: string; readonly person: string };
}

function wordsOf({ payee, text }: StatementRow): string {
  return tidy(`${payee} ${text}`, NOTE_CHARS_MAX);
}

/** The first rule that matches; dues are for money that comes in. */
function targetOf(row: StatementRow, { rules, otherwise }: BankRules): Target | undefined {
  const words = wordsOf(row);
  for (const rule of rules) {
    const match = rule.text.exec(words);
    if (match === null) continue;
    const { account, dues: plan } = rule;
    if (plan === undefined) return { account };
    const person = personOf(rule, match);
    if (row.amount > 0 && person !== undefined && person !== "") return { account, dues: { plan, person } };
  }
  if (otherwise === undefined) return undefined;
  return { account: row.amount > 0 ? otherwise.in : otherwise.out };
}

function bodyOf(
  { id, date, amount, payee, text }: StatementRow,
  rules: BankRules,
  { account, dues }: Target,
): BooksAct["body"] {
  const { currency } = rules;
  const named = tidy(payee, PAYEE_CHARS_MAX) || tidy(text, PAYEE_CHARS_MAX) || "Bank";
  const note = tidy(text, NOTE_CHARS_MAX);
  return {
    id,
    date,
    payee: named,
    ...(note === "" ? {} : { note }),
    postings: [
      { account: rules.account, currency, amount },
      { account, currency, amount: -amount },
    ],
    ...(dues === undefined ? {} : { dues: [{ ...dues, amount }] }),
  };
}
