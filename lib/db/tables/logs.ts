/** Logs: which there are, and up to which number each is held. */
import type { Statement } from "better-sqlite3";
import { bytesOf, fromHex, GdoError, type Hash, type PublicKey, publicKeyOf32, toHex } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import type { Connection } from "../connection.ts";

export interface LogRow {
  readonly id: number;
  /** Numbers 0 to next - 1 are held. */
  readonly next: number;
  /** Number next - 1, where it was added by this process. */
  readonly last?: Hash;
  /** The run that its newest block is in, where that was added by this process. */
  readonly run?: Run;
}

/** Blocks of a log one after another that are entries for one branch, or all no entries. */
export interface Run {
  readonly branch: string | null;
  /** Its first number. */
  readonly from: number;
}

/** The run of a block with this number, `before` being that of the block before it. */
export function runOf(n: number, branch: string | null, before: Run | undefined): Run {
  return before?.branch === branch ? before : { branch, from: n };
}

type KeptLog = { -readonly [key in keyof LogRow]: LogRow[key] };

/** Bytes of a newest block's id that say which one it is. */
export const TIP_BYTES = 8;

/** The newest number held of a log `g`; null for none. One seek: a log's numbers have no gap. */
export const NEWEST_OF_G = "(SELECT x.n FROM blocks x WHERE x.log = g.id ORDER BY x.n DESC LIMIT 1)";

/** The number with which what follows run `s` begins; null where nothing does. */
const END_OF_S = `(SELECT e.n FROM blocks e INDEXED BY runs WHERE e.log = s.log AND e.n = e.run AND e.n > s.n
  ORDER BY e.n LIMIT 1)`;

/** Runs `s` of entries of logs `g`, for whichever branch. */
const RUNS_OF_G = `logs g CROSS JOIN blocks s INDEXED BY runs_by_branch
  ON s.log = g.id AND s.n = s.run AND s.branch IS NOT NULL`;

/** How many entries there are in logs `g`: a reckoning with runs, whatever they hold. */
export const COUNT_OF_G = `SELECT ifnull(sum(ifnull(${END_OF_S}, ${NEWEST_OF_G} + 1) - s.n), 0) AS count FROM ${RUNS_OF_G}`;

/**
 * Entries `b` of log `g` for branch @takes with numbers `from` to `below` - 1, which are SQL, run by run: the cost is
 * that of what is found, whatever else is in the log. CROSS JOIN keeps the order of the tables.
 */
export function entriesOfG(from: string, below: string): string {
  return `CROSS JOIN blocks s INDEXED BY runs_by_branch
      ON s.log = g.id AND s.branch = @takes AND s.n = s.run AND s.n < ${below} AND s.n >= ifnull(
        (SELECT x.n FROM blocks x INDEXED BY runs_by_branch
         WHERE x.log = g.id AND x.branch = @takes AND x.n = x.run AND x.n <= ${from} ORDER BY x.n DESC LIMIT 1), 0)
    CROSS JOIN blocks b
      ON b.log = g.id AND b.n >= max(s.n, ${from}) AND b.n < min(${below}, ifnull(${END_OF_S}, ${below}))`;
}

/** The newest number held of one log. */
export interface FrontierLog {
  readonly author: PublicKey;
  readonly l: string;
  readonly n: number;
  /** 16 hex digits: the same where the same blocks of the log are held. */
  readonly print: string;
}

export interface LogLine {
  readonly id: number;
  /** Of the log's own line, whose newest block's id begins with the print. */
  readonly held: FrontierLog;
}

type StoredLog = { id: number; author: Buffer; l: Buffer; n: number; tip: Buffer };

export class LogTable {
  readonly #find: Statement<[Uint8Array, Uint8Array], LogRow>;
  readonly #add: Statement<[Uint8Array, Uint8Array]>;
  readonly #all: Statement<[], StoredLog>;
  readonly #ofAuthor: Statement<[Uint8Array], { l: Buffer }>;
  /** Rows by author and incarnation; forgotten whenever a transaction fails. */
  readonly #kept = new Map<PublicKey, Map<string, KeptLog>>();
  /** As it was asked for last; a reader beside the writer does not hear of changes. */
  #lines: LogLine[] | undefined;
  readonly #isWriter: boolean;

  constructor({ raw }: Connection) {
    this.#isWriter = !raw.readonly;
    this.#find = raw.prepare(
      `SELECT g.id, ifnull(${NEWEST_OF_G} + 1, 0) AS next FROM logs g WHERE g.author = ? AND g.l = ?`,
    );
    this.#add = raw.prepare("INSERT INTO logs (author, l) VALUES (?, ?)");
    this.#all = raw.prepare(
      `SELECT g.id, g.author, g.l, b.n, b.id AS tip FROM logs g
       JOIN blocks b ON b.log = g.id AND b.n = ${NEWEST_OF_G} ORDER BY g.author, g.l`,
    );
    this.#ofAuthor = raw.prepare(
      `SELECT g.l FROM logs g WHERE g.author = ? AND ${NEWEST_OF_G} IS NOT NULL ORDER BY g.id`,
    );
  }

  find(author: PublicKey, l: string): LogRow | undefined {
    return this.#log(author, l);
  }

  findOrAdd(author: PublicKey, l: string): LogRow {
    return this.#log(author, l) ?? this.#keep(author, l, this.#addRow(author, l));
  }

  #log(author: PublicKey, l: string): KeptLog | undefined {
    const kept = this.#kept.get(author)?.get(l);
    if (kept !== undefined) return kept;
    const row = this.#find.get(bytesOf(author), logBytes(l));
    return row === undefined ? undefined : this.#keep(author, l, row);
  }

  #addRow(author: PublicKey, l: string): LogRow {
    return { id: Number(this.#add.run(bytesOf(author), logBytes(l)).lastInsertRowid), next: 0 };
  }

  #keep(author: PublicKey, l: string, row: LogRow): KeptLog {
    const logs = this.#kept.get(author) ?? new Map<string, KeptLog>();
    this.#kept.set(author, logs.set(l, row));
    return row;
  }

  /** Notes that its log's next number is held, and in which run. */
  advance({ a, l, id }: Pick<Block, "a" | "l" | "id">, run: Run): void {
    const log = this.#log(a, l);
    if (log === undefined) return;
    log.next += 1;
    log.last = id;
    log.run = run;
    this.#setLine({ id: log.id, held: { author: a, l, n: log.next - 1, print: id.slice(0, 2 * TIP_BYTES) } });
  }

  /** One line changes where all are known: who asks after each block should not pay for all logs. */
  #setLine(line: LogLine): void {
    if (this.#lines === undefined) return;
    const place = placeAmong(this.#lines, line.held);
    const isThere = this.#lines[place]?.id === line.id;
    this.#lines.splice(place, isThere ? 1 : 0, line);
  }

  /** To be called when a transaction was undone, or a log has taken another version. */
  forget(): void {
    this.#kept.clear();
    this.#lines = undefined;
  }

  /** The line of every log, and the beginning of its newest block's id. */
  lines(): readonly LogLine[] {
    const lines = this.#lines ?? this.rows();
    if (this.#isWriter) this.#lines = lines;
    return lines;
  }

  /** All rows, for verify(). */
  rows(): LogLine[] {
    return this.#all.all().map(({ id, author, l, n, tip }) => {
      const print = toHex(tip.subarray(0, TIP_BYTES));
      return { id, held: { author: publicKeyOf32(author), l: toHex(l), n, print } };
    });
  }

  /** Incarnations of an author's log, in the order in which they were first seen. */
  ofAuthor(author: PublicKey): string[] {
    return this.#ofAuthor.all(bytesOf(author)).map(({ l }) => toHex(l));
  }
}

/** Where the log's line is or would be, in their order. */
function placeAmong(lines: readonly LogLine[], { author, l }: FrontierLog): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const { held } = lines[middle] as LogLine;
    if (held.author < author || (held.author === author && held.l < l)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The bytes of an incarnation. INPUT_INVALID. */
export function logBytes(l: string): Uint8Array {
  const bytes = fromHex(l);
  if (bytes === undefined) throw new GdoError("INPUT_INVALID", `not a log: ${l}`);
  return bytes;
}
