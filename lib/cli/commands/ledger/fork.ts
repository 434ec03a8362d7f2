/** `gdo fork`: a branch with the state of another as of its last merge, and a policy of its own. */
import { GdoError } from "../../../base/index.ts";
import { changedPolicy, POLICY_OPTIONS } from "../../branch-policy.ts";
import { type CommandSpec, withApi } from "../../command.ts";
import type { Branch } from "./branch.ts";

export const fork: CommandSpec = {
  name: "fork",
  summary: "Fork a branch at its last merge: the same state, and a policy of its own from there.",
  arguments: [
    { form: "<branch>", about: "what is forked" },
    { form: "<name>", about: "the new branch's name" },
  ],
  options: POLICY_OPTIONS,
  exits: {
    1: "the charter forbids it, with the reason",
    3: "there is no home",
    10: "no such branch, or nothing merged",
  },
  example: "gdo fork main trial --single ada",
  async run(session, { args: [source, name], options }) {
    const made = await withApi(session, async (api) => {
      const { branches } = (await api.call("branches", { name: source })) as { branches: readonly Branch[] };
      const [{ policy, lines } = { policy: undefined, lines: [] }] = branches;
      const line = lines.find(({ head }) => head !== undefined);
      if (line?.head === undefined)
        throw new GdoError("NOT_FOUND", `${String(source)} has no merge yet to fork at`, {
          hint: `gdo merge ${String(source)}`,
        });
      const body = { name, policy: changedPolicy(policy, options), from: [source, line.h, line.head] };
      return (await api.call("govern", { acts: [{ type: "branch.set", body }] })) as { id: string };
    });
    session.out.emit("entry", { ...made }, () => made.id);
    return 0;
  },
};
