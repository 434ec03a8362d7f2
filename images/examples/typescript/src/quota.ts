/**
 * Everybody may use so much of something, and no more.
 *
 *   used/<member>    how much they have used
 *   limit/<member>   how much they may, where it is not 100
 */
import { type Dapp, type Draft, fold, type Handlers, Refusal, requireRight, type State } from "gdo/sdk";
import type { Acts, Commands } from "./acts.ts";

const LIMIT = 100;

async function standing(from: State | Draft, member: string): Promise<{ used: number; limit: number }> {
  const used = ((await from.get(`used/${member}`)) as number | undefined) ?? 0;
  return { used, limit: ((await from.get(`limit/${member}`)) as number | undefined) ?? LIMIT };
}

const acts: Handlers<Acts> = {
  async use({ amount }, draft, { principal: member }) {
    const { used, limit } = await standing(draft, member);
    if (used + amount > limit) throw new Refusal(`${member} has used ${used} of ${limit}`);
    draft.put(`used/${member}`, used + amount);
    draft.emit({ type: "used", member, total: used + amount });
  },
  async limit({ member, max }, draft, entry) {
    requireRight(entry, "quota");
    draft.put(`limit/${member}`, max);
  },
};

export const quota: Dapp<Commands> = {
  reduce: (input, state) => fold(input, state, acts),

  /** What must hold after a merge; whatever it finds keeps the entry out. */
  async test({ entries }, _before, after) {
    const findings: string[] = [];
    for (const entry of entries) {
      for (const [type, body] of entry.acts) {
        const member = type === "limit" ? (body as Acts["limit"]).member : entry.principal;
        const { used, limit } = await standing(after, member);
        if (used > limit) findings.push(`${member} has used ${used} of ${limit}`);
      }
    }
    return findings.length === 0 ? { verdict: "PASS" } : { verdict: "FAIL", findings };
  },

  queries: { used: (member, state) => standing(state, member as string) },

  commands: {
    async use({ amount }, state, { principal }) {
      const { used, limit } = await standing(state, principal);
      if (used + amount > limit) throw new Refusal(`you have used ${used} of ${limit}`);
      return [["use", { amount }]];
    },
  },
};
