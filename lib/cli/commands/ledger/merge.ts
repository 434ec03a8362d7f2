/** `gdo merge`: collect, order, reduce and test what is pending, now. */
import { type CommandSpec, withApi } from "../../command.ts";

interface Merged {
  readonly branch: string;
  readonly h: number;
  readonly id?: string;
  readonly included: number;
  readonly void: readonly { id: string; app: string; reason: string }[];
  readonly tests: readonly { app: string; verdict: string }[];
  /** Where others vote, too: what is still missing. */
  readonly waits?: string;
}

function describe(merged: Merged): string {
  if (merged.waits !== undefined) return `${merged.branch}@${merged.h + 1}: ${merged.waits}`;
  if (merged.included === 0) return `nothing to merge: ${merged.branch} stays at height ${merged.h}`;
  const lines = [`${merged.branch} is at height ${merged.h}: ${merged.included} entries, ${merged.void.length} void`];
  for (const { app, verdict } of merged.tests) lines.push(`  test  ${app}  ${verdict}`);
  for (const { id, app, reason } of merged.void) lines.push(`  void  ${id.slice(0, 12)}  ${app}: ${reason}`);
  return lines.join("\n");
}

export const merge: CommandSpec = {
  name: "merge",
  summary: "Merge what is pending into a branch now; the touched dapps test it first.",
  arguments: [{ form: "[branch]", about: "the branch (default: all that this node merges by itself)" }],
  exits: { 1: "a dapp's test failed, or this node may not merge", 3: "there is no home", 41: "a dapp failed" },
  example: "gdo merge main",
  async run(session, { args: [branch] }) {
    const named = branch === undefined ? {} : { branch };
    const { merges } = (await withApi(session, (api) => api.call("merge", named))) as { merges: readonly Merged[] };
    for (const merged of merges) session.out.emit("merge", { ...merged }, () => describe(merged));
    return 0;
  },
};
