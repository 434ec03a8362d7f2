/** Chunks, blobs and trees, named by their content. docs/design/store.md rules. */
export {
  type BlobPiece,
  type ByteRange,
  blobSizeBytes,
  readBlob,
  readBlobBytes,
  readBlobPieces,
} from "./blob-reader.ts";
export { DEFAULT_PROFILE, type PutBlob, putBlob } from "./blob-writer.ts";
export type { ChunkStore, ObjectKind, StoredObject } from "./chunk-store.ts";
export { MemoryStore } from "./memory-store.ts";
export { checkObject, linksOf, objectId } from "./object.ts";
export {
  PACK_BYTES_DISK,
  PACK_BYTES_SD,
  PackStore,
  type PackStoreOptions,
  type VerifySummary,
} from "./pack/store.ts";
export type { BadPlace } from "./pack/verify.ts";
export type { IdShift } from "./tree/attributes.ts";
export { type CheckoutOptions, checkout } from "./tree/checkout.ts";
export { mergeTrees } from "./tree/merge.ts";
export type {
  Attributes,
  DeviceEntry,
  DirectoryEntry,
  FifoEntry,
  FileEntry,
  SymlinkEntry,
  TreeEntry,
  TreeNode,
  Xattr,
} from "./tree/node.ts";
export { displayName, type ListedEntry, list, type Resolved, readTree, resolvePath } from "./tree/path.ts";
export { type PutPath, type PutTreeOptions, putPath, putTree } from "./tree/put.ts";
