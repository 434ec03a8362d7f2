/** Who counts on what a store holds while it is cleaned [T11]. */

/** Work that looks what is held and only later names it; a cleaning waits for it. */
export class Holders {
  readonly #running = new Set<Promise<unknown>>();

  /** Runs it; throws what it throws. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  settled(): Promise<unknown> {
    return Promise.allSettled(this.#running);
  }
}
