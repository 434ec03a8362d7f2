/** `gdo append`: an entry as such, without asking a dapp first. The next merge judges it. */
import { type CommandSpec, withApi } from "../../command.ts";
import { jsonArgument } from "../../values.ts";

export const append: CommandSpec = {
  name: "append",
  summary: "Append one entry to this node's log; a later merge judges it.",
  arguments: [
    { form: "<app>", about: "the dapp that it is for" },
    { form: "<type>", about: "the act's type" },
    { form: "<json>", about: "the act's body" },
  ],
  options: [{ flags: "--branch <name>", about: "the branch that it is for (default: main)" }],
  exits: { 3: "there is no home", 10: "no such branch", 12: "the body has no canonical form" },
  example: `gdo append membership person.put '{"id":"ada","name":"Ada","level":0,"status":"active"}'`,
  async run(session, { args: [app, type, json], options: { branch } }) {
    const body = jsonArgument("the body", String(json));
    const made = (await withApi(session, (api) =>
      api.call("append", { app, acts: [{ type, body }], ...(branch === undefined ? {} : { branch }) }),
    )) as {
      id: string;
      n: number;
    };
    session.out.emit("entry", { ...made }, () => made.id);
    return 0;
  },
};
