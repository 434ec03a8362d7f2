/** `gdo get`: a file or folder of the store back to disk. */
import { resolve } from "node:path";
import type { CommandSpec } from "../../command.ts";

export const get: CommandSpec = {
  name: "get",
  summary: "Write a file or folder of the store to disk. Nothing that exists is overwritten.",
  arguments: [
    { form: "<id>", about: "an id, or its first digits while unique; ID:path names what lies in a folder" },
    { form: "<dest>", about: "where to; it must not exist" },
  ],
  exits: {
    1: "DEST exists already",
    3: "there is no home",
    10: "nothing has this id",
    11: "several ids begin so",
    13: "DEST cannot be written",
    20: "an object is damaged",
  },
  example: "gdo get 7f3c01d2:docs/minutes.pdf ./minutes.pdf",
  async run(session, { args: [spec, dest] }) {
    const { homeRoot, openStoreReader } = await import("../../../agent/index.ts");
    const reader = await openStoreReader(homeRoot(session.homeFlag));
    try {
      const path = resolve(String(dest));
      await reader.get(String(spec), path);
      session.out.emit("written", { spec, path }, () => "");
    } finally {
      await reader.close();
    }
    return 0;
  },
};
