/** The container of one dapp: started for a call when none runs, kept warm, started again after a failure. */
import { type Clock, GdoError, type Log } from "../base/index.ts";
import type { Manifest } from "./manifest.ts";
import type { ContainerPool, Restable } from "./pool.ts";
import { DappSession } from "./protocol/session.ts";
import type { ContainerRuntime, ContainerSpec } from "./runtime.ts";

/** Takes what a dapp says in its log and what became of it, one line each. Never throws. */
export interface DappJournal {
  write(dapp: string, text: string): void;
}

export interface WarmContainerOptions {
  readonly runtime: ContainerRuntime;
  readonly log: Log;
  readonly clock: Clock;
  readonly pool: ContainerPool;
  readonly journal?: DappJournal | undefined;
  /** What to start; asked before each start, as images may be removed between them. */
  spec(): Promise<ContainerSpec>;
}

export class WarmContainer implements Restable {
  readonly name: string;
  readonly #manifest: Manifest;
  readonly #options: WarmContainerOptions;
  #session: DappSession | undefined;
  #idleSinceNs: bigint | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;

  constructor(manifest: Manifest, options: WarmContainerOptions) {
    this.name = manifest.name;
    this.#manifest = manifest;
    this.#options = options;
  }

  get idleSinceNs(): bigint | undefined {
    return this.#idleSinceNs;
  }

  /** One use after the other. What `use` throws ends the container. */
  async use<T>(use: (session: DappSession) => Promise<T>): Promise<T> {
    this.#waiting += 1;
    this.#idleSinceNs = undefined;
    const used = this.#turn.then(async () => {
      const session = await this.#warm();
      try {
        return await use(session);
      } catch (cause) {
        await session.close();
        throw cause;
      }
    });
    this.#turn = used.then(
      () => this.#done(),
      () => this.#done(),
    );
    return used;
  }

  /** Ends the container if nobody waits for it; the next use starts another. */
  async rest(): Promise<void> {
    if (this.#idleSinceNs === undefined) return;
    this.#idleSinceNs = undefined;
    await this.#session?.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#session?.close();
  }

  #done(): void {
    this.#waiting -= 1;
    const isIdle = this.#waiting === 0 && this.#session?.isOver === false;
    this.#idleSinceNs = isIdle ? this.#options.clock.monoNs() : undefined;
  }

  async #warm(): Promise<DappSession> {
    if (this.#isClosed) throw new GdoError("DAPP_ERROR", `${this.name} was stopped`);
    if (this.#session !== undefined && !this.#session.isOver) return this.#session;
    const { runtime, log, clock, journal, pool } = this.#options;
    const { name: dapp, limits } = this.#manifest;
    const spec = await this.#options.spec();
    const session = new DappSession({ dapp, limits, clock, log, tell: (text) => journal?.write(dapp, text) });
    const container = await runtime.start(spec, session.listener);
    session.attach(container);
    this.#session = session;
    pool.joined(this);
    void container.ended.then(() => {
      if (this.#session === session) pool.left(this);
    });
    if (this.#isClosed) await session.close();
    return session;
  }
}
