/** Bytes in, a blob out: cut by content, stored chunk by chunk, in bounded memory [T2][T3]. */
import { Chunker, type Cut, type ProfileName } from "../../addon.ts";
import { concatBytes, type Hash } from "../../base/index.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { DEFAULT_PROFILE } from "../file-store.ts";
import { ChunkList } from "./chunk-list.ts";
import { isAllZero } from "./zeros.ts";

const PIECE_BYTES_MAX = 1024 * 1024;
/** Up to here a profile never cuts, so a small file need not visit another thread. */
const UNCUT_BYTES: Readonly<Record<ProfileName, number>> = {
  "min8-64k": 32 * 1024,
  "min8-16k": 8 * 1024,
  "fixed-64k": 64 * 1024,
  "fastcdc2016-16k": 4 * 1024,
  "fastcdc2016-64k": 16 * 1024,
  "fastcdc2020-16k": 4 * 1024,
  "fastcdc2020-64k": 16 * 1024,
  "buzhash-casync": 16 * 1024,
};

export interface PutBlob {
  readonly id: Hash;
  readonly sizeBytes: number;
}

/**
 * Stores a stream of bytes. The pieces are kept until the chunks they belong to are stored: a source
 * must not write to one that it has given. The blob is durable after the store's next commit.
 */
export async function putBlob(
  store: ChunkStore,
  source: AsyncIterable<Uint8Array> | Uint8Array,
  profile: ProfileName = DEFAULT_PROFILE,
): Promise<PutBlob> {
  const writer = new BlobWriter(store, profile);
  for await (const piece of boundedPieces(source)) await writer.write(piece);
  return writer.finish();
}

async function* boundedPieces(source: AsyncIterable<Uint8Array> | Uint8Array): AsyncGenerator<Uint8Array> {
  for await (const piece of source instanceof Uint8Array ? [source] : source) {
    for (let start = 0; start < piece.length; start += PIECE_BYTES_MAX) {
      yield piece.subarray(start, start + PIECE_BYTES_MAX);
    }
  }
}

class BlobWriter {
  readonly #store: ChunkStore;
  readonly #profile: ProfileName;
  readonly #list: ChunkList;
  readonly #pending = new PendingBytes();
  #chunker: Chunker | undefined;
  #sizeBytes = 0;

  constructor(store: ChunkStore, profile: ProfileName) {
    this.#store = store;
    this.#profile = profile;
    this.#list = new ChunkList(store, profile);
  }

  async write(piece: Uint8Array): Promise<void> {
    this.#pending.push(piece);
    this.#sizeBytes += piece.length;
    if (this.#chunker !== undefined) return this.#keep(await this.#chunker.update(piece));
    if (this.#sizeBytes <= UNCUT_BYTES[this.#profile]) return;
    this.#chunker = new Chunker(this.#profile);
    await this.#keep(await this.#chunker.update(this.#pending.all()));
  }

  async finish(): Promise<PutBlob> {
    if (this.#chunker !== undefined) await this.#keep(await this.#chunker.finish());
    else if (this.#sizeBytes > 0) await this.#keepChunk(this.#pending.take(this.#sizeBytes));
    return { id: await this.#list.finish(), sizeBytes: this.#sizeBytes };
  }

  async #keep(cuts: readonly Cut[]): Promise<void> {
    for (const { length, id } of cuts) await this.#keepChunk(this.#pending.take(length), id);
  }

  async #keepChunk(bytes: Uint8Array, id?: Hash): Promise<void> {
    if (isAllZero(bytes)) return this.#list.addZeros(bytes.length);
    const isKnown = id !== undefined && this.#store.has(id);
    await this.#list.add({ id: isKnown ? id : await this.#store.put("chunk", bytes), lengthBytes: bytes.length });
  }
}

/** What has been read and not yet cut: at most one chunk and one piece. */
class PendingBytes {
  readonly #pieces: Uint8Array[] = [];

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
  }

  all(): Uint8Array {
    return this.#pieces.length === 1 ? (this.#pieces[0] as Uint8Array) : concatBytes(this.#pieces);
  }

  /** Removes the first `lengthBytes`; there are as many. */
  take(lengthBytes: number): Uint8Array {
    const taken: Uint8Array[] = [];
    let left = lengthBytes;
    while (left > 0) {
      const first = this.#pieces[0] as Uint8Array;
      taken.push(first.subarray(0, left));
      if (first.length > left) this.#pieces[0] = first.subarray(left);
      else this.#pieces.shift();
      left -= Math.min(left, first.length);
    }
    return taken.length === 1 ? (taken[0] as Uint8Array) : concatBytes(taken);
  }
}
