/**
 * RFC 4180, strictly (but for the delimiter, which banks choose), with exact line numbers. A row whose quoting is broken is handed out as a fault
 * and reading goes on at the next physical line, so that one stray quote cannot swallow the rows
 * after it. Pure.
 */

export interface CsvRow {
  /** Physical line at which the row starts, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
  /** Says what is wrong with the quoting; then `fields` is empty. */
  readonly fault: string | undefined;
  /** The row as it stands in the file. */
  readonly raw: string;
}

/** Bounds the look-ahead for a closing quote, and so the cost of a file full of stray quotes. */
export const CSV_QUOTED_CHARS_MAX = 4096;

interface Field {
  readonly value: string;
  readonly end: number;
}

interface Row {
  readonly fields: readonly string[];
  readonly end: number;
  readonly fault: string | undefined;
}

export function* readCsv(text: string, delimiter: "," | ";" | "\t" = ","): Generator<CsvRow> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const { fields, end, fault } = readRow(text, at, delimiter);
    const raw = text.slice(at, end);
    yield { line, fields, fault, raw };
    line += raw.split("\n").length - 1;
    at = end;
  }
}

function readRow(text: string, start: number, delimiter: string): Row {
  const fields: string[] = [];
  let at = start;
  for (;;) {
    const field = text[at] === '"' ? readQuoted(text, at, delimiter) : readPlain(text, at, delimiter);
    if (typeof field === "string") return { fields: [], end: nextLine(text, start), fault: field };
    fields.push(field.value);
    at = field.end;
    if (text[at] !== delimiter) return { fields, end: at + breakLength(text, at), fault: undefined };
    at += 1;
  }
}

/** The field, or what is wrong with it. */
function readPlain(text: string, start: number, delimiter: string): Field | string {
  const plain = new RegExp(`[^"${delimiter}\\r\\n]*`, "y");
  plain.lastIndex = start;
  const value = plain.exec(text)?.[0] ?? "";
  const end = start + value.length;
  if (endsField(text, end, delimiter)) return { value, end };
  return text[end] === '"' ? "a quote stands inside an unquoted field" : "a carriage return stands inside a line";
}

function readQuoted(text: string, start: number, delimiter: string): Field | string {
  const endMax = start + CSV_QUOTED_CHARS_MAX;
  let value = "";
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0 || quote > endMax) return "a quote opens and does not close";
    value += text.slice(from, quote);
    if (text[quote + 1] !== '"')
      return endsField(text, quote + 1, delimiter) ? { value, end: quote + 1 } : "text follows a closing quote";
    value += '"';
    from = quote + 2;
  }
}

function endsField(text: string, at: number, delimiter: string): boolean {
  return at >= text.length || text[at] === delimiter || breakLength(text, at) > 0;
}

function breakLength(text: string, at: number): 0 | 1 | 2 {
  if (text[at] === "\n") return 1;
  return text[at] === "\r" && text[at + 1] === "\n" ? 2 : 0;
}

function nextLine(text: string, from: number): number {
  const newline = text.indexOf("\n", from);
  return newline < 0 ? text.length : newline + 1;
}
