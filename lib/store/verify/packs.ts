/**
 * Verifying packs: quick compares sizes, headers, footers and the index; full reads every byte besides
 * [T11]. Pack by pack, each in its turn with cleaning: so a cleaning waits for one pack at most, and what
 * it moves meanwhile it has checked itself. What was done is told after each pack, so that it can be gone
 * on with: a sealed pack never changes.
 */
import { relative } from "node:path";
import type { NativePackStore, NativeRowsChecked } from "../../addon.ts";
import { bytesOf, GdoError, type Hash, hashOf32 } from "../../base/index.ts";
import { type PackContents, readContents } from "../pack/catalog.ts";
import type { PackFiles } from "../pack/files.ts";
import { checkPackHeader, ENTRY_BYTES, FOOTER_BYTES_MIN, PACK_HEADER_BYTES } from "../pack/frame.ts";
import { isGone, withStoreErrors } from "../pack/native-error.ts";
import { type BadPlace, verifyPack } from "./pack-bytes.ts";

/** How far a full verification came. */
export interface VerifyPoint {
  /** All packs below have been read, */
  readonly nextPack: number;
  /** and these are damaged: they are read again, so that all damage is told at the end. */
  readonly damagedPacks: readonly number[];
  /** Right records of the packs that need not be read again. */
  readonly objects: number;
}

export interface VerifyOptions {
  readonly depth?: "quick" | "full";
  /** Goes on from here. */
  readonly from?: VerifyPoint | undefined;
  readonly onPoint?: ((point: VerifyPoint) => void) | undefined;
  readonly onProgress?: ((progress: { readonly bytes: number; readonly bytesTotal: number }) => void) | undefined;
  /** Told of bytes that were read; makes the reading wait. */
  readonly pace?: ((bytes: number) => Promise<void> | void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface VerifySummary {
  /** Records that are right; of a quick verification, those that are listed. */
  readonly objects: number;
  readonly bad: number;
}

/** What verifying needs of the store. */
export interface VerifiedStore {
  readonly native: NativePackStore;
  readonly files: PackFiles;
  readonly isWriter: boolean;
  commit(): Promise<void>;
  /** Takes in what a writer beside this reader has done. */
  refresh(): Promise<void>;
  /** Runs the task when no cleaning does. */
  inTurn<T>(task: () => Promise<T>): Promise<T>;
}

/** Each damaged place is told with file, offset and, if known, id [T10]. The signal's reason; IO. */
export async function verifyPacks(
  store: VerifiedStore,
  onBad: (place: BadPlace) => void,
  options: VerifyOptions,
): Promise<VerifySummary> {
  const verification = new PackVerification(store, onBad, options);
  return options.depth === "quick" ? store.inTurn(() => verification.quick()) : verification.full();
}

interface Looked {
  readonly objects: number;
  /** Of its footer's rows, those of the records that count. */
  readonly counting: number;
  readonly bad: readonly BadPlace[];
}

const NOTHING: Looked = { objects: 0, counting: 0, bad: [] };

class PackVerification {
  readonly #store: VerifiedStore;
  readonly #onBad: (place: BadPlace) => void;
  readonly #options: VerifyOptions;
  #bad = 0;
  #readBytes = 0;
  #totalBytes = 0;

  constructor(store: VerifiedStore, onBad: (place: BadPlace) => void, options: VerifyOptions) {
    this.#store = store;
    this.#onBad = onBad;
    this.#options = options;
  }

  async full(): Promise<VerifySummary> {
    await this.#upToDate();
    const { from } = this.#options;
    const damaged = new Set(from?.damagedPacks);
    const packs = await this.#store.files.list();
    const last = packs.at(-1) ?? 0;
    const todo = packs.filter((pack) => from === undefined || pack >= from.nextPack || damaged.has(pack));
    for (const pack of todo) this.#totalBytes += await this.#sizeOf(pack);
    let objects = from?.objects ?? 0;
    let lasting = objects; // Of packs that need not be read again.
    for (const pack of todo) {
      const looked = await this.#store.inTurn(() => this.#confirmed(pack, last, true));
      this.#tell(looked.bad);
      objects += looked.objects;
      if (looked.bad.length > 0) damaged.add(pack);
      else lasting += looked.objects;
      if (looked.bad.length === 0) damaged.delete(pack);
      // The last one may still grow.
      if (pack < last) this.#point(Math.max(pack + 1, from?.nextPack ?? 0), damaged, lasting);
    }
    await this.#index();
    return { objects, bad: this.#bad };
  }

  async quick(): Promise<VerifySummary> {
    await this.#upToDate();
    const { files, native } = this.#store;
    const packs = await files.list();
    const last = packs.at(-1) ?? 0;
    const before = [native.count(), packs.length === 0 ? 0 : await files.sizeBytes(last)];
    let objects = 0;
    let counting = 0;
    for (const pack of packs) {
      const looked = await this.#confirmed(pack, last, false);
      this.#tell(looked.bad);
      objects += looked.objects;
      counting += looked.counting;
    }
    await this.#index();
    if (this.#store.isWriter) await this.#upToDate();
    const now = (await files.list()).at(-1) ?? 0;
    const after = [native.count(), now === 0 ? 0 : await files.sizeBytes(now)];
    const isStill = this.#store.isWriter && after.join() === before.join();
    if (isStill && counting < (after[0] ?? 0) && this.#bad === 0) {
      const what = `the index has ${(after[0] ?? 0) - counting} objects that no pack has`;
      this.#tell([{ pack: "index", offset: 0, what }]);
    }
    return { objects, bad: this.#bad };
  }

  /** Every page of the index on disk. */
  async #index(): Promise<void> {
    const { native, files } = this.#store;
    const faults = await withStoreErrors(() => native.verifyIndex());
    this.#tell(faults.map(({ file, offset, what }) => ({ pack: relative(files.dir, file), offset, what })));
  }

  #upToDate(): Promise<void> {
    return this.#store.isWriter ? this.#store.commit() : this.#store.refresh();
  }

  #point(nextPack: number, damaged: ReadonlySet<number>, objects: number): void {
    this.#options.onPoint?.({ nextPack, damagedPacks: [...damaged], objects });
  }

  #tell(places: readonly BadPlace[]): void {
    this.#bad += places.length;
    for (const place of places) this.#onBad(place);
  }

  async #sizeOf(pack: number): Promise<number> {
    return this.#unlessGone(() => this.#store.files.sizeBytes(pack), 0);
  }

  /** Beside a writer, what seems damaged may only have been moved: then it is looked at again. */
  async #confirmed(pack: number, last: number, isFull: boolean): Promise<Looked> {
    this.#options.signal?.throwIfAborted();
    const look = (): Promise<Looked> => this.#unlessGone(() => this.#look(pack, last, isFull), NOTHING);
    const looked = await look();
    if (this.#store.isWriter || looked.bad.length === 0) return looked;
    await this.#store.refresh();
    return look();
  }

  /** A pack may be removed before its turn comes. */
  async #unlessGone<T>(task: () => Promise<T>, gone: T): Promise<T> {
    try {
      return await task();
    } catch (error) {
      if (isGone(error)) return gone;
      throw error;
    }
  }

  async #look(pack: number, last: number, isFull: boolean): Promise<Looked> {
    const { files } = this.#store;
    const bad: BadPlace[] = [];
    const contents = await readContents(files, pack);
    const { counting, objects } = await this.#rows(pack, contents, bad);
    let right = objects;
    if (isFull) right = await this.#read(pack, bad);
    else await this.#checkHeader(pack, bad);
    if (bad.length === 0 && !contents.isSealed && (pack !== last || contents.isDamaged)) {
      bad.push({
        pack: files.nameOf(pack),
        offset: contents.endBytes,
        what: "the pack does not end with a whole footer",
      });
    }
    for (const { id, offset } of bad) if (id !== undefined) await this.#markDamaged(pack, offset, id);
    return { objects: right, counting, bad };
  }

  async #rows(
    pack: number,
    { rows, isSealed, endBytes }: PackContents,
    bad: BadPlace[],
  ): Promise<{ counting: number; objects: number }> {
    const { native, files } = this.#store;
    const end = isSealed ? endBytes - FOOTER_BYTES_MIN - rows.length : endBytes;
    const checked = (await withStoreErrors(async () => native.check("rows", pack, rows, end))) as NativeRowsChecked;
    for (const { id, offset, what } of checked.faults)
      bad.push({ pack: files.nameOf(pack), offset, what, id: hashOf32(id) });
    return { counting: checked.counting, objects: rows.length / ENTRY_BYTES };
  }

  async #checkHeader(pack: number, bad: BadPlace[]): Promise<void> {
    const { files } = this.#store;
    const sizeBytes = await files.sizeBytes(pack);
    if (sizeBytes === 0) return;
    const isWhole = sizeBytes >= PACK_HEADER_BYTES;
    const isRight = isWhole && checkPackHeader(await files.read(pack, 0, PACK_HEADER_BYTES), pack) === "ok";
    if (!isRight) bad.push({ pack: files.nameOf(pack), offset: 0, what: "the pack's header is damaged" });
  }

  #read(pack: number, bad: BadPlace[]): Promise<number> {
    const { signal, pace, onProgress } = this.#options;
    return verifyPack(this.#store.files, pack, {
      contentFault: (record, id, offset) => this.#contentFault(record, id, { pack, offset }),
      onBad: (place) => bad.push(place),
      onRead: async (bytes) => {
        signal?.throwIfAborted();
        this.#readBytes += bytes;
        onProgress?.({ bytes: this.#readBytes, bytesTotal: this.#totalBytes });
        await pace?.(bytes);
      },
    });
  }

  /** Of a record that a later one has replaced, only the form counts: what it leaned on may be gone [T11]. */
  async #contentFault(
    record: Uint8Array,
    id: Hash,
    { pack, offset }: { readonly pack: number; readonly offset: number },
  ): Promise<string | undefined> {
    const { native } = this.#store;
    if (!native.isAt(bytesOf(id), pack, offset)) return undefined;
    try {
      await withStoreErrors(() => native.openRecord(record, bytesOf(id)));
      return undefined;
    } catch (error) {
      if (error instanceof GdoError && error.code === "STORE_CORRUPT") return error.message;
      throw error;
    }
  }

  /** [T10] From now on it counts as missing, unless its content is right all the same. */
  async #markDamaged(pack: number, offset: number, id: Hash): Promise<void> {
    const { native } = this.#store;
    if (native.isAt(bytesOf(id), pack, offset)) await native.get(bytesOf(id)).catch(() => undefined);
  }
}
