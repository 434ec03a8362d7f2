/** Blobs from and to open files: natively where the store can, piece by piece where it cannot. */
import type { FileHandle } from "node:fs/promises";
import type { Hash } from "../../base/index.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { DEFAULT_PROFILE, type FileWork, isFileStore, type PutFileOptions } from "../file-store.ts";
import type { PutBlob } from "./blob-writer.ts";

const PIECE_BYTES = 1024 * 1024;

/**
 * Stores an open file from its first byte on. The handle stays open; where it stands in the file
 * afterwards is not told. Rejects with the signal's reason when that ends it.
 */
export async function putBlobFile(
  store: ChunkStore,
  handle: FileHandle,
  options: Partial<PutFileOptions> = {},
): Promise<PutBlob> {
  const profile = options.profile ?? DEFAULT_PROFILE;
  if (isFileStore(store)) return store.putFile(handle.fd, { ...options, profile });
  // Loaded where it is needed: most stores take files natively, and a process for one file is short.
  const { putBlob } = await import("./blob-writer.ts");
  return putBlob(store, readPieces(handle, options), profile);
}

/** Writes a blob into a new, empty file and gives its size; zeros become holes [T4]. */
export async function restoreBlobFile(
  store: ChunkStore,
  id: Hash,
  handle: FileHandle,
  work: FileWork = {},
): Promise<number> {
  if (isFileStore(store)) return store.restoreFile(id, handle.fd, work);
  const { readBlobPieces } = await import("./blob-reader.ts");
  let sizeBytes = 0;
  for await (const piece of readBlobPieces(store, id)) {
    work.signal?.throwIfAborted();
    if (piece.type === "bytes") await writeFully(handle, piece.bytes, sizeBytes);
    sizeBytes += piece.type === "bytes" ? piece.bytes.length : piece.lengthBytes;
    work.onProgress?.(sizeBytes);
  }
  await handle.truncate(sizeBytes); // A hole at the end.
  return sizeBytes;
}

async function* readPieces(
  handle: FileHandle,
  { sizeBytesMax = Number.POSITIVE_INFINITY, signal, onProgress }: Partial<PutFileOptions>,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < sizeBytesMax; ) {
    signal?.throwIfAborted();
    const piece = Buffer.allocUnsafeSlow(Math.min(sizeBytesMax - at, PIECE_BYTES));
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
    onProgress?.(at);
  }
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}
