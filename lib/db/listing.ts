/** Pages for `gdo log`: blocks newest first, each with what a branch made of it. */
import type { Statement } from "better-sqlite3";
import { bytesOf, type Hash } from "../base/index.ts";
import type { Block } from "../codec/index.ts";
import type { Connection } from "./connection.ts";
import { blockOfRow, type StoredBlock } from "./tables/rows.ts";

export interface ListOptions {
  /** Only what may concern this branch, with its verdicts; default: all, with those of the branch that each is for. */
  readonly branch?: string;
  /** Cursor of the page before. */
  readonly before?: number;
  readonly limit: number;
  /** Only void entries. */
  readonly voidOnly?: boolean;
}

export interface ListRow {
  /** Order of taking in; greater is newer. */
  readonly cursor: number;
  readonly block: Block;
  /** Height of the merge that included it, or that it is; absent while pending. */
  readonly h?: number;
  readonly void?: string;
  /** Of an entry for a branch in mode open: how many of its lines have taken it. */
  readonly lines?: number;
}

/** An entry in a branch's order. */
export interface MemberRow {
  readonly block: Block;
  readonly h: number;
  readonly position: number;
  readonly void?: string;
}

export interface ListPage {
  readonly rows: readonly ListRow[];
  /** Where the next page begins; absent after the oldest block. A page may be short, or empty, and have one. */
  readonly next?: number;
}

/** Rows that one page looks at for a branch that has few: nobody waits for a whole ledger to be read. */
const SCAN_ROWS_MAX = 50_000;

type StoredRow = StoredBlock & { seq: number; h: number | null; reason: string | null; lines: number | null };
type PageValues = { branch: string | null; before: number; floor: number; limit: number };

/** Without a branch, each entry's verdict is that of the branch that it is for. */
const COLUMNS = `
  SELECT b.seq, b.body, b.sig, ifnull(m.h, g.h) AS h, v.reason,
    CASE WHEN r.id IS NULL AND b.branch IS NOT NULL THEN (
      SELECT count(*) FROM branches o JOIN members k ON k.branch = o.id AND k.block = b.seq WHERE o.takes = b.branch
    ) END AS lines`;

const JOINS = `
  LEFT JOIN branches r ON r.name = ifnull(@branch, b.branch)
  LEFT JOIN members m ON m.branch = r.id AND m.block = b.seq
  LEFT JOIN merges g ON g.block = b.seq
  LEFT JOIN voids v ON v.branch = r.id AND v.block = b.seq`;

/** Entries for the branch or taken by it, votes on it, and what has no column to tell: merges, evidence, the charter. */
const OF_BRANCH = `(b.branch = r.takes OR m.block IS NOT NULL OR (b.branch IS NULL AND (b.kind <> 'vote'
  OR EXISTS (SELECT 1 FROM votes w WHERE w.block = b.seq AND w.branch = r.takes))))`;

const AFTER = `
  SELECT b.body, b.sig, m.h, m.position, v.reason FROM branches r
  CROSS JOIN members m INDEXED BY members_in_order ON m.branch = r.id AND (m.h, m.position) > (@h, @position)
  CROSS JOIN blocks b ON b.seq = m.block
  LEFT JOIN voids v ON v.branch = r.id AND v.block = b.seq
  WHERE r.name = @branch ORDER BY m.h, m.position LIMIT @limit`;

type AfterValues = { branch: string; h: number; position: number; limit: number };
type StoredMember = StoredBlock & { h: number; position: number; reason: string | null };

/** From the void entries, which are few, to their blocks. */
const VOIDS = `
  FROM branches r CROSS JOIN voids v ON v.branch = r.id CROSS JOIN blocks b ON b.seq = v.block
  LEFT JOIN members m ON m.branch = r.id AND m.block = b.seq
  LEFT JOIN merges g ON g.block = b.seq
  WHERE r.name = ifnull(@branch, b.branch) AND v.block < @before AND v.block >= @floor
  ORDER BY v.block DESC LIMIT @limit`;

export class Listing {
  readonly #all: Statement<[PageValues], StoredRow>;
  readonly #ofBranch: Statement<[PageValues], StoredRow>;
  readonly #voids: Statement<[PageValues], StoredRow>;
  readonly #one: Statement<[{ branch: string | null; id: Uint8Array }], StoredRow>;
  readonly #after: Statement<[AfterValues], StoredMember>;
  readonly #newest: Statement<[], { seq: number | null }>;

  constructor({ raw }: Connection) {
    const from = `${COLUMNS} FROM blocks b ${JOINS}`;
    const page = "b.seq < @before AND b.seq >= @floor";
    const newestFirst = "ORDER BY b.seq DESC LIMIT @limit";
    this.#all = raw.prepare(`${from} WHERE ${page} ${newestFirst}`);
    this.#ofBranch = raw.prepare(`${from} WHERE ${page} AND ${OF_BRANCH} ${newestFirst}`);
    this.#voids = raw.prepare(`${COLUMNS} ${VOIDS}`);
    this.#one = raw.prepare(`${from} WHERE b.id = @id`);
    this.#after = raw.prepare(AFTER);
    this.#newest = raw.prepare("SELECT max(seq) AS seq FROM blocks");
  }

  page({ branch, before, limit, voidOnly }: ListOptions): ListPage {
    const top = before ?? (this.#newest.get()?.seq ?? 0) + 1;
    const isScan = branch !== undefined && voidOnly !== true;
    const floor = isScan ? Math.max(0, top - SCAN_ROWS_MAX) : 0;
    const values = { branch: branch ?? null, before: top, floor, limit };
    const rows = this.#statement(isScan, voidOnly === true)
      .all(values)
      .map(listRow);
    const last = rows.length === limit ? rows.at(-1)?.cursor : floor;
    return { rows, ...(last === undefined || last <= 1 ? {} : { next: last }) };
  }

  #statement(isScan: boolean, isVoidOnly: boolean): Statement<[PageValues], StoredRow> {
    if (isVoidOnly) return this.#voids;
    return isScan ? this.#ofBranch : this.#all;
  }

  /** Entries that follow a place in the branch's order; places begin with (1, 0). */
  after(branch: string, place: { readonly h: number; readonly position: number }, limit: number): MemberRow[] {
    return this.#after.all({ branch, ...place, limit }).map((row) => ({
      block: blockOfRow(row, `at ${row.h}.${row.position}`),
      h: row.h,
      position: row.position,
      ...(row.reason === null ? {} : { void: row.reason }),
    }));
  }

  one(id: Hash, branch: string | null = null): ListRow | undefined {
    const row = this.#one.get({ branch, id: bytesOf(id) });
    return row === undefined ? undefined : listRow(row);
  }
}

function listRow(row: StoredRow): ListRow {
  return {
    cursor: row.seq,
    block: blockOfRow(row, `in row ${row.seq}`),
    ...(row.h === null ? {} : { h: row.h }),
    ...(row.reason === null ? {} : { void: row.reason }),
    ...(row.lines === null ? {} : { lines: row.lines }),
  };
}
