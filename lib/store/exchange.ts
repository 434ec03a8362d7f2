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

/** Beyond it nodes go into the store before what they need, and a fetch that is cut short leaves things held in part. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

interface Wanted {
  readonly near: PublicKey | undefined;
  /** Asked for and not come yet. */
  readonly lacking: Set<Hash>;
}

/**
 * Fetches things whole: an object and all that it needs. Peers send object by object; this says what is
 * lacking next, and tells when nothing is. Chunks go into the store as they come, what is made of them when it is
 * whole: a fetch that ends half-way leaves nothing that looks as if something had been lost [T10].
 */
export class RootFetcher {
  readonly #store: ChunkStore;
  readonly #request: RequestObjects;
  readonly #onWhole: () => void;
  readonly #waitingBytesMax: number;
  readonly #wanted = new Map<Hash, Wanted>();
  /** Nodes of which not all is held. */
  readonly #waiting = new Map<Hash, StoredObject>();
  #waitingBytes = 0;

  /** `onWhole` is called when something that was lacking has become whole. */
  constructor(store: ChunkStore, request: RequestObjects, onWhole: () => void, waitingBytesMax = WAITING_BYTES_MAX) {
    this.#store = store;
    this.#request = request;
    this.#onWhole = onWhole;
    this.#waitingBytesMax = waitingBytesMax;
  }

  /** Whether all of `root` is held; what is not is asked for, of `near` first. */
  async has(root: Hash, near?: PublicKey): Promise<boolean> {
    if (this.#wanted.has(root)) return false;
    const { lacking, waiting } = await this.#survey(root);
    if (lacking.length > 0) this.#want(root, near, lacking);
    else if (waiting.length > 0) await this.#putAll(waiting);
    return lacking.length === 0;
  }

  #want(root: Hash, near: PublicKey | undefined, lacking: readonly Hash[]): void {
    this.#wanted.set(root, { near, lacking: new Set(lacking) });
    this.#request(lacking, near);
  }

  /** What nodes need that are not in the store yet: a cleaning must not take it away. One list for each. */
  *needed(): Generator<readonly Hash[]> {
    for (const { kind, bytes } of this.#waiting.values()) yield linksOf(kind, bytes);
  }

  /** Verifies and keeps an object that came in. SYNC_FRAME when it is not what its id says. */
  async keep({ id, kind, bytes }: NamedObject): Promise<void> {
    if (!checkObject(id, kind, bytes)) throw new GdoError("SYNC_FRAME", `an object came that is not ${id}`);
    if (!this.#waiting.has(id) && !this.#setAside(id, kind, bytes)) await this.#store.put(kind, bytes);
    for (const [root, wanted] of [...this.#wanted]) {
      if (wanted.lacking.delete(id)) await this.#goOn(root, wanted, kind === "chunk" ? [] : linksOf(kind, bytes));
    }
  }

  /** Whether it waits for what it needs. */
  #setAside(id: Hash, kind: ObjectKind, bytes: Uint8Array): boolean {
    const isWanted = [...this.#wanted.values()].some(({ lacking }) => lacking.has(id));
    if (kind === "chunk" || !isWanted) return false;
    if (this.#waitingBytes + bytes.length > this.#waitingBytesMax) return false;
    this.#waiting.set(id, { kind, bytes: new Uint8Array(bytes) }); // Not all of the frame that it came in.
    this.#waitingBytes += bytes.length;
    return true;
  }

  /** Asks for what the object that came needs: a walk over all that is held, for each object, would be quadratic. */
  async #goOn(root: Hash, { near, lacking }: Wanted, links: readonly Hash[]): Promise<void> {
    const fresh = new Set<Hash>();
    for (const link of links) {
      for (const id of (await this.#survey(link)).lacking) if (!lacking.has(id)) fresh.add(id);
    }
    for (const id of fresh) lacking.add(id);
    if (fresh.size > 0) this.#request([...fresh], near);
    if (lacking.size === 0) await this.#look(root, near);
  }

  /** Asks again for everything that is still lacking: a peer may have come that has it. */
  async retry(): Promise<void> {
    for (const [root, { near }] of [...this.#wanted]) await this.#look(root, near);
  }

  async #look(root: Hash, near: PublicKey | undefined): Promise<void> {
    const { lacking, waiting } = await this.#survey(root);
    if (lacking.length > 0) return this.#want(root, near, lacking);
    await this.#putAll(waiting);
    if (this.#wanted.delete(root)) this.#onWhole();
  }

  /** Durable when it returns: whatever refers to them may become durable next [T8]. */
  async #putAll(waiting: readonly Hash[]): Promise<void> {
    for (const id of waiting) await this.#putUnder(id);
    await this.#store.commit();
  }

  /** A node that waits, after those of its parts that wait; not by recursion, since others say how deep it goes. */
  async #putUnder(top: Hash): Promise<void> {
    const stack = [top];
    const opened = new Set<Hash>();
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      const node = this.#waiting.get(id);
      if (node !== undefined && !opened.has(id)) {
        opened.add(id);
        for (const link of linksOf(node.kind, node.bytes)) stack.push(link);
        continue;
      }
      stack.pop();
      if (node === undefined) continue;
      await this.#store.put(node.kind, node.bytes);
      if (this.#waiting.delete(id)) this.#waitingBytes -= node.bytes.length;
    }
  }

  /** Of the objects under `root` that are known: those that are not held, and nodes that wait for others. */
  async #survey(root: Hash): Promise<{ lacking: Hash[]; waiting: Hash[] }> {
    const [lacking, waiting]: [Hash[], Hash[]] = [[], []];
    const seen = new Set<Hash>([root]);
    const queue = [root];
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      const aside = this.#waiting.get(id);
      if (aside === undefined && !this.#store.has(id)) {
        lacking.push(id);
        continue;
      }
      if (aside !== undefined) waiting.push(id);
      const { kind, bytes } = aside ?? (await this.#store.get(id));
      if (kind === "chunk") continue;
      for (const link of linksOf(kind, bytes)) {
        if (!seen.has(link)) queue.push(link);
        seen.add(link);
      }
    }
    return { lacking, waiting };
  }
}
