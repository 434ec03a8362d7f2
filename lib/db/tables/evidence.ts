/** Evidence that is held, the cuts that follow from it, and what branches have frozen [L6]. */
import type { Statement } from "better-sqlite3";
import { bytesOf, type Hash, hashOf32, type PublicKey, publicKeyOf32, toHex } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import { type Equivocation, type FrozenLog, type LogCut, provenBy } from "../../ledger/index.ts";
import type { Connection } from "../connection.ts";
import { type LogTable, logBytes } from "./logs.ts";

export class EvidenceTable {
  readonly #logs: LogTable;
  readonly #add: Statement<[number, number, number]>;
  readonly #cuts: Statement<[], { author: Buffer; l: Buffer; n: number; id: Buffer }>;
  readonly #isProof: Statement<[Uint8Array], { n: number }>;
  readonly #freeze: Statement<[number, number, number]>;
  readonly #frozenAt: Statement<[number, Uint8Array, Uint8Array], { n: number }>;

  constructor({ raw }: Connection, logs: LogTable) {
    this.#logs = logs;
    this.#add = raw.prepare("INSERT OR IGNORE INTO evidence (log, n, block) VALUES (?, ?, ?)");
    // Of several for the least number the one that came first.
    this.#cuts = raw.prepare(
      `SELECT g.author, g.l, e.n, b.id FROM evidence e JOIN logs g ON g.id = e.log JOIN blocks b ON b.seq = e.block
       WHERE NOT EXISTS (SELECT 1 FROM evidence o WHERE o.log = e.log AND (o.n, o.block) < (e.n, e.block))
       ORDER BY g.author, g.l`,
    );
    this.#isProof = raw.prepare("SELECT e.n FROM evidence e JOIN blocks b ON b.seq = e.block WHERE b.id = ?");
    this.#freeze = raw.prepare("INSERT OR REPLACE INTO frozen (branch, log, n) VALUES (?, ?, ?)");
    this.#frozenAt = raw.prepare(
      "SELECT f.n FROM frozen f JOIN logs g ON g.id = f.log WHERE f.branch = ? AND g.author = ? AND g.l = ?",
    );
  }

  /** Notes what an evidence block proves; one whose blocks are in blobs proves nothing here yet. */
  add(seq: number, { d }: Block): void {
    const proven = provenBy(d);
    if (proven === undefined) return;
    this.#add.run(this.#logs.findOrAdd(proven.author, proven.l).id, proven.n, seq);
  }

  /** One a log: the least number that was used twice. */
  cuts(): LogCut[] {
    return this.#cuts
      .all()
      .map(({ author, l, n, id }) => ({ author: publicKeyOf32(author), l: toHex(l), n, evidence: hashOf32(id) }));
  }

  proof(evidence: Hash, read: (id: Hash) => Block | undefined): Equivocation | undefined {
    const block = this.#isProof.get(bytesOf(evidence)) === undefined ? undefined : read(evidence);
    return block === undefined ? undefined : provenBy(block.d);
  }

  freeze(branch: number, { author, l, n }: FrozenLog): void {
    this.#freeze.run(branch, this.#logs.findOrAdd(author, l).id, n);
  }

  frozenAt(branch: number, author: PublicKey, l: string): number | undefined {
    return this.#frozenAt.get(branch, bytesOf(author), logBytes(l))?.n;
  }
}
