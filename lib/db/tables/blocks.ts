/** Blocks, their edges, and the blocks that nothing follows yet. */
import type { Statement } from "better-sqlite3";
import {
  bytesOf,
  fromHex,
  GdoError,
  type Hash,
  hashOf32,
  Kept,
  type PublicKey,
  publicKeyOf32,
  toHex,
} from "../../base/index.ts";
import { type Block, encodeEnvelope } from "../../codec/index.ts";
import { type Parent, parseEntryPayload } from "../../ledger/index.ts";
import type { Connection } from "../connection.ts";
import type { AlternateTable } from "../versions/alternates.ts";
import { COUNT_OF_G, type LogRow, type LogTable, NEWEST_OF_G, type Run, runOf } from "./logs.ts";
import { NamingTable } from "./namings.ts";
import { blockOfRow, corrupt, type StoredBlock } from "./rows.ts";

/** By place: binding by names costs as much as half an insertion. */
type InsertValues = [
  id: Uint8Array,
  log: number | null,
  n: number,
  kind: string,
  branch: string | null,
  run: number,
  c: number,
  checked: number,
  sum: Uint8Array,
  body: Uint8Array,
  sig: Uint8Array,
];

export interface HowAdded {
  /** Whether its own signature was verified [L9]. */
  readonly isChecked: boolean;
  readonly isOwn: boolean;
  /** Of sumsOf. */
  readonly sum: Uint8Array;
}

/** Where a block's row goes; no log: beside one. */
interface Place {
  readonly log: number | null;
  readonly run: Run;
}

/** A block that nothing follows, and its clock. */
export interface Head {
  readonly id: Hash;
  readonly c: number;
}

/** What never changes of a block that is held. */
interface KeptBlock extends Parent {
  readonly seq: number;
}

const PREFIX_MATCHES_MAX = 20;
const KEPT_MAX = 1024;

export class BlockTable {
  readonly namings: NamingTable;
  readonly #logs: LogTable;
  readonly #alternates: AlternateTable;
  readonly #insert: Statement<InsertValues>;
  readonly #seq: Statement<[Uint8Array], { seq: number }>;
  readonly #id: Statement<[number], { id: Buffer }>;
  readonly #byId: Statement<[Uint8Array], StoredBlock>;
  readonly #parent: Statement<[Uint8Array], { seq: number; author: Buffer; l: Buffer; n: number; c: number }>;
  readonly #idAt: Statement<[number, number], { id: Buffer }>;
  readonly #blockAt: Statement<[number, number], StoredBlock>;
  readonly #range: Statement<[number, number, number, number], StoredBlock>;
  readonly #addEdge: Statement<[number, number]>;
  readonly #children: Statement<[{ id: Uint8Array }], { id: Buffer }>;
  readonly #heads: Statement<[], { id: Buffer; c: number }>;
  readonly #prefix: Statement<[Uint8Array, Uint8Array], { id: Buffer }>;
  readonly #run: Statement<[number], Run>;
  readonly #countEntries: Statement<[], { count: number }>;
  readonly #countEntriesOf: Statement<[Uint8Array], { count: number }>;
  readonly #charter: Statement<[], { id: Buffer }>;
  /** Blocks that came or were built on of late: their children and votes on them come one after another. */
  readonly #kept = new Kept<Hash, KeptBlock>(KEPT_MAX);
  readonly #keptIds = new Kept<number, Hash>(KEPT_MAX);

  constructor(connection: Connection, logs: LogTable, alternates: AlternateTable) {
    const { raw } = connection;
    this.#logs = logs;
    this.#alternates = alternates;
    this.namings = new NamingTable(connection);
    this.#insert = raw.prepare(
      `INSERT INTO blocks (id, log, n, kind, branch, run, c, checked, sum, body, sig)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#seq = raw.prepare("SELECT seq FROM blocks WHERE id = ?");
    this.#id = raw.prepare("SELECT id FROM blocks WHERE seq = ?");
    this.#byId = raw.prepare("SELECT body, sig FROM blocks WHERE id = ?");
    this.#parent = raw.prepare(
      `SELECT b.seq, g.author, g.l, b.n, b.c FROM blocks b
       JOIN logs g ON g.id = ifnull(b.log, (SELECT a.log FROM alternates a WHERE a.block = b.seq)) WHERE b.id = ?`,
    );
    this.#idAt = raw.prepare("SELECT id FROM blocks WHERE log = ? AND n = ?");
    this.#blockAt = raw.prepare("SELECT body, sig FROM blocks WHERE log = ? AND n = ?");
    this.#range = raw.prepare("SELECT body, sig FROM blocks WHERE log = ? AND n BETWEEN ? AND ? ORDER BY n LIMIT ?");
    this.#addEdge = raw.prepare("INSERT INTO edges (parent, child) VALUES (?, ?)");
    this.#children = raw.prepare(
      `SELECT id FROM (
         SELECT c.seq, c.id FROM blocks p JOIN blocks c ON c.log = p.log AND c.n = p.n + 1 WHERE p.id = @id
         UNION
         SELECT c.seq, c.id FROM blocks p JOIN alternates a ON a.before = p.seq AND a.n = p.n + 1
           AND a.log = ifnull(p.log, (SELECT o.log FROM alternates o WHERE o.block = p.seq))
         JOIN blocks c ON c.seq = a.block WHERE p.id = @id
         UNION
         SELECT c.seq, c.id FROM blocks p JOIN edges e ON e.parent = p.seq JOIN blocks c ON c.seq = e.child
         WHERE p.id = @id
       ) ORDER BY seq`,
    );
    this.#heads = raw.prepare(
      `SELECT b.id, b.c FROM logs g JOIN blocks b ON b.log = g.id AND b.n = ${NEWEST_OF_G}
       WHERE NOT EXISTS (SELECT 1 FROM edges e WHERE e.parent = b.seq) ORDER BY b.seq`,
    );
    this.#prefix = raw.prepare(
      `SELECT id FROM blocks WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ${PREFIX_MATCHES_MAX}`,
    );
    this.#run = raw.prepare('SELECT branch, run AS "from" FROM blocks WHERE seq = ?');
    this.#countEntries = raw.prepare(COUNT_OF_G);
    this.#countEntriesOf = raw.prepare(`${COUNT_OF_G} WHERE g.author = ?`);
    this.#charter = raw.prepare("SELECT id FROM blocks WHERE kind = 'charter' ORDER BY seq LIMIT 1");
  }

  /**
   * Adds a block; its row number, or undefined when it is held. It goes on top of its log, or beside it where the
   * log has another block of its number, or of one before it [L6]; an own one is refused there, by LEDGER_FORKED.
   * Throws LEDGER_ORPHAN when a block that it names is not held.
   */
  add(block: Block, how: HowAdded): number | undefined {
    const log = this.#logs.findOrAdd(block.a, block.l);
    if (block.n < log.next && this.#isAt(block, log.id, how.isOwn)) return undefined;
    if (block.n !== log.next || !this.#isOnTop(block, log)) return this.#addBeside(block, log, how);
    // Its number tells the block before it.
    const parents = block.p.map((id) => this.#parentSeq(id, block.id));
    const run = runOf(block.n, branchOf(block), log.run ?? this.#runOf(block.b));
    const seq = this.#insertRow(block, { log: log.id, run }, how);
    for (const parent of parents) this.#addEdge.run(parent, seq);
    this.#logs.advance(block, run);
    if (parents.length > 0) this.namings.note({ log: log.id, author: block.a, n: block.n }, parents);
    return seq;
  }

  /** Whether the block that it names as the one before it is the log's newest. */
  #isOnTop({ b, n }: Block, { id: log, last }: LogRow): boolean {
    if (b === null || b === last) return true;
    const row = this.#idAt.get(log, n - 1);
    return row !== undefined && hashOf32(row.id) === b;
  }

  #addBeside(block: Block, { id: log }: LogRow, how: HowAdded): number | undefined {
    if (this.seqOf(block.id) !== undefined) return undefined;
    const before = block.b === null ? null : this.#parentSeq(block.b, block.id);
    const parents = block.p.map((id) => this.#parentSeq(id, block.id));
    if (how.isOwn) throw forked(block, "on top of another one");
    const run = runOf(block.n, branchOf(block), this.#runOf(block.b));
    const seq = this.#insertRow(block, { log: null, run }, how);
    for (const parent of parents) this.#addEdge.run(parent, seq);
    this.#alternates.add({ block: seq, log, n: block.n, before });
    return seq;
  }

  #insertRow({ id, a, l, n, k, c, body, sig }: Block, { log, run }: Place, { isChecked, sum }: HowAdded): number {
    const { branch, from } = run;
    const seq = Number(
      this.#insert.run(bytesOf(id), log, n, k, branch, from, c, Number(isChecked), sum, body, sig).lastInsertRowid,
    );
    this.#kept.set(id, { id, a, l, n, c, seq });
    return seq;
  }

  /** The run of a block that is held. */
  #runOf(id: Hash | null): Run | undefined {
    const seq = id === null ? undefined : this.seqOf(id);
    return seq === undefined ? undefined : this.#run.get(seq);
  }

  /** Whether it is the log's own block of its number. */
  #isAt(block: Block, log: number, isOwn: boolean): boolean {
    const held = this.#idAt.get(log, block.n);
    const id = held === undefined ? "nothing" : hashOf32(held.id);
    if (id === block.id || !isOwn) return id === block.id;
    throw forked(block, id);
  }

  #parentSeq(parent: Hash, child: Hash): number {
    const seq = this.seqOf(parent);
    if (seq === undefined) throw orphan(child, parent);
    return seq;
  }

  seqOf(id: Hash): number | undefined {
    return this.#kept.get(id)?.seq ?? this.#seq.get(bytesOf(id))?.seq;
  }

  idOf(seq: number): Hash | undefined {
    const known = this.#keptIds.get(seq);
    const row = known === undefined ? this.#id.get(seq) : undefined;
    return row === undefined ? known : this.#keptIds.set(seq, hashOf32(row.id));
  }

  /** Throws LEDGER_CORRUPT when what is stored is another block. */
  get(id: Hash): Block | undefined {
    const row = this.#byId.get(bytesOf(id));
    if (row === undefined) return undefined;
    const block = blockOfRow(row, id);
    if (block.id !== id) throw corrupt(id);
    return block;
  }

  parent(id: Hash): Parent | undefined {
    const known = this.#kept.get(id);
    if (known !== undefined) return known;
    const row = this.#parent.get(bytesOf(id));
    if (row === undefined) return undefined;
    const { seq, n, c } = row;
    return this.#kept.set(id, { id, a: publicKeyOf32(row.author), l: toHex(row.l), n, c, seq });
  }

  /** To be called when a transaction was undone. */
  forget(): void {
    this.#kept.clear();
    this.#keptIds.clear();
  }

  at(author: PublicKey, l: string, n: number): Hash | undefined {
    const log = this.#logs.find(author, l);
    const row = log === undefined ? undefined : this.#idAt.get(log.id, n);
    return row === undefined ? undefined : hashOf32(row.id);
  }

  lastOf(author: PublicKey, l: string): Block | undefined {
    const log = this.#logs.find(author, l);
    const row = log === undefined ? undefined : this.#blockAt.get(log.id, log.next - 1);
    return row === undefined ? undefined : blockOfRow(row, `${author} ${l}`);
  }

  /** Envelopes of numbers `from` to `to`, as many as fit `bytesMax`, but one at least where one is held. */
  range(
    author: PublicKey,
    l: string,
    numbers: { readonly from: number; readonly to: number },
    bytesMax: number,
  ): Uint8Array[] {
    const log = this.#logs.find(author, l);
    const envelopes: Uint8Array[] = [];
    let total = 0;
    for (let from = numbers.from; log !== undefined && from <= numbers.to; from += RANGE_PAGE) {
      const rows = this.#range.all(log.id, from, numbers.to, RANGE_PAGE);
      for (const row of rows) {
        const envelope = encodeEnvelope({ body: row.body, sig: row.sig });
        total += envelope.length;
        if (total > bytesMax && envelopes.length > 0) return envelopes;
        envelopes.push(envelope);
      }
      if (rows.length < RANGE_PAGE) break;
    }
    return envelopes;
  }

  children(id: Hash): Hash[] {
    return this.#children.all({ id: bytesOf(id) }).map((row) => hashOf32(row.id));
  }

  heads(): Head[] {
    return this.#heads.all().map(({ id, c }) => ({ id: hashOf32(id), c }));
  }

  /** Ids that begin so; at most 20. Throws INPUT_INVALID for what is not hex. */
  resolvePrefix(hex: string): Hash[] {
    const low = fromHex(hex.padEnd(ID_DIGITS, "0"));
    const high = fromHex(hex.padEnd(ID_DIGITS, "f"));
    if (low?.length !== ID_DIGITS / 2 || high === undefined)
      throw new GdoError("INPUT_INVALID", `not the beginning of an id: ${hex}`, { hint: "gdo log shows ids" });
    return this.#prefix.all(low, high).map(({ id }) => hashOf32(id));
  }

  countEntries(): number {
    return this.#countEntries.get()?.count ?? 0;
  }

  countEntriesOf(author: PublicKey): number {
    return this.#countEntriesOf.get(bytesOf(author))?.count ?? 0;
  }

  charter(): Hash | undefined {
    const row = this.#charter.get();
    return row === undefined ? undefined : hashOf32(row.id);
  }
}

function orphan(child: Hash, parent: Hash): GdoError {
  return new GdoError("LEDGER_ORPHAN", `block ${child}: its parent ${parent} is not held`);
}

function forked({ a, l, n, id }: Block, held: string): GdoError {
  return new GdoError("LEDGER_FORKED", `number ${n} of ${a} ${l} is ${held}, so it cannot be ${id}`);
}

/** The branch that an entry is for; null for other blocks. */
export function branchOf({ k, d }: Pick<Block, "k" | "d">): string | null {
  return k === "entry" ? parseEntryPayload(d).branch : null;
}

const RANGE_PAGE = 64;
const ID_DIGITS = 64;
