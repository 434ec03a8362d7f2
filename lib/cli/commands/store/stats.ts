/** `gdo stats`: what the snapshots take, and what each step of the store saves. */
import type { CommandSpec } from "../../command.ts";
import { bytesText } from "../../progress.ts";
import { table } from "../../text/text-table.ts";

const BAR_WIDTH = 40;

function ratio(before: number, after: number): string {
  return after === 0 ? "-" : `${(before / after).toFixed(2)} : 1`;
}

export const stats: CommandSpec = {
  name: "stats",
  summary: "What snapshots take in the store, and what each step saves: finding the same, differences, compression.",
  arguments: [{ form: "[name]", about: "only those kept under this name" }],
  exits: {
    3: "there is no home",
    10: "nothing is kept under this name",
    12: "the name cannot be one",
    20: "something in the store is damaged",
    21: "something is not in the store",
  },
  example: "gdo stats shared",
  async run({ homeFlag, out }, { args: [name] }) {
    const { homeRoot, openSnapshotReader } = await import("../../../agent/index.ts");
    const reader = await openSnapshotReader(homeRoot(homeFlag));
    try {
      const found = await reader.stats(name as string | undefined);
      out.emit("stats", { ...found }, () => {
        const { snapshots, logicalBytes, uniqueBytes, storedBytes, steps, nodes, histogram, chunks } = found;
        const step = (text: string, { objects, rawBytes, storedBytes: stored }: typeof nodes): string[] => {
          return [text, String(objects), bytesText(rawBytes), bytesText(stored), ratio(rawBytes, stored)];
        };
        const rows = [
          [
            "the same only once",
            String(chunks),
            bytesText(logicalBytes),
            bytesText(uniqueBytes),
            ratio(logicalBytes, uniqueBytes),
          ],
          step("chunks by difference", steps.delta),
          step("chunks by compression", steps.zstd),
          step("chunks as they are", steps.raw),
          step("folders and lists", nodes),
          ["in all", "", bytesText(logicalBytes), bytesText(storedBytes), ratio(logicalBytes, storedBytes)],
        ];
        const most = Math.max(...histogram.map((row) => row.chunks), 1);
        const bars = histogram.map(({ bytesMax, chunks: count }) => {
          return [`to ${bytesMax}`, String(count), "#".repeat(Math.ceil((count * BAR_WIDTH) / most))];
        });
        const head = `snapshots: ${snapshots}\n\n${table(["step", "objects", "before", "after", "ratio"], rows)}`;
        return bars.length === 0 ? head : `${head}\n\n${table(["chunk bytes", "chunks", ""], bars)}`;
      });
    } finally {
      await reader.close();
    }
    return 0;
  },
};
