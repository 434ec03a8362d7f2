/** Evidence that is held, the cuts that follow from it, and what branches have frozen [L6]. */
import type { Statement } from "better-sqlite3";
import { bytesOf, type Hash, hashOf32, type PublicKey, publicKeyOf32, toHex } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import {
  CHARTER_APP,
  CHARTER_BRANCH,
  type FrozenLog,
  type LogCut,
  parseEvidence,
  provenBy,
} from "../../ledger/index.ts";
import type { Connection } from "../connection.ts";
import { type LogTable, logBytes } from "./logs.ts";

/** In place of a log, whose rows begin at 1: what the evidence proves stands in blobs that were not read yet. */
const UNREAD = 0;

export class EvidenceTable {
  readonly #logs: LogTable;
  readonly #add: Statement<[number, number, number]>;
  readonly #cuts: Statement<[], { author: Buffer; l: Buffer; n: number; id: Buffer }>;
  readonly #proof: Statement<[Uint8Array], { author: Buffer; l: Buffer; n: number }>;
  readonly #unread: Statement<[], { id: Buffer }>;
  readonly #read: Statement<[number]>;
  readonly #freeze: Statement<[number, number, number]>;
  readonly #frozenAt: Statement<[number, Uint8Array, Uint8Array], { n: number }>;

  constructor({ raw }: Connection, logs: LogTable) {
    this.#logs = logs;
    this.#add = raw.prepare("INSERT OR IGNORE INTO evidence (log, n, block) VALUES (?, ?, ?)");
    // Of several for the least number the one that came first. Of devices that the charter knows, revoked or not:
    // anybody can make keys that are nobody's, and evidence against them.
    this.#cuts = raw.prepare(
      `SELECT g.author, g.l, e.n, b.id FROM evidence e JOIN logs g ON g.id = e.log JOIN blocks b ON b.seq = e.block
       WHERE NOT EXISTS (SELECT 1 FROM evidence o WHERE o.log = e.log AND (o.n, o.block) < (e.n, e.block))
         AND EXISTS (SELECT 1 FROM branches c CROSS JOIN state s ON s.branch = c.id AND s.app = '${CHARTER_APP}'
           AND s.key = 'device/' || lower(hex(g.author)) WHERE c.name = '${CHARTER_BRANCH}')
       ORDER BY g.author, g.l`,
    );
    this.#proof = raw.prepare(
      `SELECT g.author, g.l, e.n FROM blocks b JOIN evidence e ON e.block = b.seq JOIN logs g ON g.id = e.log
       WHERE b.id = ?`,
    );
    this.#unread = raw.prepare(
      `SELECT b.id FROM evidence e JOIN blocks b ON b.seq = e.block WHERE e.log = ${UNREAD} ORDER BY e.block`,
    );
    this.#read = raw.prepare(`DELETE FROM evidence WHERE log = ${UNREAD} AND block = ?`);
    this.#freeze = raw.prepare("INSERT OR REPLACE INTO frozen (branch, log, n) VALUES (?, ?, ?)");
    this.#frozenAt = raw.prepare(
      "SELECT f.n FROM frozen f JOIN logs g ON g.id = f.log WHERE f.branch = ? AND g.author = ? AND g.l = ?",
    );
  }

  /** Notes what an evidence block proves; one whose blocks are in blobs proves nothing until these are read. */
  add(seq: number, { d }: Block): void {
    const proven = provenBy(d);
    if (proven !== undefined) this.#note(seq, proven);
    else if ("blob" in parseEvidence(d).blocks[0]) this.#add.run(UNREAD, 0, seq);
  }

  /** Evidence blocks that wait for their blobs, in the order of taking in. */
  unread(): Hash[] {
    return this.#unread.all().map(({ id }) => hashOf32(id));
  }

  /** The blobs of an evidence block were read: this is what they prove, or nothing, ever. */
  read(seq: number, proven: Omit<LogCut, "evidence"> | undefined): void {
    this.#read.run(seq);
    if (proven !== undefined) this.#note(seq, proven);
  }

  #note(seq: number, { author, l, n }: Omit<LogCut, "evidence">): void {
    this.#add.run(this.#logs.findOrAdd(author, l).id, n, seq);
  }

  /** One a log of a device that the charter knows: the least number that was used twice. */
  cuts(): LogCut[] {
    return this.#cuts
      .all()
      .map(({ author, l, n, id }) => ({ author: publicKeyOf32(author), l: toHex(l), n, evidence: hashOf32(id) }));
  }

  /** What an evidence block proves; undefined where it is not held, or its blobs are not. */
  proof(evidence: Hash): Omit<LogCut, "evidence"> | undefined {
    const row = this.#proof.get(bytesOf(evidence));
    return row === undefined ? undefined : { author: publicKeyOf32(row.author), l: toHex(row.l), n: row.n };
  }

  freeze(branch: number, { author, l, n }: FrozenLog): void {
    this.#freeze.run(branch, this.#logs.findOrAdd(author, l).id, n);
  }

  frozenAt(branch: number, author: PublicKey, l: string): number | undefined {
    return this.#frozenAt.get(branch, bytesOf(author), logBytes(l))?.n;
  }
}
