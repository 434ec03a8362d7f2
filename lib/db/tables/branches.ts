/** Branches: their last merge, what is in them, what is void, what could be merged next. */
import type { Statement } from "better-sqlite3";
import { bytesOf, type Hash, hashOf32, type PublicKey } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import { CHARTER_BRANCH, type Line, parseMerge } from "../../ledger/index.ts";
import type { Connection } from "../connection.ts";
import { entriesOfG } from "./logs.ts";
import { blockOfRow, blocksOfRows, type StoredBlock } from "./rows.ts";

export interface BranchRow {
  readonly id: number;
  readonly name: string;
  /** The branch whose entries it takes. */
  readonly takes: string;
  readonly h: number;
  /** Row of the last merge block. */
  readonly head: number | null;
  /** Height of the charter with which it began. */
  readonly began: number;
  /** Row of the merge that it was forked at. */
  readonly origin: number | null;
}

/** An entry that a merge found void, and why. */
export interface VoidEntry {
  readonly id: Hash;
  readonly app: string;
  readonly reason: string;
}

/** Where an entry is in a branch. */
export interface EntryPlace {
  readonly branch: string;
  readonly h: number;
  /** Why it is void there. */
  readonly void?: string;
}

export interface Candidate {
  readonly seq: number;
  readonly id: Hash;
  readonly n: number;
  readonly c: number;
}

/** A merge that was applied. */
export interface MergedRow {
  readonly block: number;
  /** Height of the charter that it names. */
  readonly charter: number;
}

/** What a merge that waits says of its place. */
type WaitingPlace = { readonly branch: string; readonly h: number; readonly charter: number };

/** Also of an alternate. */
const LOG_OF_P = "ifnull(p.log, (SELECT o.log FROM alternates o WHERE o.block = p.seq))";

type StoredCandidate = { seq: number; id: Buffer; n: number; c: number };
type Pending = Pick<BranchRow, "id" | "takes">;
type Candidates = { readonly takes: string; readonly log: number; readonly from: number; readonly to: number };

export class BranchTable {
  readonly #find: Statement<[string], BranchRow>;
  readonly #byId: Statement<[number], BranchRow>;
  readonly #names: Statement<[], { name: string }>;
  readonly #add: Statement<[string, string, number, number | null]>;
  readonly #setHead: Statement<[number, number, number]>;
  readonly #addMerge: Statement<[number, number, number, number]>;
  readonly #placeOf: Statement<[number], { branch: number; h: number }>;
  readonly #isMerged: Statement<[number], { h: number }>;
  readonly #wait: Statement<[number, string, number, number]>;
  readonly #unwait: Statement<[number]>;
  readonly #waitingOf: Statement<[Uint8Array], StoredBlock>;
  readonly #nextToWait: Statement<[{ charter: string }], { seq: number }>;
  readonly #nextHeights: Statement<[], { takes: string; next: number }>;
  readonly #laterToWait: Statement<[string, number, number], { seq: number }>;
  readonly #placeOfWaiting: Statement<[number], WaitingPlace>;
  readonly #block: Statement<[number], StoredBlock>;
  readonly #next: Statement<[number, number], { next: number }>;
  readonly #setNext: Statement<[number, number, number]>;
  readonly #candidates: Statement<[Candidates], StoredCandidate>;
  readonly #candidateAt: Statement<[number, string], StoredCandidate>;
  readonly #nextAnywhere: Statement<[number], { next: number | null }>;
  readonly #addMember: Statement<[number, number, number, number]>;
  readonly #openParents: Statement<[{ branch: number; takes: string; h: number }], { parent: number }>;
  readonly #addVoid: Statement<[number, number, string, string]>;
  readonly #voids: Statement<[number], { id: Buffer; app: string; reason: string }>;
  readonly #mergeAt: Statement<[number, number], MergedRow>;
  readonly #countVoids: Statement<[number, number], { count: number }>;
  readonly #countAllVoids: Statement<[number], { count: number }>;
  readonly #members: Statement<[number, number], { id: Buffer }>;
  readonly #placesOf: Statement<[number], { branch: string; h: number; reason: string | null }>;
  /** Those that could be next, by row: they are asked for whenever something comes. */
  #kept = new Map<number, Block>();
  /** Those that come after them. */
  #later = new Map<number, Block>();
  /** Rows by name, and all names; a reader beside the writer does not hear of changes. */
  readonly #rows = new Map<string, BranchRow>();
  #knownNames: readonly string[] | undefined;
  readonly #isWriter: boolean;

  constructor({ raw }: Connection) {
    this.#isWriter = !raw.readonly;
    this.#find = raw.prepare("SELECT id, name, takes, h, head, began, origin FROM branches WHERE name = ?");
    this.#byId = raw.prepare("SELECT id, name, takes, h, head, began, origin FROM branches WHERE id = ?");
    this.#names = raw.prepare("SELECT name FROM branches ORDER BY name");
    this.#add = raw.prepare("INSERT INTO branches (name, takes, h, head, began, origin) VALUES (?, ?, 0, NULL, ?, ?)");
    this.#setHead = raw.prepare("UPDATE branches SET h = ?, head = ? WHERE id = ?");
    this.#addMerge = raw.prepare("INSERT INTO merges (branch, h, block, charter) VALUES (?, ?, ?, ?)");
    this.#placeOf = raw.prepare("SELECT branch, h FROM merges WHERE block = ?");
    this.#isMerged = raw.prepare("SELECT h FROM merges WHERE block = ?");
    this.#wait = raw.prepare("INSERT INTO waiting (block, branch, h, charter) VALUES (?, ?, ?, ?)");
    this.#unwait = raw.prepare("DELETE FROM waiting WHERE block = ?");
    this.#nextToWait = raw.prepare(
      `SELECT w.block AS seq FROM (SELECT takes, max(h) + 1 AS next FROM branches GROUP BY takes) r
       CROSS JOIN waiting w INDEXED BY waiting_by_height ON w.branch = r.takes AND w.h <= r.next
       WHERE w.charter <= (SELECT h FROM branches WHERE name = @charter) ORDER BY w.block`,
    );
    this.#nextHeights = raw.prepare("SELECT takes, max(h) + 1 AS next FROM branches GROUP BY takes");
    this.#laterToWait = raw.prepare(
      "SELECT block AS seq FROM waiting INDEXED BY waiting_by_height WHERE branch = ? AND h > ? ORDER BY h LIMIT ?",
    );
    this.#waitingOf = raw.prepare(
      `SELECT p.body, p.sig FROM waiting w CROSS JOIN blocks p ON p.seq = w.block
       CROSS JOIN logs g ON g.id = ${LOG_OF_P} WHERE g.author = ? ORDER BY w.block`,
    );
    this.#placeOfWaiting = raw.prepare("SELECT branch, h, charter FROM waiting WHERE block = ?");
    this.#block = raw.prepare("SELECT body, sig FROM blocks WHERE seq = ?");
    this.#next = raw.prepare("SELECT next FROM branch_logs WHERE branch = ? AND log = ?");
    this.#setNext = raw.prepare("INSERT OR REPLACE INTO branch_logs (branch, log, next) VALUES (?, ?, ?)");
    this.#candidates = raw.prepare(
      `SELECT b.seq, b.id, b.n, b.c FROM logs g ${entriesOfG("@from", "@to + 1")} WHERE g.id = @log ORDER BY b.n`,
    );
    this.#candidateAt = raw.prepare("SELECT seq, id, n, c FROM blocks WHERE seq = ? AND branch = ?");
    this.#nextAnywhere = raw.prepare("SELECT max(next) AS next FROM branch_logs WHERE log = ?");
    this.#addMember = raw.prepare("INSERT INTO members (branch, block, h, position) VALUES (?, ?, ?, ?)");
    this.#openParents = raw.prepare(
      `SELECT p.seq AS parent FROM members c
       CROSS JOIN edges e ON e.child = c.block
       CROSS JOIN blocks o ON o.seq = c.block AND o.branch = @takes CROSS JOIN blocks p ON p.seq = e.parent
       WHERE c.branch = @branch AND c.h = @h AND p.branch = @takes
         AND NOT EXISTS (SELECT 1 FROM members m WHERE m.branch = @branch AND m.block = p.seq)
         AND NOT EXISTS (SELECT 1 FROM frozen f WHERE f.branch = @branch AND f.log = ${LOG_OF_P} AND p.n >= f.n)
         AND NOT EXISTS (SELECT 1 FROM branch_logs t WHERE t.branch = @branch AND t.log = ${LOG_OF_P} AND p.n < t.next)
       LIMIT 1`,
    );
    this.#addVoid = raw.prepare("INSERT INTO voids (branch, block, app, reason) VALUES (?, ?, ?, ?)");
    this.#voids = raw.prepare(
      `SELECT b.id, v.app, v.reason FROM voids v JOIN blocks b ON b.seq = v.block
       JOIN members m ON m.branch = v.branch AND m.block = v.block WHERE v.branch = ? ORDER BY m.h, m.position`,
    );
    this.#mergeAt = raw.prepare("SELECT block, charter FROM merges WHERE branch = ? AND h = ?");
    this.#countVoids = raw.prepare(
      `SELECT count(*) AS count FROM members m JOIN voids v ON v.branch = m.branch AND v.block = m.block
       WHERE m.branch = ? AND m.h = ?`,
    );
    this.#countAllVoids = raw.prepare("SELECT count(*) AS count FROM voids WHERE branch = ?");
    this.#members = raw.prepare(
      "SELECT b.id FROM members m JOIN blocks b ON b.seq = m.block WHERE m.branch = ? AND m.h = ? ORDER BY m.position",
    );
    this.#placesOf = raw.prepare(
      `SELECT r.name AS branch, m.h, v.reason FROM branches r CROSS JOIN members m ON m.branch = r.id AND m.block = ?
       LEFT JOIN voids v ON v.branch = r.id AND v.block = m.block ORDER BY r.name`,
    );
  }

  placesOf(seq: number): EntryPlace[] {
    return this.#placesOf
      .all(seq)
      .map(({ branch, h, reason }) => ({ branch, h, ...(reason === null ? {} : { void: reason }) }));
  }

  find(name: string): BranchRow | undefined {
    const known = this.#rows.get(name);
    if (known !== undefined) return known;
    const row = this.#find.get(name);
    if (row !== undefined && this.#isWriter) this.#rows.set(name, row);
    return row;
  }

  byId(id: number): BranchRow | undefined {
    return this.#byId.get(id);
  }

  names(): string[] {
    const names = this.#knownNames ?? this.#names.all().map(({ name }) => name);
    if (this.#isWriter) this.#knownNames = names;
    return [...names];
  }

  /** `origin`: row of the merge that it was forked at. */
  add({ name, takes }: Line, began: number, origin: number | null = null): number {
    this.#forgetRows();
    return Number(this.#add.run(name, takes, began, origin).lastInsertRowid);
  }

  /** The line and height that an applied merge is of. */
  placeOf(block: number): { readonly branch: number; readonly h: number } | undefined {
    return this.#placeOf.get(block);
  }

  /** Notes a merge block that is held and not applied. */
  wait(seq: number, { d }: Block): void {
    const { branch, h, charter } = parseMerge(d);
    this.#wait.run(seq, branch, h, charter.h);
  }

  /** Whether a merge that waits stands where its body says; for verify(). */
  isPlaced(seq: number, { d }: Block): boolean {
    const row = this.#placeOfWaiting.get(seq);
    const { branch, h, charter } = parseMerge(d);
    return row === undefined || (row.branch === branch && row.h === h && row.charter === charter.h);
  }

  passOver(seq: number): void {
    this.#unwait.run(seq);
    this.#kept.delete(seq);
  }

  /**
   * Those that could be the next of a line, or that one has gone past. The others are not read: a device can sign as
   * many for heights that nobody has reached as it likes.
   */
  waiting(): Block[] {
    this.#kept = this.#blocksOf(this.#nextToWait.all({ charter: CHARTER_BRANCH }), this.#kept);
    return [...this.#kept.values()];
  }

  /** Those that come after them, at most so many of a branch, the next heights first. */
  waitingLater(limit: number): Block[] {
    const rows = this.#nextHeights.all().flatMap(({ takes, next }) => this.#laterToWait.all(takes, next, limit));
    this.#later = this.#blocksOf(rows, this.#later);
    return [...this.#later.values()];
  }

  #blocksOf(rows: readonly { readonly seq: number }[], known: ReadonlyMap<number, Block>): Map<number, Block> {
    return new Map(rows.map(({ seq }) => [seq, known.get(seq) ?? this.#read(seq)]));
  }

  /** All that a device signed, however far. */
  waitingOf(author: PublicKey): Block[] {
    return blocksOfRows(this.#waitingOf.all(bytesOf(author)), "that waits");
  }

  #forgetRows(): void {
    this.#rows.clear();
    this.#knownNames = undefined;
  }

  #read(seq: number): Block {
    return blockOfRow(this.#block.get(seq) as StoredBlock, "that waits");
  }

  /** To be called when a transaction was undone. */
  forget(): void {
    this.#kept.clear();
    this.#later.clear();
    this.#forgetRows();
  }

  isMerged(seq: number): boolean {
    return this.#isMerged.get(seq) !== undefined;
  }

  /** The branch's merge at a height. */
  mergeAt(branch: number, h: number): MergedRow | undefined {
    return this.#mergeAt.get(branch, h);
  }

  countVoids(branch: number, h: number): number {
    return this.#countVoids.get(branch, h)?.count ?? 0;
  }

  countAllVoids(branch: number): number {
    return this.#countAllVoids.get(branch)?.count ?? 0;
  }

  /** Makes a merge the branch's head. */
  advance(branch: number, h: number, { block, charter }: MergedRow): void {
    this.#addMerge.run(branch, h, block, charter);
    this.#unwait.run(block);
    this.#setHead.run(h, block, branch);
    this.#forgetRows();
  }

  /** First number of the log that is not in the branch. */
  next(branch: number, log: number): number {
    return this.#next.get(branch, log)?.next ?? 0;
  }

  setNext(branch: number, log: number, next: number): void {
    this.#setNext.run(branch, log, next);
  }

  candidates(takes: string, log: number, { from, to }: { from: number; to: number }): Candidate[] {
    return this.#candidates.all({ takes, log, from, to }).map(candidateOf);
  }

  /** Those of these rows that are entries for the branch. */
  candidatesAt(takes: string, rows: readonly number[]): Candidate[] {
    return rows.flatMap((seq) => this.#candidateAt.get(seq, takes) ?? []).map(candidateOf);
  }

  /** First number of the log that no branch has taken or passed over. */
  nextAnywhere(log: number): number {
    return this.#nextAnywhere.get(log)?.next ?? 0;
  }

  addMember(branch: number, h: number, position: number, seq: number): void {
    this.#addMember.run(branch, seq, h, position);
  }

  /**
   * Whether an entry for the branch builds on one for it that is not in it, not frozen, and not of a number of which
   * the branch took another block [L6]; what was taken from other branches may build on anything. Those before it in
   * its own log are in it: ranges have no gaps. CROSS JOIN: from the members, not from all that is held.
   */
  hasOpenParent({ id: branch, takes }: Pending, h: number): boolean {
    return this.#openParents.get({ branch, takes, h }) !== undefined;
  }

  members(branch: number, h: number): Hash[] {
    return this.#members.all(branch, h).map(({ id }) => hashOf32(id));
  }

  addVoid(branch: number, seq: number, app: string, reason: string): void {
    this.#addVoid.run(branch, seq, app, reason);
  }

  /** In the branch's order, which is the same on every node. */
  voids(branch: number): VoidEntry[] {
    return this.#voids.all(branch).map(({ id, app, reason }) => ({ id: hashOf32(id), app, reason }));
  }
}

function candidateOf({ seq, id, n, c }: StoredCandidate): Candidate {
  return { seq, id: hashOf32(id), n, c };
}
