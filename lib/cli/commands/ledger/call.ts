/** `gdo call`: a command of a dapp; what it makes of it is appended, or it says why not. */
import { type CommandSpec, withApi } from "../../command.ts";
import { jsonArgument } from "../../values.ts";

interface Made {
  readonly id: string;
  readonly n: number;
  readonly acts: readonly { readonly type: string; readonly body: unknown }[];
}

function describe({ id, acts }: Made): string {
  return [id, ...acts.map(({ type, body }) => `  ${type} ${JSON.stringify(body)}`)].join("\n");
}

export const call: CommandSpec = {
  name: "call",
  summary: "Give a dapp a command; the acts that it makes of it are appended as one entry, or it refuses.",
  arguments: [
    { form: "<app>", about: "the dapp" },
    { form: "<command>", about: "one of the commands in its manifest" },
    { form: "[json]", about: "the command's arguments (default: {})" },
  ],
  exits: {
    1: "a right is missing, or the dapp refuses, with the reason",
    3: "there is no home",
    10: "no such dapp or command",
    12: "the arguments do not fit the command's schema",
    31: "the charter does not know this device",
    41: "the dapp failed",
    42: "the dapp hit a limit",
  },
  example: `gdo call membership person.put '{"id":"ada","name":"Ada","level":0,"status":"active"}'`,
  async run(session, { args: [app, command, json] }) {
    const args = jsonArgument("the command", String(json ?? "{}"));
    const made = (await withApi(session, (api) => api.call("call", { app, command, args }))) as Made;
    session.out.emit("call", { ...made }, () => describe(made));
    return 0;
  },
};
