/**
 * Frozen logs [L6]: from the number on that was used twice, or from what a branch had taken by then, nothing of
 * the log is taken any more. What one node has evidence of is its own reason to refuse; what a merge names
 * holds for everybody from then on. Pure.
 */
import type { Hash, PublicKey } from "../../base/index.ts";
import type { FrozenLog, MergePayload } from "../merge/merge.ts";

/** Where a log is cut off by evidence that is held. */
export interface LogCut {
  readonly author: PublicKey;
  readonly l: string;
  /** The least number of which two blocks are known. */
  readonly n: number;
  /** The evidence block. */
  readonly evidence: Hash;
}

/** What is known of frozen logs, for one branch. */
export interface FrozenView {
  /** All cuts by evidence that is held. */
  cuts(): readonly LogCut[];
  /** What an evidence block proves; undefined when it is not held, or the blobs of its two blocks are not. */
  proof(evidence: Hash): Omit<LogCut, "evidence"> | undefined;
  /** The number from which the branch's merges have frozen the log. */
  frozenAt(author: PublicKey, l: string): number | undefined;
  /** First number of the log that is not in the branch. */
  next(author: PublicKey, l: string): number;
}

type Ranges = Pick<MergePayload, "included">;

/** First number of the log that is not in the branch after a merge of these ranges. */
function nextAfter({ included }: Ranges, view: Pick<FrozenView, "next">, author: PublicKey, l: string): number {
  const range = included.find((each) => each.author === author && each.l === l);
  return range === undefined ? view.next(author, l) : range.to + 1;
}

/** What a merge of these ranges is to freeze: every cut that the branch has not taken note of yet. */
export function frozenBy(ranges: Ranges, view: FrozenView, max: number): FrozenLog[] {
  const due = view.cuts().flatMap(({ author, l, n, evidence }) => {
    const from = Math.max(n, nextAfter(ranges, view, author, l));
    const known = view.frozenAt(author, l);
    return known !== undefined && known <= from ? [] : [{ author, l, n: from, evidence }];
  });
  return due.sort((x, y) => (x.author + x.l < y.author + y.l ? -1 : 1)).slice(0, max);
}

/** Why a merge cannot stand with what it says is frozen; `missing` names evidence to wait for. */
export function judgeFrozen(
  payload: Pick<MergePayload, "included" | "frozen">,
  view: FrozenView,
): { readonly why: string; readonly missing: boolean } | undefined {
  for (const { author, l, n, evidence } of payload.frozen) {
    const proof = view.proof(evidence);
    if (proof === undefined) return { why: `the evidence ${evidence} is not held`, missing: true };
    const known = view.frozenAt(author, l);
    const from = Math.max(proof.n, nextAfter(payload, view, author, l));
    if (proof.author !== author || proof.l !== l || n !== from || (known !== undefined && known <= n))
      return { why: `it freezes the log of ${author} from ${n}, which its evidence does not bear out`, missing: false };
  }
  const beyond = payload.included.find(({ author, l, to }) => to >= (view.frozenAt(author, l) ?? Infinity));
  if (beyond === undefined) return undefined;
  return { why: `it takes up to ${beyond.to} of the log of ${beyond.author}, which is frozen`, missing: false };
}

/** Why a validator refuses a merge that others may still make final: it takes what is beyond a cut. */
export function whyBeyondCut({ included }: Ranges, view: FrozenView): string | undefined {
  const cut = view.cuts().find(({ author, l, n }) => {
    const range = included.find((each) => each.author === author && each.l === l);
    return range !== undefined && range.to >= n;
  });
  if (cut === undefined) return undefined;
  return `it takes number ${cut.n} of the log of ${cut.author}, of which two are known: evidence ${cut.evidence}`;
}
