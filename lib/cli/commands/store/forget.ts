/** `gdo forget`: which snapshots of a name stay, and which go. Their content stays until `gdo gc`. */
import type { ForgetReport, SnapshotRow } from "../../../agent/index.ts";
import { type CommandSpec, withApi } from "../../command.ts";
import { moment } from "../../ids.ts";
import { wholeNumber } from "../../values.ts";

const KINDS = ["last", "hourly", "daily", "weekly", "monthly", "yearly"] as const;
const COUNT_MAX = 1_000_000;

function aboutOf(kind: (typeof KINDS)[number]): string {
  if (kind === "last") return "keep the newest <n>";
  const period = kind === "daily" ? "day" : kind.slice(0, -2);
  return `keep the newest of each of the last <n> ${period}s that have one`;
}

export const forget: CommandSpec = {
  name: "forget",
  summary: "Forget the snapshots of a name that no --keep option asks to keep.",
  arguments: [{ form: "<name>", about: "the name" }],
  options: [
    ...KINDS.map((kind) => ({
      flags: `--keep-${kind} <n>`,
      about: aboutOf(kind),
      parse: wholeNumber(`--keep-${kind}`, 0, COUNT_MAX),
    })),
    { flags: "--dry-run", about: "say what would go, and forget nothing" },
  ],
  exits: {
    1: "nothing would be kept: no --keep option asks for any",
    3: "there is no home",
    4: "another process uses this home",
    10: "nothing is kept under this name",
    12: "the name cannot be one",
  },
  example: "gdo forget shared --keep-daily 7 --keep-weekly 5 --keep-monthly 12",
  async run(session, { args: [name], options }) {
    const counts = KINDS.flatMap((kind) => {
      const value: unknown = options[`keep${kind[0]?.toUpperCase()}${kind.slice(1)}`];
      return value === undefined ? [] : [[kind, value]];
    });
    const params = { name, ...Object.fromEntries(counts), dryRun: options.dryRun === true };
    const { kept, removed } = (await withApi(session, (api) => api.call("forget", params))) as ForgetReport;
    const line = (what: string, { id, timeMs, reasons }: SnapshotRow): string =>
      `${what}  ${name}@${id.slice(0, 12)}  ${moment(timeMs)}  ${reasons.join(", ")}`.trimEnd();
    for (const row of kept) session.out.emit("kept", { ...row }, () => line("kept     ", row));
    for (const row of removed) session.out.emit("forgotten", { ...row }, () => line("forgotten", row));
    const would = params.dryRun ? " would be" : "";
    session.out.emit(
      "summary",
      { kept: kept.length, forgotten: removed.length, dryRun: params.dryRun },
      () => `${kept.length}${would} kept, ${removed.length}${would} forgotten`,
    );
    if (removed.length > 0 && !params.dryRun) session.out.line("what only they needed still takes room: gdo gc");
    return 0;
  },
};
