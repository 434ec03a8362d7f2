/**
 * Keeps the guardian running: a small program of its own that makes the lines safe when this process
 * is gone, whatever killed it [A4]. It hangs on a pipe; nothing is ever written to it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { GUARDIAN_PATH } from "../../addon.ts";
import { type Cancel, type Clock, GdoError, type Log } from "../../base/index.ts";

export interface GuardianOptions {
  /** Unix socket of the line board that the guardian is to make safe. */
  readonly board: string;
  readonly clock: Clock;
  readonly log: Log;
}

const RESPAWN_MS = 100;

export class Guardian {
  readonly #options: GuardianOptions;
  #child: ChildProcess | undefined;
  #cancelRespawn: Cancel = () => {};
  #isClosed = false;

  private constructor(options: GuardianOptions) {
    this.#options = options;
  }

  /** Resolves when the guardian runs; LINE_INVALID when it cannot be started. */
  static async start(options: GuardianOptions): Promise<Guardian> {
    const guardian = new Guardian(options);
    const child = guardian.#spawn();
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (cause) => {
        guardian.#isClosed = true;
        reject(
          new GdoError("LINE_INVALID", `the guardian does not start: ${GUARDIAN_PATH}`, {
            cause,
            hint: "npm run build",
          }),
        );
      });
    });
    return guardian;
  }

  /** Process id of the guardian that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  #spawn(): ChildProcess {
    const child = spawn(GUARDIAN_PATH, ["--unix", this.#options.board], { stdio: ["pipe", "inherit", "inherit"] });
    this.#child = child;
    child.stdin?.on("error", () => {}); // The pipe breaks with the guardian; its exit says so.
    child.once("error", () => this.#respawn());
    child.once("exit", () => this.#respawn());
    return child;
  }

  #respawn(): void {
    this.#child = undefined;
    if (this.#isClosed) return;
    this.#options.log.error("the guardian is gone; starting another");
    this.#cancelRespawn();
    this.#cancelRespawn = this.#options.clock.after(RESPAWN_MS, () => void this.#spawn());
  }

  /** Lets go of the pipe: the guardian makes the lines safe once more and ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRespawn();
    const child = this.#child;
    if (child === undefined) return;
    await new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.stdin?.end();
    });
  }
}
