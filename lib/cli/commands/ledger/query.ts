/** `gdo query`: a question to a dapp, answered from the last final state. */
import { type CommandSpec, withApi } from "../../command.ts";
import { jsonArgument } from "../../values.ts";

export const query: CommandSpec = {
  name: "query",
  summary: "Ask a dapp; it answers from the final state that this node holds.",
  arguments: [
    { form: "<app>", about: "the dapp" },
    { form: "<query>", about: "one of the queries in its manifest" },
    { form: "[json]", about: "the query's arguments (default: {})" },
  ],
  exits: { 3: "there is no home", 10: "no such dapp or query", 41: "the dapp failed", 42: "the dapp hit a limit" },
  example: "gdo query door summary '{}'",
  async run(session, { args: [app, name, json] }) {
    const args = jsonArgument("the query", String(json ?? "{}"));
    const { value } = (await withApi(session, (api) => api.call("query", { app, query: name, args }))) as {
      value: unknown;
    };
    session.out.emit("answer", { app, query: name, value }, () => JSON.stringify(value, null, 2));
    return 0;
  },
};
