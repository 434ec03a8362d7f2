/**
 * One long-running `gdo` process of the demo: started, listened to, started again when it dies, and
 * stopped. It ends by itself when this process does, because its standard input closes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Cancel, Clock } from "../../base/index.ts";
import { GdoError } from "../../base/index.ts";
import { readLines } from "../json-lines.ts";
import { deferred } from "./waiting.ts";

export type ChildEvent = Readonly<Record<string, unknown>> & { readonly type: string };

export interface ChildOptions {
  /** For people: "the agent of front-door". */
  readonly name: string;
  /** The launcher, then its words. */
  readonly words: readonly [launcher: string, ...words: string[]];
  readonly clock: Clock;
  onEvent(event: ChildEvent): void;
  /** It ended though nobody asked it to; it is being started again. */
  onDeath(how: string): void;
  /** It does not come up and is not started any more. */
  onGivenUp(error: GdoError): void;
  /** A line that it wrote to standard error. */
  onComplaint(line: string): void;
}

const LINE_BYTES_MAX = 1024 * 1024;
const RESTART_AFTER_MS = 100;
/** Ordered shutdown stops containers, which takes a moment each. */
const STOP_WAIT_MS = 15_000;
/** One that dies so often before it was ever ready will not get better. */
const EARLY_DEATHS_MAX = 3;

export class Child {
  readonly #options: ChildOptions;
  #process: ChildProcess | undefined;
  #ready = deferred<ChildEvent>();
  #isReady = false;
  #isStopping = false;
  #earlyDeaths = 0;
  #lastComplaint = "";
  #cancelRestart: Cancel = () => {};
  #ended: Promise<void> = Promise.resolve();
  restarts = 0;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#ready.promise.catch(() => {}); // Whoever waits hears of it; nobody may be waiting.
    this.#start();
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** The "ready" event of the process that runs now. Rejects when it does not come up. */
  ready(): Promise<ChildEvent> {
    return this.#ready.promise;
  }

  /** Ordered shutdown; kills what does not end by itself. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#cancelRestart();
    const running = this.#process;
    if (running === undefined) return;
    running.kill("SIGTERM");
    const cancel = this.#options.clock.after(STOP_WAIT_MS, () => running.kill("SIGKILL"));
    await this.#ended;
    cancel();
  }

  #start(): void {
    // Its own session: Ctrl-C at the terminal reaches the demo alone, which then stops things in order.
    const [launcher, ...words] = this.#options.words;
    const started = spawn(process.execPath, [...process.execArgv, launcher, ...words], {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.#process = started;
    this.#isReady = false;
    started.stdin.on("error", () => {}); // It died; "close" follows.
    readLines(started.stdout, {
      lineBytesMax: LINE_BYTES_MAX,
      onLine: (line) => this.#take(line),
      onTooLong: () => started.kill(),
    });
    readLines(started.stderr, {
      lineBytesMax: LINE_BYTES_MAX,
      onLine: (line) => this.#complain(line),
      onTooLong: () => started.kill(),
    });
    this.#ended = new Promise((resolve) => {
      started.on("close", (status, signal) => {
        this.#onEnd(signal ?? `status ${status}`, signal === "SIGKILL");
        resolve();
      });
    });
  }

  #take(line: string): void {
    if (!line.startsWith("{")) return;
    const event = JSON.parse(line) as ChildEvent;
    if (event.type === "ready") {
      this.#isReady = true;
      this.#earlyDeaths = 0;
      this.#ready.resolve(event);
    }
    this.#options.onEvent(event);
  }

  #complain(line: string): void {
    this.#lastComplaint = line;
    this.#options.onComplaint(line);
  }

  /** Being killed from outside says nothing about whether it can come up. */
  #onEnd(how: string, isKilled: boolean): void {
    this.#process = undefined;
    if (this.#isStopping) return;
    if (this.#isReady) this.#ready = deferred<ChildEvent>();
    else if (!isKilled) this.#earlyDeaths += 1;
    this.#ready.promise.catch(() => {});
    this.#options.onDeath(how);
    if (this.#earlyDeaths >= EARLY_DEATHS_MAX) {
      const why = `${this.#options.name} does not start (${how}): ${this.#lastComplaint}`;
      const error = new GdoError("AGENT_UNREACHABLE", why);
      this.#ready.reject(error);
      return this.#options.onGivenUp(error);
    }
    this.restarts += 1;
    this.#cancelRestart = this.#options.clock.after(RESTART_AFTER_MS, () => this.#start());
  }
}
