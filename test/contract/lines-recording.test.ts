import { RecordingLine } from "../support/recording-line.ts";
import { outputLineContract } from "./output-line.ts";

outputLineContract("recording line", async () => {
  const line = new RecordingLine();
  return { line, levels: async () => line.levels, end: async () => {} };
});
