/**
 * Files kept for the next checkout. A cached file has its final owner, mode and time, since hard links
 * share them; its content is hashed again before each use, so a damaged one is never handed out.
 */
import { link, lstat, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Hash } from "../../base/index.ts";
import { decodeBlobNode } from "../blob/blob-node.ts";
import { getKind } from "../blob/blob-reader.ts";
import { putBlob } from "../blob/blob-writer.ts";
import { readFilePieces } from "../capture/file-source.ts";
import type { ChunkStore, ObjectKind, StoredObject } from "../chunk-store.ts";
import { withIoErrors } from "../io-error.ts";
import { objectId } from "../object.ts";
import { applyToHandle, attributesOf } from "./attributes.ts";

import { toPath } from "./name.ts";
import type { Attributes, FileEntry } from "./node.ts";
import { writeBlobFile } from "./write-file.ts";

/** Another file system, or as many names as a file can have: then the file is written on its own. */
const NO_LINK = ["EXDEV", "EMLINK", "EPERM"];

export class FileCache {
  readonly #store: ChunkStore;
  readonly #dir: string;
  /** Checked or written by this run. */
  readonly #sound = new Set<string>();

  private constructor(store: ChunkStore, dir: string) {
    this.#store = store;
    this.#dir = dir;
  }

  static async open(store: ChunkStore, dir: string): Promise<FileCache> {
    await withIoErrors(`cannot make ${dir}`, () => mkdir(dir, { recursive: true, mode: 0o700 }));
    return new FileCache(store, dir);
  }

  /** Makes `path` a name of the cached file. False when it must be written on its own. */
  async link(entry: FileEntry, attributes: Attributes, path: Buffer): Promise<boolean> {
    if (attributes.xattrs !== undefined) return false; // They are not part of the cached file's name.
    const cached = join(this.#dir, cacheName(entry.id, attributes));
    if (
      !this.#sound.has(cached) &&
      !(await this.#isSound(cached, entry, attributes)) &&
      !(await this.#write(cached, entry, attributes))
    )
      return false;
    this.#sound.add(cached);
    try {
      await link(cached, path);
      return true;
    } catch (error) {
      if (NO_LINK.includes((error as NodeJS.ErrnoException).code ?? "")) return false;
      throw error;
    }
  }

  async #isSound(cached: string, entry: FileEntry, wanted: Attributes): Promise<boolean> {
    const stats = await lstat(cached, { bigint: true }).catch(() => undefined);
    if (stats === undefined || !stats.isFile() || Number(stats.size) !== entry.sizeBytes) return false;
    const found = attributesOf(stats);
    const isSame = found.mode === wanted.mode && found.uid === wanted.uid && found.gid === wanted.gid;
    if (!isSame || found.mtimeNs !== wanted.mtimeNs) return false;
    const { profile } = decodeBlobNode(await getKind(this.#store, entry.id, "blob"));
    const { id } = await putBlob(new NoStore(), readFilePieces(cached), profile);
    return id === entry.id;
  }

  /** False when this user cannot give the file all of its attributes: then it is not shared. */
  async #write(cached: string, entry: FileEntry, attributes: Attributes): Promise<boolean> {
    const fresh = toPath(`${cached}.new`);
    await rm(fresh, { force: true });
    const faults = await writeBlobFile(this.#store, entry.id, fresh, (handle) => applyToHandle(handle, attributes));
    if (faults.length === 0) await rename(fresh, cached);
    else await rm(fresh);
    return faults.length === 0;
  }
}

function cacheName(id: Hash, { mode, uid, gid, mtimeNs }: Attributes): string {
  return `${id}.${mode.toString(8)}.${uid}.${gid}.${mtimeNs}`;
}

/** Names objects and keeps none: for hashing a file as a blob. */
class NoStore implements ChunkStore {
  async put(kind: ObjectKind, bytes: Uint8Array): Promise<Hash> {
    return objectId(kind, bytes);
  }

  get(): Promise<StoredObject> {
    return Promise.reject(new TypeError("nothing is kept"));
  }

  has(): boolean {
    return true; // A chunk that the chunker has named need not be named again.
  }

  missing(): Hash[] {
    return [];
  }

  async commit(): Promise<void> {}

  async close(): Promise<void> {}

  resolvePrefix(): Hash[] {
    return [];
  }

  ids(): Iterable<Hash> {
    return [];
  }
}
