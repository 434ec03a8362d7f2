/** `gdo ls`: what a folder of the store holds. */
import type { CommandSpec } from "../command.ts";

export const ls: CommandSpec = {
  name: "ls",
  summary: "List a folder of the store: kind, size, id and name of each thing in it.",
  arguments: [{ form: "<id>", about: "an id, or its first digits while unique; ID:path names what lies in a folder" }],
  exits: {
    3: "there is no home",
    10: "nothing has this id",
    11: "several ids begin so",
    12: "it is a file, not a folder",
    20: "an object is damaged",
  },
  example: "gdo ls 7f3c01d2:docs",
  async run(session, { args: [spec] }) {
    const { homeRoot, openStoreReader } = await import("../../agent/index.ts");
    const reader = await openStoreReader(homeRoot(session.homeFlag));
    try {
      for (const { name, kind, sizeBytes, id } of await reader.list(String(spec))) {
        const fields = { name, kind, sizeBytes: sizeBytes ?? null, id: id ?? null };
        const size = sizeBytes === undefined ? "-" : String(sizeBytes);
        session.out.emit(
          "item",
          fields,
          () => `${kind.padEnd(9)} ${size.padStart(12)}  ${id?.slice(0, 12) ?? "-".padEnd(12)}  ${name}`,
        );
      }
    } finally {
      await reader.close();
    }
    return 0;
  },
};
