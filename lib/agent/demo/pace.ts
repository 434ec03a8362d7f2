/** The day's time, as it runs `speed` times faster than the machine's. */
import type { Clock } from "../../base/index.ts";
import { monoMs, pause } from "./waiting.ts";

export class Pace {
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #speed: number;
  readonly #begunMs: number;

  /** Begins at the day's time `startMs` now. */
  constructor(clock: Clock, startMs: number, speed: number) {
    this.#clock = clock;
    this.#startMs = startMs;
    this.#speed = speed;
    this.#begunMs = monoMs(clock);
  }

  /** The day's time now, milliseconds from midnight. */
  dayMs(): number {
    return this.#startMs + (monoMs(this.#clock) - this.#begunMs) * this.#speed;
  }

  /** Resolves when the day has come to `atMs`; at once when it has passed. */
  async reach(atMs: number): Promise<void> {
    const waitMs = (atMs - this.dayMs()) / this.#speed;
    if (waitMs > 0) await pause(this.#clock, waitMs);
  }
}
