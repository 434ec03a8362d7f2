/** Runs `gdo demo --once --json` as a user would, and sees what it left behind. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = new URL("../../../", import.meta.url); // From dist/test/support.
export const GDO = fileURLToPath(new URL("bin/gdo", PROJECT));
export const DATA = fileURLToPath(new URL("images/demo/makerspace/", PROJECT));
export const INDEPENDENT = fileURLToPath(new URL("test/e2e/independent-counts.sh", PROJECT));

export type Line = Readonly<Record<string, unknown>> & { readonly type: string };

export interface DemoRun {
  readonly status: number | null;
  readonly lines: readonly Line[];
  readonly errors: string;
}

export function demoFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "gdo-e2e-")));
}

/** `during` is given the process while it runs. */
export async function runDemo(
  args: readonly string[],
  during: (demo: ChildProcess, lines: readonly Line[]) => void = () => {},
): Promise<DemoRun> {
  const demo = spawn(process.execPath, [GDO, "--json", "demo", "--once", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: Line[] = [];
  let held = "";
  let errors = "";
  demo.stdout.on("data", (chunk: Buffer) => {
    const pieces = (held + chunk.toString("utf8")).split("\n");
    held = pieces.pop() ?? "";
    for (const piece of pieces) lines.push(JSON.parse(piece) as Line);
  });
  demo.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString("utf8");
  });
  during(demo, lines);
  const status = await new Promise<number | null>((resolve) => demo.on("close", resolve));
  return { status, lines, errors };
}

/** Lines of `gdo --home HOME --json WORDS`. */
export function gdoJson(home: string, words: readonly string[]): Line[] {
  const output = execFileSync(process.execPath, [GDO, "--home", home, "--json", ...words], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** All processes that can be seen, zombies left out. */
export function processes(): Process[] {
  const found: Process[] = [];
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      if (state !== "Z") found.push({ pid: Number(name), parent: Number(parent), command });
    } catch {
      // It ended while being looked at.
    }
  }
  return found;
}

/** A process's children, their children and so on. */
export function descendants(pid: number): Process[] {
  const all = processes();
  const found: Process[] = [];
  for (let parents = new Set([pid]); parents.size > 0; ) {
    const children = all.filter(({ parent }) => parents.has(parent));
    found.push(...children);
    parents = new Set(children.map((child) => child.pid));
  }
  return found;
}

function worksIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder) || readlinkSync(`/proc/${pid}/root`).startsWith(folder);
  } catch {
    return false;
  }
}

function cgroups(folder: string, depth = 6): string[] {
  if (depth === 0 || !existsSync(folder)) return [];
  const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return inner.flatMap((entry) => [join(folder, entry.name), ...cgroups(join(folder, entry.name), depth - 1)]);
}

/** What the containers of a home are marked with; other homes of the machine may run at the same time. */
function markOf(home: string): string {
  return `gdo-${createHash("sha256").update(home).digest("hex").slice(0, 12)}`;
}

/** Processes, mounts and cgroups of a run in `folder` that are still there. */
export function leftovers(folder: string): string[] {
  const alive = processes().filter(({ pid, command }) => command.includes(folder) || worksIn(pid, folder));
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(folder));
  const marks = ["office", "front-door", "laser-room"].map((node) => markOf(join(folder, node)));
  const groups = cgroups("/sys/fs/cgroup").filter((path) => marks.some((mark) => path.includes(mark)));
  return [
    ...alive.map(({ pid, command }) => `process ${pid} ${command}`),
    ...mounts.map((line) => `mount ${line}`),
    ...groups.map((path) => `cgroup ${path}`),
  ];
}
