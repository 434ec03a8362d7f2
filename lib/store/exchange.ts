/** What peers exchange of a store: objects as they are held, and things fetched whole. */
import { GdoError, type Hash, type PublicKey } from "../base/index.ts";
import type { ChunkStore, ObjectKind, StoredObject } from "./chunk-store.ts";
import { checkObject, linksOf } from "./object.ts";

/** An object and its name. */
export interface NamedObject extends StoredObject {
  readonly id: Hash;
  readonly kind: ObjectKind;
}

/** As many of the objects as are held and fit, and which are not held: another peer may have them. */
export async function readObjects(
  store: ChunkStore,
  ids: readonly Hash[],
  bytesMax: number,
): Promise<{ objects: NamedObject[]; lacking: Hash[] }> {
  const objects: NamedObject[] = [];
  const lacking = store.missing(ids);
  let total = 0;
  for (const id of ids) {
    if (!store.has(id)) continue;
    const { kind, bytes } = await store.get(id);
    total += bytes.length;
    if (total > bytesMax && objects.length > 0) break;
    objects.push({ id, kind, bytes });
  }
  return { objects, lacking };
}

/** Told to the network: what to fetch, and the node that has it for sure, if one is known. */
export type RequestObjects = (ids: readonly Hash[], near: PublicKey | undefined) => void;

interface Wanted {
  readonly near: PublicKey | undefined;
  /** Asked for and not come yet. */
  readonly lacking: Set<Hash>;
}

/**
 * Fetches things whole: an object and all that it needs. Peers send object by object; this says what is
 * lacking next, and tells when nothing is.
 */
export class RootFetcher {
  readonly #store: ChunkStore;
  readonly #request: RequestObjects;
  readonly #onWhole: () => void;
  readonly #wanted = new Map<Hash, Wanted>();

  /** `onWhole` is called when something that was lacking has become whole. */
  constructor(store: ChunkStore, request: RequestObjects, onWhole: () => void) {
    this.#store = store;
    this.#request = request;
    this.#onWhole = onWhole;
  }

  /** Whether all of `root` is held; what is not is asked for, of `near` first. */
  async has(root: Hash, near?: PublicKey): Promise<boolean> {
    if (this.#wanted.has(root)) return false;
    const lacking = await missingUnder(this.#store, root);
    if (lacking.length === 0) return true;
    this.#wanted.set(root, { near, lacking: new Set(lacking) });
    this.#request(lacking, near);
    return false;
  }

  /** Verifies and keeps an object that came in. SYNC_FRAME when it is not what its id says. */
  async keep({ id, kind, bytes }: NamedObject): Promise<void> {
    if (!checkObject(id, kind, bytes)) throw new GdoError("SYNC_FRAME", `an object came that is not ${id}`);
    await this.#store.put(kind, bytes);
    for (const [root, wanted] of [...this.#wanted]) {
      if (wanted.lacking.delete(id)) await this.#goOn(root, wanted, kind === "chunk" ? [] : linksOf(kind, bytes));
    }
  }

  /** Asks for what the object that came needs: a walk over all that is held, for each object, would be quadratic. */
  async #goOn(root: Hash, { near, lacking }: Wanted, links: readonly Hash[]): Promise<void> {
    const next: Hash[] = [];
    for (const link of links) next.push(...(await missingUnder(this.#store, link)));
    const fresh = next.filter((id) => !lacking.has(id));
    for (const id of fresh) lacking.add(id);
    if (fresh.length > 0) this.#request([...new Set(fresh)], near);
    if (lacking.size === 0) await this.#look(root, near);
  }

  /** Asks again for everything that is still lacking: a peer may have come that has it. */
  async retry(): Promise<void> {
    for (const [root, { near }] of [...this.#wanted]) await this.#look(root, near);
  }

  async #look(root: Hash, near: PublicKey | undefined): Promise<void> {
    const lacking = await missingUnder(this.#store, root);
    if (lacking.length === 0) return this.#whole(root);
    this.#wanted.set(root, { near, lacking: new Set(lacking) });
    this.#request(lacking, near);
  }

  async #whole(root: Hash): Promise<void> {
    await this.#store.commit(); // Whatever refers to it may become durable next [T8].
    if (this.#wanted.delete(root)) this.#onWhole();
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
