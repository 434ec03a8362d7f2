/** How far a long work is: a bar with rate and time left on a terminal, lines with --json, else nothing. */
import type { SingleBar } from "cli-progress";
import type { Session } from "./command.ts";

export interface Progress {
  readonly bytes: number;
  /** Once it is known. */
  readonly bytesTotal?: number;
}

const JSON_EVERY_MS = 1000;
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** "1.2 GB": three digits at least, decimal. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(1)} ${UNITS[unit]}`;
}

export class ProgressDisplay {
  readonly #session: Session;
  readonly #startMs = Date.now();
  readonly #bar: SingleBar | undefined;
  #toldMs = Date.now();

  private constructor(session: Session, bar: SingleBar | undefined) {
    this.#session = session;
    this.#bar = bar;
  }

  /** The bar is on standard error, so that it is not among the results. */
  static async open(session: Session): Promise<ProgressDisplay> {
    if (session.json || !process.stderr.isTTY) return new ProgressDisplay(session, undefined);
    const { default: cliProgress } = await import("cli-progress");
    const bar = new cliProgress.SingleBar({
      format: "{percentage} % [{bar}] {done} of {all}, {rate}/s, {eta_formatted} left",
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 50,
    });
    return new ProgressDisplay(session, bar);
  }

  show({ bytes, bytesTotal, ...others }: Progress & Readonly<Record<string, unknown>>): void {
    const nowMs = Date.now();
    if (this.#session.json && bytesTotal !== undefined && nowMs - this.#toldMs >= JSON_EVERY_MS) {
      this.#toldMs = nowMs;
      this.#session.out.emit("progress", { bytes, bytesTotal, ...others }, () => "");
    }
    if (this.#bar === undefined || bytesTotal === undefined) return;
    const rate = (bytes * 1000) / Math.max(nowMs - this.#startMs, 1);
    const payload = { done: bytesText(bytes), all: bytesText(bytesTotal), rate: bytesText(rate) };
    if (this.#bar.isActive) this.#bar.update(Math.min(bytes, bytesTotal), payload);
    else this.#bar.start(Math.max(bytesTotal, 1), Math.min(bytes, bytesTotal), payload);
  }

  close(): void {
    this.#bar?.stop();
  }
}
