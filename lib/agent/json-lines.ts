/** Newline-delimited JSON over a stream, with a bound on the line before anything is parsed. */
import type { Readable } from "node:stream";

/** Calls `onLine` for each complete line; `onTooLong` once, then nothing more is read. */
export function readLines(
  stream: Readable,
  options: { lineBytesMax: number; onLine: (line: string) => void; onTooLong: () => void },
): void {
  let pieces: Buffer[] = [];
  let heldBytes = 0;
  const take = (chunk: Buffer): void => {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      pieces.push(chunk.subarray(start, end));
      start = end + 1;
      const line = Buffer.concat(pieces).toString("utf8");
      pieces = [];
      heldBytes = 0;
      if (line.length > 0) options.onLine(line);
    }
    heldBytes += chunk.length - start;
    if (heldBytes > options.lineBytesMax) {
      stream.off("data", take);
      options.onTooLong();
      return;
    }
    pieces.push(chunk.subarray(start));
  };
  stream.on("data", take);
}
