/** `gdo cat`: a file's bytes to standard output, as they are. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { CommandSpec } from "../../command.ts";

export const cat: CommandSpec = {
  name: "cat",
  summary: "Print a file of the store; the bytes as they are, also with --json.",
  arguments: [{ form: "<id>", about: "an id, or its first digits while unique; ID:path names what lies in a folder" }],
  exits: { 3: "there is no home", 10: "nothing has this id", 11: "several ids begin so", 20: "an object is damaged" },
  example: "gdo cat 7f3c01d2:docs/minutes.txt",
  async run(session, { args: [spec] }) {
    const { homeRoot, openStoreReader } = await import("../../../agent/index.ts");
    const reader = await openStoreReader(homeRoot(session.homeFlag));
    try {
      await pipeline(Readable.from(reader.cat(String(spec))), process.stdout, { end: false });
    } finally {
      await reader.close();
    }
    return 0;
  },
};
