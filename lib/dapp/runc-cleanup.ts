/**
 * Removing what a killed agent left: containers, control groups, bundles. Only what bears the mark of
 * this home is touched; another home's containers on the same machine go on.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../base/index.ts";
import type { ToolResult } from "./runc.ts";

/** A tool that was starting a container when we looked finishes a moment later, so look again. */
const PASSES_MAX = 5;
const RMDIR_ATTEMPTS_MAX = 40;
const PAUSE_MS = 50;

export interface Leftovers {
  readonly mark: string;
  readonly stateDir: string;
  readonly bundlesDir: string;
  /** The root of each hierarchy of control groups. */
  readonly cgroupRoots: readonly string[];
  readonly runTool: (...args: string[]) => Promise<ToolResult>;
  readonly log: Log;
}

/** Does nothing when there is nothing. Never throws for what cannot be removed: it is logged. */
export async function removeLeftovers(leftovers: Leftovers): Promise<void> {
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    const found = (await removeContainers(leftovers)) + endTools(leftovers) + (await removeGroups(leftovers));
    if (found === 0) break;
    leftovers.log.info("removed containers left behind", { found });
    await pause();
  }
  for (const name of namesIn(leftovers.bundlesDir, leftovers.mark)) {
    rmSync(join(leftovers.bundlesDir, name), { recursive: true, force: true });
  }
}

async function removeContainers({ stateDir, mark, runTool, log }: Leftovers): Promise<number> {
  const names = namesIn(stateDir, mark);
  for (const name of names) {
    const { isOk, text } = await runTool("delete", "--force", name);
    if (!isOk) log.warn("a container left behind cannot be removed", { name, why: text.trim() });
  }
  return names.length;
}

/** Tools that are still starting a container of ours. Their command line names our folder and our mark. */
function endTools({ stateDir, mark }: Leftovers): number {
  const isOurs = (args: readonly string[]): boolean =>
    args.includes(stateDir) && args.includes("run") && args.some((arg) => arg.startsWith(`${mark}-`));
  const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name) && isOurs(commandLine(name)));
  for (const pid of pids) endProcess(Number(pid));
  return pids.length;
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // It has ended.
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
  }
}

async function removeGroups({ cgroupRoots, mark, log }: Leftovers): Promise<number> {
  let found = 0;
  for (const root of cgroupRoots) {
    for (const name of namesIn(root, mark)) {
      found += 1;
      if (!(await removeGroup(join(root, name)))) log.warn("a control group left behind cannot be removed", { name });
    }
  }
  return found;
}

/** A group can be removed once its processes are gone, which takes the kernel a moment after the kill. */
async function removeGroup(path: string): Promise<boolean> {
  for (let attempt = 0; attempt < RMDIR_ATTEMPTS_MAX; attempt += 1) {
    if (!existsSync(path)) return true;
    for (const pid of processesOf(path)) endProcess(pid);
    if (removeIfEmpty(path)) return true;
    await pause();
  }
  return false;
}

function processesOf(path: string): number[] {
  try {
    return readFileSync(join(path, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function removeIfEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    return !existsSync(path);
  }
}

function namesIn(dir: string, mark: string): string[] {
  return existsSync(dir) ? readdirSync(dir).filter((name) => name.startsWith(`${mark}-`)) : [];
}

function pause(): Promise<void> {
  return new Promise((wake) => setTimeout(wake, PAUSE_MS));
}
