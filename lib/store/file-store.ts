/** A store that takes files by their descriptors: their bytes never pass through JavaScript. */
import type { ProfileName } from "../addon.ts";
import type { Hash } from "../base/index.ts";
import type { ChunkStore } from "./chunk-store.ts";

/** [T2] How a blob is cut unless its writer says otherwise. */
export const DEFAULT_PROFILE: ProfileName = "min8-64k";

export interface FileWork {
  /** Ends the work early; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told now and then how many bytes of the file are done, holes included. */
  readonly onProgress?: ((doneBytes: number) => void) | undefined;
}

export interface PutFileOptions extends FileWork {
  readonly profile: ProfileName;
  /** No more is read: a file that grows as fast as it is read has an end too. */
  readonly sizeBytesMax?: number | undefined;
  /** The blob of an earlier version: what changed is stored as a difference to it [T6]. */
  readonly previous?: Hash | undefined;
}

export interface PutFile {
  readonly id: Hash;
  /** As far as it was read: the file may change meanwhile. */
  readonly sizeBytes: number;
  /** Chunks that the store did not have, their bytes, and the bytes of their records. */
  readonly newChunks: number;
  readonly newBytes: number;
  readonly storedBytes: number;
}

export interface FileStore extends ChunkStore {
  putFile(fd: number, options: PutFileOptions): Promise<PutFile>;
  restoreFile(id: Hash, fd: number, options?: FileWork): Promise<number>;
}

export function isFileStore(store: ChunkStore): store is FileStore {
  return "putFile" in store && "restoreFile" in store;
}
