/** `gdo snapshots`: what backups are kept. */
import { ERROR_CODES } from "../../../base/index.ts";
import type { CommandSpec } from "../../command.ts";
import { moment, uniqueDigits } from "../../ids.ts";
import { bytesText } from "../../progress.ts";
import { table } from "../../text/text-table.ts";

export const snapshots: CommandSpec = {
  name: "snapshots",
  summary: "List the snapshots that are kept, oldest first.",
  arguments: [{ form: "[name]", about: "only those kept under this name" }],
  exits: { 3: "there is no home", 12: "the name cannot be one", 20: "a snapshot's ref is damaged" },
  example: "gdo snapshots shared",
  async run({ homeFlag, out }, { args: [name] }) {
    const { homeRoot, openSnapshotReader } = await import("../../../agent/index.ts");
    const reader = await openSnapshotReader(homeRoot(homeFlag));
    let damaged = 0;
    try {
      const kept = await reader.list(name as string | undefined, (path, why) => {
        damaged += 1;
        out.emit("damage", { path, why }, () => `damaged  ${path}: ${why}`);
      });
      const digits = uniqueDigits(kept.map(({ id }) => id));
      const rows = kept.map(({ id, name: under, timeMs, host, source, files, sizeBytes, lacking }) => [
        `${under}@${id.slice(0, digits)}`,
        moment(timeMs),
        String(files),
        bytesText(sizeBytes),
        lacking === 0 ? "" : `${lacking} not read`,
        `${host}:${source}`,
      ]);
      for (const snapshot of kept) if (out.json) out.emit("snapshot", { ...snapshot }, () => "");
      if (rows.length > 0) out.line(table(["snapshot", "time", "files", "size", "lacks", "of"], rows));
    } finally {
      await reader.close();
    }
    return damaged === 0 ? 0 : ERROR_CODES.STORE_CORRUPT;
  },
};
