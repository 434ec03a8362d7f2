/** Streams of zstd frames, by the addon. */
import { ZstdStream } from "../../addon.ts";
import { GdoError } from "../../base/index.ts";

/** INPUT_INVALID for what is no zstd, or ends within a frame. */
export async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = new ZstdStream();
  let isWhole = true;
  for await (const piece of source) {
    // One piece may hold thousands of times its size: what comes out is taken step by step.
    for (let [rest, hasMore] = [piece, false]; rest.length > 0 || hasMore; ) {
      const step = stream.step(rest);
      if (step.output.length > 0) yield step.output;
      rest = rest.subarray(step.usedBytes);
      ({ hasMore, isWhole } = step);
    }
  }
  if (!isWhole) throw new GdoError("INPUT_INVALID", "a layer's zstd ends too early");
}
