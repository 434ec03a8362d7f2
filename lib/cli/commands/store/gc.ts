/** `gdo gc`: what nothing names goes, and the disk gets its space back. */
import type { Collected } from "../../../agent/index.ts";
import { type CommandSpec, withApi } from "../../command.ts";
import { bytesText } from "../../progress.ts";
import { wholeNumber } from "../../values.ts";
import { watched } from "../../watch.ts";

export const gc: CommandSpec = {
  name: "gc",
  summary:
    "Remove from the store what nothing names: no snapshot, nothing in the ledger, no put of the last 7 days. May be stopped at any time; the next one goes on.",
  options: [
    {
      flags: "--budget <bytes>",
      about: "write about so much at most; what is left is for the next time",
      parse: wholeNumber("--budget", 1, Number.MAX_SAFE_INTEGER),
    },
    { flags: "--dry-run", about: "say what would go, and remove nothing" },
  ],
  exits: {
    1: "another one is running",
    3: "there is no home",
    4: "another process uses this home",
    20: "something that is needed is damaged; nothing was removed, or its pack stays",
    21: "something that a snapshot needs is not in the store; nothing was removed",
    22: "the disk is full",
  },
  example: "gdo gc --budget 1000000000",
  async run(session, { options }) {
    const { ERROR_CODES } = await import("../../../base/index.ts");
    const dryRun = options.dryRun === true;
    const params = { dryRun, ...(options.budget === undefined ? {} : { budgetBytes: options.budget }) };
    const done = (await withApi(session, (api) => watched(session, api, "gc", params))) as Collected;
    session.out.emit("summary", { ...done, dryRun }, () => textOf(done, dryRun));
    return done.damagedPacks === 0 ? 0 : ERROR_CODES.STORE_CORRUPT;
  },
};

function textOf(done: Collected, dryRun: boolean): string {
  const lines = [
    `needed      ${done.liveObjects} objects, ${bytesText(done.liveBytes)}`,
    `not needed  ${done.deadObjects} objects, ${bytesText(done.deadBytes)}`,
  ];
  if (dryRun)
    return [...lines, `nothing is removed: a dry run; ${packs(done.leftPacks)} to remove or store anew`].join("\n");
  const freed =
    done.freedBytes < 0 ? `${bytesText(-done.freedBytes)} more taken` : `${bytesText(done.freedBytes)} freed`;
  lines.push(`${packs(done.droppedPacks)} removed, ${done.repackedPacks} of them stored anew; ${freed}`);
  if (done.leftPacks > 0) lines.push(`left to do: ${packs(done.leftPacks)}; gdo gc goes on`);
  if (done.damagedPacks > 0) lines.push(`damaged, so kept: ${packs(done.damagedPacks)}; gdo verify says where`);
  return lines.join("\n");
}

function packs(count: number): string {
  return count === 1 ? "1 pack" : `${count} packs`;
}
