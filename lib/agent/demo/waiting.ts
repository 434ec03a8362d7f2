/** Waiting on the monotonic clock, in ways that can be given up. */
import { type Clock, GdoError } from "../../base/index.ts";

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

/** Monotonic milliseconds. */
export function monoMs(clock: Clock): number {
  return Number(clock.monoNs() / 1000n) / 1000;
}

export interface Patience {
  readonly clock: Clock;
  readonly everyMs: number;
  readonly withinMs: number;
  /** Ends "… did not happen in 60 s: ". */
  readonly what: string;
}

/**
 * Looks again and again until `look` gives a value. AGENT_UNREACHABLE after `withinMs`, with the
 * last thing that was in the way, as `look` reported it.
 */
export async function until<T>(
  patience: Patience,
  look: (blame: (why: string) => void) => Promise<T | undefined>,
): Promise<T> {
  const { clock, everyMs, withinMs, what } = patience;
  const deadline = monoMs(clock) + withinMs;
  let why = "no answer";
  for (;;) {
    const value = await look((reason) => {
      why = reason;
    });
    if (value !== undefined) return value;
    if (monoMs(clock) > deadline)
      throw new GdoError("AGENT_UNREACHABLE", `${what} did not happen in ${withinMs / 1000} s: ${why}`);
    await pause(clock, everyMs);
  }
}
