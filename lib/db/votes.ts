/** Votes by what they are on. */
import type { Statement } from "better-sqlite3";
import type { Block } from "../codec/index.ts";
import { type HeldVote, parseVote } from "../ledger/index.ts";
import type { Connection } from "./connection.ts";
import { blockOfRow, type StoredBlock } from "./rows.ts";

export class VoteTable {
  readonly #add: Statement<[number, string, number]>;
  readonly #at: Statement<[string, number], StoredBlock>;
  readonly #of: Statement<[number], { branch: string; h: number }>;

  constructor({ raw }: Connection) {
    this.#add = raw.prepare("INSERT INTO votes (block, branch, h) VALUES (?, ?, ?)");
    this.#at = raw.prepare(
      "SELECT b.body, b.sig FROM votes v JOIN blocks b ON b.seq = v.block WHERE v.branch = ? AND v.h = ? ORDER BY b.seq",
    );
    this.#of = raw.prepare("SELECT branch, h FROM votes WHERE block = ?");
  }

  add(seq: number, { d }: Block): void {
    const { branch, h } = parseVote(d);
    this.#add.run(seq, branch, h);
  }

  /** In the order of taking in. */
  at(branch: string, h: number): HeldVote[] {
    return this.#at.all(branch, h).map((row) => {
      const { id, a: author, d } = blockOfRow(row, "that votes");
      return { id, author, vote: parseVote(d) };
    });
  }

  /** Whether a vote stands where its body says; for verify(). */
  isPlaced(seq: number, { d }: Block): boolean {
    const { branch, h } = parseVote(d);
    const row = this.#of.get(seq);
    return row?.branch === branch && row.h === h;
  }
}
