/** `gdo branch`: the branches and who merges them; or one of them made or changed. */
import { changedPolicy, isPolicyGiven, POLICY_OPTIONS, type Policy } from "../../branch-policy.ts";
import { type CommandSpec, withApi } from "../../command.ts";

export interface Branch {
  readonly name: string;
  readonly policy: Policy;
  readonly validators: readonly string[];
  readonly q: number;
  readonly forkedAt?: { branch: string; h: number; id: string };
  readonly lines: readonly { name: string; h: number; head?: string; pending: number }[];
}

function describe({ name, policy, validators, q, forkedAt, lines }: Branch): string {
  const who = {
    single: `merged by ${validators.join(", ") || "nobody"}`,
    quorum: `merged by ${q} of ${validators.join(", ") || "nobody"}`,
    open: "each for themselves",
  }[policy.mode];
  const append = policy.appenders === null ? "everybody appends" : `${policy.appenders} appends`;
  const takes = policy.mergeFrom.length === 0 ? "" : `; takes from ${policy.mergeFrom.join(", ")}`;
  const from = forkedAt === undefined ? "" : `, forked at ${forkedAt.branch}@${forkedAt.h}`;
  const rows = [`${name.padEnd(14)}${policy.mode}: ${who}; ${append}; forks: ${policy.fork}${takes}${from}`];
  if (lines.length === 0) rows.push("  waits for what it was forked at");
  for (const line of lines) {
    const at = line.head === undefined ? "not merged yet" : `height ${line.h} ${line.head.slice(0, 12)}`;
    rows.push(`  ${line.name.padEnd(12)} ${at}, ${line.pending} pending`);
  }
  return rows.join("\n");
}

export const branch: CommandSpec = {
  name: "branch",
  summary: "The branches and who merges them; with options: make one, or change its policy.",
  arguments: [{ form: "[name]", about: "only this one; or the one to make or to change" }],
  options: [...POLICY_OPTIONS, { flags: "--new", about: "make it, with nothing in it" }],
  exits: { 1: "the charter forbids it, with the reason", 3: "there is no home", 10: "no such branch" },
  example: "gdo branch main --quorum validator",
  async run(session, { args: [name], options }) {
    await withApi(session, async (api) => {
      const { branches } = (await api.call("branches", name === undefined || options.new ? {} : { name })) as {
        branches: readonly Branch[];
      };
      if (options.new !== true && !isPolicyGiven(options)) {
        for (const each of branches) session.out.emit("branch", { ...each }, () => describe(each));
        return;
      }
      const policy = changedPolicy(options.new === true ? undefined : branches[0]?.policy, options);
      const body = { name: name ?? "", policy, ...(options.new === true ? { from: null } : {}) };
      const made = (await api.call("govern", { acts: [{ type: "branch.set", body }] })) as { id: string };
      session.out.emit("entry", { ...made }, () => made.id);
    });
    return 0;
  },
};
