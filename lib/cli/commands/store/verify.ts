/** `gdo verify`: packs against the index, all that is kept by name, every byte, every block. */
import { ERROR_CODES, GdoError } from "../../../base/index.ts";
import { type CommandSpec, type Given, withApi } from "../../command.ts";
import { moment } from "../../ids.ts";
import { wholeNumber } from "../../values.ts";
import { watched } from "../../watch.ts";

interface Verified {
  readonly objects: number;
  readonly blocks: number;
  readonly snapshots: number;
  readonly bad: readonly { what: string; where: string; id?: string }[];
  readonly missing: readonly { id: string; where: string }[];
  readonly badCount: number;
  readonly missingCount: number;
  readonly goneOnFromMs?: number;
}

export const verify: CommandSpec = {
  name: "verify",
  summary:
    "Check every byte of the store, all that each snapshot needs, and every block of the ledger. One that was ended early is gone on with.",
  options: [
    { flags: "--quick", about: "only packs' sizes and footers against the index, and what is kept by name" },
    { flags: "--structure", about: "these, that all is there that names need, and the ledger; reads no content" },
    { flags: "--full", about: "these, and every byte (default)" },
    {
      flags: "--rate <bytes>",
      about: "read so many bytes a second at most",
      parse: wholeNumber("--rate", 1, Number.MAX_SAFE_INTEGER),
    },
    { flags: "--restart", about: "read all packs, also those that one that was ended early has read" },
  ],
  exits: {
    1: "another one is running",
    3: "there is no home",
    4: "another process uses this home",
    20: "something in the store is damaged",
    21: "something that is needed is not in the store, and nothing is damaged",
    35: "something in the ledger is damaged",
  },
  example: "gdo verify --rate 20000000",
  async run(session, given) {
    const { out } = session;
    const params = paramsOf(given);
    const found = (await withApi(session, (api) => watched(session, api, "verify", params))) as Verified;
    if (found.goneOnFromMs !== undefined) {
      const began = found.goneOnFromMs;
      const text = `gone on with what was begun at ${moment(began)}; --restart reads all again`;
      out.emit("resumed", { startedMs: began }, () => text);
    }
    for (const each of found.bad) {
      const id = each.id === undefined ? "" : `  ${each.id}`;
      out.emit("damage", each, () => `damaged  ${each.what}  ${each.where}${id}`);
    }
    for (const each of found.missing) out.emit("missing", each, () => `missing  ${each.id}  ${each.where}`);
    const unnamed = found.badCount + found.missingCount - found.bad.length - found.missing.length;
    if (unnamed > 0) out.line(`and ${unnamed} more`);
    const { objects, snapshots, blocks, badCount: bad, missingCount: missing } = found;
    out.emit("summary", { objects, snapshots, blocks, bad, missing, depth: params.depth }, () =>
      summaryOf(found, params),
    );
    return statusOf(found);
  },
};

function paramsOf({ options }: Given): { readonly depth: string } & Record<string, unknown> {
  const chosen = ["quick", "structure", "full"].filter((depth) => options[depth] === true);
  if (chosen.length > 1) {
    throw new GdoError("USAGE", `--${chosen.join(" and --")} are different depths`, { hint: "gdo verify --help" });
  }
  const rate = options.rate === undefined ? {} : { rateBytes: options.rate };
  return { depth: chosen[0] ?? "full", restart: options.restart === true, ...rate };
}

function summaryOf(
  { objects, snapshots, blocks, badCount, missingCount }: Verified,
  { depth }: { depth: string },
): string {
  const missing = missingCount === 0 ? "" : `, ${missingCount} missing`;
  const parts =
    depth === "quick"
      ? `${objects} objects listed, ${snapshots} snapshots`
      : `${objects} objects, ${snapshots} snapshots and ${blocks} blocks checked`;
  return `${parts}, ${badCount} damaged${missing}`;
}

function statusOf({ bad, badCount, missingCount }: Verified): number {
  if (bad.some(({ where }) => where.startsWith("ledger.db") || where.startsWith("door.db")))
    return ERROR_CODES.LEDGER_CORRUPT;
  if (badCount > 0) return ERROR_CODES.STORE_CORRUPT;
  return missingCount > 0 ? ERROR_CODES.STORE_MISSING : 0;
}
