/**
 * A store in memory: for tests, simulation and small caches. Over one map it is a process on a disk: another
 * store over the same map holds what this one has committed, and nothing else.
 */
import { GdoError, type Hash } from "../base/index.ts";
import type { ChunkStore, ObjectKind, StoredObject } from "./chunk-store.ts";
import { assertObjectSize, objectId } from "./object.ts";
import { assertPrefix } from "./prefix.ts";

export class MemoryStore implements ChunkStore {
  readonly #disk: Map<Hash, StoredObject>;
  readonly #fresh = new Map<Hash, StoredObject>();
  #closed = false;

  constructor(disk = new Map<Hash, StoredObject>()) {
    this.#disk = disk;
  }

  async put(kind: ObjectKind, bytes: Uint8Array): Promise<Hash> {
    this.#assertOpen();
    assertObjectSize(bytes);
    const id = objectId(kind, bytes);
    if (!this.has(id)) this.#fresh.set(id, { kind, bytes: Uint8Array.from(bytes) });
    return id;
  }

  async get(id: Hash): Promise<StoredObject> {
    this.#assertOpen();
    const object = this.#disk.get(id) ?? this.#fresh.get(id);
    if (object === undefined) throw new GdoError("STORE_MISSING", `object ${id} is not in the store`);
    return { kind: object.kind, bytes: Uint8Array.from(object.bytes) }; // A caller that writes to it harms only itself.
  }

  has(id: Hash): boolean {
    return this.#disk.has(id) || this.#fresh.has(id);
  }

  missing(ids: Iterable<Hash>): Hash[] {
    return [...new Set(ids)].filter((id) => !this.has(id));
  }

  async commit(): Promise<void> {
    this.#assertOpen();
    for (const [id, object] of this.#fresh) this.#disk.set(id, object);
    this.#fresh.clear();
  }

  async close(): Promise<void> {
    if (!this.#closed) await this.commit();
    this.#closed = true;
  }

  resolvePrefix(hex: string): Hash[] {
    assertPrefix(hex);
    return [...this.ids()].filter((id) => id.startsWith(hex)).sort();
  }

  ids(): Iterable<Hash> {
    return [...this.#disk.keys(), ...this.#fresh.keys()];
  }

  #assertOpen(): void {
    if (this.#closed) throw new GdoError("IO", "the store is closed");
  }
}
