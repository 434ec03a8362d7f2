/**
 * [L17] A validator whose log had to begin anew may have cast votes that it does not know of. It abstains for the
 * height that the others are at after what they report as final, and for one more: it may have been the only one to
 * hold the last commits for the one, and have voted on the next. No further: whoever committed there has reported.
 */
import type { OwnBlocks } from "../ports.ts";

export interface AbstentionQuestion {
  readonly branch: string;
  readonly h: number;
  readonly n: number;
  readonly q: number;
  /** Height of the branch's last merge here. */
  readonly height: number;
  /** What the other validators that were heard of say is final, one height each. */
  readonly reports: readonly number[];
}

/**
 * Whether the incarnation that began with `turn` must not vote at a height. Where all must agree nobody can be
 * spared, and nobody has to be: whatever was forgotten, no other quorum could do without the others' locks.
 */
export function mustAbstain(memory: OwnBlocks, turn: string | undefined, question: AbstentionQuestion): boolean {
  const { branch, h, n, q, height, reports } = question;
  if (turn === undefined || q >= n) return false;
  const key = `node.abstain/${turn}/${branch}`;
  const kept = memory.meta(key);
  if (kept !== undefined) return h <= Number(kept);
  if (reports.length < q) return true;
  const until = Math.max(height, ...reports) + 2;
  memory.setMeta(key, String(until));
  return h <= until;
}
