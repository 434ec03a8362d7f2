/**
 * Cleaning and verifying an open store: one at a time, in its own turn, ended by a closing store
 * [T10][T11]. Their code is loaded when it is first asked for: most who open a store want neither.
 */
import type { NativePackStore } from "../../addon.ts";
import { GdoError, type Hash } from "../../base/index.ts";
import type { Collected, CollectionRoots, CollectOptions } from "../collect/collection.ts";
import { Holders } from "../collect/holders.ts";
import type { CheckupOptions, Tally } from "../verify/checkup.ts";
import type { BadPlace } from "../verify/pack-bytes.ts";
import type { VerifyOptions, VerifySummary } from "../verify/packs.ts";
import type { PackFiles } from "./files.ts";

/** What is kept up, and how. */
export interface KeptStore {
  readonly native: NativePackStore;
  readonly files: PackFiles;
  readonly dir: string;
  readonly packBytesMax: number;
  readonly isWriter: boolean;
  /** Calls under way that may add objects. */
  readonly inFlight: ReadonlySet<Promise<unknown>>;
  /** What has been appended is durable when it resolves. Of a writer. */
  commit(): Promise<void>;
  /** Takes in what a writer beside this reader has changed. */
  refresh(): Promise<void>;
  /** The packs are gone. */
  forget(packs: readonly number[]): void;
}

export class Upkeep {
  readonly holders = new Holders();
  readonly #store: KeptStore;
  readonly #closing = new AbortController();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(store: KeptStore) {
    this.#store = store;
  }

  async collect(options: CollectOptions): Promise<Collected> {
    const { collect } = await import("../collect/collection.ts");
    const signal = this.#untilClosed(options);
    const settled = (): Promise<unknown> => Promise.allSettled([this.holders.settled(), ...this.#store.inFlight]);
    return this.#inTurn(() => collect({ ...this.#store, settled }, { ...options, signal }));
  }

  async verify(onBad: (place: BadPlace) => void, options: VerifyOptions): Promise<VerifySummary> {
    const { verifyPacks } = await import("../verify/packs.ts");
    const inTurn = <T>(task: () => Promise<T>): Promise<T> => this.#inTurn(task);
    const store = { ...this.#store, commit: () => this.#commitAll(), inTurn };
    return verifyPacks(store, onBad, { ...options, signal: this.#untilClosed(options) });
  }

  async checkNeeds(roots: CollectionRoots, options: CheckupOptions): Promise<void> {
    const { checkNeeds } = await import("../verify/checkup.ts");
    const all = { ...options, signal: this.#untilClosed(options) };
    return this.#inTurn(async () => checkNeeds(await this.#onDisk(), roots, all));
  }

  async tally(roots: readonly Hash[]): Promise<Tally> {
    const { tallyNeeds } = await import("../verify/checkup.ts");
    return this.#inTurn(async () => tallyNeeds(await this.#onDisk(), roots));
  }

  /** Ends what is under way; resolves when nothing is. */
  async end(): Promise<void> {
    this.#closing.abort(new GdoError("IO", "the store is being closed"));
    await this.#queue;
  }

  /** The packs have all that is held. */
  async #onDisk(): Promise<KeptStore> {
    if (this.#store.isWriter) await this.#commitAll();
    return this.#store;
  }

  async #commitAll(): Promise<void> {
    await Promise.allSettled(this.#store.inFlight);
    await this.#store.commit();
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => {
      this.#closing.signal.throwIfAborted();
      return task();
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  #untilClosed({ signal }: { readonly signal?: AbortSignal | undefined }): AbortSignal {
    return AbortSignal.any(signal === undefined ? [this.#closing.signal] : [this.#closing.signal, signal]);
  }
}
