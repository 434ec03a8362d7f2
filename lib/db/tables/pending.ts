/** Entries that are held and not in a branch: of each log from the first on that is not in it, up to a cut [L6]. */
import type { Statement } from "better-sqlite3";
import { bytesOf } from "../../base/index.ts";
import type { Connection } from "../connection.ts";
import { type LogSpan, type PendingEntry, PendingReader } from "../pending-reader.ts";
import type { BranchRow } from "./branches.ts";
import { entriesOfG, NEWEST_OF_G } from "./logs.ts";
import { blocksOfRows, type StoredBlock } from "./rows.ts";

/** Where evidence cuts log `g` off. */
const CUT_OF_G = `ifnull((SELECT min(v.n) FROM evidence v WHERE v.log = g.id), ${Number.MAX_SAFE_INTEGER})`;

export const PENDING = `
  FROM logs g
  LEFT JOIN branch_logs m ON m.branch = @id AND m.log = g.id
  ${entriesOfG("ifnull(m.next, 0)", CUT_OF_G)}`;

type Branch = Pick<BranchRow, "id" | "takes">;
type Range = { readonly takes: string; readonly log: number; readonly from: number; readonly to: number };

export class PendingTable {
  readonly #all: Statement<[Branch & { limit: number }], StoredBlock>;
  readonly #count: Statement<[Branch], { count: number }>;
  readonly #has: Statement<[Branch], { found: number }>;
  readonly #spans: Statement<[{ id: number }], LogSpan>;
  readonly #range: Statement<[Range], StoredBlock & { seq: number }>;
  readonly #placeOf: Statement<[Uint8Array, string], { log: number; n: number }>;

  constructor({ raw }: Connection) {
    this.#all = raw.prepare(
      `SELECT p.body, p.sig FROM (SELECT b.seq ${PENDING} ORDER BY b.seq LIMIT @limit) f
       CROSS JOIN blocks p ON p.seq = f.seq ORDER BY f.seq`,
    );
    this.#count = raw.prepare(`SELECT count(*) AS count ${PENDING}`);
    this.#has = raw.prepare(`SELECT EXISTS (SELECT 1 ${PENDING}) AS found`);
    this.#spans = raw.prepare(
      `SELECT log, "from", "to" FROM (
         SELECT g.id AS log, ifnull(m.next, 0) AS "from", min(${NEWEST_OF_G}, ${CUT_OF_G} - 1) AS "to" FROM logs g
         LEFT JOIN branch_logs m ON m.branch = @id AND m.log = g.id
       ) WHERE "to" >= "from"`,
    );
    this.#range = raw.prepare(
      `SELECT b.seq, b.body, b.sig FROM logs g ${entriesOfG("@from", "@to + 1")} WHERE g.id = @log ORDER BY b.n`,
    );
    this.#placeOf = raw.prepare("SELECT log, n FROM blocks WHERE id = ? AND branch = ? AND log IS NOT NULL");
  }

  /** In the order of taking in, parents before children. Which rows they are an index tells: the others are not read. */
  all({ id, takes }: Branch, limit: number): StoredBlock[] {
    return this.#all.all({ id, takes, limit });
  }

  count({ id, takes }: Branch): number {
    return this.#count.get({ id, takes })?.count ?? 0;
  }

  has({ id, takes }: Branch): boolean {
    return this.#has.get({ id, takes })?.found === 1;
  }

  /** Reads them a part of a log at a time. */
  reader({ id, takes }: Branch): PendingReader {
    const spans = this.#spans.all({ id });
    return new PendingReader(
      spans,
      (log, from, to) => this.#read({ takes, log, from, to }),
      (entry) => this.#placeOf.get(bytesOf(entry), takes),
    );
  }

  #read(range: Range): PendingEntry[] {
    const rows = this.#range.all(range);
    const blocks = blocksOfRows(rows, "that is pending");
    return blocks.map((block, index) => ({ seq: rows[index]?.seq as number, log: range.log, block }));
  }
}
