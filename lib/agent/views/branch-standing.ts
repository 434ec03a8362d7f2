/** How a branch in mode quorum stands, in data and in words: who has voted, and what is still between an entry and final. */
import { faultsOf } from "../../ledger/index.ts";
import type { BranchConsensus } from "../../node/index.ts";

/** For `status`. `leftOut`: dapps that must wait, where nothing is pending but entries of theirs. */
export function standingOf(
  standing: BranchConsensus,
  pending: number,
  leftOut: readonly string[] = [],
): Record<string, unknown> {
  const { h, r, q, validators, proposer, merge, passed, commits, skips, attests, isVoter } = standing;
  return {
    validators,
    q,
    tolerates: tolerance(standing),
    votes: isVoter,
    round: {
      h,
      r,
      proposer,
      ...(merge === undefined ? {} : { merge }),
      attested: attests.map(({ voter, vote }) => ({ voter, verdict: vote.verdict, agrees: passed.includes(voter) })),
      committed: commits,
      skipped: skips,
    },
    ...(pending === 0 && merge === undefined ? {} : { waits: waitsFor(standing, leftOut) }),
  };
}

/** The fault model, said out loud. */
function tolerance({ fault, validators: { length: n }, q }: BranchConsensus): string {
  const away = n - q;
  if (fault === "crash") return `${away} of ${n} may be away, none may lie`;
  const liars = Math.min(faultsOf(n, fault), Math.max(0, 2 * q - n - 1));
  return `${liars} of ${n} may lie or be away`;
}

/** As waitsFor, of a branch that one merges alone: `who` does, and `isSelf` says that it is this device. */
export function waitsForOne(branch: string, pending: number, who: string, isSelf: boolean): string {
  const what = pending === 1 ? "1 entry waits" : `${pending} entries wait`;
  return isSelf ? `${what} for the next merge: gdo merge ${branch}, or gdo agent` : `${what} for a merge by ${who}`;
}

/** What must still happen for what is pending to be final; `leftOut` as for standingOf. */
export function waitsFor(
  { r, q, validators, proposer, merge, passed, commits }: BranchConsensus,
  leftOut: readonly string[] = [],
): string {
  const missing = (done: readonly string[]): string => {
    const others = validators.filter((name) => !done.includes(name));
    return `${q - done.length} more of ${others.join(", ")}`;
  };
  if (merge === undefined && leftOut.length > 0) return `only entries of ${leftOut.join(", ")} are left, which wait`;
  if (merge === undefined) return `${proposer} is to propose a merge (round ${r})`;
  if (commits.length === 0 && passed.length < q) return `its tests need ${missing(passed)} (round ${r})`;
  return `final needs ${missing(commits)} (round ${r})`;
}
