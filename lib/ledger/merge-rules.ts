/** Whether a held merge block may become a branch's next merge. Pure; the database applies what may. */
import type { Hash, PublicKey } from "../base/index.ts";
import type { Block } from "../codec/index.ts";
import type { IncludedRange, MergePayload } from "./merge.ts";
import type { BranchPolicy } from "./policy.ts";

/** The branch as of its last merge. */
export interface BranchView {
  readonly policy: BranchPolicy | undefined;
  readonly head: { readonly h: number; readonly id: Hash } | undefined;
  /** The principal of a device that is in the charter and not revoked, by the state after the last merge [L16]. */
  principalOf(author: PublicKey): string | undefined;
  /** First number of the log that is not in the branch. */
  next(author: PublicKey, l: string): number;
  /** Newest number held of the log, -1 when nothing is held. */
  newest(author: PublicKey, l: string): number;
}

export type MergeVerdict =
  | { readonly verdict: "apply" }
  /** Not yet: merges before it, or these blocks, are not there. */
  | { readonly verdict: "wait"; readonly missing: readonly IncludedRange[] }
  | { readonly verdict: "refuse"; readonly why: string };

/** Judges a merge block against the branch. The sets and roots that it names are checked when it is applied. */
export function judgeMerge(block: Block, payload: MergePayload, view: BranchView): MergeVerdict {
  const { policy, head } = view;
  if (policy === undefined) return refuse(`there is no branch ${payload.branch}`);
  const height = head?.h ?? 0;
  if (payload.h > height + 1) return { verdict: "wait", missing: [] };
  if (payload.h <= height) return refuse(`${payload.branch} is at height ${height} already`);
  if (payload.prev !== (head?.id ?? null)) return refuse("it follows a merge that is not the branch's head");
  if (policy.mode !== "single") return refuse(`${payload.branch} is in mode ${policy.mode}`);
  if (view.principalOf(block.a) !== policy.validator)
    return refuse(`its author is not a device of ${policy.validator}, who merges ${payload.branch}`);
  const gap = payload.included.find(({ author, l, from }) => from !== view.next(author, l));
  if (gap !== undefined)
    return refuse(
      `the range from ${gap.from} does not go on where ${payload.branch} ends for the log of ${gap.author}`,
    );
  const missing = payload.included.flatMap((range) => missingOf(range, view));
  return missing.length === 0 ? { verdict: "apply" } : { verdict: "wait", missing };
}

function refuse(why: string): MergeVerdict {
  return { verdict: "refuse", why };
}

function missingOf(range: IncludedRange, view: BranchView): IncludedRange[] {
  const held = view.newest(range.author, range.l);
  return held >= range.to ? [] : [{ ...range, from: Math.max(range.from, held + 1) }];
}
