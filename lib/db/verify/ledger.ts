/**
 * Verification: the file's own structure, then every block against its id, its signature, its columns and
 * its parents, then logs, state roots. Reads only. Says what is wrong and where, and goes on.
 */
import Database, { type Statement } from "better-sqlite3";
import { equalBytes, GdoError, type Hash, hashOf32, toHex } from "../../base/index.ts";
import { type Block, blockFromBody, verifyBlock } from "../../codec/index.ts";
import { parentIds } from "../../ledger/index.ts";
import type { Tables } from "../apply-merge.ts";
import { asGdoError, type Connection } from "../connection.ts";
import { byPages } from "../pages.ts";
import { SCHEMA } from "../schema.ts";
import { branchOf } from "../tables/blocks.ts";
import { sumsOf } from "../tables/rows.ts";
import { appsOf, claimedRoots, verifyMerges } from "./branches.ts";

export interface VerifyFinding {
  /** Id of the block, or the name of what else is wrong: "log …", "state of …", "file". */
  readonly id: string;
  readonly what: string;
}

export interface VerifyReport {
  /** How many blocks were checked. */
  readonly blocks: number;
  readonly bad: readonly VerifyFinding[];
}

interface Row {
  readonly seq: number;
  readonly id: Buffer;
  readonly author: Buffer | null;
  readonly l: Buffer | null;
  /** Null for an alternate. */
  readonly log: number | null;
  /** 1: another is on top of it, in its log or beside it as it is. */
  readonly followed: number;
  readonly n: number;
  readonly kind: string;
  readonly branch: string | null;
  readonly run: number;
  /** Its run as the block before it has it. */
  readonly began: number;
  readonly c: number;
  readonly checked: number;
  readonly sum: Buffer;
  readonly body: Buffer;
  readonly sig: Buffer;
}

const PAGE = 200;

/** Checks a database. Never throws for what is stored. */
export function verifyLedger(
  connection: Connection,
  tables: Tables,
  progress: (blocks: number) => void = () => {},
): VerifyReport {
  const verifier = new Verifier(connection, tables);
  const steps = [
    () => verifier.file(),
    () => verifier.schema(),
    () => verifier.blocks(progress),
    () => verifier.logs(),
    () => verifier.branches(),
  ];
  for (const step of steps) verifier.attempt("file", step);
  return { blocks: verifier.count, bad: verifier.bad };
}

class Verifier {
  readonly bad: VerifyFinding[] = [];
  count = 0;
  readonly #connection: Connection;
  readonly #tables: Tables;
  readonly #page: Statement<[number, number], Row>;
  readonly #parents: Statement<[{ child: number }], { id: Buffer }>;

  constructor(connection: Connection, tables: Tables) {
    this.#connection = connection;
    this.#tables = tables;
    const { raw } = connection;
    this.#page = raw.prepare(
      `SELECT b.seq, b.id, g.author, g.l, b.log, b.n, b.kind, b.branch, b.run, b.c, b.checked, b.sum, b.body, b.sig
       , CASE WHEN b.log IS NULL
         THEN EXISTS (SELECT 1 FROM alternates f WHERE f.log = g.id AND f.n = b.n + 1 AND f.before = b.seq)
         ELSE EXISTS (SELECT 1 FROM blocks f WHERE f.log = b.log AND f.n = b.n + 1) END AS followed
       , ifnull((SELECT p.run FROM blocks p WHERE p.branch IS b.branch AND p.seq = CASE WHEN b.log IS NULL THEN a.before
         ELSE (SELECT o.seq FROM blocks o WHERE o.log = b.log AND o.n = b.n - 1) END), b.n) AS began
       FROM blocks b LEFT JOIN alternates a ON a.block = b.seq AND a.n = b.n AND b.log IS NULL
       LEFT JOIN logs g ON g.id = ifnull(b.log, a.log) WHERE b.seq > ? ORDER BY b.seq LIMIT ?`,
    );
    this.#parents =
      raw.prepare(`SELECT p.id FROM blocks c JOIN blocks p ON p.log = c.log AND p.n = c.n - 1 WHERE c.seq = @child
       UNION ALL SELECT p.id FROM alternates a JOIN blocks p ON p.seq = a.before WHERE a.block = @child
       UNION ALL SELECT p.id FROM edges e JOIN blocks p ON p.seq = e.parent WHERE e.child = @child`);
  }

  /** Runs one step; a page that SQLite cannot read is a finding, not the end. */
  attempt(name: string, step: () => void): void {
    try {
      step();
    } catch (error) {
      const known = asGdoError(error, this.#connection.path);
      // A RangeError is a column of the wrong length.
      if (!(known instanceof GdoError || known instanceof RangeError)) throw error;
      this.#say(name, known.message);
    }
  }

  #say(id: string, what: string): void {
    this.bad.push({ id, what });
  }

  /** SQLite's own check: pages, indexes, order of keys. */
  file(): void {
    for (const { integrity_check: line } of this.#connection.raw.pragma("integrity_check") as {
      integrity_check: string;
    }[]) {
      if (line !== "ok") this.#say("file", line);
    }
  }

  /** What the tables are called and hold is text in the file, too, of which nothing else keeps a sum. */
  schema(): void {
    const made = new Database(":memory:");
    made.exec(SCHEMA);
    if (schemaOf(made) !== schemaOf(this.#connection.raw))
      this.#say("file", "its tables are not defined as they were made");
    made.close();
  }

  blocks(progress: (blocks: number) => void): void {
    const page = (after: number): Row[] => this.#page.all(after, PAGE);
    for (const rows of byPages(0, { page, placeOf: ({ seq }: Row) => seq, compare: (a, b) => a - b })) {
      for (const row of rows) this.attempt(toHex(row.id), () => this.#block(row));
      this.count += rows.length;
      progress(this.count);
    }
  }

  #block(row: Row): void {
    const id = toHex(row.id);
    const stored = { body: new Uint8Array(row.body), sig: new Uint8Array(row.sig) };
    if (!equalBytes(sumsOf([stored])[0] as Uint8Array, row.sum))
      this.#say(id, `row ${row.seq}: body or signature is not as it was taken in`);
    const block = blockFromBody(stored.body, stored.sig); // Its message names what and where.
    if (block.id !== id) this.#say(id, `row ${row.seq}: the body is that of ${block.id}`);
    const column = wrongColumn(row, block);
    if (column !== undefined) this.#say(id, `row ${row.seq}: the column ${column} is not what the body says`);
    const parents = this.#parents.all({ child: row.seq }).map((parent) => toHex(parent.id));
    if (parents.sort().join() !== [...parentIds(block)].sort().join())
      this.#say(id, `row ${row.seq}: its edges are not its parents`);
    if (block.k === "vote" && !this.#tables.votes.isPlaced(row.seq, block))
      this.#say(id, `row ${row.seq}: the list of votes is wrong about it`);
    if (block.k === "merge" && !this.#tables.branches.isPlaced(row.seq, block))
      this.#say(id, `row ${row.seq}: the list of merges that wait is wrong about it`);
    // [L9] A signature that was never verified may have come wrong; a later block vouches for the body.
    const isVouched = row.checked === 0 && row.followed === 1;
    if (!isVouched && !verifyBlock(block)) this.#say(id, `row ${row.seq}: the signature is not its author's`);
  }

  /** Numbers without a gap. */
  logs(): void {
    const count = this.#connection.raw.prepare<[number], { count: number }>(
      "SELECT count(*) AS count FROM blocks WHERE log = ?",
    );
    const strays = this.#connection.raw.prepare<[], { count: number }>(
      "SELECT count(*) AS count FROM alternates a LEFT JOIN blocks b ON b.seq = a.block AND b.log IS NULL WHERE b.seq IS NULL",
    );
    for (const { id, held } of this.#tables.logs.rows()) {
      const { author, l, n } = held;
      const found = count.get(id)?.count ?? 0;
      if (found !== n + 1) this.#say(`log ${author} ${l}`, `is held up to ${n}; ${found} blocks are`);
    }
    const stray = strays.get()?.count ?? 0;
    if (stray > 0) this.#say("alternates", `${stray} are not beside a log`);
  }

  /** Every merge, and every root from its rows, with the last merge's word for it [L19]. */
  branches(): void {
    const { branches, state } = this.#tables;
    for (const name of branches.names()) {
      const branch = branches.find(name);
      if (branch === undefined) continue;
      this.attempt(`branch ${name}`, () => verifyMerges(this.#tables, branch, (id, what) => this.#say(id, what)));
      if (branch.takes !== name.replace(/@.*/, "")) this.#say(`branch ${name}`, `takes what is for ${branch.takes}`);
      const claimed = claimedRoots(this.#tables, branch);
      const kept = state.roots(branch.id);
      for (const app of appsOf(this.#tables, branch, claimed)) {
        const place = `state of ${app} on ${name}`;
        this.attempt(place, () => this.#root(place, state.recompute(branch.id, app), [kept[app], claimed[app]]));
      }
    }
  }

  #root(
    place: string,
    { root: computed, isKept }: ReturnType<Tables["state"]["recompute"]>,
    [kept, claimed]: readonly (Hash | undefined)[],
  ): void {
    if (!isKept) this.#say(place, "the nodes kept of its tree are not those of its keys");
    if (computed !== kept) this.#say(place, `its root is ${computed}, kept is ${kept}`);
    if (computed !== claimed) this.#say(place, `its root is ${computed}, the last merge says ${claimed}`);
  }
}

function schemaOf(raw: Database.Database): string {
  return JSON.stringify(raw.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all());
}

function wrongColumn(row: Row, block: Block): string | undefined {
  if (row.author === null || row.l === null) return "log";
  if (toHex(row.author) !== block.a) return "author of its log";
  if (toHex(row.l) !== block.l) return "l of its log";
  if (row.n !== block.n) return "n";
  if (row.kind !== block.k) return "kind";
  if (row.branch !== branchOf(block)) return "branch";
  if (row.run !== row.began) return "run";
  if (row.c !== block.c) return "c";
  return hashOf32(row.id) === block.id ? undefined : "id";
}
