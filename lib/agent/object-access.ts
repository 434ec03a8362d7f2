/** The node's store as its other parts need it: images for dapps, objects for sync. */
import { GdoError, type Hash } from "../base/index.ts";
import type { ImageEntry, ImageStore } from "../dapp/index.ts";
import { type ChunkStore, checkObject, displayName, linksOf, readBlob, readTree, type TreeEntry } from "../store/index.ts";
import type { SyncObject } from "../sync/index.ts";

/** Images out of the store; what has no place in an image is left out. */
export function imageStore(store: ChunkStore): ImageStore {
  return {
    entries: async (tree) => (await readTree(store, tree)).entries.flatMap((entry) => imageEntry(entry)),
    file: (blob) => readBlob(store, blob),
  };
}

const FOLDER_MODE = 0o755;

function imageEntry(entry: TreeEntry): ImageEntry[] {
  const name = displayName(entry);
  switch (entry.type) {
    case "file":
      return [{ type: "file", name, mode: entry.attributes.mode, id: entry.id }];
    case "directory":
      return [{ type: "folder", name, mode: FOLDER_MODE, id: entry.id }];
    case "symlink":
      return [{ type: "link", name, target: Buffer.from(entry.target).toString("utf8") }];
    default:
      return [];
  }
}

/** As many of the objects as are held and fit; a missing one is passed over: another peer may have it. */
export async function readObjects(store: ChunkStore, ids: readonly Hash[], bytesMax: number): Promise<SyncObject[]> {
  const objects: SyncObject[] = [];
  let total = 0;
  for (const id of ids) {
    if (!store.has(id)) continue;
    const { kind, bytes } = await store.get(id);
    total += bytes.length;
    if (total > bytesMax && objects.length > 0) break;
    objects.push({ id, kind, bytes });
  }
  return objects;
}

/**
 * Fetches things whole: an object and all that it needs. Peers send object by object; this says what is
 * lacking next, and tells when nothing is.
 */
export class RootFetcher {
  readonly #store: ChunkStore;
  readonly #request: (ids: readonly Hash[]) => void;
  readonly #wanted = new Map<Hash, (() => void)[]>();

  constructor(store: ChunkStore, request: (ids: readonly Hash[]) => void) {
    this.#store = store;
    this.#request = request;
  }

  /** Asks for what is not held of `root`; `done` is called once all of it is. */
  async want(root: Hash, done: () => void): Promise<void> {
    const waiting = this.#wanted.get(root);
    if (waiting !== undefined) return void waiting.push(done);
    this.#wanted.set(root, [done]);
    await this.#check(root);
  }

  /** Verifies and keeps an object that came in. SYNC_FRAME when it is not what its id says. */
  async keep({ id, kind, bytes }: SyncObject): Promise<void> {
    if (!checkObject(id, kind, bytes)) throw new GdoError("SYNC_FRAME", `an object came that is not ${id}`);
    await this.#store.put(kind, bytes);
    for (const root of [...this.#wanted.keys()]) await this.#check(root);
  }

  /** Asks again for everything that is still lacking: a peer may have come that has it. */
  async retry(): Promise<void> {
    for (const root of [...this.#wanted.keys()]) await this.#check(root);
  }

  async #check(root: Hash): Promise<void> {
    const lacking = await missingUnder(this.#store, root);
    if (lacking.length > 0) return this.#request(lacking);
    await this.#store.commit(); // Whatever refers to it may become durable next [T8].
    const waiting = this.#wanted.get(root) ?? [];
    this.#wanted.delete(root);
    for (const done of waiting) done();
  }
}

/** Objects under `root` that are known to be needed and not held. */
async function missingUnder(store: ChunkStore, root: Hash): Promise<Hash[]> {
  const lacking: Hash[] = [];
  const seen = new Set<Hash>([root]);
  const queue = [root];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (!store.has(id)) {
      lacking.push(id);
      continue;
    }
    const { kind, bytes } = await store.get(id);
    if (kind === "chunk") continue;
    for (const link of linksOf(kind, bytes)) {
      if (!seen.has(link)) queue.push(link);
      seen.add(link);
    }
  }
  return lacking;
}
