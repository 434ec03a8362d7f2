/** `gdo invite`: a token by which one more device joins, as text and as a QR code. */
import { type CommandSpec, withApi } from "../../command.ts";
import { moment } from "../../ids.ts";
import { collected, duration } from "../../values.ts";

interface Invited {
  readonly token: string;
  readonly principal: string;
  readonly expiresMs: number;
  readonly broker: string | null;
  readonly brokerNote?: string;
}

const DAY_MS = 86_400_000;

async function describe({ token, principal, expiresMs, broker, brokerNote }: Invited): Promise<string> {
  const { renderUnicodeCompact } = await import("uqr");
  const way = broker === null ? "names no broker: whoever joins gives one with --broker" : `broker ${broker}`;
  return [
    renderUnicodeCompact(token, { ecc: "L" }),
    `for one device of ${principal}, once, until ${moment(expiresMs)} UTC; ${way}`,
    ...(brokerNote === undefined ? [] : [brokerNote]),
    "whoever holds this token can use it; this node's agent must run until then (gdo agent)",
    "",
    `gdo join ${token}`,
  ].join("\n");
}

export const invite: CommandSpec = {
  name: "invite",
  summary: "Make a token by which one more device joins the organisation; it works once.",
  arguments: [{ form: "<principal>", about: "whose device it will be" }],
  options: [
    { flags: "--role <role>", about: "a new principal, with this role; may be given several times", parse: collected },
    {
      flags: "--expires <time>",
      about: "for how long it is good: 30s, 15m, 12h, 7d (default: 24h)",
      parse: duration("--expires"),
    },
    {
      flags: "--broker <url>",
      about:
        "how the device reaches the broker (default: as this node does; of its own broker, this machine's address)",
    },
  ],
  exits: { 1: "the charter forbids it, with the reason", 3: "there is no home", 12: "a value has no such form" },
  example: "gdo invite ada --role device --expires 2h",
  async run(session, { args: [principal], options }) {
    const roles = options.role as readonly string[] | undefined;
    const broker = options.broker as string | undefined;
    const params = {
      principal,
      lifeMs: (options.expires as number | undefined) ?? DAY_MS,
      ...(roles === undefined ? {} : { roles }),
      ...(broker === undefined ? {} : { broker }),
    };
    const invited = (await withApi(session, (api) => api.call("invite", params))) as Invited;
    const text = session.json ? "" : await describe(invited);
    session.out.emit("invitation", { ...invited }, () => text);
    return 0;
  },
};
