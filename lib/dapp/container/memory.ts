/**
 * Whether this machine is short of memory: by the stalls that the kernel counts (PSI) where it does, and
 * by what is left. The readings are pure; only `kernelMemory` touches files. Rules: docs/design/dapps.md.
 */
import { readFileSync } from "node:fs";

/** Share of the last ten seconds in which something waited for memory, percent. */
const STALLED_PERCENT_MAX = 5;
/** Below this share of all memory what is left is little, whatever the stalls say. */
const AVAILABLE_SHARE_MIN = 0.05;
/** Idle containers where the kernel counts no stalls: by the time that little is left it may be late. */
const IDLE_MAX_UNCOUNTED = 4;

export interface MemoryState {
  readonly isShort: boolean;
  /** How many containers may stay idle; undefined: any number. */
  readonly idleMax: number | undefined;
}

/** Read now and then. */
export type MemorySource = () => MemoryState;

/** `pressure` is the text of /proc/pressure/memory, undefined where the kernel has none; `meminfo` that of /proc/meminfo. */
export function memoryState(pressure: string | undefined, meminfo: string): MemoryState {
  const stalled = Number(/^some avg10=([\d.]+)/m.exec(pressure ?? "")?.[1] ?? 0);
  const kib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(meminfo)?.[1] ?? Number.NaN);
  const isLittle = kib("MemAvailable") < kib("MemTotal") * AVAILABLE_SHARE_MIN;
  return {
    isShort: stalled > STALLED_PERCENT_MAX || isLittle,
    idleMax: pressure === undefined ? IDLE_MAX_UNCOUNTED : undefined,
  };
}

function textIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // A kernel without PSI, or with it switched off.
  }
}

export const kernelMemory: MemorySource = () =>
  memoryState(textIfThere("/proc/pressure/memory"), textIfThere("/proc/meminfo") ?? "");
