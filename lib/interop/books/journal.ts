/**
 * Ledger journals (plain-text accounting): the part of the format that books without lots, prices and virtual
 * postings use. Anything else is refused with its line, and then nothing is imported: half a journal is no
 * books. Pure.
 */
import { GdoError } from "../../base/index.ts";
import { amountOf } from "./amount.ts";
import { isDate } from "./date.ts";

export const JOURNAL_CHARS_MAX = 64 * 1024 * 1024;
const SYMBOLS: Readonly<Record<string, string>> = { "€": "EUR", $: "USD", "£": "GBP", "¥": "JPY" };
const ROOTS: Readonly<Record<string, string>> = {
  assets: "assets",
  asset: "assets",
  liabilities: "liabilities",
  liability: "liabilities",
  equity: "equity",
  income: "income",
  revenue: "income",
  revenues: "income",
  expenses: "expenses",
  expense: "expenses",
};
/** Their indented lines say nothing that matters here, but for commodity's format. */
const DIRECTIVES = new Set(["account", "commodity", "payee", "tag"]);

export interface WrittenAmount {
  readonly currency: string;
  /** As written, without the currency. */
  readonly decimal: string;
}

export interface JournalPosting {
  readonly line: number;
  readonly account: string;
  readonly amount?: WrittenAmount;
  /** The balance after it, as the journal claims. */
  readonly balance?: WrittenAmount;
}

export interface JournalTransaction {
  readonly line: number;
  readonly date: string;
  readonly code: string;
  readonly payee: string;
  readonly postings: readonly JournalPosting[];
}

export interface Journal {
  readonly transactions: readonly JournalTransaction[];
  /** Accounts that are declared, used or not. */
  readonly accounts: readonly string[];
  /** Per currency the most digits after the point anywhere. */
  readonly digits: Readonly<Record<string, number>>;
}

/** INPUT_INVALID names the first line that is not understood. */
export function readJournal(text: string): Journal {
  if (text.length > JOURNAL_CHARS_MAX)
    throw new GdoError("INPUT_INVALID", `the journal has more than ${JOURNAL_CHARS_MAX} characters`);
  const reader = new JournalReader();
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries())
    reader.take(line.normalize("NFC"), index + 1);
  return reader;
}

function refuse(line: number, what: string): GdoError {
  return new GdoError("INPUT_INVALID", `journal line ${line}: ${what}`);
}

type Open = { -readonly [key in keyof JournalTransaction]: JournalTransaction[key] } & { postings: JournalPosting[] };

class JournalReader implements Journal {
  readonly transactions: Open[] = [];
  readonly accounts: string[] = [];
  readonly digits: Record<string, number> = Object.create(null);
  /** What indented lines belong to. */
  #under: Open | "directive" | "comment" | undefined;

  take(line: string, at: number): void {
    if (line.trim() === "") this.#under = undefined;
    else if (/^[;#%|*]/.test(line)) this.#under = "comment";
    else if (/^\s/.test(line)) this.#takeIndented(line.trim(), at);
    else if (/^\d/.test(line)) this.#takeHeader(line, at);
    else this.#takeDirective(line, at);
  }

  #takeDirective(line: string, at: number): void {
    const [, word = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
    if (!DIRECTIVES.has(word)) throw refuse(at, `'${word}' is not imported`);
    this.#under = "directive";
    if (word === "account") this.accounts.push(accountOf(rest.trim(), at));
  }

  #takeHeader(line: string, at: number): void {
    const form = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:=\S+)?(?:\s+[*!])?(?:\s+\(([^)]*)\))?(?:\s+(.*))?$/;
    const [, year, month = "", day = "", code = "", rest = ""] = form.exec(line) ?? [];
    if (year === undefined) throw refuse(at, "is no transaction: a date as in 2026-11-22 stands first");
    const [payee = ""] = rest.split(/(?: {2}|\t)\s*;|^;/);
    const date = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
    if (!isDate(date)) throw refuse(at, `the calendar has no ${date}`);
    const opened: Open = { line: at, date, code: code.trim(), payee: payee.trim(), postings: [] };
    this.transactions.push(opened);
    this.#under = opened;
  }

  #takeIndented(text: string, at: number): void {
    if (this.#under === undefined) throw refuse(at, "an indented line belongs to nothing");
    if (this.#under === "comment" || text.startsWith(";")) return;
    if (this.#under === "directive") {
      const [, example] = /^format\s+(.*)$/.exec(text) ?? [];
      if (example !== undefined) this.#note(writtenOf(example, at));
      return;
    }
    this.#under.postings.push(this.#postingOf(text, at));
  }

  #postingOf(text: string, at: number): JournalPosting {
    const [, name = "", rest = ""] = /^(?:[*!]\s+)?(.+?)(?:(?: {2,}|\t)\s*(.*))?$/.exec(text) ?? [];
    if (/^[([]/.test(name)) throw refuse(at, "virtual postings are not imported");
    const [value = ""] = rest.split(";");
    if (/[@{]/.test(value)) throw refuse(at, "prices and lots are not imported");
    const [amount = "", balance, ...more] = value.split("=").map((part) => part.trim());
    if (more.length > 0) throw refuse(at, "has more than one balance");
    const written = amount === "" ? {} : { amount: this.#note(writtenOf(amount, at)) };
    const claimed = balance === undefined ? {} : { balance: this.#note(writtenOf(balance, at)) };
    return { line: at, account: accountOf(name, at), ...written, ...claimed };
  }

  #note(amount: WrittenAmount): WrittenAmount {
    const [, fraction = ""] = amount.decimal.split(".");
    this.digits[amount.currency] = Math.max(this.digits[amount.currency] ?? 0, fraction.length);
    return amount;
  }
}

/** "10.00 EUR", "EUR -10.00", "€10", "-$1,000.00". */
function writtenOf(text: string, at: number): WrittenAmount {
  const form = /^([+-]?)\s*(?:([A-Z]{2,10}|[€$£¥])\s*)?([+-]?)([\d,]*\.?\d+|\d[\d,]*\.?)(?:\s*([A-Z]{2,10}|[€$£¥]))?$/;
  const [, sign = "", before, inner = "", number = "", after] = form.exec(text) ?? [];
  const symbol = before ?? after;
  const isOne = (before === undefined) !== (after === undefined) && (sign === "" || inner === "");
  if (number === "" || symbol === undefined || !isOne) throw refuse(at, `'${text}' is no amount of one currency`);
  return { currency: SYMBOLS[symbol] ?? symbol, decimal: `${sign}${inner}${number}` };
}

/** The five roots in English and lower case; what is below them as it stands. */
function accountOf(name: string, at: number): string {
  const [first = "", ...rest] = name.split(":");
  const root = ROOTS[first.toLowerCase()];
  if (root === undefined)
    throw refuse(at, `the account ${name} lies below none of assets, liabilities, equity, income, expenses`);
  return [root, ...rest].join(":");
}

/** In the smallest unit. INPUT_INVALID. */
export function smallestUnits(
  { currency, decimal }: WrittenAmount,
  digits: Readonly<Record<string, number>>,
  at: number,
): number {
  const amount = amountOf(decimal, digits[currency] ?? 0, { decimal: "." });
  if (typeof amount === "string") throw refuse(at, amount);
  return amount;
}
