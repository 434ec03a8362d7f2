/** Votes by what they are on. */
import type { Statement } from "better-sqlite3";
import type { Block } from "../../codec/index.ts";
import { type HeldVote, parseVote } from "../../ledger/index.ts";
import type { Connection } from "../connection.ts";
import { blockOfRow, type StoredBlock } from "./rows.ts";

/** Some heights' worth, all phases and rounds, of some validators. */
const KEPT_MAX = 1024;

export class VoteTable {
  readonly #add: Statement<[number, string, number]>;
  readonly #at: Statement<[string, number], { seq: number }>;
  readonly #block: Statement<[number], StoredBlock>;
  readonly #of: Statement<[number], { branch: string; h: number }>;
  /** Votes by row: those of the last heights are asked for with every block that comes. */
  readonly #kept = new Map<number, HeldVote>();

  constructor({ raw }: Connection) {
    this.#add = raw.prepare("INSERT INTO votes (block, branch, h) VALUES (?, ?, ?)");
    this.#at = raw.prepare("SELECT block AS seq FROM votes WHERE branch = ? AND h = ? ORDER BY block");
    this.#block = raw.prepare("SELECT body, sig FROM blocks WHERE seq = ?");
    this.#of = raw.prepare("SELECT branch, h FROM votes WHERE block = ?");
  }

  add(seq: number, { d }: Block): void {
    const { branch, h } = parseVote(d);
    this.#add.run(seq, branch, h);
  }

  /** In the order of taking in. */
  at(branch: string, h: number): HeldVote[] {
    return this.#at.all(branch, h).map(({ seq }) => this.#kept.get(seq) ?? this.#read(seq));
  }

  #read(seq: number): HeldVote {
    const { id, a: author, d } = blockOfRow(this.#block.get(seq) as StoredBlock, "that votes");
    const held = { id, author, vote: parseVote(d) };
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < KEPT_MAX) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(seq, held);
    return held;
  }

  /** To be called when a transaction was undone. */
  forget(): void {
    this.#kept.clear();
  }

  /** Whether a vote stands where its body says; for verify(). */
  isPlaced(seq: number, { d }: Block): boolean {
    const { branch, h } = parseVote(d);
    const row = this.#of.get(seq);
    return row?.branch === branch && row.h === h;
  }
}
