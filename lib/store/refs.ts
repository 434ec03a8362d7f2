/**
 * Small files that say what is kept. Writing one is the only commit point [T8]: whatever it refers to
 * is durable before, and after a crash it is there whole or not at all. One process writes at a time.
 */
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { GdoError } from "../base/index.ts";
import { makeFolder, syncFolder } from "./durable-folder.ts";
import { withIoErrors } from "./io-error.ts";

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** May a user's name for something be a folder of refs? It has no way out of its folder. */
export function isRefName(name: string): boolean {
  return NAME.test(name);
}

/** INPUT_INVALID for any other name; `what` says what it was to name. */
export function assertRefName(name: string, what: string): void {
  if (isRefName(name)) return;
  throw new GdoError(
    "INPUT_INVALID",
    `not a name for ${what}: ${JSON.stringify(name)} (a-z, 0-9, dot, dash and underscore, at most 64)`,
  );
}

export class Refs {
  readonly #dir: string;

  /** The folder is made when something is first written. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  pathOf(...names: readonly string[]): string {
    return join(this.#dir, ...names);
  }

  /** Names in a folder, sorted; none when it is not there. What a killed writer left half is not among them. */
  async list(...folder: readonly string[]): Promise<string[]> {
    const path = this.pathOf(...folder);
    const names = await withIoErrors(`cannot read ${path}`, () => readdir(path).catch(nothingIfAbsent));
    return names.filter((name) => !name.startsWith(".")).sort();
  }

  /** The bytes of a ref. IO, PERMISSION. */
  async read(...names: readonly string[]): Promise<Uint8Array> {
    const path = this.pathOf(...names);
    return withIoErrors(`cannot read ${path}`, () => readFile(path));
  }

  /** Durable when it resolves. STORE_FULL, IO, PERMISSION. */
  async write(folder: readonly string[], name: string, bytes: Uint8Array): Promise<void> {
    const path = this.pathOf(...folder);
    await withIoErrors(`cannot write ${path}/${name}`, async () => {
      await makeFolder(path);
      const fresh = join(path, ".new");
      const handle = await open(fresh, "w", 0o600);
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(fresh, join(path, name));
      await syncFolder(path);
    });
  }

  /** Durable when it resolves. What is not there is removed already. */
  async remove(folder: readonly string[], name: string): Promise<void> {
    const path = this.pathOf(...folder);
    await withIoErrors(`cannot remove ${path}/${name}`, async () => {
      await rm(join(path, name), { force: true });
      await syncFolder(path);
    });
  }
}

function nothingIfAbsent(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}
