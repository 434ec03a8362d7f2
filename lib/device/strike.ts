/**
 * An electric strike. Energised means unlocked, so every way out of energised ends released [A4]: the
 * timer on the monotonic clock, a failed write (tried again until it holds), release, close.
 */
import type { Cancel, Clock } from "../base/index.ts";
import type { OutputLine } from "./line.ts";

/** A wrong argument must not leave a door open. */
export const PULSE_MS_MAX = 240_000;
/** How soon a release that failed is tried again. */
const RELEASE_RETRY_MS = 100;

export interface StrikeHooks {
  /** The pulse is over; the release is under way. */
  onElapsed(): void;
  /** The line is low, and no newer pulse has begun. */
  onReleased(): void;
  /** A write failed. A failed release is being tried again. */
  onFault(cause: unknown): void;
}

export class Strike {
  readonly #line: OutputLine;
  readonly #clock: Clock;
  readonly #hooks: StrikeHooks;
  #cancel: Cancel = () => {};
  /** Counts pulses and releases: whoever finds a newer turn than his own leaves the line alone. */
  #turn = 0;
  #isClosed = false;

  constructor(line: OutputLine, clock: Clock, hooks: StrikeHooks) {
    this.#line = line;
    this.#clock = clock;
    this.#hooks = hooks;
  }

  /** Energises for `pulseMs`; a pulse under way ends at the new time instead. RangeError beyond PULSE_MS_MAX. */
  async unlock(pulseMs: number): Promise<void> {
    if (!(pulseMs > 0 && pulseMs <= PULSE_MS_MAX)) throw new RangeError(`pulseMs out of range: ${pulseMs}`);
    if (this.#isClosed) throw new RangeError(`strike ${this.#line.name} is closed`);
    this.#turn += 1;
    this.#cancel();
    // The timer first: a write that hangs must not leave the strike without an end.
    this.#cancel = this.#clock.after(pulseMs, () => this.#elapse());
    try {
      await this.#line.write(true);
    } catch (cause) {
      this.#hooks.onFault(cause);
      await this.release();
      throw cause;
    }
  }

  #elapse(): void {
    this.#hooks.onElapsed();
    void this.release();
  }

  /** De-energises now. Never rejects: a write that fails is tried again until it holds or a new turn begins. */
  async release(): Promise<void> {
    this.#cancel();
    this.#turn += 1;
    await this.#lower(this.#turn);
  }

  async #lower(turn: number): Promise<void> {
    try {
      await this.#line.write(false);
      if (turn === this.#turn) this.#hooks.onReleased();
    } catch (cause) {
      if (turn !== this.#turn) return;
      this.#hooks.onFault(cause);
      if (!this.#isClosed) this.#cancel = this.#clock.after(RELEASE_RETRY_MS, () => void this.#lower(turn));
    }
  }

  /** Releases, then gives the line back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.release();
    await this.#line.close();
  }
}
