/** `gdo merge`: collect, order, reduce and test what is pending, now. */
import { type CommandSpec, withApi } from "../../command.ts";

interface Merged {
  readonly branch: string;
  readonly h: number;
  readonly id?: string;
  readonly included: number;
  /** Other branches that it took, and up to which height. */
  readonly from?: readonly string[];
  readonly void: readonly { id: string; app: string; reason: string }[];
  readonly tests: readonly { app: string; verdict: string }[];
  /** Where others vote, too: what is still missing. */
  readonly waits?: string;
}

function describe(merged: Merged): string {
  if (merged.waits !== undefined) return `${merged.branch}@${merged.h + 1}: ${merged.waits}`;
  if (merged.included === 0) return `nothing to merge: ${merged.branch} stays at height ${merged.h}`;
  const entries = merged.included === 1 ? "entry" : "entries";
  const lines = [
    `${merged.branch} is at height ${merged.h}: ${merged.included} ${entries}, ${merged.void.length} void`,
  ];
  for (const source of merged.from ?? []) lines.push(`  took  ${source}`);
  for (const { app, verdict } of merged.tests) lines.push(`  test  ${app}  ${verdict}`);
  for (const { id, app, reason } of merged.void) lines.push(`  void  ${id.slice(0, 12)}  ${app}: ${reason}`);
  return lines.join("\n");
}

export const merge: CommandSpec = {
  name: "merge",
  summary:
    "Merge what is pending into a branch now; the touched dapps test it first. With --from all that is final on another branch is taken, too, if the branch's policy lets it (gdo branch --merge-from); what does not fit here is void here, and each entry is taken once.",
  arguments: [{ form: "[branch]", about: "the branch (default: all that this node merges by itself)" }],
  options: [
    {
      flags: "--from <other[@height]>",
      about: "take all of that branch up to its last merge, or one before; of an open one OTHER@PRINCIPAL",
    },
    { flags: "--take-over", about: "merge here though another device of the same person does, which is lost" },
  ],
  exits: {
    1: "a dapp's test failed, this node may not merge, or the branch does not take from that one",
    3: "there is no home",
    10: "no such branch, or it has no such merge",
    41: "a dapp failed",
  },
  example: "gdo merge main",
  async run(session, { args: [branch], options: { from, takeOver } }) {
    const named = {
      ...(branch === undefined ? {} : { branch }),
      ...(from === undefined ? {} : { from }),
      ...(takeOver === true ? { takeOver } : {}),
    };
    const { merges } = (await withApi(session, (api) => api.call("merge", named))) as { merges: readonly Merged[] };
    for (const merged of merges) session.out.emit("merge", { ...merged }, () => describe(merged));
    return 0;
  },
};
