/** Decimal text to integers of the smallest unit. Exact: no floating point. Pure. */

export const AMOUNT_MAX = 1_000_000_000_000_000;

/** What stands between the digits. */
export interface DecimalStyle {
  readonly decimal: "." | ",";
}

const SEPARATORS = { ".": /[,' \u00a0\u202f]/g, ",": /[.' \u00a0\u202f]/g } as const;

/** 123456 of "1.234,56" with two digits; a sentence where it is none, or finer than the smallest unit. */
export function amountOf(text: string, digits: number, { decimal }: DecimalStyle): number | string {
  const plain = text.trim().replace("\u2212", "-").replaceAll(SEPARATORS[decimal], "");
  const [, before = "", whole = "", fraction = "", after = ""] =
    /^([+-]?)(\d+)(?:[.,](\d*))?([+-]?)$/.exec(plain) ?? [];
  if (whole === "" || (before !== "" && after !== "")) return `"${text}" is no amount`;
  const kept = fraction.replace(/0+$/, "");
  if (kept.length > digits) return `"${text}" is finer than the smallest unit (${digits} digits)`;
  const amount = Number(whole + kept.padEnd(digits, "0"));
  if (amount > AMOUNT_MAX) return `"${text}" is larger than ${AMOUNT_MAX} of the smallest unit`;
  return before === "-" || after === "-" ? -amount || 0 : amount;
}

/** Text that accounting takes as a payee or a note: one line, no ";", of at most so many characters. */
export function tidy(text: string, charsMax: number): string {
  const line = text.replaceAll(/[\p{Cc};]/gu, " ").replaceAll(/ +/g, " ");
  return line.trim().slice(0, charsMax).trim();
}
