/** `gdo verify`: every object hashed again, every block's hash, signature and links checked. */
import { ERROR_CODES } from "../../base/index.ts";
import { type CommandSpec, withApi } from "../command.ts";

interface Verified {
  readonly objects: number;
  readonly blocks: number;
  readonly snapshots: number;
  readonly bad: readonly { what: string; where: string; id?: string }[];
}

export const verify: CommandSpec = {
  name: "verify",
  summary: "Check every byte of the store, all that each snapshot needs, and every block of the ledger.",
  exits: { 3: "there is no home", 20: "something in the store is damaged", 35: "something in the ledger is damaged" },
  example: "gdo verify",
  async run(session) {
    const { objects, blocks, snapshots, bad } = (await withApi(session, (api) => api.call("verify"))) as Verified;
    for (const each of bad) {
      const id = each.id === undefined ? "" : `  ${each.id}`;
      session.out.emit("damage", each, () => `damaged  ${each.what}  ${each.where}${id}`);
    }
    const text = `${objects} objects, ${snapshots} snapshots and ${blocks} blocks checked, ${bad.length} damaged`;
    session.out.emit("summary", { objects, snapshots, blocks, bad: bad.length }, () => text);
    if (bad.length === 0) return 0;
    return bad.some(({ where }) => where.includes("ledger")) ? ERROR_CODES.LEDGER_CORRUPT : ERROR_CODES.STORE_CORRUPT;
  },
};
