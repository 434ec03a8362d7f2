/**
 * What the step machine of proof of merge takes and gives, for one height of one branch. Votes are data
 * here: who signed them, and where they are kept, is the caller's matter. docs/design/ledger.md [L10], [L13] to [L17].
 */
import type { Hash } from "../../base/index.ts";
import type { AttestVote, CastVote, Certificate, Vote } from "../merge/vote.ts";

/** Per dapp, the hash of what its test gave. */
export type Outputs = AttestVote["outputs"];

/** What a validator found when it did a merge's work again. */
export type Judgement = Pick<AttestVote, "verdict" | "code" | "outputs" | "log">;

/** A vote whose author is one of the validators. */
export interface CountedVote<Of extends Vote = Vote> {
  readonly id: Hash;
  readonly voter: string;
  readonly vote: Of;
}

/** The merge for which a validator voted commit last. */
export interface Lock {
  readonly r: number;
  readonly merge: Hash;
}

export interface ConsensusStart {
  readonly branch: string;
  readonly height: number;
  /** Principals in ascending order, as of the merge before this height [L16]. */
  readonly validators: readonly string[];
  readonly q: number;
  /** Who votes here; null for a node that only watches, or that must abstain [L17]. */
  readonly self: string | null;
  /** What an earlier life of this validator made durable for this height. */
  readonly lock: Lock | undefined;
  readonly ownVotes: readonly CastVote[];
  /** Of round 0; each further round has twice as long. */
  readonly timeoutMs: number;
}

export type ConsensusInput =
  | { readonly type: "tick" }
  /** Whether there is anything to merge. */
  | { readonly type: "work"; readonly isPending: boolean }
  /** The block of a merge for this height is held, with the outputs that it claims. Before any vote on it. */
  | { readonly type: "merge-held"; readonly merge: Hash; readonly outputs: Outputs }
  /** Verified and kept; own ones, too, come in here once they are durable, and count from then on. */
  | { readonly type: "vote"; readonly vote: CastVote }
  /** The answer to `judge`. */
  | { readonly type: "judged"; readonly merge: Hash; readonly judgement: Judgement }
  /** The answer to `propose-new`: held and judged by now; null when none could be made. */
  | { readonly type: "built"; readonly r: number; readonly merge: Hash | null };

/** To be performed in this order; when one cannot be, the rest must not be, and the machine is made anew. */
export type ConsensusOutput =
  /** Make a merge of what is pending and answer with `built`. */
  | { readonly type: "propose-new"; readonly r: number }
  /** Do this merge's work from scratch and answer with `judged`. */
  | { readonly type: "judge"; readonly merge: Hash }
  /** Durable before the next output is performed. */
  | { readonly type: "lock"; readonly lock: Lock }
  /** Sign, make durable, publish, and give back as `vote`. */
  | { readonly type: "vote"; readonly vote: Vote }
  | { readonly type: "final"; readonly merge: Hash; readonly certificate: Certificate }
  /** So many refuse the merge that it can never be final. */
  | { readonly type: "dead"; readonly merge: Hash }
  /** Tick then. Replaces the wake before it. */
  | { readonly type: "wake"; readonly atMs: number };

/** Where a height stands, for people. */
export interface ConsensusStatus {
  readonly r: number;
  readonly q: number;
  readonly validators: readonly string[];
  readonly proposer: string;
  /** The merge that the round's proposer proposed first. */
  readonly merge: Hash | undefined;
  /** What was attested of it in this round. */
  readonly attests: readonly CountedVote<AttestVote>[];
  /** Who passed it with the outputs that it claims. */
  readonly passed: readonly string[];
  /** Who committed to it in this round. */
  readonly commits: readonly string[];
  readonly skips: readonly string[];
  readonly lock: Lock | undefined;
}
