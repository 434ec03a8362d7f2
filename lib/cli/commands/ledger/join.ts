/** `gdo join`: makes a home here of the organisation that a token invites into. */
import { hostname } from "node:os";
import type { CommandSpec } from "../../command.ts";
import { nodeNameOf } from "../../ids.ts";
import { wholeNumber } from "../../values.ts";

const TIMEOUT_S = 60;

export const join: CommandSpec = {
  name: "join",
  summary: "Join an organisation by a token of gdo invite; makes a home with a key of its own.",
  arguments: [{ form: "<token>", about: "the token, whole" }],
  options: [
    { flags: "--node <name>", about: "this device's name (default: the machine's)" },
    { flags: "--broker <url>", about: "how this device reaches the broker (default: as the token says)" },
    {
      flags: "--timeout <s>",
      about: "how long to wait for the inviter, in seconds (default: 60)",
      parse: wholeNumber("--timeout", 1, 86_400),
    },
  ],
  exits: {
    1: "the inviter refuses, with the reason",
    5: "the folder is a home already",
    12: "the token is none, or was changed",
    51: "the inviter does not answer",
  },
  example: "gdo join gdo1-g1gg... --node tablet",
  async run(session, { args: [token], options }) {
    const { acceptInvitation, homeRoot } = await import("../../../agent/index.ts");
    const root = homeRoot(session.homeFlag);
    const name = (options.node as string | undefined) ?? nodeNameOf(hostname());
    const broker = options.broker as string | undefined;
    const timeoutMs = ((options.timeout as number | undefined) ?? TIMEOUT_S) * 1000;
    const joined = await acceptInvitation({ root, token: String(token), name, broker, timeoutMs });
    session.out.emit("joined", { home: root, node: name, ...joined }, () =>
      [
        `home          ${root}`,
        `organisation  ${joined.organisationName} ${joined.organisation}`,
        `node          ${name} of ${joined.principal}, key ${joined.nodeKey}`,
        `broker        ${joined.broker}`,
        "next          gdo agent",
      ].join("\n"),
    );
    return 0;
  },
};
