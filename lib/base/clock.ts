/**
 * Time, injected. Wall time is advice (it may be wrong or jump); the monotonic clock is what timers
 * use. This file, rng.ts and the composition roots are the only ones that may touch the globals.
 */

export type Cancel = () => void;

export interface Clock {
  /** Wall time, milliseconds since 1970 (UTC). May jump either way. */
  nowMs(): number;
  /** Monotonic nanoseconds since an arbitrary start. Never goes back. */
  monoNs(): bigint;
  /** Calls `fire` once after `delayMs` on the monotonic clock; the result cancels it. */
  after(delayMs: number, fire: () => void): Cancel;
}

/** The machine's own clock, with the wall time shifted by a fixed offset. */
export class SystemClock implements Clock {
  readonly #offsetMs: number;

  constructor(offsetMs = 0) {
    this.#offsetMs = offsetMs;
  }

  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }

  monoNs(): bigint {
    return process.hrtime.bigint();
  }

  after(delayMs: number, fire: () => void): Cancel {
    const timer = setTimeout(fire, delayMs);
    return () => clearTimeout(timer);
  }
}

interface Timer {
  readonly dueNs: bigint;
  readonly order: number;
  readonly fire: () => void;
}

/** Due timers in the order in which they fall due, ties in the order of their making. */
class TimerQueue {
  readonly #timers = new Set<Timer>();
  #made = 0;

  add(dueNs: bigint, fire: () => void): Cancel {
    const timer = { dueNs, order: this.#made++, fire };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (
        first === undefined ||
        timer.dueNs < first.dueNs ||
        (timer.dueNs === first.dueNs && timer.order < first.order)
      )
        first = timer;
    }
    return first;
  }

  remove(timer: Timer): void {
    this.#timers.delete(timer);
  }
}

const NS_PER_MS = 1_000_000n;

function toNs(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}

/** A clock that stands still until told: for tests and simulation. */
export class FakeClock implements Clock {
  readonly #timers = new TimerQueue();
  #nowNs = 0n;
  #wallMs: number;

  constructor(wallMs = 0) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monoNs(): bigint {
    return this.#nowNs;
  }

  after(delayMs: number, fire: () => void): Cancel {
    return this.#timers.add(this.#nowNs + toNs(delayMs), fire);
  }

  /** Moves both clocks on by `ms`, firing what falls due on the way at its own time. */
  advance(ms: number): void {
    const startNs = this.#nowNs;
    const startWallMs = this.#wallMs;
    const endNs = startNs + toNs(ms);
    for (let timer = this.#timers.next(); timer !== undefined && timer.dueNs <= endNs; timer = this.#timers.next()) {
      this.#timers.remove(timer);
      if (timer.dueNs > this.#nowNs) this.#nowNs = timer.dueNs;
      this.#wallMs = startWallMs + Number(this.#nowNs - startNs) / 1e6;
      timer.fire();
    }
    this.#nowNs = endNs;
    this.#wallMs = startWallMs + ms;
  }

  /** Steps the wall clock only, as NTP or a person does. */
  setWall(wallMs: number): void {
    this.#wallMs = wallMs;
  }
}

/**
 * A clock that runs at the machine's pace between jumps: a day can be played in half a minute while
 * everything within one swipe keeps its real timing. Jumps move wall and monotonic time together and
 * fire what falls due on the way. Only for simulated lines.
 */
export class SteeredClock implements Clock {
  readonly #timers = new TimerQueue();
  #skippedNs = 0n;
  #wallOffsetMs: number;
  #wake: NodeJS.Timeout | undefined;

  constructor(wallMs: number) {
    this.#wallOffsetMs = wallMs - Date.now();
  }

  nowMs(): number {
    return Date.now() + this.#wallOffsetMs;
  }

  monoNs(): bigint {
    return process.hrtime.bigint() + this.#skippedNs;
  }

  after(delayMs: number, fire: () => void): Cancel {
    const cancel = this.#timers.add(this.monoNs() + toNs(delayMs), fire);
    this.#arm();
    return cancel;
  }

  /** Jumps forward to a wall time; a time that has passed is ignored. */
  advanceTo(wallMs: number): void {
    const target = this.monoNs() + toNs(Math.max(0, wallMs - this.nowMs()));
    for (let timer = this.#timers.next(); timer !== undefined && timer.dueNs <= target; timer = this.#timers.next()) {
      this.#timers.remove(timer);
      this.#skipTo(timer.dueNs);
      timer.fire();
    }
    this.#skipTo(target);
    this.#arm();
  }

  #skipTo(ns: bigint): void {
    const skipNs = ns - this.monoNs();
    if (skipNs <= 0n) return;
    this.#skippedNs += skipNs;
    this.#wallOffsetMs += Number(skipNs) / 1e6;
  }

  #arm(): void {
    clearTimeout(this.#wake);
    const timer = this.#timers.next();
    if (timer === undefined) return;
    const waitNs = timer.dueNs - this.monoNs();
    this.#wake = setTimeout(() => this.#fireDue(), waitNs > 0n ? Number(waitNs / NS_PER_MS) + 1 : 0);
  }

  #fireDue(): void {
    for (
      let timer = this.#timers.next();
      timer !== undefined && timer.dueNs <= this.monoNs();
      timer = this.#timers.next()
    ) {
      this.#timers.remove(timer);
      timer.fire();
    }
    this.#arm();
  }
}

/** Resolves when all that waits for nothing but other promises has gone on: for simulations, between two events. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
