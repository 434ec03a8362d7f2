/** A bank's statement: CSV rows to dated amounts, each with an id by which it is known again. Pure. */
import { GdoError } from "../../base/index.ts";
import { type CsvRow, readCsv } from "../csv.ts";
import { amountOf } from "./amount.ts";
import { isDate } from "./date.ts";
import type { BankRules } from "./rules.ts";

export const STATEMENT_BYTES_MAX = 16 * 1024 * 1024;

export interface StatementRow {
  /** Physical line in the file, from 1. */
  readonly line: number;
  /** "bank-" and 32 hex digits. */
  readonly id: string;
  readonly date: string;
  /** In the smallest unit; what comes in is positive. */
  readonly amount: number;
  readonly payee: string;
  readonly text: string;
}

export interface OddRow {
  readonly line: number;
  readonly what: string;
  readonly effect: string;
}

export interface Statement {
  readonly rows: readonly StatementRow[];
  readonly problems: readonly OddRow[];
}

export interface StatementOptions {
  readonly rules: BankRules;
  /** Of the currency. */
  readonly digits: number;
  /** Hex. */
  sha256Of(text: string): string;
}

type Columns = Readonly<Record<keyof BankRules["columns"], number | undefined>>;

/** INPUT_INVALID when the file has not the headings that the rules name. Odd rows are named and left out. */
export function readStatement(bytes: Uint8Array, options: StatementOptions): Statement {
  const { rules } = options;
  const csv = textOf(bytes, rules);
  const [head, ...body] = readCsv(csv.text, rules.delimiter === "tab" ? "\t" : rules.delimiter);
  const columns = columnsOf(head, rules);
  const rows: StatementRow[] = [];
  const problems: OddRow[] = [];
  const seen = new Map<string, number>();
  for (const row of body) {
    if (row.raw.trim() === "") continue;
    const line = row.line + rules.skip;
    const read = row.fault ?? readRow(row, columns, options);
    if (typeof read === "string") problems.push({ line, what: read, effect: "ignored" });
    else if (read.amount === 0) problems.push({ line, what: "the amount is zero", effect: "ignored" });
    else rows.push({ line, id: idOf(read, seen, options), ...read });
  }
  return { rows, problems };
}

/** The text from the headings on. */
function textOf(bytes: Uint8Array, { encoding, skip }: BankRules): { text: string } {
  if (bytes.length > STATEMENT_BYTES_MAX)
    throw new GdoError("INPUT_INVALID", `the statement has ${bytes.length} bytes, more than ${STATEMENT_BYTES_MAX}`);
  const text = new TextDecoder(encoding === "latin1" ? "windows-1252" : "utf-8").decode(bytes);
  return { text: text.split("\n").slice(skip).join("\n") };
}

function columnsOf(head: CsvRow | undefined, { columns }: BankRules): Columns {
  const headings = head?.fields.map((field) => field.trim()) ?? [];
  const placed = Object.entries(columns).map(([key, heading]) => {
    const at = heading === undefined ? undefined : headings.indexOf(heading);
    if (at === -1)
      throw new GdoError("INPUT_INVALID", `the statement has no column "${heading}": ${headings.join(", ")}`);
    return [key, at] as const;
  });
  return Object.fromEntries(placed) as Columns;
}

type Read = Pick<StatementRow, "date" | "amount" | "payee" | "text"> & { readonly reference: string };

/** What a row says, or what is wrong with it. */
function readRow({ fields }: CsvRow, columns: Columns, { rules, digits }: StatementOptions): Read | string {
  const field = (key: keyof Columns): string => {
    const at = columns[key];
    return at === undefined ? "" : (fields[at] ?? "").trim().normalize("NFC");
  };
  const least = Math.max(...Object.values(columns).map((at) => at ?? 0));
  if (fields.length <= least) return `the row has ${fields.length} columns, not ${least + 1}`;
  const date = dateOf(field("date"), rules.date);
  if (date === undefined) return `"${field("date")}" is no date as in ${rules.date}`;
  const amount = amountOf(field("amount"), digits, { decimal: rules.decimal });
  if (typeof amount === "string") return amount;
  return { date, amount, payee: field("payee"), text: field("text"), reference: field("reference") };
}

/** "2026-11-22", if the calendar has it. */
function dateOf(text: string, form: BankRules["date"]): string | undefined {
  const letters = form.replaceAll(/[^YMD]/g, "");
  const shape = new RegExp(`^${form.replaceAll(".", "\\.").replaceAll(/[YMD]/g, "\\d")}$`);
  if (!shape.test(text)) return undefined;
  const digits = text.replaceAll(/\D/g, "");
  const part = (letter: string): string => [...digits].filter((_, index) => letters[index] === letter).join("");
  const date = `${part("Y")}-${part("M")}-${part("D")}`;
  return isDate(date) ? date : undefined;
}

/**
 * Equal rows of one statement are told apart by their number, so that two equal payments of a day are two,
 * and are the same two in every statement that has the whole day.
 */
function idOf(
  { date, amount, payee, text, reference }: Read,
  seen: Map<string, number>,
  options: StatementOptions,
): string {
  const { account, currency } = options.rules;
  const key = reference === "" ? [date, amount, payee, text].join("\0") : `reference\0${reference}`;
  const count = (seen.get(key) ?? 0) + 1;
  seen.set(key, count);
  return `bank-${options.sha256Of([account, currency, key, count].join("\0")).slice(0, 32)}`;
}
