/** What the incarnations of one device name of each other [L8]. */
import type { Statement } from "better-sqlite3";
import { bytesOf, type PublicKey, toHex } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import type { IncarnationLog } from "../../ledger/index.ts";
import type { Connection } from "../connection.ts";
import { NEWEST_OF_G } from "./logs.ts";
import { blockOfRow, type StoredBlock } from "./rows.ts";

/** The log that a block was added to. */
export interface AddedTo {
  readonly log: number;
  readonly author: PublicKey;
  readonly n: number;
}

type LogRow = { id: number; l: Buffer; newest: number; c: number };

export class NamingTable {
  readonly #siblings: Statement<[Uint8Array, number], { one: number }>;
  readonly #named: Statement<[number, Uint8Array, number], { log: number; n: number }>;
  readonly #note: Statement<[{ log: number; by: number; least: number | null; most: number }]>;
  readonly #logs: Statement<[Uint8Array], LogRow>;
  readonly #namings: Statement<[number], { l: Buffer; least: number | null }>;
  readonly #unnamed: Statement<[Uint8Array, Uint8Array], StoredBlock>;

  constructor({ raw }: Connection) {
    this.#siblings = raw.prepare("SELECT 1 AS one FROM logs WHERE author = ? AND id <> ? LIMIT 1");
    this.#named = raw.prepare(
      "SELECT b.log, b.n FROM blocks b JOIN logs g ON g.id = b.log WHERE b.seq = ? AND g.author = ? AND g.id <> ?",
    );
    this.#note = raw.prepare(
      `INSERT INTO namings (log, by, least, most) VALUES (@log, @by, @least, @most)
       ON CONFLICT DO UPDATE SET most = max(most, @most), least = min(ifnull(least, @least), ifnull(@least, least))`,
    );
    this.#logs = raw.prepare(
      `SELECT g.id, g.l, b.n AS newest, b.c FROM logs g JOIN blocks b ON b.log = g.id AND b.n = ${NEWEST_OF_G}
       WHERE g.author = ? ORDER BY g.id`,
    );
    this.#namings = raw.prepare("SELECT g.l, m.least FROM namings m JOIN logs g ON g.id = m.by WHERE m.log = ?");
    this.#unnamed = raw.prepare(
      `SELECT b.body, b.sig FROM logs g JOIN blocks b ON b.log = g.id AND b.n = ${NEWEST_OF_G}
       WHERE g.author = ? AND g.l <> ?
         AND b.n > ifnull((SELECT max(m.most) FROM namings m WHERE m.log = g.id), -1) ORDER BY b.seq DESC`,
    );
  }

  /** Notes what a new block names of its device's other logs; `parents` are rows. */
  note({ log, author, n }: AddedTo, parents: readonly number[]): void {
    const key = bytesOf(author);
    if (this.#siblings.get(key, log) === undefined) return;
    for (const parent of parents) {
      const named = this.#named.get(parent, key, log);
      if (named === undefined) continue;
      this.#note.run({ log: named.log, by: log, least: n === 0 ? null : named.n, most: named.n });
    }
  }

  incarnations(author: PublicKey): IncarnationLog[] {
    return this.#logs.all(bytesOf(author)).map(({ id, l, newest, c }) => {
      const named = this.#namings.all(id).map((row) => ({ by: toHex(row.l), least: row.least ?? undefined }));
      return { l: toHex(l), newest, c, named };
    });
  }

  /** Newest blocks of the author's other logs that none of the author's logs names; the last that came first. */
  unnamed(author: PublicKey, l: Uint8Array): Block[] {
    return this.#unnamed.all(bytesOf(author), l).map((row) => blockOfRow(row, "that ends a log"));
  }
}
