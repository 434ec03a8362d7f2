/** What the packs and the index on disk hold, into the native index: at open, and again beside a writer [T9]. */
import type { NativePackStore } from "../../addon.ts";
import { type PackContents, readContents } from "./catalog.ts";
import type { PackFiles } from "./files.ts";
import { PACK_HEADER_BYTES } from "./frame.ts";
import { isGone } from "./native-error.ts";

export class PackLoader {
  readonly #native: NativePackStore;
  readonly #files: PackFiles;
  readonly #isWriter: boolean;
  /** How far each pack that the index on disk does not cover has been read; a sealed one has no limit. */
  readonly #readTo = new Map<number, number>();

  constructor(native: NativePackStore, files: PackFiles, isWriter: boolean) {
    this.#native = native;
    this.#files = files;
    this.#isWriter = isWriter;
  }

  /** A writer may add and remove packs beside a reader: it reads on until nothing has changed meanwhile. */
  async load(): Promise<void> {
    for (let packs = await this.#files.list(); ; ) {
      const covered = new Set(await this.#native.loadIndex(this.#isWriter));
      for (const pack of packs) {
        if (covered.has(pack)) this.#readTo.delete(pack);
        else await this.#loadPack(pack);
      }
      const last = packs.at(-1);
      if (last !== undefined && covered.has(last)) this.#native.setLastPack(last);
      const there = new Set(packs);
      const gone = [...this.#readTo.keys(), ...covered].filter((pack) => !there.has(pack));
      if (gone.length > 0) this.#native.dropPacks(gone);
      for (const pack of gone) this.#readTo.delete(pack);
      const now = await this.#files.list();
      if (now.join() === packs.join()) return;
      packs = now;
    }
  }

  async #loadPack(pack: number): Promise<void> {
    const from = this.#readTo.get(pack) ?? PACK_HEADER_BYTES;
    if (from === Number.POSITIVE_INFINITY) return;
    let contents: PackContents;
    try {
      contents = await readContents(this.#files, pack, from);
    } catch (error) {
      if (!this.#isWriter && isGone(error)) return; // Removed since the folder was read.
      throw error;
    }
    const { isSealed, isDamaged, endBytes, markedBytes, rows } = contents;
    this.#native.addEntries(pack, rows);
    this.#readTo.set(pack, isSealed ? Number.POSITIVE_INFINITY : Math.max(from, endBytes));
    if (isSealed || isDamaged) this.#native.setLastPack(pack);
    else this.#native.setLastPack(pack, endBytes, markedBytes, rows);
    if (isSealed && this.#isWriter) await this.#native.sealPack(pack, endBytes);
  }

  /** The packs are gone. */
  forget(packs: readonly number[]): void {
    for (const pack of packs) this.#readTo.delete(pack);
  }
}
