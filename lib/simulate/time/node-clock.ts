/** One machine's clocks: the monotonic one is the world's, the wall is whatever the machine believes. */
import type { Cancel, Clock } from "../../base/index.ts";
import type { Agenda } from "./agenda.ts";

const NS_PER_MS = 1e6;

export class NodeClock implements Clock {
  readonly #agenda: Agenda;
  readonly #timers = new Set<Cancel>();
  #wallOffsetMs: number;
  /** How fast the wall clock runs: 1 is right, below 0 it runs backwards. */
  #pace = 1;
  #paceSinceMs = 0;

  constructor(agenda: Agenda, wallOffsetMs: number) {
    this.#agenda = agenda;
    this.#wallOffsetMs = wallOffsetMs;
  }

  nowMs(): number {
    return this.#wallOffsetMs + this.#paceSinceMs + (this.#agenda.nowMs - this.#paceSinceMs) * this.#pace;
  }

  monoNs(): bigint {
    return BigInt(Math.round(this.#agenda.nowMs * NS_PER_MS));
  }

  after(delayMs: number, fire: () => void): Cancel {
    const cancel = this.#agenda.after(delayMs, () => {
      this.#timers.delete(cancel);
      fire();
    });
    this.#timers.add(cancel);
    return () => {
      this.#timers.delete(cancel);
      cancel();
    };
  }

  /** Steps the wall clock, and sets how fast it goes on. */
  setWall(wallMs: number, pace: number): void {
    this.#paceSinceMs = this.#agenda.nowMs;
    this.#wallOffsetMs = wallMs - this.#agenda.nowMs;
    this.#pace = pace;
  }

  /** The process has ended: none of its timers fires. */
  stop(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }
}
