/**
 * What every object store offers, and nothing about how. PackStore keeps objects on disk, MemoryStore
 * in memory; one contract suite holds for both, and caches or peers wrap the same interface.
 * Rules: docs/design/store.md.
 */
import type { Hash } from "../base/index.ts";

/** A chunk is bytes; a blob is a list of chunks; a tree is a folder. */
export type ObjectKind = "chunk" | "blob" | "tree";

export interface StoredObject {
  readonly kind: ObjectKind;
  readonly bytes: Uint8Array;
}

export interface ChunkStore {
  /**
   * Keeps an object and returns its id [T1]; what is known already is not written again. It is durable
   * after the next commit. The bytes are not kept by reference. INPUT_INVALID over OBJECT_BYTES_MAX,
   * STORE_FULL, IO.
   */
  put(kind: ObjectKind, bytes: Uint8Array): Promise<Hash>;
  /** The object, its id checked [T10]. STORE_MISSING, STORE_CORRUPT. */
  get(id: Hash): Promise<StoredObject>;
  /** Whether the object is held and not known to be damaged. */
  has(id: Hash): boolean;
  /** Those of `ids` that are not held, once each, in their order. */
  missing(ids: Iterable<Hash>): Hash[];
  /** Resolves when everything put before is durable. STORE_FULL, IO. */
  commit(): Promise<void>;
  /** Commits and lets go of all resources. A second call does nothing. */
  close(): Promise<void>;
  /** Every held id that begins with these 1 to 64 hex digits, sorted. INPUT_INVALID for other text. */
  resolvePrefix(hex: string): Hash[];
  /** Every held id, in no particular order. The store must not be written to meanwhile. */
  ids(): Iterable<Hash>;
}
