/** Votes by what they are on. */
import type { Statement } from "better-sqlite3";
import { Kept } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import { type HeldVote, parseVote } from "../../ledger/index.ts";
import type { Connection } from "../connection.ts";
import { blockOfRow, type StoredBlock } from "./rows.ts";

/** Of each branch the height that is voted on and the one before it, whose certificate the next merge names. */
const HEIGHTS_MAX = 8;
/** All phases and some rounds of some validators; a height with more, as liars may bring it about, is read each time. */
const KEPT_MAX = 1024;

export class VoteTable {
  readonly #add: Statement<[number, string, number]>;
  readonly #at: Statement<[string, number], StoredBlock>;
  readonly #of: Statement<[number], { branch: string; h: number }>;
  /**
   * Votes by branch and height: those of the last heights are asked for with every block that comes. A reader beside
   * the writer does not hear of changes.
   */
  readonly #kept = new Kept<string, HeldVote[]>(HEIGHTS_MAX);
  readonly #isWriter: boolean;

  constructor({ raw }: Connection) {
    this.#isWriter = !raw.readonly;
    this.#add = raw.prepare("INSERT INTO votes (block, branch, h) VALUES (?, ?, ?)");
    this.#at = raw.prepare(
      "SELECT b.body, b.sig FROM votes v JOIN blocks b ON b.seq = v.block WHERE v.branch = ? AND v.h = ? ORDER BY v.block",
    );
    this.#of = raw.prepare("SELECT branch, h FROM votes WHERE block = ?");
  }

  add(seq: number, { id, a: author, d }: Block): void {
    const vote = parseVote(d);
    this.#add.run(seq, vote.branch, vote.h);
    const place = placeOf(vote.branch, vote.h);
    const kept = this.#kept.get(place);
    if (kept !== undefined && kept.push({ id, author, vote }) > KEPT_MAX) this.#kept.delete(place);
  }

  /** In the order of taking in. */
  at(branch: string, h: number): readonly HeldVote[] {
    const place = placeOf(branch, h);
    const known = this.#kept.get(place);
    if (known !== undefined) return known;
    const votes = this.#at.all(branch, h).map(heldVote);
    if (!this.#isWriter || votes.length > KEPT_MAX) return votes;
    return this.#kept.set(place, votes);
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

function placeOf(branch: string, h: number): string {
  return `${h} ${branch}`;
}

function heldVote(row: StoredBlock): HeldVote {
  const { id, a: author, d } = blockOfRow(row, "that votes");
  return { id, author, vote: parseVote(d) };
}
