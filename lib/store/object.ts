/** Object kinds: how each is named [T1], and what other objects it needs. */
import { blake3 } from "../addon.ts";
import { GdoError, type Hash, hashOf32, OBJECT_BYTES_MAX } from "../base/index.ts";
import { deriveHash } from "../codec/index.ts";
import { blobLinks, decodeBlobNode } from "./blob/blob-node.ts";
import type { ObjectKind } from "./chunk-store.ts";
import { decodeTreeNode, treeLinks } from "./tree/node.ts";

/** The id of an object [T1]: a chunk's is what `b3sum` prints. */
export function objectId(kind: ObjectKind, bytes: Uint8Array): Hash {
  switch (kind) {
    case "chunk":
      return hashOf32(blake3(bytes));
    case "blob":
      return deriveHash("gdo v1 blob", bytes);
    case "tree":
      return deriveHash("gdo v1 tree", bytes);
  }
}

/** Throws INPUT_INVALID on an object that no store takes. */
export function assertObjectSize(bytes: Uint8Array): void {
  if (bytes.length <= OBJECT_BYTES_MAX) return;
  throw new GdoError("INPUT_INVALID", `an object has at most ${OBJECT_BYTES_MAX} bytes, not ${bytes.length}`);
}

/** The ids that an object needs, once each: what a peer fetches next. STORE_CORRUPT when it is malformed. */
export function linksOf(kind: ObjectKind, bytes: Uint8Array): Hash[] {
  switch (kind) {
    case "chunk":
      return [];
    case "blob":
      return blobLinks(decodeBlobNode(bytes));
    case "tree":
      return treeLinks(decodeTreeNode(bytes));
  }
}

/** Whether bytes from elsewhere are the object they claim to be: right id, right form. */
export function checkObject(id: Hash, kind: ObjectKind, bytes: Uint8Array): boolean {
  if (bytes.length > OBJECT_BYTES_MAX || objectId(kind, bytes) !== id) return false;
  try {
    linksOf(kind, bytes);
    return true;
  } catch (error) {
    if (error instanceof GdoError) return false;
    throw error;
  }
}
