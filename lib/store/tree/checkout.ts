/**
 * A tree out of the store into a folder [T4]. Whatever the tree says, nothing outside the folder is
 * written: names are single path components (checked when a node is decoded), and a folder is only
 * gone into if this run made it or it is a real folder, never through a link.
 */
import { link, lstat, mkdir, readdir, rm, symlink } from "node:fs/promises";
import { makeNode } from "../../addon.ts";
import { GdoError, type Hash } from "../../base/index.ts";
import { getKind } from "../blob-reader.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { withIoErrors } from "../io-error.ts";
import { applyAttributes, type IdShift } from "./attributes.ts";
import { FileCache } from "./file-cache.ts";
import { displayPath, joinPath, toPath } from "./name.ts";
import {
  type Attributes,
  type DeviceEntry,
  decodeTreeNode,
  type FifoEntry,
  type FileEntry,
  type TreeEntry,
} from "./node.ts";
import { writeBlobFile } from "./write-file.ts";

export interface CheckoutOptions {
  /** Replaces files that are in the way, and goes into folders that are there. A folder is never replaced. */
  readonly overwrite?: boolean;
  /** For a container's user namespace: where its ids begin on this machine. */
  readonly shift?: IdShift;
  /**
   * Files become hard links into this folder, on the same file system, and are kept there for the next
   * checkout. Who writes to a checked-out file then changes the cache: for what is only read.
   */
  readonly linkCacheDir?: string;
  /** Told of each thing that this user, or this version, cannot restore. */
  readonly onSkipped?: (path: string, why: string) => void;
}

/**
 * Writes the tree into `dest`, which must not exist or be empty unless `overwrite` is set. REFUSED
 * when something is in the way, STORE_MISSING, STORE_CORRUPT, PERMISSION, IO.
 */
export async function checkout(
  store: ChunkStore,
  id: Hash,
  dest: string,
  options: CheckoutOptions = {},
): Promise<void> {
  const cache = options.linkCacheDir === undefined ? undefined : await FileCache.open(store, options.linkCacheDir);
  const run = new Checkout(store, options, cache);
  await withIoErrors(`cannot restore to ${dest}`, () => run.root(id, toPath(dest)));
}

class Checkout {
  readonly #store: ChunkStore;
  readonly #options: CheckoutOptions;
  readonly #cache: FileCache | undefined;
  /** First path of each link group. */
  readonly #linked = new Map<string, Buffer>();

  constructor(store: ChunkStore, options: CheckoutOptions, cache: FileCache | undefined) {
    this.#store = store;
    this.#options = options;
    this.#cache = cache;
  }

  async root(id: Hash, dest: Buffer): Promise<void> {
    const node = await getKind(this.#store, id, "tree"); // Before anything is made.
    await mkdir(dest, { recursive: true });
    if (!this.#options.overwrite && (await readdir(dest)).length > 0) throw inTheWay(dest);
    await this.#fill(node, dest);
  }

  async #folder(id: Hash, path: Buffer): Promise<void> {
    const node = await getKind(this.#store, id, "tree");
    if (!(this.#options.overwrite && (await isFolder(path)))) {
      await this.#clear(path);
      await mkdir(path, { mode: 0o700 });
    }
    await this.#fill(node, path);
  }

  /** The folder's own attributes come last: writing into it changes its time, and it may not be writable. */
  async #fill(nodeBytes: Uint8Array, path: Buffer): Promise<void> {
    const node = decodeTreeNode(nodeBytes);
    for (const entry of node.entries) {
      const entryPath = joinPath(path, entry.name);
      await withIoErrors(`cannot restore ${displayPath(entryPath)}`, () => this.#entry(entry, entryPath));
    }
    await this.#attributes(path, node.attributes, false);
  }

  async #entry(entry: TreeEntry, path: Buffer): Promise<void> {
    if (entry.type === "directory") return this.#folder(entry.id, path);
    await this.#clear(path);
    switch (entry.type) {
      case "file":
        return this.#file(entry, path);
      case "symlink":
        await symlink(toPath(entry.target), path);
        return this.#attributes(path, entry.attributes, true);
      default:
        return this.#special(entry, path);
    }
  }

  async #file(entry: FileEntry, path: Buffer): Promise<void> {
    const attributes = this.#shifted(entry.attributes);
    const group = entry.linkGroup === undefined ? undefined : `${entry.linkGroup} ${entry.id}`;
    const first = group === undefined ? undefined : this.#linked.get(group);
    if (first !== undefined) return link(first, path);
    if (group !== undefined) this.#linked.set(group, path);
    if (await this.#cache?.link(entry, attributes, path)) return;
    await writeBlobFile(this.#store, entry.id, path);
    await this.#attributes(path, entry.attributes, false);
  }

  async #special(entry: DeviceEntry | FifoEntry, path: Buffer): Promise<void> {
    const [major, minor] = entry.type === "fifo" ? [0, 0] : [entry.major, entry.minor];
    try {
      makeNode(path, TYPE_BITS[entry.type] | 0o600, major, minor);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
      return this.#skip(path, "a device node needs root");
    }
    await this.#attributes(path, entry.attributes, false);
  }

  /** Makes way for an entry that is no folder, or says what is in the way. */
  async #clear(path: Buffer): Promise<void> {
    const stats = await lstat(path).catch(() => undefined);
    if (stats === undefined) return;
    if (!this.#options.overwrite || stats.isDirectory()) throw inTheWay(path);
    await rm(path);
  }

  async #attributes(path: Buffer, attributes: Attributes, isLink: boolean): Promise<void> {
    for (const why of await applyAttributes(path, this.#shifted(attributes), isLink)) this.#skip(path, why);
  }

  #shifted(attributes: Attributes): Attributes {
    const { uid, gid } = this.#options.shift ?? { uid: 0, gid: 0 };
    return { ...attributes, uid: attributes.uid + uid, gid: attributes.gid + gid };
  }

  #skip(path: Buffer, why: string): void {
    this.#options.onSkipped?.(displayPath(path), why);
  }
}

const TYPE_BITS = { fifo: 0o010000, character: 0o020000, block: 0o060000 } as const;

async function isFolder(path: Buffer): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() ?? false;
}

function inTheWay(path: Buffer): GdoError {
  return new GdoError("REFUSED", `something is in the way at ${displayPath(path)}`, {
    hint: "restore into a new folder",
  });
}
