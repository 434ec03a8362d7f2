/** A blob out again, whole or any part of it: only the nodes and chunks of that part are read [T3]. */
import { GdoError, type Hash } from "../../base/index.ts";
import type { ChunkStore, ObjectKind } from "../chunk-store.ts";
import { type BlobEntry, type BlobNode, decodeBlobNode, nodeLengthBytes, ZEROS_ID } from "./blob-node.ts";
import { zeroPieces } from "./zeros.ts";

/** Byte offsets: `start` inclusive, `end` exclusive. What lies beyond the blob's end is left out. */
export interface ByteRange {
  readonly start?: number;
  readonly end?: number;
}

/** Data, or a run of zeros that a sparse file need not hold. */
export type BlobPiece =
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | { readonly type: "zeros"; readonly lengthBytes: number };

interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The bytes of a blob, every chunk's id checked before it is given out [T10]. STORE_MISSING,
 * STORE_CORRUPT, INPUT_INVALID when the id is not a blob's or the range is none.
 */
export async function* readBlob(store: ChunkStore, id: Hash, range: ByteRange = {}): AsyncGenerator<Uint8Array> {
  for await (const piece of readBlobPieces(store, id, range)) {
    if (piece.type === "bytes") yield piece.bytes;
    else yield* zeroPieces(piece.lengthBytes);
  }
}

/** As readBlob, with runs of zeros told as such. */
export async function* readBlobPieces(store: ChunkStore, id: Hash, range: ByteRange = {}): AsyncGenerator<BlobPiece> {
  const { start = 0, end = Number.POSITIVE_INFINITY } = range;
  if (!(start >= 0 && end >= start)) throw new GdoError("INPUT_INVALID", `not a range of bytes: ${start} to ${end}`);
  yield* readNode(store, await blobNode(store, id), { start, end });
}

/** How many bytes a blob has: one small read. */
export async function blobSizeBytes(store: ChunkStore, id: Hash): Promise<number> {
  return nodeLengthBytes(await blobNode(store, id));
}

/** A blob in one piece of memory. INPUT_INVALID when it has more than `bytesMax`. */
export async function readBlobBytes(store: ChunkStore, id: Hash, bytesMax: number): Promise<Uint8Array> {
  const root = await blobNode(store, id);
  const sizeBytes = nodeLengthBytes(root);
  if (sizeBytes > bytesMax) {
    throw new GdoError("INPUT_INVALID", `blob ${id} has ${sizeBytes} bytes, more than the ${bytesMax} allowed here`);
  }
  const bytes = new Uint8Array(sizeBytes); // Zeros from the start, so a run of them only moves on.
  let at = 0;
  for await (const piece of readNode(store, root, { start: 0, end: sizeBytes })) {
    if (piece.type === "bytes") bytes.set(piece.bytes, at);
    at += piece.type === "bytes" ? piece.bytes.length : piece.lengthBytes;
  }
  return bytes;
}

async function blobNode(store: ChunkStore, id: Hash): Promise<BlobNode> {
  return decodeBlobNode(await getKind(store, id, "blob"));
}

/** An object that must be of this kind: INPUT_INVALID when it is of another. */
export async function getKind(store: ChunkStore, id: Hash, kind: ObjectKind): Promise<Uint8Array> {
  const object = await store.get(id);
  if (object.kind === kind) return object.bytes;
  throw new GdoError("INPUT_INVALID", `${id} is a ${object.kind}, not a ${kind}`);
}

async function* readNode(store: ChunkStore, node: BlobNode, span: Span): AsyncGenerator<BlobPiece> {
  let at = 0;
  for (const entry of node.entries) {
    const start = Math.max(span.start - at, 0);
    const end = Math.min(span.end - at, entry.lengthBytes);
    at += entry.lengthBytes;
    if (start >= end) continue;
    if (node.level === 0) yield await readChunk(store, entry, { start, end });
    else yield* readNode(store, await childNode(store, node, entry), { start, end });
  }
}

async function readChunk(store: ChunkStore, entry: BlobEntry, { start, end }: Span): Promise<BlobPiece> {
  if (entry.id === ZEROS_ID) return { type: "zeros", lengthBytes: end - start };
  const bytes = await getKind(store, entry.id, "chunk");
  if (bytes.length !== entry.lengthBytes) {
    throw new GdoError(
      "STORE_CORRUPT",
      `chunk ${entry.id} has ${bytes.length} bytes where its blob says ${entry.lengthBytes}`,
    );
  }
  return { type: "bytes", bytes: bytes.subarray(start, end) };
}

/** A node of the level below, which must be what its parent says: a forged one could loop or lie about lengths. */
async function childNode(store: ChunkStore, parent: BlobNode, entry: BlobEntry): Promise<BlobNode> {
  const child = await blobNode(store, entry.id);
  const isRight =
    child.level === parent.level - 1 &&
    child.profile === parent.profile &&
    nodeLengthBytes(child) === entry.lengthBytes;
  if (isRight) return child;
  throw new GdoError("STORE_CORRUPT", `blob node ${entry.id} is not what its parent says`);
}
