/** `gdo init`: a home, its keys, and an organisation with one principal. */
import { hostname } from "node:os";
import { GdoError } from "../../../base/index.ts";
import type { CommandSpec } from "../../command.ts";
import { nodeNameOf } from "../../ids.ts";

/** Throws USAGE. */
function faultOf(text: unknown = "byzantine"): "byzantine" | "crash" {
  if (text === "byzantine" || text === "crash") return text;
  throw new GdoError("USAGE", `--fault takes crash or byzantine, not '${String(text)}'`, { hint: "gdo init --help" });
}

export const init: CommandSpec = {
  name: "init",
  summary: "Make a home here: this device's key, and an organisation whose only principal it is.",
  arguments: [{ form: "<name>", about: "the organisation's name" }],
  options: [
    { flags: "--node <name>", about: "this node's name (default: the machine's)" },
    {
      flags: "--fault <model>",
      about:
        "what validators may do where several decide, for good: crash (be away; a majority decides) or byzantine (also lie; more than two thirds decide) (default: byzantine)",
    },
  ],
  exits: {
    5: "the folder is a home already",
    6: "the node's name has no such form",
    8: "the folder may not be written",
  },
  example: 'gdo --home ./site init "Dockside Makers"',
  async run(session, { args: [name], options }) {
    const { homeRoot, initHome } = await import("../../../agent/index.ts");
    const root = homeRoot(session.homeFlag);
    const nodeName = (options.node as string | undefined) ?? nodeNameOf(hostname());
    const fault = faultOf(options["fault"]);
    const made = await initHome({ root, organisation: String(name), nodeName, fault });
    const fields = { home: root, organisation: made.organisation, node: nodeName, nodeKey: made.nodeKey };
    session.out.emit("initialised", fields, () =>
      [
        `home          ${root}`,
        `organisation  ${fields.organisation}`,
        `node          ${nodeName} ${fields.nodeKey}`,
      ].join("\n"),
    );
    return 0;
  },
};
