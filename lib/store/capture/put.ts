/** A file or a folder of the file system into the store [T4]. */
import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import type { ProfileName } from "../../addon.ts";
import { GdoError, type Hash } from "../../base/index.ts";
import { putBlobFile } from "../blob/blob-file.ts";
import type { PutBlob } from "../blob/blob-writer.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { DEFAULT_PROFILE } from "../file-store.ts";
import { ioError, withIoErrors } from "../io-error.ts";
import { toPath } from "../tree/name.ts";
import { openSource } from "./file-source.ts";
import { type Note, throwUnreadable } from "./note.ts";
import { EVERYTHING } from "./selection.ts";
import { Survey } from "./survey.ts";
import { type ReadingRules, TreeReader } from "./tree-reader.ts";

export interface PutTreeOptions {
  readonly profile?: ProfileName;
  /** Attributes that every entry gets instead of its own: the same files then give the same id anywhere. */
  readonly fixed?: NonNullable<ReadingRules["fixed"]>;
  /** Told of what a tree cannot hold (sockets), or what vanished or changed meanwhile. */
  readonly onSkipped?: (path: string, why: string) => void;
}

export interface PutPath {
  readonly id: Hash;
  readonly kind: "blob" | "tree";
  /** Of a file; a folder's is not counted. */
  readonly sizeBytes?: number;
}

/**
 * Stores a folder and everything in it; symbolic links are kept, not followed, but for the one that
 * `path` itself may be. NOT_FOUND, INPUT_INVALID when it is no folder, PERMISSION and IO with the path.
 */
export async function putTree(store: ChunkStore, path: string, options: PutTreeOptions = {}): Promise<Hash> {
  const stats = await statFolder(path);
  const { onSkipped, ...others } = options;
  const onNote = (note: Note): void => {
    throwUnreadable(note);
    onSkipped?.(note.path, note.why);
  };
  const rules = { ...others, selection: EVERYTHING, onNote };
  return withIoErrors(`cannot read ${path}`, async () => {
    const { groups } = await Survey.of(toPath(path), stats, rules);
    return new TreeReader(store, groups, rules).read(toPath(path), stats);
  });
}

/** Stores a file as a blob or a folder as a tree. */
export async function putPath(store: ChunkStore, path: string, options: PutTreeOptions = {}): Promise<PutPath> {
  const stats = await statExisting(path);
  if (stats.isDirectory()) return { id: await putTree(store, path, options), kind: "tree" };
  if (!stats.isFile()) throw new GdoError("INPUT_INVALID", `neither a file nor a folder: ${path}`);
  const { id, sizeBytes } = await withIoErrors(`cannot read ${path}`, () => putFile(store, path, options.profile));
  return { id, kind: "blob", sizeBytes };
}

async function putFile(store: ChunkStore, path: string, profile = DEFAULT_PROFILE): Promise<PutBlob> {
  const handle = await openSource(path, { followLink: true });
  try {
    return await putBlobFile(store, handle, { profile });
  } finally {
    await handle.close();
  }
}

/** NOT_FOUND, INPUT_INVALID when it is no folder, PERMISSION, IO. */
export async function statFolder(path: string, hint?: { readonly hint: string }): Promise<BigIntStats> {
  const stats = await statExisting(path);
  if (!stats.isDirectory()) throw new GdoError("INPUT_INVALID", `not a folder: ${path}`, hint);
  return stats;
}

async function statExisting(path: string): Promise<BigIntStats> {
  try {
    return await stat(path, { bigint: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT")
      throw new GdoError("NOT_FOUND", `no such file: ${path}`, { cause });
    throw ioError(cause, `cannot read ${path}`);
  }
}
