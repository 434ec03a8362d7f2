/**
 * Objects on disk, in append-only packs. One process writes; others may read beside it and see new
 * objects after `refresh`. docs/design/store.md rules, docs/design/pack-format.md has the bytes.
 */
import { existsSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { mkdir } from "node:fs/promises";
import { GdoError, type Hash } from "../../base/index.ts";
import type { ChunkStore, ObjectKind, StoredObject } from "../chunk-store.ts";
import { withIoErrors } from "../io-error.ts";
import { assertObjectSize, objectId } from "../object.ts";
import { assertPrefix } from "../prefix.ts";
import { type PackContents, readContents } from "./catalog.ts";
import { PackFiles } from "./files.ts";
import { footerBytes, PACK_HEADER_BYTES } from "./frame.ts";
import { IdTable, type Place } from "./id-table.ts";
import { lockStore } from "./lock.ts";
import { openRecord } from "./object-record.ts";
import { packPayload } from "./payload.ts";
import { encodeRecord } from "./record.ts";
import { type BadPlace, verifyPack } from "./verify.ts";
import { PackWriter } from "./writer.ts";

/** [T7] For disks; a node on an SD card asks for 32 MiB. */
const PACK_BYTES_DEFAULT = 128 * 1024 * 1024;
/** Offsets in a footer have 32 bits; the limit leaves room for the last object and the footer. */
const PACK_BYTES_LIMIT = 1024 * 1024 * 1024;
/** A pack this full is sealed on close, so that the next open need not read it through. */
const SEAL_ON_CLOSE_PART = 1 / 8;

export interface PackStoreOptions {
  /** Opens beside a writer. Nothing is locked, made or changed. */
  readonly readOnly?: boolean;
  /** Size after which a pack is ended. 128 MiB unless told. */
  readonly packBytesMax?: number;
}

export interface VerifySummary {
  /** Records that are right. */
  readonly objects: number;
  readonly bad: number;
}

const FRESH: PackContents = { isSealed: false, entries: [], endBytes: 0, markedBytes: 0, isDamaged: false };

export class PackStore implements ChunkStore {
  readonly #files: PackFiles;
  readonly #packBytesMax: number;
  /** Absent when opened for reading. */
  readonly #lock: FileHandle | undefined;
  readonly #index = new IdTable();
  /** Ids whose only record was found damaged: a new put writes them again. */
  readonly #damaged = new Set<Hash>();
  /** How far each unsealed pack has been read; a sealed one has no limit. */
  readonly #readTo = new Map<number, number>();
  #writer: PackWriter | undefined;
  /** A last pack that may be continued, until the first put. */
  #continuable: { readonly pack: number; readonly contents: PackContents } | undefined;
  #lastPack = 0;
  /** Writing happens one step at a time, in the order of the calls. */
  #queue: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(dir: string, lock: FileHandle | undefined, packBytesMax: number) {
    this.#files = new PackFiles(dir);
    this.#lock = lock;
    this.#packBytesMax = packBytesMax;
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
    if (!options.readOnly) await withIoErrors(`cannot make ${dir}`, () => mkdir(dir, { recursive: true, mode: 0o700 }));
    else if (!existsSync(dir)) throw new GdoError("NOT_FOUND", `there is no store at ${dir}`);
    const lock = options.readOnly ? undefined : await lockStore(dir);
    const store = new PackStore(dir, lock, packBytesMax);
    try {
      await store.#load();
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
    const record = encodeRecord({ kind, id, ...packPayload(bytes) });
    await this.#inTurn(async () => {
      if (!this.has(id)) await this.#append(id, record); // Another put of it may have been first.
    });
    return id;
  }

  async get(id: Hash): Promise<StoredObject> {
    this.#assertOpen();
    const place = this.#index.get(id);
    if (place !== undefined) return this.#read(id, place);
    if (this.#lock === undefined) await this.refresh();
    const fresh = this.#index.get(id);
    if (fresh === undefined) throw new GdoError("STORE_MISSING", `object ${id} is not in the store`);
    return this.#read(id, fresh);
  }

  has(id: Hash): boolean {
    return this.#index.get(id) !== undefined && !this.#damaged.has(id);
  }

  missing(ids: Iterable<Hash>): Hash[] {
    return [...new Set(ids)].filter((id) => !this.has(id));
  }

  async commit(): Promise<void> {
    this.#assertWritable();
    await this.#inTurn(() => this.#commit());
  }

  /** Commits and closes; a failure to commit is told after everything has been let go. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      if (this.#lock !== undefined) await this.#inTurn(() => this.#finish());
    } finally {
      await this.#release();
    }
  }

  resolvePrefix(hex: string): Hash[] {
    assertPrefix(hex);
    return [...this.ids()].filter((id) => id.startsWith(hex)).sort();
  }

  *ids(): Iterable<Hash> {
    for (const id of this.#index.ids()) if (!this.#damaged.has(id)) yield id;
  }

  /** Takes in what a writer beside this reader has added since. */
  async refresh(): Promise<void> {
    this.#assertOpen();
    if (this.#lock !== undefined) return; // A writer knows all.
    await this.#inTurn(() => this.#load());
  }

  get objectCount(): number {
    return this.#index.count;
  }

  /** Bytes of all packs on disk. */
  async sizeBytes(): Promise<number> {
    let total = 0;
    for (const pack of await this.#files.list()) total += await this.#files.sizeBytes(pack);
    return total;
  }

  /** Reads every byte of every pack. Each damaged place is told with pack file, offset and, if known, id [T10]. */
  async verify(onBad: (place: BadPlace) => void = () => {}): Promise<VerifySummary> {
    this.#assertOpen();
    if (this.#lock !== undefined) await this.commit();
    let objects = 0;
    let bad = 0;
    const tell = (place: BadPlace): void => {
      bad += 1;
      onBad(place);
    };
    for (const pack of await this.#files.list()) objects += await verifyPack(this.#files, pack, tell);
    return { objects, bad };
  }

  async #read(id: Hash, place: Place): Promise<StoredObject> {
    try {
      const buffered = place.pack === this.#writer?.pack ? this.#writer.buffered(place.offset) : undefined;
      return openRecord(buffered ?? (await this.#files.read(place.pack, place.offset, place.recordBytes)), id);
    } catch (cause) {
      if (!(cause instanceof GdoError) || cause.code !== "STORE_CORRUPT") throw cause;
      this.#damaged.add(id); // [T10] From now on it counts as missing, so that it can be put or fetched again.
      const where = `${this.#files.pathOf(place.pack)}, offset ${place.offset}`;
      throw new GdoError("STORE_CORRUPT", `object ${id} is damaged (${where}): ${cause.message}`, {
        cause,
        hint: "gdo verify",
      });
    }
  }

  async #append(id: Hash, record: Uint8Array): Promise<void> {
    const writer = await this.#openWriter(record.length);
    const offset = await writer.append(id, record);
    this.#index.set(id, { pack: writer.pack, offset, recordBytes: record.length });
    this.#damaged.delete(id);
  }

  /** The pack that has room for one more record of this size. */
  async #openWriter(recordBytes: number): Promise<PackWriter> {
    const current = this.#writer ?? (await this.#continue());
    if (current !== undefined) {
      const sizeBytes = current.endBytes + recordBytes + footerBytes(current.records + 1);
      if (sizeBytes <= this.#packBytesMax || current.records === 0) return current;
      await current.seal();
      this.#writer = undefined;
    }
    const pack = this.#lastPack + 1;
    this.#writer = await PackWriter.open(pack, this.#files.pathOf(pack), FRESH);
    this.#lastPack = pack;
    return this.#writer;
  }

  async #continue(): Promise<PackWriter | undefined> {
    const last = this.#continuable;
    if (last === undefined) return undefined;
    this.#writer = await PackWriter.open(last.pack, this.#files.pathOf(last.pack), last.contents);
    this.#continuable = undefined;
    return this.#writer;
  }

  async #commit(): Promise<void> {
    // What a killed writer had appended counts as held, so it must become durable too [T10].
    const last = this.#continuable?.contents;
    if (last !== undefined && last.endBytes > last.markedBytes) await this.#continue();
    await this.#writer?.commit();
  }

  async #finish(): Promise<void> {
    await this.#commit();
    const sealBytes = this.#packBytesMax * SEAL_ON_CLOSE_PART;
    const isLarge = (this.#continuable?.contents.endBytes ?? 0) >= sealBytes;
    const writer = this.#writer ?? (isLarge ? await this.#continue() : undefined);
    if (writer === undefined || writer.endBytes < sealBytes) return;
    await writer.seal();
    this.#writer = undefined;
  }

  async #load(): Promise<void> {
    for (const pack of await this.#files.list()) {
      const from = this.#readTo.get(pack) ?? PACK_HEADER_BYTES;
      if (from === Number.POSITIVE_INFINITY) continue;
      const contents = await readContents(this.#files, pack, from);
      for (const { id, offset, recordBytes } of contents.entries) {
        this.#index.set(id, { pack, offset, recordBytes });
        this.#damaged.delete(id); // Written again by the writer.
      }
      this.#readTo.set(pack, contents.isSealed ? Number.POSITIVE_INFINITY : Math.max(from, contents.endBytes));
      this.#lastPack = pack;
      this.#continuable = contents.isSealed || contents.isDamaged ? undefined : { pack, contents };
    }
  }

  async #release(): Promise<void> {
    await this.#writer?.close().catch(() => undefined);
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
