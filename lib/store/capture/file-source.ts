/** A file's bytes, read piece by piece. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

const PIECE_BYTES = 1024 * 1024;

/**
 * Opens a file for reading: not through a link, nor waiting for a pipe, that has taken the file's
 * place since it was looked at; without leaving a trace in its access time where that is allowed.
 */
export async function openSource(
  path: string | Buffer,
  options: { readonly followLink?: boolean } = {},
): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (options.followLink ? 0 : constants.O_NOFOLLOW);
  try {
    return await open(path, flags | constants.O_NOATIME);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
    return open(path, flags); // Only the owner and root may leave no trace.
  }
}

/**
 * The first `sizeBytes` of an open file, less where it has become shorter: a file that grows as fast as
 * it is read would never end. Each piece has its own memory, as putBlob asks.
 */
export async function* readPieces(handle: FileHandle, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let left = sizeBytes; left > 0; ) {
    const piece = Buffer.allocUnsafeSlow(Math.min(left, PIECE_BYTES));
    const { bytesRead } = await handle.read(piece, 0, piece.length, null);
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
    left -= bytesRead;
  }
}

/** All of a file, by its name. */
export async function* readFilePieces(
  path: string | Buffer,
  options: { readonly followLink?: boolean } = {},
): AsyncGenerator<Uint8Array> {
  const handle = await openSource(path, options);
  try {
    yield* readPieces(handle, Number.POSITIVE_INFINITY);
  } finally {
    await handle.close();
  }
}
