/**
 * doorbot's access lists: imports what is right, denies what is doubtful [A1], and reports each odd row
 * with its line number. Formats: CSV (v0) and JSON (v1); docs/guide/moving-from-doorbot.md tells users.
 */
import { GdoError } from "../base/index.ts";
import { settleConflicts } from "./doorbot-conflicts.ts";
import { readDoorbotCsv } from "./doorbot-csv.ts";
import { readDoorbotJson, type Sha224Of } from "./doorbot-json.ts";
import { type DoorbotProblem, type DoorbotRow, judgeRow, type ReadRow } from "./doorbot-rows.ts";

export interface DoorbotList {
  readonly format: "csv-v0" | "json-v1";
  /** In the order of the file. A card in conflict may stand in several rows, all denied. */
  readonly rows: readonly DoorbotRow[];
  /** In the order of the file. */
  readonly problems: readonly DoorbotProblem[];
}

export interface DoorbotOptions {
  /** What the server's header X-Hash-SHA224 said over the body (hex); a list with another hash is refused. */
  readonly expected?: { readonly sha224: string; readonly sha224Of: Sha224Of };
  /** Where it is given, a row's hash is compared with the card's number, if the row has one. */
  readonly sha224Of?: Sha224Of;
}

export const DOORBOT_FILE_BYTES_MAX = 64 * 1024 * 1024;
export const DOORBOT_ROWS_MAX = 300_000;

/** Throws GdoError INPUT_INVALID, and imports nothing, when the file as a whole is no access list. */
export function parseDoorbot(bytes: Uint8Array, options: DoorbotOptions = {}): DoorbotList {
  if (bytes.length > DOORBOT_FILE_BYTES_MAX) {
    throw new GdoError(
      "INPUT_INVALID",
      `the access list has ${bytes.length} bytes, more than ${DOORBOT_FILE_BYTES_MAX}`,
    );
  }
  if (options.expected !== undefined) checkHash(bytes, options.expected);
  const text = new TextDecoder("utf-8").decode(bytes); // Drops a BOM; what is not UTF-8 shows as U+FFFD.
  const isJson = /^\s*[[{]/.test(text);
  const reads = isJson ? readDoorbotJson(text, options.sha224Of) : readDoorbotCsv(text);
  return { format: isJson ? "json-v1" : "csv-v0", ...judgeAll(reads) };
}

function judgeAll(reads: Iterable<ReadRow>): Pick<DoorbotList, "rows" | "problems"> {
  const rows: DoorbotRow[] = [];
  const problems: DoorbotProblem[] = [];
  let count = 0;
  for (const read of reads) {
    count += 1;
    if (count > DOORBOT_ROWS_MAX)
      throw new GdoError("INPUT_INVALID", `the access list has more than ${DOORBOT_ROWS_MAX} rows`);
    const { row, problem } = judgeRow(read);
    if (row !== undefined) rows.push(row);
    if (problem !== undefined) problems.push(problem);
  }
  const settled = settleConflicts(rows);
  const all = [...problems, ...settled.problems].sort((a, b) => a.line - b.line);
  return { rows: settled.rows, problems: all };
}

function checkHash(bytes: Uint8Array, expected: NonNullable<DoorbotOptions["expected"]>): void {
  const stated = expected.sha224.trim().toLowerCase();
  const actual = expected.sha224Of(bytes);
  if (actual === stated) return;
  const hashes = `its SHA-224 is ${actual}, expected was ${stated}`;
  throw new GdoError("INPUT_INVALID", `the access list is not what the server sent: ${hashes}`);
}
