/** A store in memory: for tests, simulation and small caches. */
import { GdoError, type Hash } from "../base/index.ts";
import type { ChunkStore, ObjectKind, StoredObject } from "./chunk-store.ts";
import { assertObjectSize, objectId } from "./object.ts";
import { assertPrefix } from "./prefix.ts";

export class MemoryStore implements ChunkStore {
  readonly #objects = new Map<Hash, StoredObject>();
  #closed = false;

  async put(kind: ObjectKind, bytes: Uint8Array): Promise<Hash> {
    this.#assertOpen();
    assertObjectSize(bytes);
    const id = objectId(kind, bytes);
    if (!this.#objects.has(id)) this.#objects.set(id, { kind, bytes: Uint8Array.from(bytes) });
    return id;
  }

  async get(id: Hash): Promise<StoredObject> {
    this.#assertOpen();
    const object = this.#objects.get(id);
    if (object === undefined) throw new GdoError("STORE_MISSING", `object ${id} is not in the store`);
    return { kind: object.kind, bytes: Uint8Array.from(object.bytes) }; // A caller that writes to it harms only itself.
  }

  has(id: Hash): boolean {
    return this.#objects.has(id);
  }

  missing(ids: Iterable<Hash>): Hash[] {
    return [...new Set(ids)].filter((id) => !this.has(id));
  }

  async commit(): Promise<void> {
    this.#assertOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  resolvePrefix(hex: string): Hash[] {
    assertPrefix(hex);
    return [...this.#objects.keys()].filter((id) => id.startsWith(hex)).sort();
  }

  ids(): Iterable<Hash> {
    return this.#objects.keys();
  }

  #assertOpen(): void {
    if (this.#closed) throw new GdoError("IO", "the store is closed");
  }
}
