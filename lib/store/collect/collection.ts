/**
 * Cleaning a pack store [T11]: what nothing names is found, and packs are removed or stored anew. Each
 * pack that is done stays done, so whatever ends a cleaning, the next goes on from there.
 *
 * Work under way that has found an object held may name it later. So what is not named is condemned
 * first: from then on it counts as not held, and whoever needs it puts it again. Then all work that
 * began before is waited for, and what has been named meanwhile is spared. Only then is anything moved:
 * copies first, then their commit, then the index, then the old packs.
 */
import { unlink } from "node:fs/promises";
import type { CollectionStep, NativePackStore } from "../../addon.ts";
import { bytesOf, concatBytes, type Hash } from "../../base/index.ts";
import { syncFolder } from "../durable-folder.ts";
import { withIoErrors } from "../io-error.ts";
import { readContents } from "../pack/catalog.ts";
import type { PackFiles } from "../pack/files.ts";
import { FOOTER_BYTES_MIN, PACK_HEADER_BYTES } from "../pack/frame.ts";
import { withStoreErrors } from "../pack/native-error.ts";
import { deadPacks, type PackUse, packsToRepack } from "./plan.ts";

/** What keeps objects alive. Asked twice: what was named meanwhile counts. */
export interface CollectionRoots {
  /** Objects that must be there with all that they need: else nothing is removed. */
  readonly whole: () => Promise<readonly Hash[]>;
  /** Canonical bytes that may name objects, anywhere in them. */
  readonly naming: () => Iterable<Uint8Array>;
}

export interface CollectOptions {
  readonly roots: CollectionRoots;
  /** Looks and tells; changes nothing. */
  readonly dryRun?: boolean | undefined;
  /** No more is begun when so much has been written; a little is done in any case. */
  readonly budgetBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: CollectProgress) => void;
}

/** Of the packs that go: known once it is known what is needed. */
export interface CollectProgress {
  readonly bytes: number;
  readonly bytesTotal: number;
}

export interface Collected {
  readonly liveObjects: number;
  readonly liveBytes: number;
  readonly deadObjects: number;
  readonly deadBytes: number;
  readonly droppedPacks: number;
  readonly repackedPacks: number;
  readonly writtenBytes: number;
  /** What the packs take less than before. */
  readonly freedBytes: number;
  /** Packs that the budget left for the next time. */
  readonly leftPacks: number;
  /** Packs that hold something that is needed and damaged: they stay. */
  readonly damagedPacks: number;
}

/** What a cleaning needs of the store. */
export interface CollectedStore {
  readonly native: NativePackStore;
  readonly files: PackFiles;
  readonly dir: string;
  readonly packBytesMax: number;
  commit(): Promise<void>;
  /** Resolves when all work that is under way now has ended. */
  settled(): Promise<unknown>;
  /** The packs are gone. */
  forget(packs: readonly number[]): void;
}

const NAMING_BYTES = 1024 * 1024;

/** STORE_CORRUPT, STORE_MISSING when what a kept thing needs cannot be told; STORE_FULL, IO; the signal's reason. */
export async function collect(store: CollectedStore, options: CollectOptions): Promise<Collected> {
  const { signal } = options;
  const collection = new Collection(store, options);
  const abort = (): void => void store.native.collect("abort");
  await collection.begin();
  signal?.addEventListener("abort", abort);
  try {
    return await collection.run();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
    store.native.collect("end");
  }
}

class Collection {
  readonly #store: CollectedStore;
  readonly #options: CollectOptions;
  /** Of the packs that are looked at, and still there. */
  readonly #packs = new Map<number, { readonly sizeBytes: number; readonly frameBytes: number }>();
  readonly #kept = new Set<number>();
  readonly #done = { droppedPacks: 0, repackedPacks: 0, writtenBytes: 0, droppedBytes: 0 };
  #lastPack = 0;

  constructor(store: CollectedStore, options: CollectOptions) {
    this.#store = store;
    this.#options = options;
  }

  async begin(): Promise<void> {
    this.#lastPack = (await this.#step("begin", this.#options.dryRun === true)) as number;
  }

  async run(): Promise<Collected> {
    await this.#lookAtPacks();
    await this.#name();
    if (!this.#options.dryRun) {
      this.#store.native.collect("condemn");
      await this.#settled();
      await this.#name();
      await this.#step("nameYoung");
    }
    await this.#step("findLeaning");
    const before = this.#uses();
    if (!this.#options.dryRun) await this.#sweep();
    return this.#report(before);
  }

  async #lookAtPacks(): Promise<void> {
    const { files, native } = this.#store;
    for (const pack of await files.list()) {
      if (pack > this.#lastPack) continue;
      this.#options.signal?.throwIfAborted();
      const sizeBytes = await files.sizeBytes(pack);
      const { rows, isSealed, endBytes } = await readContents(files, pack);
      const footerBytes = isSealed ? FOOTER_BYTES_MIN + rows.length : 0;
      native.collect("pack", pack, rows, endBytes - footerBytes);
      this.#packs.set(pack, { sizeBytes, frameBytes: PACK_HEADER_BYTES + footerBytes });
    }
  }

  async #name(): Promise<void> {
    const { roots } = this.#options;
    await this.#step("name", concatBytes((await roots.whole()).map(bytesOf)), true);
    let batch: Uint8Array[] = [];
    let heldBytes = 0;
    for (const bytes of roots.naming()) {
      batch.push(bytes);
      heldBytes += bytes.length;
      if (heldBytes < NAMING_BYTES) continue;
      await this.#step("nameAllIn", concatBytes(batch));
      [batch, heldBytes] = [[], 0];
    }
    await this.#step("nameAllIn", concatBytes(batch));
  }

  /** Work that may count on something that is condemned now. */
  async #settled(): Promise<void> {
    const { signal } = this.#options;
    await new Promise<void>((resolve) => {
      signal?.addEventListener("abort", () => resolve(), { once: true });
      void this.#store.settled().then(() => resolve());
    });
    signal?.throwIfAborted();
  }

  /** Removing comes before writing: on a full disk it makes room. */
  async #sweep(): Promise<void> {
    const uses = this.#uses();
    const [dead, others] = [deadPacks(uses), packsToRepack(uses, this.#store.packBytesMax)];
    const bytesTotal = [...dead, ...others].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    let bytes = 0;
    const tell = (): void => this.#options.onProgress?.({ bytes, bytesTotal });
    tell();
    await this.#drop(dead);
    bytes = this.#done.droppedBytes;
    for (const use of others) {
      tell();
      if (this.#isSpent()) return;
      const { isDone, damaged } = await this.#repack(use.pack);
      if (damaged > 0) this.#kept.add(use.pack);
      else if (isDone) {
        await this.#drop([use]);
        this.#done.repackedPacks += 1;
      }
      bytes += use.sizeBytes;
    }
    tell();
  }

  #isSpent(): boolean {
    return this.#done.writtenBytes >= (this.#options.budgetBytes ?? Number.POSITIVE_INFINITY);
  }

  async #repack(pack: number): Promise<{ isDone: boolean; damaged: number }> {
    const left = (this.#options.budgetBytes ?? Number.MAX_SAFE_INTEGER) - this.#done.writtenBytes;
    const moved = (await this.#step("repack", pack, left)) as {
      writtenBytes: number;
      damaged: number;
      isDone: boolean;
    };
    this.#done.writtenBytes += moved.writtenBytes;
    return moved;
  }

  async #drop(uses: readonly PackUse[]): Promise<void> {
    if (uses.length === 0) return;
    const { native, files, dir, commit, forget } = this.#store;
    const packs = uses.map(({ pack }) => pack);
    const last = (await files.list()).at(-1) ?? 0;
    if (packs.includes(last)) await this.#step("beginPack");
    await commit(); // [T8] What was moved is durable before what it was moved from goes.
    native.dropPacks(packs);
    forget(packs);
    await withIoErrors(`cannot remove packs of ${dir}`, async () => {
      for (const pack of packs) await unlink(files.pathOf(pack));
      await syncFolder(dir);
    });
    for (const { pack, sizeBytes } of uses) {
      this.#packs.delete(pack);
      this.#done.droppedPacks += 1;
      this.#done.droppedBytes += sizeBytes;
    }
  }

  #uses(): PackUse[] {
    const numbers = this.#store.native.collect("uses") as Float64Array;
    const uses: PackUse[] = [];
    for (let at = 0; at < numbers.length; at += 4) {
      const [pack, records, liveRecords, liveBytes] = numbers.subarray(at, at + 4) as unknown as QuadOfNumbers;
      const known = this.#packs.get(pack);
      if (known === undefined || this.#kept.has(pack)) continue;
      const { sizeBytes, frameBytes } = known;
      uses.push({ pack, sizeBytes, records, liveRecords, liveBytes, deadBytes: sizeBytes - frameBytes - liveBytes });
    }
    return uses;
  }

  #report(before: readonly PackUse[]): Collected {
    const { droppedBytes, ...done } = this.#done;
    const sum = (of: (use: PackUse) => number): number => before.reduce((total, use) => total + of(use), 0);
    const uses = this.#uses();
    const toDrop = deadPacks(uses).length;
    const toRepack = packsToRepack(uses, this.#store.packBytesMax).length;
    return {
      liveObjects: sum(({ liveRecords }) => liveRecords),
      liveBytes: sum(({ liveBytes }) => liveBytes),
      deadObjects: sum(({ records, liveRecords }) => records - liveRecords),
      deadBytes: sum(({ deadBytes }) => deadBytes),
      ...done,
      freedBytes: droppedBytes - done.writtenBytes,
      leftPacks: toDrop + toRepack,
      damagedPacks: this.#kept.size,
    };
  }

  async #step(step: CollectionStep, ...args: readonly unknown[]): Promise<unknown> {
    this.#options.signal?.throwIfAborted();
    return withStoreErrors(async () => this.#store.native.collect(step, ...args));
  }
}

type QuadOfNumbers = readonly [number, number, number, number];
