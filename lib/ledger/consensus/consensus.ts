/**
 * Proof of merge at one height of one branch, as one validator plays it, or as anybody watches it: pure, a
 * step from inputs to outputs. The shape is Tendermint's (Buchman, Kwon, Milosevic, arXiv:1807.04938): propose,
 * attest, commit, a lock that only a newer certificate opens. Two things differ. There is no vote for
 * nothing: who waits in vain says `skip`, which no rule of safety reads, and a round is left when q say so;
 * so a validator alone does not run ahead, and may still attest what comes late. And a merge that is known
 * to be hopeless shortens its round.
 */
import type { Hash } from "../../base/index.ts";
import type { CastVote, ProposeVote, Vote } from "../merge/vote.ts";
import { Tally } from "./tally.ts";
import type {
  ConsensusInput,
  ConsensusOutput,
  ConsensusStart,
  ConsensusStatus,
  CountedVote,
  Judgement,
  Lock,
} from "./types.ts";

/** Time-outs double this often and no more [L15]. */
const DOUBLINGS_MAX = 8;
/** A round in which nothing can be certified any more ends after this part of its time. */
const HOPELESS_SHARE = 1 / 16;

export class Consensus {
  readonly #start: ConsensusStart;
  readonly #tally: Tally;
  readonly #judged = new Map<Hash, Judgement>();
  /** What this validator said, as phase/round: nothing is said twice, whatever crashed in between [L7]. */
  readonly #said = new Set<string>();
  readonly #dead = new Set<Hash>();
  #outputs: ConsensusOutput[] = [];
  #lock: Lock | undefined;
  #r: number;
  #nowMs = 0;
  #isPending = false;
  #isFinal = false;
  /** Of this round alone: since when its time runs, what was asked for, what came of it. */
  #sinceMs: number | undefined;
  #wakeMs: number | undefined;
  readonly #asked = new Set<Hash | "new">();
  #built: Hash | null | undefined;

  constructor(start: ConsensusStart) {
    this.#start = start;
    this.#tally = new Tally(start.validators, start.q);
    this.#lock = restoredLock(start);
    this.#r = Math.max(0, this.#lock?.r ?? 0, ...start.ownVotes.map(({ vote }) => vote.r));
    for (const vote of start.ownVotes) this.#count(vote);
  }

  /** `nowMs` is monotonic: safety never depends on it [L15]. */
  step(input: ConsensusInput, nowMs: number): ConsensusOutput[] {
    this.#outputs = [];
    this.#nowMs = nowMs;
    if (this.#isFinal) return [];
    this.#take(input);
    this.#finish();
    if (!this.#isFinal) this.#play();
    return this.#outputs;
  }

  /** q validators passed it in one round: some may be locked on it. */
  isCertified(merge: Hash): boolean {
    return this.#tally.isCertified(merge);
  }

  status(): ConsensusStatus {
    const { q, validators } = this.#start;
    const merge = this.#proposals()[0]?.vote.merge;
    return {
      r: this.#r,
      q,
      validators,
      proposer: this.#proposer(),
      merge,
      attests: merge === undefined ? [] : this.#tally.attests(this.#r, merge),
      passed: merge === undefined ? [] : this.#tally.passers(this.#r, merge),
      commits: merge === undefined ? [] : this.#tally.committers(this.#r, merge),
      skips: this.#tally.skippers(this.#r),
      lock: this.#lock,
    };
  }

  #take(input: ConsensusInput): void {
    if (input.type === "vote") this.#count(input.vote);
    else if (input.type === "work") this.#isPending = input.isPending;
    else if (input.type === "merge-held") this.#tally.claim(input.merge, input.outputs);
    else if (input.type === "judged") this.#judged.set(input.merge, input.judgement);
    else if (input.type === "built" && input.r === this.#r) this.#built = input.merge;
  }

  #count(cast: CastVote): void {
    this.#tally.add(cast);
    if (cast.principal === this.#start.self) this.#said.add(`${cast.vote.phase}/${cast.vote.r}`);
  }

  #finish(): void {
    const final = this.#tally.final();
    if (final === undefined) return;
    this.#isFinal = true;
    this.#outputs.push({ type: "final", ...final });
  }

  #play(): void {
    const reached = this.#tally.roundReached();
    if (reached > this.#r) this.#enter(reached);
    if (this.#start.self === null) return;
    this.#propose();
    this.#attest();
    this.#commit();
    this.#watch();
  }

  #enter(r: number): void {
    this.#r = r;
    this.#sinceMs = undefined;
    this.#wakeMs = undefined;
    this.#built = undefined;
    this.#asked.clear();
    // What was missing may have come, what failed may be mended or certified: asked again when it is proposed again.
    for (const [merge, { verdict }] of this.#judged) {
      if (verdict !== "PASS") this.#judged.delete(merge);
    }
  }

  #proposer(): string {
    const { validators, height } = this.#start;
    return validators[(height + this.#r) % validators.length] ?? "";
  }

  #proposals(): CountedVote<ProposeVote>[] {
    return this.#tally.proposals(this.#r, this.#proposer());
  }

  #propose(): void {
    if (this.#proposer() !== this.#start.self || this.#said.has(`propose/${this.#r}`)) return;
    const certificate = this.#tally.newestCertificate();
    if (certificate !== undefined && certificate.r < this.#r) {
      const { merge, r: valid, proof } = certificate;
      this.#say({ ...this.#place("propose"), merge, valid, proof });
    } else if (typeof this.#built === "string") {
      this.#say({ ...this.#place("propose"), merge: this.#built, valid: null, proof: [] });
    } else if (this.#isPending && !this.#asked.has("new")) {
      this.#asked.add("new");
      this.#outputs.push({ type: "propose-new", r: this.#r });
    }
  }

  /** One attest a round, and none against the lock. */
  #attest(): void {
    if (this.#said.has(`attest/${this.#r}`)) return;
    for (const { vote } of this.#proposals().filter((each) => this.#mayAttest(each.vote))) {
      const { merge } = vote;
      const judgement = this.#judged.get(merge);
      if (judgement !== undefined) return this.#say({ ...this.#place("attest"), merge, ...judgement });
      if (this.#asked.has(merge)) continue;
      this.#asked.add(merge);
      this.#outputs.push({ type: "judge", merge });
    }
  }

  /** While locked at round ρ, another merge needs a certificate of a round v with ρ ≤ v < r. */
  #mayAttest({ merge, valid }: ProposeVote): boolean {
    if (!this.#tally.isHeld(merge)) return false;
    if (this.#lock?.merge === merge) return true;
    if (valid === null) return this.#lock === undefined;
    const isProven = valid < this.#r && this.#tally.certificate(valid)?.merge === merge;
    return isProven && (this.#lock === undefined || this.#lock.r <= valid);
  }

  /** Only in the round of the certificate: who has gone on may have attested something else since. */
  #commit(): void {
    if (this.#said.has(`commit/${this.#r}`)) return;
    const certificate = this.#tally.certificate(this.#r);
    if (certificate === undefined) return;
    this.#lock = { r: this.#r, merge: certificate.merge };
    this.#outputs.push({ type: "lock", lock: this.#lock });
    this.#say({ ...this.#place("commit"), merge: certificate.merge });
  }

  /** The round's time runs from when there is something to wait for, and not before. */
  #watch(): void {
    for (const { vote } of this.#proposals()) this.#bury(vote.merge);
    const isWaiting = this.#isPending || this.#tally.isBegun() || this.#tally.newestCertificate() !== undefined;
    if (!isWaiting || this.#said.has(`skip/${this.#r}`)) return;
    this.#sinceMs ??= this.#nowMs;
    const endMs = this.#sinceMs + this.#roundMs();
    if (this.#nowMs >= endMs) this.#say({ ...this.#place("skip") });
    else if (endMs !== this.#wakeMs) {
      this.#wakeMs = endMs;
      this.#outputs.push({ type: "wake", atMs: endMs });
    }
  }

  #roundMs(): number {
    const wholeMs = this.#start.timeoutMs * 2 ** Math.min(this.#r, DOUBLINGS_MAX);
    const isHopeless =
      this.#built === null || this.#proposals().some(({ vote }) => this.#tally.isHopeless(this.#r, vote.merge));
    return isHopeless ? wholeMs * HOPELESS_SHARE : wholeMs;
  }

  #bury(merge: Hash): void {
    if (this.#dead.has(merge) || !this.#tally.isDead(this.#r, merge)) return;
    this.#dead.add(merge);
    this.#outputs.push({ type: "dead", merge });
  }

  #place<Phase extends Vote["phase"]>(phase: Phase): { branch: string; h: number; r: number; phase: Phase } {
    return { branch: this.#start.branch, h: this.#start.height, r: this.#r, phase };
  }

  #say(vote: Vote): void {
    this.#said.add(`${vote.phase}/${vote.r}`);
    this.#outputs.push({ type: "vote", vote });
  }
}

/** The lock as it was kept; own commit votes, which are blocks, say the same. */
function restoredLock({ lock, ownVotes }: ConsensusStart): Lock | undefined {
  let newest = lock;
  for (const { vote } of ownVotes) {
    if (vote.phase === "commit" && vote.r > (newest?.r ?? -1)) newest = { r: vote.r, merge: vote.merge };
  }
  return newest;
}
