/**
 * Images as folders: each tree checked out once, its files hard links into a pool, so that images that
 * share files share them on disk and in memory. Owned by the mapped range, so that a container's root
 * is nobody outside. Rules: docs/design/dapps.md.
 *
 *   images/files/<blob id>-<mode>   one copy of each file
 *   images/<tree id>/               a root file system
 *   images/<tree id>.whole          written last: without it the folder is a torn check-out
 */
import type { FileHandle } from "node:fs/promises";
import {
  chmod,
  chown,
  lchown,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { GdoError, type Hash, isHash } from "../../base/index.ts";
import { MAPPED_ID_FIRST } from "../container/bundle.ts";
import type { Images } from "../host.ts";

const TEXT_BYTES_MAX = 64 * 1024;
/** Read and execute stay; setuid, setgid and writing by others go. */
const MODE_KEPT = 0o755;

/** One name in a folder of an image. */
export type ImageEntry =
  | { readonly type: "file"; readonly name: string; readonly mode: number; readonly id: Hash }
  | { readonly type: "folder"; readonly name: string; readonly mode: number; readonly id: Hash }
  | { readonly type: "link"; readonly name: string; readonly target: string };

/** What the cache needs of a store. Both verify what they give against its id. */
export interface ImageStore {
  /** Entries of a tree; kinds that have no place in an image (devices, sockets) are left out. */
  entries(tree: Hash): Promise<readonly ImageEntry[]>;
  file(blob: Hash): AsyncIterable<Uint8Array>;
}

export interface ImageCacheOptions {
  readonly dir: string;
  readonly store: ImageStore;
}

export class ImageCache implements Images {
  readonly #dir: string;
  readonly #store: ImageStore;
  readonly #underWay = new Map<Hash, Promise<string>>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ dir, store }: ImageCacheOptions) {
    this.#dir = dir;
    this.#store = store;
  }

  /** STORE_MISSING or STORE_CORRUPT when the image cannot be had whole. */
  rootfs(tree: Hash): Promise<string> {
    const known = this.#underWay.get(tree);
    if (known !== undefined) return known;
    // One after the other: two trees may share files that are not in the pool yet.
    const made = this.#turn.then(() => this.#checkedOut(tree));
    this.#turn = made.catch(() => undefined);
    this.#underWay.set(tree, made);
    made.catch(() => this.#underWay.delete(tree));
    return made;
  }

  /**
   * Removes the images that are not among those used, and the files that no image has any more. In turn with
   * check-outs, and asked only then: what is being checked out is whole before it is looked at.
   */
  keepOnly(used: () => ReadonlySet<Hash>): Promise<{ images: number; bytes: number }> {
    const done = this.#turn.then(() => this.#removeUnused(used()));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #removeUnused(used: ReadonlySet<Hash>): Promise<{ images: number; bytes: number }> {
    const names = await readdir(this.#dir).catch(() => []);
    const unused = names.filter((name) => isHash(name) && !used.has(name)) as Hash[];
    for (const tree of unused) {
      this.#underWay.delete(tree);
      // The mark goes first: a check-out that is torn here is made anew when it is asked for.
      await rm(join(this.#dir, `${tree}.whole`), { force: true });
      await rm(join(this.#dir, tree), { recursive: true, force: true });
    }
    return { images: unused.length, bytes: await this.#removeUnlinked() };
  }

  async #removeUnlinked(): Promise<number> {
    const pool = join(this.#dir, "files");
    let bytes = 0;
    for (const name of await readdir(pool).catch(() => [])) {
      const { nlink, size } = await stat(join(pool, name));
      if (nlink > 1) continue;
      await rm(join(pool, name));
      bytes += size;
    }
    return bytes;
  }

  manifestText(tree: Hash): Promise<string> {
    return this.text(tree, "dapp.yaml").catch((cause) => {
      if (!(cause instanceof GdoError) || cause.code !== "NOT_FOUND") throw cause;
      throw new GdoError("DAPP_MANIFEST", cause.message, { cause });
    });
  }

  /** A link is not followed out of the image: what it names on this machine is no part of the dapp. */
  async text(tree: Hash, path: string): Promise<string> {
    const rootfs = await this.rootfs(tree);
    const file = await realpath(join(rootfs, path)).catch((cause) => {
      if (cause.code !== "ENOENT" && cause.code !== "ENOTDIR") throw cause;
      throw new GdoError("NOT_FOUND", `image ${tree} has no ${path}`, { cause });
    });
    const isInside = file.startsWith(`${await realpath(rootfs)}/`);
    const { size } = await stat(file);
    if (!isInside) throw new GdoError("DAPP_MANIFEST", `${path} of image ${tree} leads out of it`);
    if (size > TEXT_BYTES_MAX) throw new GdoError("DAPP_MANIFEST", `${path} is longer than 64 KiB`);
    return readFile(file, "utf8");
  }

  async #checkedOut(tree: Hash): Promise<string> {
    const folder = join(this.#dir, tree);
    const marker = `${folder}.whole`;
    if (await isThere(marker)) return folder;
    await rm(folder, { recursive: true, force: true });
    await mkdir(join(this.#dir, "files"), { recursive: true });
    await this.#folder(tree, folder);
    await writeFile(marker, "", { flush: true });
    await syncFolder(this.#dir);
    return folder;
  }

  async #folder(tree: Hash, path: string): Promise<void> {
    await mkdir(path);
    for (const entry of await this.#store.entries(tree)) {
      assertName(entry.name);
      const target = join(path, entry.name);
      if (entry.type === "folder") await this.#folder(entry.id, target);
      else if (entry.type === "file") await this.#file(entry.id, entry.mode & MODE_KEPT, target);
      else await this.#link(entry.target, target);
    }
    await own(path);
    await chmod(path, MODE_KEPT);
    await syncFolder(path);
  }

  async #file(blob: Hash, mode: number, path: string): Promise<void> {
    const pooled = join(this.#dir, "files", `${blob}-${mode.toString(8)}`);
    if (!(await isThere(pooled))) await this.#pool(blob, mode, pooled);
    await link(pooled, path);
  }

  /** Renamed into place when whole, so that the pool never holds a torn file under a file's name. */
  async #pool(blob: Hash, mode: number, pooled: string): Promise<void> {
    const torn = `${pooled}.torn`;
    const handle = await open(torn, "w", 0o600);
    try {
      for await (const bytes of this.#store.file(blob)) await handle.write(bytes);
      await finish(handle, mode);
    } finally {
      await handle.close();
    }
    await rename(torn, pooled);
  }

  async #link(target: string, path: string): Promise<void> {
    await symlink(target, path);
    if (isRoot()) await lchown(path, MAPPED_ID_FIRST, MAPPED_ID_FIRST);
  }
}

async function finish(handle: FileHandle, mode: number): Promise<void> {
  if (isRoot()) await handle.chown(MAPPED_ID_FIRST, MAPPED_ID_FIRST);
  await handle.chmod(mode);
  await handle.sync();
}

/** A tree is content from elsewhere: a name that leaves its folder must not reach the file system. */
function assertName(name: string): void {
  const isSound = name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
  if (!isSound) throw new GdoError("STORE_CORRUPT", `a tree has the name ${JSON.stringify(name)} in it`);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

async function own(path: string): Promise<void> {
  if (isRoot()) await chown(path, MAPPED_ID_FIRST, MAPPED_ID_FIRST);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
