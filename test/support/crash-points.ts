/** Runs a process again and again, each time with a fault at the next of its calls that change files. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What goes wrong; fault-shim.c tells each. */
export type Fault = "kill" | "tear" | "power" | "enospc" | "short" | "eio";

export interface CrashPoint {
  readonly home: string;
  /** The calls up to the one that the fault struck, each with its file's name. */
  readonly calls: readonly string[];
  readonly output: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

const SHIM_SOURCE = fileURLToPath(new URL("../../../test/support/fault-shim.c", import.meta.url));
const CALLS_MAX = 500;

/** Compiles the shim into a folder. */
export function buildFaultShim(folder: string): string {
  const path = join(folder, "fault-shim.so");
  execFileSync("cc", ["-O1", "-shared", "-fPIC", "-o", path, SHIM_SOURCE, "-ldl", "-lpthread"]);
  return path;
}

/** Whether a store works as well without what this call was to do: the name in the lock is a courtesy to others, the index can be made again [T9]. */
export function isSpared(call: string): boolean {
  return /^(?:write lock|fsync index|mkdir index|[a-z]+ (?:[0-9a-f]{8}\.run|manifest\.tmp))$/.test(call);
}

interface Run {
  /** As buildFaultShim compiled it. */
  readonly shim: string;
  readonly fault: Fault;
  /** A script that gets a fresh home as its argument; only what it changes below counts. */
  readonly program: string;
  /** What it gets after its home. */
  readonly args?: readonly string[];
  /** Where homes are made. */
  readonly folder: string;
  /** A folder of each home that is there at the beginning, made and not synced by a process before. */
  readonly made?: string;
}

/** Every point at which the fault can strike, one after the other, until a run has no such call any more. */
export async function* crashPoints(run: Run): AsyncGenerator<CrashPoint> {
  for (let call = 1; call <= CALLS_MAX; call += 1) {
    const point = await crashPoint(run, call);
    const at = point.calls.indexOf("fault");
    // A fault of writes leaves a sync alone, and the other way round.
    if (at >= 0) yield { ...point, calls: point.calls.slice(0, at) };
    rmSync(point.home, { recursive: true });
    if (point.calls.length < call) return;
  }
  throw new Error(`more than ${CALLS_MAX} calls`);
}

/** One run, with the fault at this call; its home stays. */
export async function crashPoint(run: Run, call: number): Promise<CrashPoint> {
  const { shim, fault, program, args = [], folder, made } = run;
  const home = join(realpathSync(folder), `${fault}-${call}`);
  const log = `${home}.log`;
  mkdirSync(join(home, made ?? ""), { recursive: true });
  const settings = {
    GDO_FAULT_DIR: home,
    GDO_FAULT_CALL: String(call),
    GDO_FAULT_KIND: fault,
    GDO_FAULT_LOG: log,
    ...(made === undefined ? {} : { GDO_FAULT_MADE: join(home, made) }),
  };
  // io_uring would pass the shim by.
  const env = { ...process.env, LD_PRELOAD: shim, UV_USE_IO_URING: "0", ...settings };
  const child = spawn(process.execPath, [program, home, ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (data: Buffer) => {
    output += data.toString();
  });
  const [status, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  const calls = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
  return { home, calls, output, status, signal };
}
