/** The votes of one height, counted by principal [L10]. Knows nothing of time, nor of who is asking. */
import type { Hash } from "../../base/index.ts";
import type { AttestVote, CastVote, Certificate, CommitVote, ProposeVote } from "../merge/vote.ts";
import type { CountedVote, Outputs } from "./types.ts";

/** Merge → voter → that voter's votes: more than one only if the voter lies. */
type Ballots<Of extends AttestVote | CommitVote> = Map<Hash, Map<string, CountedVote<Of>[]>>;

interface RoundVotes {
  readonly proposals: CountedVote<ProposeVote>[];
  readonly attests: Ballots<AttestVote>;
  readonly commits: Ballots<CommitVote>;
  readonly skips: Set<string>;
}

/** A merge that q validators attested in one round. */
export interface Passed {
  readonly r: number;
  readonly merge: Hash;
  /** q attest votes, ascending. */
  readonly proof: readonly Hash[];
}

const NO_VOTES: RoundVotes = { proposals: [], attests: new Map(), commits: new Map(), skips: new Set() };

/** Validators that may lie without harm: two quorums share more than so many, and a third is too many. */
export function liarsMax(n: number, q: number): number {
  return Math.max(0, Math.min(2 * q - n - 1, Math.floor((n - 1) / 3)));
}

export class Tally {
  readonly #validators: ReadonlySet<string>;
  readonly #q: number;
  readonly #rounds = new Map<number, RoundVotes>();
  readonly #known = new Set<Hash>();
  readonly #claims = new Map<Hash, Outputs>();
  /** Newest round in which each validator voted, and the one that it asked for by a skip. */
  readonly #present = new Map<string, number>();
  readonly #asked = new Map<string, number>();

  constructor(validators: readonly string[], q: number) {
    this.#validators = new Set(validators);
    this.#q = q;
  }

  /** Votes of others than the validators do not count; a vote counts once. */
  add({ id, principal: voter, vote }: CastVote): void {
    if (voter === undefined || !this.#validators.has(voter) || this.#known.has(id)) return;
    this.#known.add(id);
    const round = this.#rounds.get(vote.r) ?? emptyRound();
    this.#rounds.set(vote.r, round);
    if (vote.phase === "skip") {
      round.skips.add(voter);
      raise(this.#asked, voter, vote.r + 1);
      return;
    }
    raise(this.#present, voter, vote.r);
    if (vote.phase === "propose") round.proposals.push({ id, voter, vote });
    else if (vote.phase === "attest") keep(round.attests, { id, voter, vote });
    else keep(round.commits, { id, voter, vote });
  }

  /** What a held merge says its tests gave. */
  claim(merge: Hash, outputs: Outputs): void {
    this.#claims.set(merge, outputs);
  }

  isHeld(merge: Hash): boolean {
    return this.#claims.has(merge);
  }

  proposals(r: number, proposer: string): CountedVote<ProposeVote>[] {
    return this.#round(r).proposals.filter(({ voter }) => voter === proposer);
  }

  attests(r: number, merge: Hash): CountedVote<AttestVote>[] {
    return [...(this.#round(r).attests.get(merge)?.values() ?? [])].flat();
  }

  /** Who passed it with the outputs that it claims. */
  passers(r: number, merge: Hash): string[] {
    return this.#voters(r, merge, (vote) => this.#agrees(vote)).map(({ voter }) => voter);
  }

  committers(r: number, merge: Hash): string[] {
    return [...(this.#round(r).commits.get(merge)?.keys() ?? [])];
  }

  skippers(r: number): string[] {
    return [...this.#round(r).skips];
  }

  /** The merge that q validators passed in that round with the outputs that it claims. */
  certificate(r: number): Passed | undefined {
    for (const merge of this.#round(r).attests.keys()) {
      const passed = this.#voters(r, merge, (vote) => this.#agrees(vote));
      if (passed.length >= this.#q) return { r, merge, proof: leastIds(passed, this.#q) };
    }
    return undefined;
  }

  isCertified(merge: Hash): boolean {
    return [...this.#rounds.keys()].some((r) => this.certificate(r)?.merge === merge);
  }

  /** The certificate of the highest round. */
  newestCertificate(): Passed | undefined {
    const rounds = [...this.#rounds.keys()].sort((x, y) => y - x);
    for (const r of rounds) {
      const certificate = this.certificate(r);
      if (certificate !== undefined) return certificate;
    }
    return undefined;
  }

  /** So many validators gave their one attest to something else that no certificate can come of this merge any more. */
  isHopeless(r: number, merge: Hash): boolean {
    const adverse = this.#voters(r, merge, (vote) => !this.#agrees(vote));
    return this.#claims.has(merge) && adverse.length > this.#validators.size - this.#q;
  }

  /** n − q + 1 say FAIL: only PASS and FAIL count [L14]. */
  isDead(r: number, merge: Hash): boolean {
    const failed = this.#voters(r, merge, ({ verdict }) => verdict === "FAIL");
    return failed.length > this.#validators.size - this.#q;
  }

  /** q commit votes for one merge at one round. */
  final(): { readonly merge: Hash; readonly certificate: Certificate } | undefined {
    for (const r of [...this.#rounds.keys()].sort((x, y) => x - y)) {
      for (const [merge, ballots] of this.#round(r).commits) {
        const votes = [...ballots.values()].flatMap((each) => leastIds(each, 1));
        if (votes.length >= this.#q && this.isHeld(merge))
          return { merge, certificate: { r, votes: votes.sort().slice(0, this.#q) } };
      }
    }
    return undefined;
  }

  /** The round in which a validator must be by what the others say: q have asked for it, or an honest one is there. */
  roundReached(): number {
    const liars = liarsMax(this.#validators.size, this.#q);
    const levels = [...this.#validators].map((voter) =>
      Math.max(this.#present.get(voter) ?? 0, this.#asked.get(voter) ?? 0),
    );
    const present = [...this.#validators].map((voter) => this.#present.get(voter) ?? 0);
    return Math.max(nthHighest(levels, this.#q), nthHighest(present, liars + 1));
  }

  /** Whether at least one honest validator has begun to work at this height. */
  isBegun(): boolean {
    const active = new Set([...this.#present.keys(), ...this.#asked.keys()]);
    return active.size > liarsMax(this.#validators.size, this.#q);
  }

  #round(r: number): RoundVotes {
    return this.#rounds.get(r) ?? NO_VOTES;
  }

  /** One vote of each validator that has one of that sort on the merge in that round. */
  #voters(r: number, merge: Hash, sort: (vote: AttestVote) => boolean): CountedVote<AttestVote>[] {
    const ballots = this.#round(r).attests.get(merge)?.values() ?? [];
    return [...ballots].flatMap((votes) => votes.find(({ vote }) => sort(vote)) ?? []);
  }

  #agrees({ verdict, merge, outputs }: AttestVote): boolean {
    const claimed = this.#claims.get(merge);
    return verdict === "PASS" && claimed !== undefined && sameOutputs(outputs, claimed);
  }
}

function emptyRound(): RoundVotes {
  return { proposals: [], attests: new Map(), commits: new Map(), skips: new Set() };
}

function keep<Of extends AttestVote | CommitVote>(ballots: Ballots<Of>, counted: CountedVote<Of>): void {
  const { vote, voter } = counted;
  const voters = ballots.get(vote.merge) ?? new Map<string, CountedVote<Of>[]>();
  ballots.set(vote.merge, voters);
  voters.set(voter, [...(voters.get(voter) ?? []), counted]);
}

function raise(levels: Map<string, number>, voter: string, level: number): void {
  levels.set(voter, Math.max(level, levels.get(voter) ?? 0));
}

function leastIds(votes: readonly { readonly id: Hash }[], count: number): Hash[] {
  return votes
    .map(({ id }) => id)
    .sort()
    .slice(0, count);
}

function nthHighest(levels: readonly number[], n: number): number {
  return levels.toSorted((x, y) => y - x)[n - 1] ?? 0;
}

/** Whether two runs of a merge's tests gave the same. */
export function sameOutputs(one: Outputs, other: Outputs): boolean {
  const apps = Object.keys(one);
  return apps.length === Object.keys(other).length && apps.every((app) => one[app] === other[app]);
}
