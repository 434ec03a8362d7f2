/** A file's bytes, read piece by piece. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

const PIECE_BYTES = 1024 * 1024;

export interface FileSourceOptions {
  readonly followLink?: boolean;
}

/** Each piece has its own memory, as putBlob asks. `sizeBytes` is only a hint: the file may have changed. */
export async function* readFilePieces(
  path: string | Buffer,
  sizeBytes: number,
  options: FileSourceOptions = {},
): AsyncGenerator<Uint8Array> {
  // Not through a link, nor waiting for a pipe, that has taken the file's place since it was looked at.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (options.followLink ? 0 : constants.O_NOFOLLOW);
  const handle = await open(path, flags);
  try {
    for (;;) {
      // One byte more than the file has: then one short read tells its end.
      const piece = Buffer.allocUnsafeSlow(Math.min(sizeBytes + 1, PIECE_BYTES));
      const { bytesRead } = await handle.read(piece, 0, piece.length, null);
      if (bytesRead > 0) yield piece.subarray(0, bytesRead);
      if (bytesRead === 0) return;
    }
  } finally {
    await handle.close();
  }
}
