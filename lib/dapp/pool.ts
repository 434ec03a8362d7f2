/**
 * Which warm containers go on when memory is short: the one idle longest ends, one at a time, until it is
 * no longer short. Those kept warm stay: a door does not wait for a container. Rules: docs/design/dapps.md.
 */
import type { Cancel, Clock, Log } from "../base/index.ts";
import type { MemorySource } from "./container/memory.ts";

const CHECK_EVERY_MS = 2_000;

/** A container as the pool sees it. */
export interface Restable {
  readonly name: string;
  /** When its last call ended, by the monotonic clock; undefined while it is asked, or does not run. */
  readonly idleSinceNs: bigint | undefined;
  rest(): Promise<void>;
}

export interface PoolOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly memory: MemorySource;
  /** Dapps whose containers stay, by name. */
  readonly keepWarm: readonly string[];
}

export class ContainerPool {
  readonly #options: PoolOptions;
  readonly #running = new Set<Restable>();
  #cancel: Cancel | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Watches a container that was started. One that has ended is told by `left`. */
  joined(container: Restable): void {
    this.#running.add(container);
    this.#cancel ??= this.#options.clock.after(CHECK_EVERY_MS, () => this.#check());
  }

  left(container: Restable): void {
    this.#running.delete(container);
    if (this.#running.size === 0) this.close();
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #check(): void {
    const { clock, log, memory, keepWarm } = this.#options;
    this.#cancel = clock.after(CHECK_EVERY_MS, () => this.#check());
    const { isShort, idleMax } = memory();
    const idle = [...this.#running].filter(
      ({ name, idleSinceNs }) => idleSinceNs !== undefined && !keepWarm.includes(name),
    );
    const longest = idle.reduce<Restable | undefined>((one, other) => (isOlder(other, one) ? other : one), undefined);
    if (longest === undefined || !(isShort || idle.length > (idleMax ?? idle.length))) return;
    log.info("an idle dapp was stopped", {
      dapp: longest.name,
      why: isShort ? "memory is short" : "too many are idle",
    });
    void longest.rest();
  }
}

function isOlder({ idleSinceNs }: Restable, than: Restable | undefined): boolean {
  return than?.idleSinceNs === undefined || (idleSinceNs !== undefined && idleSinceNs < than.idleSinceNs);
}
