/**
 * [L6] What is held of a log beside its own line: the other blocks of numbers that were used twice, and what follows
 * them. They are rows of `blocks` without a log, so that nothing which counts a log's numbers meets them; a final
 * merge that took them makes them the log's line.
 */
import type { Statement } from "better-sqlite3";
import { type Hash, hashOf32, toHex } from "../../base/index.ts";
import { type Block, deriveHashBytes, encodeEnvelope } from "../../codec/index.ts";
import type { Connection } from "../connection.ts";
import { type FrontierLog, type LogTable, TIP_BYTES } from "../tables/logs.ts";
import { blockOfRow, type StoredBlock } from "../tables/rows.ts";

/** An alternate's place: numbers are those of its log. */
export interface Alternate {
  readonly block: number;
  readonly log: number;
  readonly n: number;
  readonly before: number | null;
}

type Pair = { body: Buffer; sig: Buffer; otherBody: Buffer; otherSig: Buffer };

/** Newest number of the alternates, and what the frontier has while the log's own line is that. */
type ForkedLog = { readonly n: number; readonly own?: FrontierLog; readonly held?: FrontierLog };

/** Of one log; the first whose signatures are both its author's makes evidence. */
const PAIRS_MAX = 64;

export class AlternateTable {
  readonly #logs: LogTable;
  readonly #add: Statement<[Alternate]>;
  readonly #remove: Statement<[number]>;
  readonly #any: Statement<[], { one: number }>;
  readonly #find: Statement<[number], Alternate>;
  readonly #newest: Statement<[number], { n: number | null }>;
  readonly #ofNumber: Statement<[number, number], Alternate>;
  readonly #after: Statement<[number], Alternate & { id: Buffer }>;
  readonly #ends: Statement<[{ log: number; n: number }], { id: Buffer }>;
  readonly #idAt: Statement<[number, number], { id: Buffer }>;
  readonly #idOf: Statement<[number], { id: Buffer }>;
  readonly #block: Statement<[number], StoredBlock>;
  readonly #forkedLogs: Statement<[], { log: number; n: number }>;
  readonly #range: Statement<[number, number, number], StoredBlock>;
  readonly #pairs: Statement<[], Pair>;
  readonly #detach: Statement<[number, number]>;
  readonly #attach: Statement<[number, number]>;
  readonly #rows: Statement<[number, number], { seq: number; n: number }>;
  /** Undefined: not known since a transaction failed. */
  #isEmpty: boolean | undefined;
  /** Logs with alternates, as the frontier has them; a reader beside the writer does not hear of changes. */
  #forked: Map<number, ForkedLog> | undefined;
  readonly #isWriter: boolean;

  constructor({ raw }: Connection, logs: LogTable) {
    this.#logs = logs;
    this.#isWriter = !raw.readonly;
    this.#add = raw.prepare("INSERT INTO alternates (block, log, n, before) VALUES (@block, @log, @n, @before)");
    this.#remove = raw.prepare("DELETE FROM alternates WHERE block = ?");
    this.#any = raw.prepare("SELECT 1 AS one FROM alternates LIMIT 1");
    this.#find = raw.prepare("SELECT block, log, n, before FROM alternates WHERE block = ?");
    this.#newest = raw.prepare("SELECT max(n) AS n FROM alternates WHERE log = ?");
    this.#ofNumber = raw.prepare("SELECT block, log, n, before FROM alternates WHERE log = ? AND n = ? ORDER BY block");
    this.#after = raw.prepare(
      `SELECT a.block, a.log, a.n, a.before, b.id FROM alternates o
       JOIN alternates a ON a.log = o.log AND a.n = o.n + 1 AND a.before = o.block JOIN blocks b ON b.seq = a.block
       WHERE o.block = ? ORDER BY b.id`,
    );
    this.#ends = raw.prepare(
      `SELECT b.id FROM alternates a JOIN blocks b ON b.seq = a.block WHERE a.log = @log AND a.n <= @n AND (a.n = @n
         OR NOT EXISTS (SELECT 1 FROM alternates c WHERE c.log = a.log AND c.n = a.n + 1 AND c.before = a.block))`,
    );
    this.#idAt = raw.prepare("SELECT id FROM blocks WHERE log = ? AND n = ?");
    this.#idOf = raw.prepare("SELECT id FROM blocks WHERE seq = ?");
    this.#block = raw.prepare("SELECT body, sig FROM blocks WHERE seq = ?");
    this.#forkedLogs = raw.prepare("SELECT log, max(n) AS n FROM alternates GROUP BY log");
    this.#range = raw.prepare(
      `SELECT b.body, b.sig FROM alternates a JOIN blocks b ON b.seq = a.block
       WHERE a.log = ? AND a.n BETWEEN ? AND ? ORDER BY a.n, b.seq`,
    );
    this.#pairs = raw.prepare(
      `SELECT x.body, x.sig, y.body AS otherBody, y.sig AS otherSig FROM alternates a
       JOIN blocks x ON x.seq = a.block JOIN blocks y ON y.log = a.log AND y.n = a.n
       WHERE NOT EXISTS (SELECT 1 FROM evidence e WHERE e.log = a.log AND e.n <= a.n)
       ORDER BY a.log, a.n, a.block LIMIT ${PAIRS_MAX}`,
    );
    this.#detach = raw.prepare("UPDATE blocks SET log = NULL WHERE log = ? AND n >= ?");
    this.#attach = raw.prepare("UPDATE blocks SET log = ? WHERE seq = ?");
    this.#rows = raw.prepare("SELECT seq, n FROM blocks WHERE log = ? AND n >= ? ORDER BY n");
  }

  get #hasNone(): boolean {
    this.#isEmpty ??= this.#any.get() === undefined;
    return this.#isEmpty;
  }

  /** To be called when a transaction was undone. */
  forget(): void {
    this.#isEmpty = undefined;
    this.#forked = undefined;
  }

  add(alternate: Alternate): void {
    this.#add.run(alternate);
    this.#isEmpty = false;
    this.#forked = undefined;
  }

  find(seq: number): Alternate | undefined {
    return this.#hasNone ? undefined : this.#find.get(seq);
  }

  /** Greatest number of an alternate of the log, -1 without any. */
  newest(log: number): number {
    if (this.#hasNone) return -1;
    return (this.#isWriter ? this.#forkedNow().get(log)?.n : this.#newest.get(log)?.n) ?? -1;
  }

  /** Alternates with a number, in the order of taking in. */
  ofNumber(log: number, n: number): Alternate[] {
    return this.#hasNone ? [] : this.#ofNumber.all(log, n);
  }

  /** The part of a version that is beside the log, down from the block that ends it. */
  down(end: Alternate): Alternate[] {
    const chain = [end];
    for (let at: Alternate | undefined = end; at !== undefined && at.before !== null; ) {
      at = this.#find.get(at.before);
      if (at !== undefined) chain.push(at);
    }
    return chain;
  }

  /** A block and what follows it beside the log: the first of several each time. */
  #up(first: Alternate): (Alternate & { id: Hash })[] {
    const id = this.#idOf.get(first.block)?.id as Buffer;
    const chain = [{ ...first, id: hashOf32(id) }];
    for (let next = this.#after.get(first.block); next !== undefined; next = this.#after.get(next.block))
      chain.push({ ...next, id: hashOf32(next.id) });
    return chain;
  }

  /** Makes the version that goes through `chain`, given from its end, the log's line; its line becomes an alternate. */
  swap(log: number, chain: readonly Alternate[]): void {
    const [end] = chain;
    const first = chain.at(-1);
    if (end === undefined || first === undefined) return;
    const line = this.#rows.all(log, first.n);
    this.#detach.run(log, first.n);
    let { before } = first;
    for (const { seq, n } of line) {
      this.add({ block: seq, log, n, before });
      before = seq;
    }
    const taken = [...chain.slice(1).reverse(), ...this.#up(end)];
    for (const { block } of taken) {
      this.#remove.run(block);
      this.#attach.run(log, block);
    }
    this.#logs.forget();
    this.#forked = undefined;
  }

  /** The newest number of every log, ascending by (author, l). */
  frontier(): FrontierLog[] {
    const forked = this.#forkedNow();
    return this.#logs.lines().map(({ id, held: own }) => {
      const beside = forked.get(id);
      if (beside === undefined || beside.own === own) return beside?.held ?? own;
      const n = Math.max(own.n, beside.n);
      const held = { author: own.author, l: own.l, n, print: this.print(id, own.n + 1, n) ?? "" };
      forked.set(id, { n: beside.n, own, held });
      return held;
    });
  }

  #forkedNow(): Map<number, ForkedLog> {
    if (this.#forked !== undefined) return this.#forked;
    const forked = new Map(this.#hasNone ? [] : this.#forkedLogs.all().map(({ log, n }) => [log, { n }]));
    if (this.#isWriter) this.#forked = forked;
    return forked;
  }

  /**
   * What is held of a log up to a number, as one value: where its versions end. A chain of hashes needs no more: who
   * holds the same ends holds the same blocks.
   */
  print(log: number, next: number, n: number): string | undefined {
    const line = this.#idAt.get(log, Math.min(n, next - 1))?.id;
    const ends = this.#hasNone ? [] : this.#ends.all({ log, n }).map(({ id }) => toHex(id));
    if (line === undefined || ends.length === 0)
      return line === undefined ? undefined : toHex(line.subarray(0, TIP_BYTES));
    const all = Buffer.from([toHex(line), ...ends].sort().join(""), "hex");
    return toHex(deriveHashBytes("gdo v1 log versions", all).subarray(0, TIP_BYTES));
  }

  /** Envelopes of alternates with numbers `from` to `to`, whole or up to `bytesMax`. */
  range(log: number, { from, to }: { readonly from: number; readonly to: number }, bytesMax: number): Uint8Array[] {
    const envelopes: Uint8Array[] = [];
    let left = bytesMax;
    for (const row of this.#hasNone ? [] : this.#range.iterate(log, from, to)) {
      const envelope = encodeEnvelope(row);
      left -= envelope.length;
      if (left < 0) break;
      envelopes.push(envelope);
    }
    return envelopes;
  }

  /** Envelopes of an alternate and of what is on top of it, one at least. */
  chain(first: number, bytesMax: number): Uint8Array[] {
    const start = this.#find.get(first);
    const envelopes: Uint8Array[] = [];
    let left = bytesMax;
    for (const { block } of start === undefined ? [] : this.#up(start)) {
      const row = this.#block.get(block);
      const envelope = row === undefined ? undefined : encodeEnvelope(row);
      left -= envelope?.length ?? 0;
      if (envelope === undefined || (left < 0 && envelopes.length > 0)) break;
      envelopes.push(envelope);
    }
    return envelopes;
  }

  /** Pairs of one number that no evidence cuts off yet, the least numbers of a log first. */
  pairs(): [Block, Block][] {
    if (this.#hasNone) return [];
    return this.#pairs.all().map(({ body, sig, otherBody, otherSig }) => {
      return [blockOfRow({ body, sig }, "beside a log"), blockOfRow({ body: otherBody, sig: otherSig }, "of a log")];
    });
  }
}
