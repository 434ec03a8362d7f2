/** What this machine and its container tool can do: asked once, at the first container or at the agent's start. */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { CLOCK_PATH, STAGE_PATH } from "../addon.ts";
import { GdoError, type Log } from "../base/index.ts";
import type { Confinement, Varied } from "./container/bundle.ts";
import { type CgroupLayout, CONTROLLERS, cgroupLayout } from "./container/cgroups.ts";
import { knownFlaws } from "./container/flaws.ts";
import type { ToolResult } from "./runc.ts";
import type { RuntimeInfo } from "./runtime.ts";

export interface Probe {
  readonly info: RuntimeInfo;
  readonly confinement: Confinement;
  readonly cgroups: CgroupLayout;
  /** Whether clocks since boot can be moved. */
  readonly hasTimeNamespace: boolean;
  readonly varied: Varied;
}

/** CONTAINER when the tool cannot be run. Warns of what the machine lacks and of what is wrong with the tool. */
export function probeMachine(runtime: string, { isOk, text }: ToolResult, log: Log): Probe {
  if (!isOk) throw new GdoError("CONTAINER", `cannot run ${runtime}: ${text.trim()}`, { hint: "apt install runc" });
  if (!existsSync(STAGE_PATH)) throw new GdoError("CONTAINER", `there is no ${STAGE_PATH}`, { hint: "npm run build" });
  const [name = runtime, version = ""] = text.split("\n")[0]?.split(" version ") ?? [];
  const cgroups = cgroupLayout(readFileSync("/proc/self/mountinfo", "utf8"), controllersOfUnified);
  const confinement = confinementHere(cgroups);
  const missing = missingHere(confinement);
  for (const what of missing) log.warn("containers lack a limit", { what });
  const flaws = knownFlaws(text);
  if (flaws.length > 0)
    log.warn("update the container tool: it has known flaws", { runtime: name, version, what: flaws.join("; ") });
  return {
    info: { runtime: name, version, isRootless: confinement.isRootless, missing, flaws },
    confinement,
    cgroups,
    hasTimeNamespace: !confinement.isRootless && existsSync("/proc/self/ns/time"),
    varied: variedHere(confinement),
  };
}

function variedHere({ isRootless }: Confinement): Varied {
  const canSkipPids = !isRootless && existsSync("/proc/sys/kernel/ns_last_pid");
  return {
    clockPath: existsSync(CLOCK_PATH) ? CLOCK_PATH : undefined,
    stagePath: canSkipPids ? STAGE_PATH : undefined,
  };
}

function controllersOfUnified(path: string): string[] {
  const file = join(path, "cgroup.controllers");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split(" ") : [];
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false; // Read-only mount, or not ours.
  }
}

function confinementHere(layout: CgroupLayout): Confinement {
  const uid = process.getuid?.() ?? 0;
  const isRootless = uid !== 0;
  const usable = [...layout.where].filter(([, { path }]) => !isRootless && isWritable(path));
  const memory = layout.where.get("memory");
  return {
    isRootless,
    uid,
    gid: process.getgid?.() ?? 0,
    controllers: new Set(usable.map(([controller]) => controller)),
    hasSwapLimit: memory !== undefined && hasSwapFile(memory.path, memory.version),
    hasProcSubset: isKernelSince(release(), 5, 8),
    arch: process.arch,
  };
}

function isKernelSince(text: string, major: number, minor: number): boolean {
  const [own = 0, ownMinor = 0] = text.split(".").map(Number);
  return own > major || (own === major && ownMinor >= minor);
}

/** Version 2 has no such file in its root, so a child group is asked. */
function hasSwapFile(path: string, version: 1 | 2): boolean {
  if (version === 1) return existsSync(join(path, "memory.memsw.limit_in_bytes"));
  const groups = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return groups.some(({ name }) => existsSync(join(path, name, "memory.swap.max")));
}

function missingHere({ controllers, hasSwapLimit, isRootless, arch }: Confinement): string[] {
  const missing: string[] = CONTROLLERS.filter((controller) => !controllers.has(controller)).map(
    (name) => `control group ${name}`,
  );
  if (controllers.has("memory") && !hasSwapLimit) missing.push("swap limit");
  if (isRootless) missing.push("an id range of its own");
  if (!["x64", "arm64", "arm"].includes(arch)) missing.push(`system call filter for ${arch}`);
  return missing;
}
