/** `gdo query`: a question to a dapp, answered from the last final state, or with what waits. */
import { type CommandSpec, withApi } from "../../command.ts";
import { jsonArgument } from "../../values.ts";

export const query: CommandSpec = {
  name: "query",
  summary: "Ask a dapp; it answers from the final state that this node holds.",
  options: [{ flags: "--tentative", about: "with what waits, as it would come if it were merged now" }],
  arguments: [
    { form: "<app>", about: "the dapp" },
    { form: "<query>", about: "one of the queries in its manifest" },
    { form: "[json]", about: "the query's arguments (default: {})" },
  ],
  exits: { 3: "there is no home", 10: "no such dapp or query", 41: "the dapp failed", 42: "the dapp hit a limit" },
  example: "gdo query door summary '{}'",
  async run(session, { args: [app, name, json], options }) {
    const args = jsonArgument("the query", String(json ?? "{}"));
    const { value } = (await withApi(session, (api) =>
      api.call("query", { app, query: name, args, tentative: options.tentative === true }),
    )) as {
      value: unknown;
    };
    session.out.emit("answer", { app, query: name, value }, () => JSON.stringify(value, null, 2));
    return 0;
  },
};
