/**
 * How far a block has come: local, seen, in a merge that waits, attested by some, final, void. Asked for a page
 * of the log at a time, newest first; costs what the page costs, whatever the ledger holds.
 */
import type { Hash, PublicKey } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import type { LedgerDb, ListRow } from "../../db/index.ts";
import {
  authorOf,
  decidesFor,
  type LogCut,
  type MergePayload,
  parseEntryPayload,
  parseMerge,
  validatorsOf,
} from "../../ledger/index.ts";

/**
 * `frozen` is of entries from a number on that their device used twice [L6]; `held` is of votes and evidence, which no merge takes; `passed-over` is of a merge in whose place another one
 * was applied, or that can never be.
 */
export type BlockStatus =
  | "local"
  | "seen"
  | "merged"
  | "attested"
  | "final"
  | "void"
  | "held"
  | "waits"
  | "frozen"
  | "passed-over";

export interface Standing {
  readonly status: BlockStatus;
  readonly reason?: string;
  /** Principals besides the author's whose blocks build on it, or who hold it; at least so many. */
  readonly seenBy?: number;
  /** Validators that passed the merge that it is, or is in, and how many must. */
  readonly attested?: { readonly count: number; readonly q: number };
  /** Branch in mode open: lines that have taken it. */
  readonly lines?: number;
}

/** Blocks looked at for one page's `seenBy`; beyond it the count stays too low. */
const SEEN_BLOCKS_MAX = 4_000;

interface Waiting {
  readonly block: Block;
  readonly payload: MergePayload;
  readonly line: string;
}

export class Standings {
  readonly #db: LedgerDb;
  readonly #self: string | undefined;
  /** Block → principals whose blocks build on it. */
  readonly #seen = new Map<Hash, ReadonlySet<string>>();
  readonly #passed = new Map<Hash, { readonly count: number; readonly q: number }>();
  #waiting: readonly Waiting[] | undefined;
  #cuts: readonly LogCut[] | undefined;
  #left = SEEN_BLOCKS_MAX;

  constructor(db: LedgerDb, self: PublicKey | undefined) {
    this.#db = db;
    this.#self = self === undefined ? undefined : this.#principal(self);
  }

  of({ block, h, void: reason, lines }: ListRow): Standing {
    if (reason !== undefined) return { status: "void", reason };
    if (block.k === "merge") return this.#ofMerge(block, h);
    if (block.k !== "entry") return { status: block.k === "charter" ? "final" : "held" };
    if (h !== undefined) return { status: "final" };
    if (lines !== undefined && lines > 0) return { status: "merged", lines };
    const cut = this.#cutOf(block);
    if (cut !== undefined) return { status: "frozen", reason: `number ${cut.n} of this log was used twice` };
    const waiting = this.#waitingMerges().find(({ payload }) => includes(payload, block));
    return waiting === undefined ? this.#ofLoose(block) : this.#ofWaiting(waiting);
  }

  #cutOf({ a, l, n }: Block): LogCut | undefined {
    this.#cuts ??= this.#db.cuts();
    return this.#cuts.find((cut) => cut.author === a && cut.l === l && n >= cut.n);
  }

  #ofMerge(block: Block, h: number | undefined): Standing {
    if (h !== undefined) return { status: "final" };
    const waiting = this.#waitingMerges().find((each) => each.block.id === block.id);
    if (waiting !== undefined) return this.#ofWaiting(waiting, "waits");
    const { branch, h: height } = parseMerge(block.d);
    const head = this.#db.head(this.#db.lineOf(branch, block.a))?.h ?? 0;
    return { status: height > head ? "waits" : "passed-over" };
  }

  #ofWaiting(waiting: Waiting, otherwise: BlockStatus = "merged"): Standing {
    const attested = this.#attestsOf(waiting);
    if (attested.q < 2) return { status: otherwise }; // Nobody votes.
    return { status: attested.count === 0 ? otherwise : "attested", attested };
  }

  #ofLoose(block: Block): Standing {
    const seen = new Set(this.#seenBy(block.id));
    if (this.#self !== undefined) seen.add(this.#self);
    seen.delete(this.#principal(block.a));
    return seen.size === 0 ? { status: "local" } : { status: "seen", seenBy: seen.size };
  }

  /** Merges that could be the next of their line. */
  #waitingMerges(): readonly Waiting[] {
    this.#waiting ??= this.#db.waitingMerges().flatMap((block) => {
      const payload = parseMerge(block.d);
      const line = this.#db.lineOf(payload.branch, block.a);
      return payload.h === (this.#db.head(line)?.h ?? 0) + 1 ? [{ block, payload, line }] : [];
    });
    return this.#waiting;
  }

  /** [L10] Of the round in which most have passed it with the outputs that it claims. */
  #attestsOf({ block, payload, line }: Waiting): { readonly count: number; readonly q: number } {
    const known = this.#passed.get(block.id);
    if (known !== undefined) return known;
    const charter = this.#db.branchView(line).charterFor(payload.h)?.state ?? this.#db.charterAt();
    const { principals = [], q = 0 } = validatorsOf(charter, payload.branch) ?? {};
    const rounds = new Map<number, Set<string>>();
    for (const { author, vote } of this.#db.votes(payload.branch, payload.h)) {
      const voter = decidesFor(charter, author) ?? "";
      if (vote.phase !== "attest" || vote.merge !== block.id || !principals.includes(voter)) continue;
      const isPassed =
        vote.verdict === "PASS" && payload.tests.every(({ app, output }) => vote.outputs[app] === output);
      if (isPassed) rounds.set(vote.r, (rounds.get(vote.r) ?? new Set()).add(voter));
    }
    const standing = { count: Math.max(0, ...[...rounds.values()].map(({ size }) => size)), q };
    this.#passed.set(block.id, standing);
    return standing;
  }

  /** Newer rows of the page are known by now, so mostly this looks at a block's children only. */
  #seenBy(id: Hash): ReadonlySet<string> {
    const principals = new Set<string>();
    const visited = new Set<Hash>();
    for (const open = [id]; open.length > 0; ) {
      for (const child of this.#db.children(open.pop() as Hash)) {
        if (visited.has(child) || this.#left <= 0) continue;
        visited.add(child);
        this.#left -= 1;
        principals.add(this.#principal((this.#db.block(child) as Block).a));
        const known = this.#seen.get(child);
        if (known === undefined) open.push(child);
        else for (const principal of known) principals.add(principal);
      }
    }
    this.#seen.set(id, principals);
    return principals;
  }

  #principal(author: PublicKey): string {
    return authorOf(this.#db.charterAt(), author)?.principal ?? author;
  }
}

function includes({ included, branch }: MergePayload, { a, l, n, d }: Block): boolean {
  const isRanged = included.some(({ author, l: log, from, to }) => author === a && log === l && from <= n && n <= to);
  return isRanged && parseEntryPayload(d).branch === branch;
}
