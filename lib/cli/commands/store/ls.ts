/** `gdo ls`: what a folder of the store holds. */
import type { ListedName } from "../../../agent/index.ts";
import type { CommandSpec } from "../../command.ts";

const KIND_WIDTH = 9;
const SIZE_WIDTH = 12;
const ID_DIGITS = 12;

function itemText({ name, type, id, sizeBytes, target }: ListedName): string {
  const size = sizeBytes === undefined ? "-" : String(sizeBytes);
  const digits = id?.slice(0, ID_DIGITS) ?? "-".padEnd(ID_DIGITS);
  const link = target === undefined ? "" : ` -> ${target}`;
  return `${type.padEnd(KIND_WIDTH)}  ${size.padStart(SIZE_WIDTH)}  ${digits}  ${name}${link}`;
}

export const ls: CommandSpec = {
  name: "ls",
  summary: "List a folder of the store: kind, size in bytes, id and name of each thing in it.",
  arguments: [{ form: "<id>", about: "an id, or its first digits while unique; ID:path names what lies in a folder" }],
  exits: {
    3: "there is no home",
    10: "nothing has this id",
    11: "several ids begin so",
    20: "an object is damaged",
  },
  example: "gdo ls 7f3c01d2:docs",
  async run(session, { args: [spec] }) {
    const { homeRoot, openStoreReader } = await import("../../../agent/index.ts");
    const reader = await openStoreReader(homeRoot(session.homeFlag));
    try {
      for (const entry of await reader.list(String(spec))) {
        const { type: kind, ...fields } = entry; // `type` is the line's own.
        session.out.emit("item", { kind, ...fields }, () => itemText(entry));
      }
    } finally {
      await reader.close();
    }
    return 0;
  },
};
