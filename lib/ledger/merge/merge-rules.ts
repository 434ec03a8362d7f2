/** Whether a held merge block may become a branch's next merge. Pure; the database applies what may. */
import type { Hash, PublicKey } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import { type FrozenView, judgeFrozen } from "../logs/frozen.ts";
import type { StateView } from "../types.ts";
import type { IncludedRange, MergePayload } from "./merge.ts";
import { judgeSources, type SourcesView } from "./request.ts";
import { decidesFor, lineOf, mayAppend, principalOf, validatorsOf } from "./validators.ts";
import { type CastVote, certificateOf, type Vote } from "./vote.ts";

/** A vote block that is held. */
export interface HeldVote {
  readonly id: Hash;
  readonly author: PublicKey;
  readonly vote: Vote;
}

/** The charter's state after its merge of that height; 0: the genesis. */
export interface CharterAt {
  readonly h: number;
  readonly state: StateView;
}

/** A branch as of its last merge. */
export interface BranchView {
  /** The branch's name; in mode open that of one principal's line. */
  readonly name: string;
  readonly head: { readonly h: number; readonly id: Hash } | undefined;
  /**
   * The charter by which those who validate at a height are judged [L16]: that which the merge before it names.
   * Up to the height of the next merge; undefined when there is no such branch.
   */
  charterFor(h: number): CharterAt | undefined;
  /** Id of the charter's merge of that height, null at 0; undefined while it is not there. */
  charterId(h: number): Hash | null | undefined;
  /** The charter's state after its merge of a height; undefined while it is not there. */
  charterAt(h: number): StateView | undefined;
  /** What the order of its first merge is seeded with, where it is not the charter: the merge that it was forked at. */
  readonly origin: Hash | undefined;
  /** Whether the charter has the branch, and what it was forked at is not final here yet. */
  readonly isAwaited: boolean;
  /** Votes on merges of the branch at a height. */
  votes(h: number): readonly HeldVote[];
  /** First number of the log that is not in the branch. */
  next(author: PublicKey, l: string): number;
  /** What is known of frozen logs [L6]. */
  readonly frozen: FrozenView;
  /** What is known of branches that it may take from. */
  readonly sources: SourcesView;
  /** Newest number held of the log, -1 when nothing is held. */
  newest(author: PublicKey, l: string): number;
}

export type MergeVerdict =
  | { readonly verdict: "apply" }
  /** Not yet: merges before it, votes, or these blocks, are not there. */
  | {
      readonly verdict: "wait";
      readonly why: string;
      readonly missing: readonly IncludedRange[];
      /** So many commit votes on it are all that it lacks, as long as its branch's head stays. */
      readonly commits?: number;
    }
  | { readonly verdict: "refuse"; readonly why: string };

/** Judges a merge block against the branch. The sets and roots that it names are checked when it is applied. */
export function judgeMerge(block: Block, payload: MergePayload, view: BranchView): MergeVerdict {
  const proposal = judgeProposal(block, payload, view);
  return proposal.verdict === "apply" ? (judgeFinality(block, payload, view) ?? proposal) : proposal;
}

/** As judgeMerge, but for whether it is final: what a validator asks before it does a merge's work again. */
export function judgeProposal(block: Block, payload: MergePayload, view: BranchView): MergeVerdict {
  const { head } = view;
  const height = head?.h ?? 0;
  const charter = view.charterFor(height + 1);
  const validators = charter === undefined ? undefined : validatorsOf(charter.state, payload.branch);
  if (charter === undefined || validators === undefined) return judgeUnknown(payload, view);
  if (payload.h > height + 1) return wait(`${payload.branch} is at height ${height}`);
  if (payload.h <= height) return refuse(`${payload.branch} is at height ${height} already`);
  if (payload.prev !== (head?.id ?? null)) return refuse("it follows a merge that is not the branch's head");
  const rules = [
    () => judgeAuthor(block.a, payload.branch, view),
    () => judgeCharter(payload, charter, view),
    () => judgeCertificate(payload, view),
    () => judgeFrom(payload, view),
    () => judgeRanges(payload, view),
    () => judgeCuts(payload, view),
  ];
  for (const rule of rules) {
    const found = rule();
    if (found !== undefined) return found;
  }
  return { verdict: "apply" };
}

function refuse(why: string): MergeVerdict {
  return { verdict: "refuse", why };
}

function wait(why: string, missing: readonly IncludedRange[] = []) {
  return { verdict: "wait", why, missing } as const;
}

/** A branch may begin with a charter, or at a merge, that is still to come. */
function judgeUnknown({ branch, charter }: MergePayload, { isAwaited, charterId }: BranchView): MergeVerdict {
  if (isAwaited) return wait(`what ${branch} was forked at is not final here yet`);
  if (charterId(charter.h) === undefined) return wait(`the charter is not at height ${charter.h} yet`);
  return refuse(`there is no branch ${branch}`);
}

function judgeAuthor(author: PublicKey, branch: string, view: BranchView): MergeVerdict | undefined {
  const why = whyNotMerge(author, branch, view);
  return why === undefined ? undefined : refuse(why);
}

/**
 * Why a device cannot make the next merge of a branch [L16]; undefined when it can. A merge by anybody but a
 * validator is a block like any other.
 */
export function whyNotMerge(
  author: PublicKey,
  branch: string,
  { name, head, charterFor }: Pick<BranchView, "name" | "head" | "charterFor">,
): string | undefined {
  const charter = charterFor((head?.h ?? 0) + 1)?.state;
  const validators = charter === undefined ? undefined : validatorsOf(charter, branch);
  if (charter === undefined || validators === undefined) return `there is no branch ${branch}`;
  const principal = principalOf(charter, author);
  if (validators.mode === "open") {
    const isOwn = principal !== undefined && lineOf(charter, branch, principal) === name;
    return isOwn && mayAppend(charter, branch, principal) ? undefined : `its author may not merge ${name}`;
  }
  const { principals } = validators;
  if (principal !== undefined && principals.includes(principal))
    return validators.mode === "quorum" ? whyNotDecide(author, principal, charter) : undefined;
  const who = principals.length === 0 ? "nobody" : principals.join(", ");
  return `its author is not a device of ${who}, who merges ${branch}`;
}

/** [L10] Two devices of one principal that both voted could vote differently. */
function whyNotDecide(author: PublicKey, principal: string, charter: StateView): string | undefined {
  return decidesFor(charter, author) === undefined ? `another device of ${principal} decides` : undefined;
}

/** The position that it names is the charter's, and not behind the one that the merge before names. */
function judgeCharter({ charter }: MergePayload, before: CharterAt, view: BranchView): MergeVerdict | undefined {
  if (charter.h < before.h) return refuse(`it goes back to the charter at height ${charter.h} from ${before.h}`);
  const id = view.charterId(charter.h);
  if (id === undefined) return wait(`the charter is not at height ${charter.h} yet`);
  return id === charter.id ? undefined : refuse(`it names another merge of the charter at height ${charter.h}`);
}

/** The merge before was final: q commit votes at one round, by those who validated then. */
function judgeCertificate({ branch, h, prev, cert }: MergePayload, view: BranchView): MergeVerdict | undefined {
  const then = h === 1 ? undefined : view.charterFor(h - 1)?.state;
  const validators = then === undefined ? undefined : validatorsOf(then, branch);
  if (then === undefined || validators?.mode !== "quorum" || prev === null)
    return cert === null ? undefined : refuse("it names a certificate where none is needed");
  if (cert === null) return refuse("it names no certificate for the merge before");
  const held = new Map(view.votes(h - 1).map((vote) => [vote.id, vote]));
  if (cert.votes.some((id) => !held.has(id))) return wait("votes of its certificate are not held");
  const named = cert.votes.map((id) => held.get(id) as HeldVote).filter(({ vote }) => vote.r === cert.r);
  const isWhole = named.length === cert.votes.length && cert.votes.length === validators.q;
  const counted = certificateOf(castBy(then, named), prev, validators);
  return isWhole && counted !== undefined ? undefined : refuse("its certificate is none for the merge before");
}

/** Votes with whom they count for, by the charter. */
export function castBy(charter: StateView, votes: readonly HeldVote[]): CastVote[] {
  return votes.map(({ id, author, vote }) => ({ id, vote, principal: decidesFor(charter, author) }));
}

function judgeRanges({ branch, included }: MergePayload, view: BranchView): MergeVerdict | undefined {
  const gap = included.find(({ author, l, from }) => from !== view.next(author, l));
  if (gap !== undefined)
    return refuse(`the range from ${gap.from} does not go on where ${branch} ends for the log of ${gap.author}`);
  const missing = included.flatMap((range) => missingOf(range, view));
  return missing.length === 0 ? undefined : wait("blocks that it includes are not held", missing);
}

function judgeCuts(payload: MergePayload, { frozen }: BranchView): MergeVerdict | undefined {
  const found = judgeFrozen(payload, frozen);
  if (found === undefined) return undefined;
  return found.missing ? wait(found.why) : refuse(found.why);
}

/** What it takes from other branches, its branch's policy lets it take, and nobody has undone what was taken before. */
function judgeFrom({ branch, charter, from }: MergePayload, view: BranchView): MergeVerdict | undefined {
  const state = from.length === 0 ? undefined : view.charterAt(charter.h);
  if (state === undefined) return undefined;
  const found = judgeSources({ from }, { branch, line: view.name, charter: state, sources: view.sources });
  if (found === undefined) return undefined;
  return found.isEarly ? wait(found.why) : refuse(found.why);
}

function missingOf(range: IncludedRange, view: BranchView): IncludedRange[] {
  const held = view.newest(range.author, range.l);
  return held >= range.to ? [] : [{ ...range, from: Math.max(range.from, held + 1) }];
}

function judgeFinality({ id }: Block, { branch, h }: MergePayload, view: BranchView): MergeVerdict | undefined {
  const charter = view.charterFor(h);
  const validators = charter === undefined ? undefined : validatorsOf(charter.state, branch);
  if (charter === undefined || validators?.mode !== "quorum") return undefined;
  const { q } = validators;
  const isFinal = certificateOf(castBy(charter.state, commitsOn(id, view.votes(h))), id, validators) !== undefined;
  return isFinal ? undefined : { ...wait(`${branch} at height ${h} has not ${q} commit votes yet`), commits: q };
}

/** Whoever cast them, in whatever round. */
export function commitsOn(merge: Hash, votes: readonly HeldVote[]): HeldVote[] {
  return votes.filter(({ vote }) => vote.phase === "commit" && vote.merge === merge);
}
