import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock, silentLog } from "../../lib/base/index.ts";
import { LineBoard, SimulatedLines } from "../../lib/device/index.ts";
import { outputLineContract } from "./output-line.ts";

outputLineContract("simulated line", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gdo-lines-"));
  const path = join(folder, "board.sock");
  const board = await LineBoard.listen(path);
  const seen: boolean[] = [];
  board.onLevel(({ high }) => void seen.push(high));
  const lines = new SimulatedLines({ path, clock: new SystemClock(), log: silentLog });
  const line = lines.output("strike");
  await lines.open();
  const sink = { edge: () => {}, settled: async () => undefined };
  return {
    line,
    // What comes after the writes on the same connection has arrived: so have they.
    levels: async () => {
      lines.attach("mark", sink);
      await board.connected("mark");
      return seen;
    },
    end: async () => {
      await lines.close();
      await board.close();
      rmSync(folder, { recursive: true });
    },
  };
});
