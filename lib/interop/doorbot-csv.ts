/** doorbot's access list v0: CSV with six columns under one fixed header. Pure. */
import { GdoError } from "../base/index.ts";
import { type CsvRow, readCsv } from "./csv.ts";
import type { ReadRow } from "./doorbot-rows.ts";

const HEADER = "username,key,value,allowed,hashedCard,lastAccessed";
const COLUMNS = 6;

/** Throws GdoError INPUT_INVALID when the first row is not doorbot's header. */
export function* readDoorbotCsv(text: string): Generator<ReadRow> {
  const rows = readCsv(text);
  const header = rows.next();
  if (header.done === true || header.value.fields.join() !== HEADER || header.value.fields.length !== COLUMNS) {
    throw new GdoError("INPUT_INVALID", `not a doorbot access list: line 1 is not the header ${HEADER}`);
  }
  for (const row of rows) yield readRow(row);
}

/** The level stands under `value`: the server writes `member,0,LEVEL,…`. */
function readRow({ line, fields, fault, raw }: CsvRow): ReadRow {
  const [member, , level, allowed, hash] = fields;
  const faults = fault === undefined ? columnFaults(fields) : [fault];
  if (faults.length === 0) return { line, member, level, allowed, hash, faults };
  // Which field is which is unknown, so only the card is told, wherever it stands.
  return {
    line,
    member: undefined,
    level: undefined,
    allowed: undefined,
    hash: fields.length > 0 ? fields.join("\n") : raw,
    faults,
  };
}

function columnFaults(fields: readonly string[]): string[] {
  if (fields.length === COLUMNS) return [];
  return [
    fields.join("") === "" && fields.length === 1
      ? "the line is empty"
      : `the row has ${fields.length} columns, not ${COLUMNS}`,
  ];
}
