/** One container and the process that holds its place, and ends as its program does. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { counterIn } from "./container/cgroups.ts";
import type { ToolResult } from "./runc.ts";
import type { ContainerEnd, ContainerListener, ContainerProcess, LimitHit } from "./runtime.ts";

/** A container that is just being made cannot be killed yet: try again for this long. */
const KILL_ATTEMPTS_MAX = 40;
const KILL_PAUSE_MS = 50;
const START_FAILURE_CHARS_MAX = 500;

export interface RuncProcessOptions {
  readonly name: string;
  readonly bundle: string;
  readonly child: ChildProcessWithoutNullStreams;
  readonly listener: ContainerListener;
  /** Folder of its control group, where the kernel has that controller. */
  readonly cgroupDir: (controller: "memory" | "pids") => string | undefined;
  readonly runTool: (...args: string[]) => Promise<ToolResult>;
}

export class RuncProcess implements ContainerProcess {
  readonly name: string;
  readonly ended: Promise<ContainerEnd>;
  readonly #options: RuncProcessOptions;
  #isClosed = false;
  #isKilled = false;

  constructor(options: RuncProcessOptions) {
    this.name = options.name;
    this.#options = options;
    const { child, listener } = options;
    child.stdout.on("data", (bytes: Buffer) => listener.output(bytes));
    child.stderr.on("data", (bytes: Buffer) => listener.log(bytes));
    // Writing to a program that has ended: its end is told by `ended`.
    child.stdin.on("error", () => {});
    this.ended = this.#watch();
  }

  async write(text: string): Promise<void> {
    const { stdin } = this.#options.child;
    if (this.#isClosed || stdin.destroyed || stdin.write(text)) return;
    const drained = new AbortController();
    await Promise.race([once(stdin, "drain", { signal: drained.signal }), this.ended]).catch(() => {});
    drained.abort();
  }

  closeInput(): void {
    this.#options.child.stdin.end();
  }

  async kill(): Promise<ContainerEnd> {
    this.#isKilled = true;
    const { child, name, runTool } = this.#options;
    for (let attempt = 0; attempt < KILL_ATTEMPTS_MAX && !this.#isClosed; attempt += 1) {
      if ((await runTool("kill", name, "KILL")).isOk) return this.ended;
      await new Promise((wake) => setTimeout(wake, KILL_PAUSE_MS));
    }
    if (!this.#isClosed) child.kill("SIGKILL");
    return this.ended;
  }

  async #watch(): Promise<ContainerEnd> {
    const { child, name, bundle, runTool } = this.#options;
    // Killed, it no longer waits for the program, which goes on and keeps the streams open.
    let orphanKilled: Promise<unknown> = Promise.resolve();
    child.once("exit", (_, signal) => {
      if (signal !== null) orphanKilled = runTool("kill", name, "KILL");
    });
    const failure = await new Promise<Error | undefined>((settle) => {
      child.once("error", settle);
      child.once("close", () => settle(undefined));
    });
    this.#isClosed = true;
    const status = failure === undefined ? statusOf(child) : 1;
    const startFailure = failure?.message ?? (status === 0 ? undefined : this.#startFailure());
    const limits = this.#limitsHit(status);
    await orphanKilled;
    await runTool("delete", "--force", name);
    rmSync(bundle, { recursive: true, force: true });
    return { status, limits, ...(startFailure === undefined ? {} : { startFailure }) };
  }

  /** What the tool itself complained about before the program ran: runc in fields, crun in plain lines. */
  #startFailure(): string | undefined {
    if (this.#isKilled) return undefined;
    const text = readIfThere(join(this.#options.bundle, "log")).trim();
    const found = /level=error msg="((?:[^"\\]|\\.)*)"/.exec(text)?.[1]?.replace(/\\"/g, '"');
    const plain = text === "" || text.includes("level=") ? undefined : text.split("\n").at(-1);
    return (found ?? plain)?.slice(0, START_FAILURE_CHARS_MAX);
  }

  #limitsHit(status: number): LimitHit[] {
    const { cgroupDir } = this.#options;
    const memory = cgroupDir("memory");
    const pids = cgroupDir("pids");
    const limits: LimitHit[] = [];
    if (memory !== undefined && this.#wasShortOfMemory(memory, status)) limits.push("memory");
    if (pids !== undefined && counterIn(readIfThere(join(pids, "pids.events")), "max") > 0) limits.push("pids");
    return limits;
  }

  #wasShortOfMemory(dir: string, status: number): boolean {
    const text = readIfThere(join(dir, "memory.events")) || readIfThere(join(dir, "memory.oom_control"));
    // Where the group is gone already, a kill that was not ours is the kernel's.
    if (text === "") return !this.#isKilled && status === 128 + constants.signals.SIGKILL;
    return counterIn(text, "oom_kill") > 0;
  }
}

function statusOf({ exitCode, signalCode }: ChildProcessWithoutNullStreams): number {
  return exitCode ?? 128 + (signalCode === null ? 0 : constants.signals[signalCode]);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // Not on this kernel, or gone with its container.
  }
}
