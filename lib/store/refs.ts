/**
 * Small files that say what is kept. Writing one is the only commit point [T8]: whatever it refers to
 * is durable before, and after a crash it is there whole or not at all. One process writes at a time.
 */
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { GdoError } from "../base/index.ts";
import { makeFolder, syncFolder } from "./durable-folder.ts";
import { withIoErrors } from "./io-error.ts";

/** What a ref is called until it is whole; a killed writer's is overwritten by the next. */
const FRESH = ".new";
/** The last write under way in each folder, of all Refs of this process: they share one name for what is fresh. */
const writing = new Map<string, Promise<void>>();

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
    await inTurn(path, () => withIoErrors(`cannot write ${path}/${name}`, () => replaceFile(path, name, bytes)));
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

async function replaceFile(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  await makeFolder(folder);
  const fresh = join(folder, FRESH);
  const handle = await open(fresh, "w", 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, join(folder, name));
  await syncFolder(folder);
}

/** After the writes that this folder's others wait for. */
async function inTurn(folder: string, write: () => Promise<void>): Promise<void> {
  const turn = (writing.get(folder) ?? Promise.resolve()).then(write);
  const over = turn.catch(() => undefined);
  writing.set(folder, over);
  try {
    await turn;
  } finally {
    if (writing.get(folder) === over) writing.delete(folder);
  }
}

function nothingIfAbsent(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}
