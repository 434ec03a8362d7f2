/** Keeps work that reads to so many bytes a second, on the monotonic clock. */
import type { Clock } from "../../base/index.ts";

/** What was read while the machine was busy elsewhere may be caught up with, but not more than this. */
const CREDIT_NS = 100_000_000n;
const SECOND_NS = 1_000_000_000;
const MS_NS = 1_000_000n;

export class Throttle {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  /** When the next byte is due. */
  #dueNs: bigint;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#dueNs = clock.monoNs();
  }

  /** Bytes have been read: resolves when more may be, or when the signal says that no more will. */
  async spend(bytes: number, signal?: AbortSignal): Promise<void> {
    const nowNs = this.#clock.monoNs();
    if (this.#dueNs < nowNs - CREDIT_NS) this.#dueNs = nowNs - CREDIT_NS;
    this.#dueNs += BigInt(Math.ceil((bytes * SECOND_NS) / this.#bytesPerSecond));
    const waitMs = Number((this.#dueNs - nowNs) / MS_NS);
    if (waitMs < 1 || signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(waitMs, () => done());
      const done = (): void => {
        cancel();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      signal?.addEventListener("abort", done);
    });
  }
}
