/** A blob into a new file; runs of zeros become holes [T4]. */
import { type FileHandle, open } from "node:fs/promises";
import type { Hash } from "../../base/index.ts";
import { readBlobPieces } from "../blob/blob-reader.ts";
import { isAllZero } from "../blob/zeros.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { isFileStore } from "../file-store.ts";

/** What a file system allocates at once; a hole is at least so large. */
const PAGE_BYTES = 4096;

/**
 * The file must not exist; it is readable by nobody else until `finish` gives it its attributes.
 * Returns what that returns.
 */
export async function writeBlobFile<T>(
  store: ChunkStore,
  id: Hash,
  path: Buffer,
  finish: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  const handle = await open(path, "wx", 0o600);
  try {
    if (isFileStore(store)) await store.restoreFile(id, handle.fd);
    else await writePieces(store, id, handle);
    return await finish(handle);
  } finally {
    await handle.close();
  }
}

async function writePieces(store: ChunkStore, id: Hash, handle: FileHandle): Promise<void> {
  let sizeBytes = 0;
  for await (const piece of readBlobPieces(store, id)) {
    if (piece.type === "bytes") await writeSparsely(handle, piece.bytes, sizeBytes);
    sizeBytes += piece.type === "bytes" ? piece.bytes.length : piece.lengthBytes;
  }
  await handle.truncate(sizeBytes); // A hole at the end.
}

/** Leaves out the pages of the file that are all zeros. */
async function writeSparsely(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let start = 0;
  for (let page = -position % PAGE_BYTES; page < bytes.length; page += PAGE_BYTES) {
    const isWhole = page >= 0 && page + PAGE_BYTES <= bytes.length;
    if (!isWhole || !isAllZero(bytes.subarray(page, page + PAGE_BYTES))) continue;
    await writeFully(handle, bytes.subarray(start, page), position + start);
    start = page + PAGE_BYTES;
  }
  await writeFully(handle, bytes.subarray(start), position + start);
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}
