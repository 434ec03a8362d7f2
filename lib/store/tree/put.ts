/** A folder of the file system into the store [T4]. */
import type { BigIntStats } from "node:fs";
import { lstat, readdir, readlink, stat } from "node:fs/promises";
import type { ProfileName } from "../../addon.ts";
import { compareBytes, GdoError, type Hash } from "../../base/index.ts";
import { DEFAULT_PROFILE, type PutBlob, putBlob } from "../blob-writer.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { ioError, withIoErrors } from "../io-error.ts";
import { attributesOf } from "./attributes.ts";
import { readFilePieces } from "./file-source.ts";
import { LinkGroups } from "./link-groups.ts";
import { displayPath, joinPath, toPath } from "./name.ts";
import { type Attributes, encodeTreeNode, type TreeEntry } from "./node.ts";

export interface PutTreeOptions {
  readonly profile?: ProfileName;
  /** Attributes that every entry gets instead of its own: the same files then give the same id anywhere. */
  readonly fixed?: Partial<Pick<Attributes, "uid" | "gid" | "mtimeNs">>;
  /** Told of what a tree cannot hold (sockets) or what vanished meanwhile. */
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
  const stats = await statExisting(path);
  if (!stats.isDirectory()) throw new GdoError("INPUT_INVALID", `not a folder: ${path}`);
  const groups = new LinkGroups();
  await withIoErrors(`cannot read ${path}`, () => groups.scan(toPath(path)));
  const putter = new TreePutter(store, groups, options);
  return withIoErrors(`cannot read ${path}`, () => putter.putFolder(toPath(path), stats));
}

/** Stores a file as a blob or a folder as a tree. */
export async function putPath(store: ChunkStore, path: string, options: PutTreeOptions = {}): Promise<PutPath> {
  const stats = await statExisting(path);
  if (stats.isDirectory()) return { id: await putTree(store, path, options), kind: "tree" };
  if (!stats.isFile()) throw new GdoError("INPUT_INVALID", `neither a file nor a folder: ${path}`);
  const pieces = readFilePieces(path, Number(stats.size), { followLink: true });
  const { id, sizeBytes } = await withIoErrors(`cannot read ${path}`, () => putBlob(store, pieces, options.profile));
  return { id, kind: "blob", sizeBytes };
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

class TreePutter {
  readonly #store: ChunkStore;
  readonly #groups: LinkGroups;
  readonly #options: PutTreeOptions;
  /** Blobs of files with several names, by group: each is read once. */
  readonly #linked = new Map<string, PutBlob>();

  constructor(store: ChunkStore, groups: LinkGroups, options: PutTreeOptions) {
    this.#store = store;
    this.#groups = groups;
    this.#options = options;
  }

  async putFolder(path: Buffer, stats: BigIntStats): Promise<Hash> {
    const names = await readdir(path, { encoding: "buffer" });
    const entries: TreeEntry[] = [];
    for (const name of names.sort(compareBytes)) {
      const entry = await this.#putName(joinPath(path, name), name);
      if (entry !== undefined) entries.push(entry);
    }
    return this.#store.put("tree", encodeTreeNode({ attributes: this.#attributes(stats), entries }));
  }

  async #putName(path: Buffer, name: Uint8Array): Promise<TreeEntry | undefined> {
    try {
      return await this.#putEntry(path, name, await lstat(path, { bigint: true }));
    } catch (error) {
      if (isVanished(error)) return this.#skip(path, "it vanished while the folder was read");
      throw ioError(error, `cannot read ${displayPath(path)}`);
    }
  }

  async #putEntry(path: Buffer, name: Uint8Array, stats: BigIntStats): Promise<TreeEntry | undefined> {
    if (stats.isDirectory()) return { type: "directory", name, id: await this.putFolder(path, stats) };
    const attributes = this.#attributes(stats);
    if (stats.isFile()) {
      const linkGroup = this.#groups.of(stats);
      const blob = await this.#putFile(path, stats, linkGroup);
      return { type: "file", name, attributes, ...blob, ...(linkGroup === undefined ? {} : { linkGroup }) };
    }
    if (stats.isSymbolicLink()) {
      return { type: "symlink", name, attributes, target: await readlink(path, { encoding: "buffer" }) };
    }
    if (stats.isFIFO()) return { type: "fifo", name, attributes };
    if (stats.isCharacterDevice()) return { type: "character", name, attributes, ...deviceNumbers(stats.rdev) };
    if (stats.isBlockDevice()) return { type: "block", name, attributes, ...deviceNumbers(stats.rdev) };
    return this.#skip(path, "a socket is not kept");
  }

  async #putFile(path: Buffer, stats: BigIntStats, linkGroup: string | undefined): Promise<PutBlob> {
    const known = linkGroup === undefined ? undefined : this.#linked.get(linkGroup);
    if (known !== undefined) return known;
    const profile = this.#options.profile ?? DEFAULT_PROFILE;
    const blob = await putBlob(this.#store, readFilePieces(path, Number(stats.size)), profile);
    if (linkGroup !== undefined) this.#linked.set(linkGroup, blob);
    return blob;
  }

  #attributes(stats: BigIntStats): Attributes {
    return { ...attributesOf(stats), ...this.#options.fixed };
  }

  #skip(path: Buffer, why: string): undefined {
    this.#options.onSkipped?.(displayPath(path), why);
    return undefined;
  }
}

/** Only the file's own absence: a store that cannot write tells so by a GdoError. */
function isVanished(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

/** Linux packs both numbers into one, in this order of bits. */
function deviceNumbers(rdev: bigint): { major: number; minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
