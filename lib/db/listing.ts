/** Pages for `gdo log`: blocks newest first, each with what a branch made of it. */
import type { Statement } from "better-sqlite3";
import { bytesOf, type Hash } from "../base/index.ts";
import type { Block } from "../codec/index.ts";
import type { Connection } from "./connection.ts";
import { blockOfRow, type StoredBlock } from "./rows.ts";

export interface ListOptions {
  /** Whose verdicts are shown; default: of the branch that each entry is for. */
  readonly branch?: string;
  /** Cursor of the last row of the page before. */
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
}

type StoredRow = StoredBlock & { seq: number; h: number | null; reason: string | null };

/** Without a branch, each entry's verdict is that of the branch that it is for. */
const COLUMNS = `
  SELECT b.seq, b.body, b.sig, ifnull(m.h, g.h) AS h, v.reason FROM blocks b
  LEFT JOIN branches r ON r.name = ifnull(@branch, b.branch)
  LEFT JOIN members m ON m.branch = r.id AND m.block = b.seq
  LEFT JOIN merges g ON g.block = b.seq`;

export class Listing {
  readonly #all: Statement<[{ branch: string | null; before: number; limit: number }], StoredRow>;
  readonly #voids: Statement<[{ branch: string | null; before: number; limit: number }], StoredRow>;
  readonly #one: Statement<[{ branch: string | null; id: Uint8Array }], StoredRow>;

  constructor({ raw }: Connection) {
    const page = "b.seq < @before ORDER BY b.seq DESC LIMIT @limit";
    const voids = "JOIN voids v ON v.branch = r.id AND v.block = b.seq";
    this.#all = raw.prepare(`${COLUMNS} LEFT ${voids} WHERE ${page}`);
    this.#voids = raw.prepare(`${COLUMNS} ${voids} WHERE ${page}`);
    this.#one = raw.prepare(`${COLUMNS} LEFT ${voids} WHERE b.id = @id`);
  }

  page({ branch, before, limit, voidOnly }: ListOptions): ListRow[] {
    const statement = voidOnly === true ? this.#voids : this.#all;
    return statement.all({ branch: branch ?? null, before: before ?? Number.MAX_SAFE_INTEGER, limit }).map(listRow);
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
  };
}
