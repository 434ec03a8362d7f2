/**
 * The books as a Ledger journal (plain-text accounting, ledger-cli.org), in the order of dates. What stands
 * in payees and notes is made harmless: nothing in it is read as a date, an amount or an expression. Pure.
 */
import type { Currency, Transaction } from "./state.ts";

/** "12.34" of 1234 with two digits. */
export function decimalOf(amount: number, digits: number): string {
  const text = Math.abs(amount)
    .toString()
    .padStart(digits + 1, "0");
  const sign = amount < 0 ? "-" : "";
  return digits === 0 ? `${sign}${text}` : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** The declarations that stand before everything else. */
export function journalHead(currencies: Readonly<Record<string, Currency>>, accounts: readonly string[]): string {
  const commodities = Object.entries(currencies).map(
    ([code, { digits }]) => `commodity ${code}\n    format ${decimalOf(1000 * 10 ** digits, digits)} ${code}\n`,
  );
  return [...commodities, ...accounts.map((account) => `account ${account}\n`)].join("");
}

/** One transaction, its empty line before it. */
export function journalOf(
  id: string,
  { date, payee, note, postings, dues = [] }: Transaction,
  currencies: Readonly<Record<string, Currency>>,
): string {
  const lines = postings.map(({ account, currency, amount }) => {
    return `    ${account}  ${decimalOf(amount, currencies[currency]?.digits ?? 0)} ${currency}`;
  });
  const paid = dues.map(({ person, plan }) => `    ; dues of ${harmless(person)}, ${plan}`);
  const notes = note === undefined ? [] : [`    ; ${harmless(note)}`];
  return `\n${[`${date} * (${id}) ${payee}`, ...notes, ...paid, ...lines].join("\n")}\n`;
}

/** A balance assertion as a transaction that moves nothing. */
export function journalAssertion(
  date: string,
  { account, currency, amount }: { account: string; currency: string; amount: number },
  { digits }: Currency,
): string {
  const nothing = `${decimalOf(0, digits)} ${currency}`;
  return `\n${date} * Balance\n    ${account}  ${nothing} = ${decimalOf(amount, digits)} ${currency}\n`;
}

/** "[" begins a date in a comment, ":" at the end of a word a tag with a value. */
function harmless(text: string): string {
  return text
    .replaceAll("[", "(")
    .replaceAll("]", ")")
    .replaceAll(":", ".")
    .replaceAll(/\p{Cc}/gu, " ");
}
