/** A blob into a new file; runs of zeros become holes [T4]. */
import { open } from "node:fs/promises";
import type { Hash } from "../../base/index.ts";
import { readBlobPieces } from "../blob-reader.ts";
import type { ChunkStore } from "../chunk-store.ts";

/** The file must not exist; it is readable by nobody else until its attributes are set. */
export async function writeBlobFile(store: ChunkStore, id: Hash, path: Buffer): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    let sizeBytes = 0;
    for await (const piece of readBlobPieces(store, id)) {
      if (piece.type === "bytes") await writeFully(handle, piece.bytes, sizeBytes);
      sizeBytes += piece.type === "bytes" ? piece.bytes.length : piece.lengthBytes;
    }
    await handle.truncate(sizeBytes); // A hole at the end.
  } finally {
    await handle.close();
  }
}

interface Writable {
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
}

async function writeFully(handle: Writable, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}
