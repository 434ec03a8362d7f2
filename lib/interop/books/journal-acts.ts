/** A journal as acts of the accounting dapp. Pure. */
import { GdoError } from "../../base/index.ts";
import { tidy } from "./amount.ts";
import type { BooksAct } from "./bank-acts.ts";
import { type Journal, type JournalTransaction, smallestUnits } from "./journal.ts";

const PAYEE_CHARS_MAX = 200;
const ID = /^[a-z0-9][a-z0-9-]{0,79}$/;

/** What the books have already. */
export interface OpenBooks {
  readonly accounts: readonly string[];
  readonly currencies: Readonly<Record<string, { readonly digits: number }>>;
}

export interface JournalActs {
  /** Currencies and accounts that are missing. */
  readonly opening: readonly BooksAct[];
  /** By its id: one transaction each, in the journal's order. */
  readonly posts: readonly (BooksAct & { readonly id: string })[];
  /** The balances that the journal claims, each at the end of its date. */
  readonly assertions: readonly BooksAct[];
}

interface Posting {
  readonly account: string;
  readonly currency: string;
  readonly amount: number;
}

/** INPUT_INVALID names the line of what does not balance. `sha256Of` gives hex. */
export function journalActs(journal: Journal, books: OpenBooks, sha256Of: (text: string) => string): JournalActs {
  const known = Object.entries(books.currencies).map(([code, { digits }]) => [code, digits] as const);
  const digits: Readonly<Record<string, number>> = { ...journal.digits, ...Object.fromEntries(known) };
  const posts: (BooksAct & { id: string })[] = [];
  const assertions: BooksAct[] = [];
  const seen = new Map<string, number>();
  for (const transaction of journal.transactions) {
    const postings = settled(transaction, digits);
    if (postings.length > 0) {
      const id = idOf(transaction, postings, { seen, sha256Of });
      const payee = tidy(transaction.payee, PAYEE_CHARS_MAX) || "Nobody";
      posts.push({ id, type: "transaction.post", body: { id, date: transaction.date, payee, postings } });
    }
    assertions.push(...claims(transaction, digits));
  }
  const used = posts.flatMap(({ body }) => (body["postings"] as Posting[]).map(({ account }) => account));
  const accounts = [...new Set([...journal.accounts, ...used])].filter((name) => !books.accounts.includes(name));
  const currencies = Object.keys(journal.digits).filter((code) => books.currencies[code] === undefined);
  const opening = [
    ...currencies.map((currency): BooksAct => ({ type: "currency.put", body: { currency, digits: digits[currency] } })),
    ...accounts.map((account): BooksAct => ({ type: "account.open", body: { account } })),
  ];
  return { opening, posts, assertions };
}

/** Amounts that are not zero, with the one that was left out. */
function settled({ line, postings }: JournalTransaction, digits: Readonly<Record<string, number>>): Posting[] {
  const written: Posting[] = postings.flatMap((posting) => {
    if (posting.amount === undefined) return [];
    const { currency } = posting.amount;
    return [{ account: posting.account, currency, amount: smallestUnits(posting.amount, digits, posting.line) }];
  });
  const open = postings.filter(({ amount }) => amount === undefined);
  const sums = new Map<string, number>();
  for (const { currency, amount } of written) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  const over = [...sums].filter(([, sum]) => sum !== 0);
  if (open.length > 1) throw wrong(line, "more than one posting has no amount");
  const [rest] = open;
  if (rest === undefined && over.length > 0)
    throw wrong(line, `the transaction does not balance: ${over.map(([code]) => code).join(", ")}`);
  const filled =
    rest === undefined ? [] : over.map(([currency, sum]) => ({ account: rest.account, currency, amount: -sum }));
  return [...written, ...filled].filter(({ amount }) => amount !== 0);
}

function wrong(line: number, what: string): GdoError {
  return new GdoError("INPUT_INVALID", `journal line ${line}: ${what}`);
}

function claims({ date, postings }: JournalTransaction, digits: Readonly<Record<string, number>>): BooksAct[] {
  return postings.flatMap(({ account, balance, line }) => {
    if (balance === undefined) return [];
    const { currency } = balance;
    const amount = smallestUnits(balance, digits, line);
    return [{ type: "balance.assert", body: { account, currency, date, amount } } as const];
  });
}

/** The code where it can be one, as in a journal that gdo wrote; else made of what the transaction says. */
function idOf(
  { code, date, payee }: JournalTransaction,
  postings: readonly Posting[],
  { seen, sha256Of }: { seen: Map<string, number>; sha256Of: (text: string) => string },
): string {
  const isOwn = ID.test(code) && !seen.has(code);
  const parts = postings.map(({ account, currency, amount }) => `${account} ${amount} ${currency}`);
  const key = isOwn ? code : [date, code, payee, ...parts].join("\0");
  const count = (seen.get(key) ?? 0) + 1;
  seen.set(key, count);
  return isOwn ? code : `ledger-${sha256Of(`${key}\0${count}`).slice(0, 32)}`;
}
