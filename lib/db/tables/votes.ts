/** Votes by what they are on. */
import type { Statement } from "better-sqlite3";
import { bytesOf, Kept, type PublicKey, publicKeyOf32 } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import { type HeldVote, parseVote } from "../../ledger/index.ts";
import type { Connection } from "../connection.ts";
import type { LogTable } from "./logs.ts";
import { blockOfRow, type StoredBlock } from "./rows.ts";

/** Of each branch the height that is voted on and the one before it, whose certificate the next merge names. */
const HEIGHTS_MAX = 8;
/** All phases and some rounds of some validators; a height with more, as a liar among them may bring it about, is read each time. */
const KEPT_MAX = 1024;

interface KeptVotes {
  readonly voters: ReadonlySet<PublicKey>;
  readonly votes: HeldVote[];
}

type StoredVote = StoredBlock & { readonly seq: number };

export class VoteTable {
  readonly #logs: LogTable;
  readonly #add: Statement<[number, string, number, number]>;
  readonly #by: Statement<[string, number, Uint8Array], StoredVote>;
  readonly #of: Statement<[number], { branch: string; h: number; author: Buffer }>;
  /**
   * Votes by branch and height: those of the last heights are asked for with every block that comes. A reader beside
   * the writer does not hear of changes.
   */
  readonly #kept = new Kept<string, KeptVotes>(HEIGHTS_MAX);
  readonly #isWriter: boolean;

  constructor({ raw }: Connection, logs: LogTable) {
    this.#logs = logs;
    this.#isWriter = !raw.readonly;
    this.#add = raw.prepare("INSERT INTO votes (block, branch, h, log) VALUES (?, ?, ?, ?)");
    this.#by = raw.prepare(
      `SELECT v.block AS seq, b.body, b.sig FROM logs g
       CROSS JOIN votes v INDEXED BY votes_by_height ON v.branch = ? AND v.h = ? AND v.log = g.id
       CROSS JOIN blocks b ON b.seq = v.block WHERE g.author = ?`,
    );
    this.#of = raw.prepare("SELECT v.branch, v.h, g.author FROM votes v JOIN logs g ON g.id = v.log WHERE v.block = ?");
  }

  add(seq: number, { id, a: author, l, d }: Block): void {
    const vote = parseVote(d);
    this.#add.run(seq, vote.branch, vote.h, this.#logs.findOrAdd(author, l).id);
    const place = placeOf(vote.branch, vote.h);
    const kept = this.#kept.get(place);
    if (!kept?.voters.has(author)) return;
    if (kept.votes.push({ id, author, vote }) > KEPT_MAX) this.#kept.delete(place);
  }

  /** Those of the voters, in the order of taking in; whatever else others sign for the place is not read. */
  at(branch: string, h: number, votersAt: () => readonly PublicKey[] | undefined): readonly HeldVote[] {
    const place = placeOf(branch, h);
    const known = this.#kept.get(place);
    if (known !== undefined) return known.votes;
    const voters = votersAt();
    if (voters === undefined) return []; // Who they are is not known yet.
    const rows = voters.flatMap((voter) => this.#by.all(branch, h, bytesOf(voter)));
    const votes = rows.sort((one, other) => one.seq - other.seq).map(heldVote);
    if (this.#isWriter && votes.length <= KEPT_MAX) this.#kept.set(place, { voters: new Set(voters), votes });
    return votes;
  }

  /** To be called when a transaction was undone. */
  forget(): void {
    this.#kept.clear();
  }

  /** Whether a vote stands where its body says; for verify(). */
  isPlaced(seq: number, { a, d }: Block): boolean {
    const { branch, h } = parseVote(d);
    const row = this.#of.get(seq);
    return row?.branch === branch && row.h === h && publicKeyOf32(row.author) === a;
  }
}

function placeOf(branch: string, h: number): string {
  return `${h} ${branch}`;
}

function heldVote(row: StoredBlock): HeldVote {
  const { id, a: author, d } = blockOfRow(row, "that votes");
  return { id, author, vote: parseVote(d) };
}
