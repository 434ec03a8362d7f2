/**
 * [L9] A verified signature on a log's newest block vouches for all blocks that it follows by `b`: each
 * block's id is in the body of the next, so a changed byte before it would change it too.
 */
import type { Hash } from "../base/index.ts";
import type { Block } from "../codec/index.ts";

/**
 * Ids of the blocks that a later block of the same contiguous range vouches for, or that were verified
 * themselves. Verifies the newest of each range, and while that fails the one before it.
 */
export function carriedIds(blocks: readonly Block[], verify: (block: Block) => boolean): Set<Hash> {
  const byId = new Map(blocks.map((block) => [block.id, block]));
  const followed = new Set(blocks.map(({ b }) => b));
  const carried = new Set<Hash>();
  for (const newest of blocks.filter(({ id }) => !followed.has(id))) {
    let isVouched = false;
    for (let block: Block | undefined = newest; block !== undefined; block = previousOf(block, byId)) {
      if (carried.has(block.id)) break; // A fork of the log: from here on the other range has vouched.
      isVouched ||= verify(block);
      if (isVouched) carried.add(block.id);
    }
  }
  return carried;
}

/** The block before it in its log, if it is in the batch and really is that. */
function previousOf(block: Block, byId: ReadonlyMap<Hash, Block>): Block | undefined {
  const previous = block.b === null ? undefined : byId.get(block.b);
  return previous?.a === block.a && previous.l === block.l && previous.n === block.n - 1 ? previous : undefined;
}
