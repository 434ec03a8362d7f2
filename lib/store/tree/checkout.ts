/**
 * A tree out of the store into a folder [T4]. Whatever the tree says, and whatever others do to the
 * folder meanwhile, nothing outside it is written: names are single path components (checked when a
 * node is decoded), looked up in open folders, and no link is followed.
 */
import { constants } from "node:fs";
import { access, chmod, link, lstat, mkdir, readdir, rm, symlink } from "node:fs/promises";
import { makeNode } from "../../addon.ts";
import { equalBytes, GdoError, type Hash } from "../../base/index.ts";
import { getKind } from "../blob/blob-reader.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { withIoErrors } from "../io-error.ts";
import { applyToHandle, applyToPath, type IdShift } from "./attributes.ts";
import { FileCache } from "./file-cache.ts";
import { displayPath, joinPath, namesOf, toPath } from "./name.ts";
import {
  type Attributes,
  type DeviceEntry,
  type DirectoryEntry,
  decodeTreeNode,
  type FifoEntry,
  type FileEntry,
  type SymlinkEntry,
  type TreeEntry,
} from "./node.ts";
import { OpenFolder } from "./open-folder.ts";
import { holdsNames } from "./path.ts";
import { writeBlobFile } from "./write-file.ts";

export interface CheckoutOptions {
  /** Replaces files that are in the way, and goes into folders that are there. A folder is never replaced. */
  readonly overwrite?: boolean;
  /** Paths in the tree: only these and what lies below them are written, and the folders that lead there. */
  readonly include?: readonly string[];
  /** For a container's user namespace: where its ids begin on this machine. Extended attributes are left out. */
  readonly shift?: IdShift;
  /**
   * Files become hard links into this folder, on the same file system, and are kept there for the next
   * checkout. Who writes to a checked-out file then changes the cache: for what is only read.
   */
  readonly linkCacheDir?: string;
  /** Told of each thing that this user, or the file system, cannot restore. */
  readonly onSkipped?: (path: string, why: string) => void;
  /** Told of each file's content as it is there. */
  readonly onFile?: (sizeBytes: number) => void;
}

/**
 * Writes the tree into `dest`, which must not exist or be empty unless `overwrite` is set. REFUSED
 * when something is in the way, NOT_FOUND for a path to include that is not in the tree,
 * STORE_MISSING, STORE_CORRUPT, PERMISSION, IO.
 */
export async function checkout(
  store: ChunkStore,
  id: Hash,
  dest: string,
  options: CheckoutOptions = {},
): Promise<void> {
  await getKind(store, id, "tree"); // Before anything is made.
  const include = options.include?.map((path) => namesOf(toPath(path)));
  for (const names of include ?? []) {
    if (await holdsNames(store, id, names)) continue;
    throw new GdoError(
      "NOT_FOUND",
      `there is no ${displayPath(Buffer.concat(names.flatMap((name) => [Buffer.from("/"), name])))} to restore`,
    );
  }
  const cache = options.linkCacheDir === undefined ? undefined : await FileCache.open(store, options.linkCacheDir);
  await withIoErrors(`cannot restore to ${dest}`, async () => {
    await mkdir(dest, { recursive: true });
    const top = await OpenFolder.open(toPath(dest), { followLink: true });
    try {
      const run = new Checkout({ store, options, cache, top, include });
      await run.root(id, toPath(dest));
    } finally {
      await top.close();
    }
  });
}

interface Run {
  readonly store: ChunkStore;
  readonly options: CheckoutOptions;
  readonly cache: FileCache | undefined;
  readonly top: OpenFolder;
  readonly include: readonly (readonly Uint8Array[])[] | undefined;
}

/** Where an entry goes. */
interface Place {
  readonly folder: OpenFolder;
  /** For system calls, while the folder is open. */
  readonly at: Buffer;
  /** Names from the top. */
  readonly names: readonly Uint8Array[];
  /** For people. */
  readonly shown: Buffer;
}

class Checkout {
  readonly #run: Run;
  /** Names of the first entry of each link group. */
  readonly #linked = new Map<string, readonly Uint8Array[]>();

  constructor(run: Run) {
    this.#run = run;
  }

  async root(id: Hash, dest: Buffer): Promise<void> {
    const { top, options } = this.#run;
    if (!options.overwrite && (await readdir(top.self)).length > 0) throw inTheWay(dest);
    await this.#fill(id, { folder: top, at: top.self, names: [], shown: dest });
  }

  async #folder({ id }: DirectoryEntry, place: Place): Promise<void> {
    const isThere = this.#run.options.overwrite === true && (await isFolder(place.at));
    if (!isThere) {
      await this.#clear(place);
      await mkdir(place.at, { mode: 0o700 });
    }
    const folder = await OpenFolder.open(place.at);
    try {
      if (isThere) await makeWritable(folder);
      await this.#fill(id, { ...place, folder });
    } finally {
      await folder.close();
    }
  }

  /** The folder's own attributes come last: writing into it changes its time, and it may not be writable. */
  async #fill(id: Hash, { folder, names, shown }: Place): Promise<void> {
    const node = decodeTreeNode(await getKind(this.#run.store, id, "tree"));
    for (const entry of node.entries) {
      const place = {
        folder,
        at: folder.at(entry.name),
        names: [...names, entry.name],
        shown: joinPath(shown, entry.name),
      };
      if (!this.#isIncluded(place.names, entry)) continue;
      await withIoErrors(`cannot restore ${displayPath(place.shown)}`, () => this.#entry(entry, place));
    }
    this.#tell(shown, await applyToPath(folder.self, this.#shifted(node.attributes), false));
  }

  async #entry(entry: TreeEntry, place: Place): Promise<void> {
    if (entry.type === "directory") return this.#folder(entry, place);
    await this.#clear(place);
    const group =
      entry.linkGroup === undefined ? undefined : `${entry.linkGroup} ${"id" in entry ? entry.id : entry.type}`;
    const first = group === undefined ? undefined : this.#linked.get(group);
    if (first !== undefined) return this.#link(first, place);
    if (group !== undefined) this.#linked.set(group, place.names);
    switch (entry.type) {
      case "file":
        return this.#file(entry, place);
      case "symlink":
        return this.#symlink(entry, place);
      default:
        return this.#special(entry, place);
    }
  }

  async #file(entry: FileEntry, { at, shown }: Place): Promise<void> {
    const { store, cache, options } = this.#run;
    const attributes = this.#shifted(entry.attributes);
    if (!(await cache?.link(entry, attributes, at))) {
      this.#tell(shown, await writeBlobFile(store, entry.id, at, (handle) => applyToHandle(handle, attributes)));
    }
    options.onFile?.(entry.sizeBytes);
  }

  async #symlink(entry: SymlinkEntry, { at, shown }: Place): Promise<void> {
    await symlink(toPath(entry.target), at);
    this.#tell(shown, await applyToPath(at, this.#shifted(entry.attributes), true));
  }

  async #special(entry: DeviceEntry | FifoEntry, { at, shown, names }: Place): Promise<void> {
    const [major, minor] = entry.type === "fifo" ? [0, 0] : [entry.major, entry.minor];
    try {
      makeNode(at, TYPE_BITS[entry.type] | 0o600, major, minor);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
      for (const [group, first] of this.#linked) if (first === names) this.#linked.delete(group);
      return this.#tell(shown, ["a device node needs root"]);
    }
    this.#tell(shown, await applyToPath(at, this.#shifted(entry.attributes), false));
  }

  /** One more name for what was written before: its folder is gone into again from the top, name by name. */
  async #link(first: readonly Uint8Array[], { at }: Place): Promise<void> {
    const opened: OpenFolder[] = [];
    try {
      let folder = this.#run.top;
      for (const name of first.slice(0, -1)) {
        folder = await OpenFolder.open(folder.at(name));
        opened.push(folder);
      }
      await link(folder.at(first.at(-1) as Uint8Array), at);
    } finally {
      for (const folder of opened) await folder.close();
    }
  }

  /** Makes way for an entry that is no folder, or says what is in the way. */
  async #clear({ at, shown }: Place): Promise<void> {
    const stats = await lstat(at).catch(() => undefined);
    if (stats === undefined) return;
    if (!this.#run.options.overwrite || stats.isDirectory()) throw inTheWay(shown);
    await rm(at);
  }

  /** Whether it is asked for, lies below what is, or leads there. */
  #isIncluded(names: readonly Uint8Array[], entry: TreeEntry): boolean {
    const { include } = this.#run;
    if (include === undefined) return true;
    return include.some((wanted) => {
      if (wanted.length > names.length && entry.type !== "directory") return false;
      const depth = Math.min(wanted.length, names.length);
      return wanted.slice(0, depth).every((name, index) => equalBytes(name, names[index] as Uint8Array));
    });
  }

  #shifted(attributes: Attributes): Attributes {
    const { shift } = this.#run.options;
    if (shift === undefined) return attributes;
    // A capability or an ACL would name ids of this machine, not of the container.
    const { mode, uid, gid, mtimeNs } = attributes;
    return { mode, uid: uid + shift.uid, gid: gid + shift.gid, mtimeNs };
  }

  #tell(path: Buffer, faults: readonly string[]): void {
    for (const why of faults) this.#run.options.onSkipped?.(displayPath(path), why);
  }
}

const TYPE_BITS = { fifo: 0o010000, character: 0o020000, block: 0o060000 } as const;

async function isFolder(path: Buffer): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** A folder that its owner had closed even to himself; it gets its mode at the end. */
async function makeWritable(folder: OpenFolder): Promise<void> {
  const isOpen = await access(folder.self, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!isOpen) await chmod(folder.self, 0o700);
}

function inTheWay(path: Buffer): GdoError {
  return new GdoError("REFUSED", `something is in the way at ${displayPath(path)}`, {
    hint: "restore into a new folder",
  });
}
