/** A store in front of another that takes nothing in: it tells what would be. */
import type { Hash } from "../../base/index.ts";
import type { ChunkStore, ObjectKind, StoredObject } from "../chunk-store.ts";
import { assertObjectSize, objectId } from "../object.ts";

export class DryStore implements ChunkStore {
  readonly #store: ChunkStore;
  readonly #fresh = new Set<Hash>();
  /** What would be new, before compression. */
  newBytes = 0;

  constructor(store: ChunkStore) {
    this.#store = store;
  }

  async put(kind: ObjectKind, bytes: Uint8Array): Promise<Hash> {
    assertObjectSize(bytes);
    const id = objectId(kind, bytes);
    if (this.has(id)) return id;
    this.#fresh.add(id);
    this.newBytes += bytes.length;
    return id;
  }

  get(id: Hash): Promise<StoredObject> {
    return this.#store.get(id);
  }

  has(id: Hash): boolean {
    return this.#fresh.has(id) || this.#store.has(id);
  }

  missing(ids: Iterable<Hash>): Hash[] {
    return [...new Set(ids)].filter((id) => !this.has(id));
  }

  async commit(): Promise<void> {}

  async close(): Promise<void> {}

  resolvePrefix(hex: string): Hash[] {
    return this.#store.resolvePrefix(hex);
  }

  ids(): Iterable<Hash> {
    return this.#store.ids();
  }
}
