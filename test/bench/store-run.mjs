/** Runs one program and says how long it took and how much memory it needed at most. */
import { spawnSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const MEMORY_REPORT = "store-peak";
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** GNU time tells a program's peak memory; a program that fails ends the measurement. */
export function measure(folder, [program, ...args], options = {}) {
  const report = join(folder, MEMORY_REPORT);
  const command = ["-q", "-f", "%M", "-o", report, program, ...args];
  const startMs = performance.now();
  const { status, stdout, stderr } = spawnSync("/usr/bin/time", command, {
    maxBuffer: OUTPUT_BYTES_MAX,
    ...options,
    env: { ...process.env, ...options.env },
  });
  const seconds = (performance.now() - startMs) / 1000;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: status ${status}\n${stderr}`);
  return { seconds, peakBytes: Number(readFileSync(report, "utf8")) * 1024, output: stdout.toString() };
}

/** The first line of what a program says. */
export function firstLine(program, ...args) {
  const { stdout, stderr } = spawnSync(program, args);
  return `${stdout ?? ""}${stderr ?? ""}`.trim().split("\n")[0] ?? "";
}

/** Bytes of all files below a folder. */
export function folderBytes(path) {
  const stats = lstatSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + folderBytes(join(path, name)), 0);
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
