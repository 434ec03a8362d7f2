/** A blob's chunk list, built from below as a content-defined tree, holding one open node a level [T3]. */
import type { ProfileName } from "../../addon.ts";
import type { Hash } from "../../base/index.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { type BlobEntry, encodeBlobNode, endsNode, nodeLengthBytes, ZEROS_ID } from "./blob-node.ts";

export class ChunkList {
  readonly #store: ChunkStore;
  readonly #profile: ProfileName;
  readonly #levels: BlobEntry[][] = [[]];
  /** Zero chunks in a row become one entry, however many: a hole costs nothing. */
  #zerosBytes = 0;

  constructor(store: ChunkStore, profile: ProfileName) {
    this.#store = store;
    this.#profile = profile;
  }

  addZeros(lengthBytes: number): void {
    this.#zerosBytes += lengthBytes;
  }

  async add(chunk: BlobEntry): Promise<void> {
    await this.#endZeros();
    await this.#push(0, chunk);
  }

  /** The root's id: the lowest node that stands for everything. */
  async finish(): Promise<Hash> {
    await this.#endZeros();
    for (let level = 0; ; level += 1) {
      const entries = this.#levels[level] ?? [];
      const isTop = level === this.#levels.length - 1;
      const [only] = entries;
      if (isTop && level > 0 && only !== undefined && entries.length === 1) return only.id;
      if (isTop) return this.#put(level, entries);
      if (entries.length > 0) await this.#end(level);
    }
  }

  async #endZeros(): Promise<void> {
    const lengthBytes = this.#zerosBytes;
    this.#zerosBytes = 0;
    if (lengthBytes > 0) await this.#push(0, { id: ZEROS_ID, lengthBytes });
  }

  async #push(level: number, entry: BlobEntry): Promise<void> {
    const entries = this.#levels[level] ?? [];
    this.#levels[level] = entries;
    entries.push(entry);
    if (endsNode(entries.length, entry.id)) await this.#end(level);
  }

  async #end(level: number): Promise<void> {
    const entries = this.#levels[level] ?? [];
    this.#levels[level] = [];
    const lengthBytes = nodeLengthBytes({ profile: this.#profile, level, entries });
    await this.#push(level + 1, { id: await this.#put(level, entries), lengthBytes });
  }

  #put(level: number, entries: readonly BlobEntry[]): Promise<Hash> {
    return this.#store.put("blob", encodeBlobNode({ profile: this.#profile, level, entries }));
  }
}
