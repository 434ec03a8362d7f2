/** What a block names. */
import type { Hash } from "../base/index.ts";
import type { Block } from "../codec/index.ts";

/** All blocks that a block names: the one before it in its log, and its other parents. */
export function parentIds({ b, p }: Pick<Block, "b" | "p">): readonly Hash[] {
  return b === null ? p : [b, ...p];
}
