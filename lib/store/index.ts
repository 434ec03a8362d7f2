/** Chunks, blobs and trees, named by their content. docs/design/store.md rules. */
export { blobSizeBytes, readBlob, readBlobBytes } from "./blob-reader.ts";
export { putBlob } from "./blob-writer.ts";
export { putPath, putTree } from "./capture/put.ts";
export type { ChunkStore } from "./chunk-store.ts";
export { MemoryStore } from "./memory-store.ts";
export { checkObject, linksOf, objectId } from "./object.ts";
export { PackStore } from "./pack/store.ts";
export type { BadPlace } from "./pack/verify.ts";
export { checkout } from "./tree/checkout.ts";
export { mergeTrees } from "./tree/merge.ts";
export type { TreeEntry } from "./tree/node.ts";
export { displayName, type ListedEntry, list, readTree, resolvePath } from "./tree/path.ts";
