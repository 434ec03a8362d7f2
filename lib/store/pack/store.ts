/**
 * Objects on disk, in append-only packs. One process writes; others may read beside it and see new
 * objects after `refresh`. docs/design/store.md rules, docs/design/pack-format.md has the bytes.
 */
import { existsSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { type NativeJob, type NativePackStore, nativePackStore } from "../../addon.ts";
import { bytesOf, GdoError, HASH_BYTES, type Hash, hashOf32 } from "../../base/index.ts";
import type { ObjectKind, StoredObject } from "../chunk-store.ts";
import type { Collected, CollectionRoots, CollectOptions } from "../collect/collection.ts";
import { makeFolder } from "../durable-folder.ts";
import type { FileStore, FileWork, PutFile, PutFileOptions } from "../file-store.ts";
import { withIoErrors } from "../io-error.ts";
import { assertObjectSize, objectId } from "../object.ts";
import { assertPrefix, idAfter } from "../prefix.ts";
import type { CheckupOptions, Tally } from "../verify/checkup.ts";
import type { BadPlace } from "../verify/pack-bytes.ts";
import type { VerifyOptions, VerifySummary } from "../verify/packs.ts";
import { PackFiles } from "./files.ts";
import { PackLoader } from "./loader.ts";
import { lockStore } from "./lock.ts";
import { isGone, withStoreErrors } from "./native-error.ts";
import { KINDS } from "./record.ts";
import { Upkeep } from "./upkeep.ts";

/** [T7] For disks; a node on an SD card asks for 32 MiB. */
const PACK_BYTES_DEFAULT = 128 * 1024 * 1024;
/** Offsets in a footer have 32 bits; the limit leaves room for the last object and the footer. */
const PACK_BYTES_LIMIT = 1024 * 1024 * 1024;

export interface PackStoreOptions {
  /** Opens beside a writer. Nothing is locked, made or changed. */
  readonly readOnly?: boolean;
  /** Size after which a pack is ended. 128 MiB unless told. */
  readonly packBytesMax?: number;
}

export class PackStore implements FileStore {
  readonly #files: PackFiles;
  /** Absent when opened for reading. */
  readonly #lock: FileHandle | undefined;
  /** The index, reading, the open pack, and the threads that files go through. */
  readonly #native: NativePackStore;
  readonly #loader: PackLoader;
  /** What a commit waits for: everything that was put before it. */
  readonly #inFlight = new Set<Promise<unknown>>();
  /** Commits, and readings of the folder, happen one at a time. */
  #queue: Promise<unknown> = Promise.resolve();
  readonly #upkeep: Upkeep;
  #isClosed = false;

  private constructor(dir: string, lock: FileHandle | undefined, packBytesMax: number) {
    this.#files = new PackFiles(dir);
    this.#lock = lock;
    this.#native = nativePackStore(dir, packBytesMax);
    this.#loader = new PackLoader(this.#native, this.#files, lock !== undefined);
    this.#upkeep = new Upkeep({
      native: this.#native,
      files: this.#files,
      dir,
      packBytesMax,
      isWriter: lock !== undefined,
      commit: () => this.#commit(),
      refresh: () => this.refresh(),
      inFlight: this.#inFlight,
      forget: (packs) => {
        this.#loader.forget(packs);
        this.#files.forget(packs);
      },
    });
  }

  /**
   * Opens the store in a folder, which is made if need be. HOME_LOCKED while another process writes
   * to it, NOT_FOUND when there is none to read, IO, PERMISSION.
   */
  static async open(dir: string, options: PackStoreOptions = {}): Promise<PackStore> {
    const packBytesMax = options.packBytesMax ?? PACK_BYTES_DEFAULT;
    if (!(packBytesMax > 0 && packBytesMax <= PACK_BYTES_LIMIT)) {
      throw new RangeError(`packBytesMax out of range: ${packBytesMax}`);
    }
    if (!options.readOnly) await withIoErrors(`cannot make ${dir}`, () => makeFolder(dir));
    else if (!existsSync(dir)) throw new GdoError("NOT_FOUND", `there is no store at ${dir}`);
    const lock = options.readOnly ? undefined : await lockStore(dir);
    const store = new PackStore(dir, lock, packBytesMax);
    try {
      await store.#loader.load();
      return store;
    } catch (error) {
      await store.#release();
      throw error;
    }
  }

  async put(kind: ObjectKind, bytes: Uint8Array): Promise<Hash> {
    this.#assertWritable();
    assertObjectSize(bytes);
    const id = objectId(kind, bytes);
    if (this.has(id)) return id;
    // A copy: the caller may write to its bytes once this has returned to it.
    await this.#track(this.#native.put(KINDS.indexOf(kind), bytesOf(id), Uint8Array.from(bytes)));
    return id;
  }

  async get(id: Hash): Promise<StoredObject> {
    return this.#freshly(() => this.#read(id));
  }

  /** Stores a file as a blob, read natively from its start. The descriptor stays open and the caller's. */
  async putFile(fd: number, options: PutFileOptions): Promise<PutFile> {
    this.#assertWritable();
    const { sizeBytesMax = Number.MAX_SAFE_INTEGER, profile, onProgress, previous } = options;
    const base = previous === undefined ? undefined : bytesOf(previous);
    const job = this.#native.putFile(fd, sizeBytesMax, profile, onProgress, base);
    const { id, ...counts } = await this.#work(job, options);
    return { ...counts, id: hashOf32(id) };
  }

  /** Writes a blob into a new, empty file, natively; gives its size. Holes are left where it has zeros. */
  async restoreFile(id: Hash, fd: number, options: FileWork = {}): Promise<number> {
    const restore = (): Promise<number> =>
      this.#work(this.#native.restoreFile(bytesOf(id), fd, options.onProgress), options);
    return this.#freshly(restore); // What was written before is written again at the same place.
  }

  has(id: Hash): boolean {
    return this.#native.has(bytesOf(id));
  }

  missing(ids: Iterable<Hash>): Hash[] {
    return [...new Set(ids)].filter((id) => !this.has(id));
  }

  async commit(): Promise<void> {
    this.#assertWritable();
    await Promise.allSettled(this.#inFlight);
    await this.#commit();
  }

  #commit(): Promise<void> {
    return this.#inTurn(() => withStoreErrors(() => this.#native.commit()));
  }

  /** Commits and closes; a failure to commit is told after everything has been let go. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#upkeep.end();
      await Promise.allSettled(this.#inFlight);
      if (this.#lock !== undefined) await this.#inTurn(() => withStoreErrors(() => this.#native.finish()));
    } finally {
      await this.#release();
    }
  }

  resolvePrefix(hex: string): Hash[] {
    assertPrefix(hex);
    const found: Hash[] = [];
    for (const id of this.#idsFrom(Buffer.from(hex.padEnd(2 * HASH_BYTES, "0"), "hex"))) {
      if (!id.startsWith(hex)) break;
      found.push(id);
    }
    return found;
  }

  ids(): Iterable<Hash> {
    return this.#idsFrom(new Uint8Array(HASH_BYTES));
  }

  /** Takes in what a writer beside this reader has added, moved and removed since. */
  async refresh(): Promise<void> {
    this.#assertOpen();
    if (this.#lock !== undefined) return; // A writer knows all.
    await this.#inTurn(() => this.#loader.load());
  }

  /**
   * Runs work that looks what is held and later names it, in a ref or in the ledger: what it finds held
   * is not removed before it ends.
   */
  holding<T>(work: () => Promise<T>): Promise<T> {
    return this.#upkeep.holders.hold(work);
  }

  /** Removes what nothing names [T11]. One at a time; may run beside any other work of this process. */
  async collect(options: CollectOptions): Promise<Collected> {
    this.#assertWritable();
    return this.#upkeep.collect(options);
  }

  get objectCount(): number {
    return this.#native.count();
  }

  /** Bytes of all packs on disk. */
  async sizeBytes(): Promise<number> {
    let total = 0;
    for (const pack of await this.#files.list()) total += await this.#files.sizeBytes(pack);
    return total;
  }

  /** Looks for damage in packs and index [T10]; each damaged place is told. */
  verify(onBad: (place: BadPlace) => void = () => {}, options: VerifyOptions = {}): Promise<VerifySummary> {
    this.#assertOpen();
    return this.#upkeep.verify(onBad, options);
  }

  /** Tells what is not there of all that these need [T10]. Reads no chunks. */
  async checkNeeds(roots: CollectionRoots, options: CheckupOptions): Promise<void> {
    this.#assertOpen();
    return this.#upkeep.checkNeeds(roots, options);
  }

  /** What these need, counted. STORE_MISSING, STORE_CORRUPT when it is not all there. */
  async tally(roots: readonly Hash[]): Promise<Tally> {
    return this.#freshly(() => this.#upkeep.tally(roots));
  }

  /** Ids held, ascending, from the first that is not below `first`. */
  *#idsFrom(first: Uint8Array): Iterable<Hash> {
    for (let from: Uint8Array | undefined = first; from !== undefined; ) {
      const ids = this.#native.ids(from);
      for (let at = 0; at < ids.length; at += HASH_BYTES) yield hashOf32(ids.subarray(at, at + HASH_BYTES));
      from = ids.length === 0 ? undefined : idAfter(ids.subarray(-HASH_BYTES));
    }
  }

  /** Reads; beside a writer, anew with what it has changed, if something is not found. */
  async #freshly<T>(read: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    try {
      return await read();
    } catch (error) {
      if (this.#lock !== undefined || !isNotFound(error)) throw error;
    }
    await this.refresh();
    return read();
  }

  async #read(id: Hash): Promise<StoredObject> {
    const { kind, bytes } = await withStoreErrors(() => this.#native.get(bytesOf(id)));
    return { kind: KINDS[kind] as ObjectKind, bytes };
  }

  /** Waits for work on a file, which the signal ends early. */
  async #work<T>({ number, promise }: NativeJob<T>, { signal }: FileWork): Promise<T> {
    const abort = (): void => this.#native.abort(number);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      return await this.#track(promise);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async #track<T>(call: Promise<T>): Promise<T> {
    this.#inFlight.add(call);
    try {
      return await withStoreErrors(() => call);
    } finally {
      this.#inFlight.delete(call);
    }
  }

  async #release(): Promise<void> {
    this.#native.close();
    await this.#files.close();
    await this.#lock?.close();
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(task);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new GdoError("IO", "the store is closed");
  }

  #assertWritable(): void {
    this.#assertOpen();
    if (this.#lock === undefined) throw new GdoError("PERMISSION", "the store was opened for reading only");
  }
}

/** An object that is not held, or a pack that is gone. */
function isNotFound(error: unknown): boolean {
  return isGone(error) || (error instanceof GdoError && error.code === "STORE_MISSING");
}
