/** Acts of an import, cut into groups that each fit one entry. Pure. */
import { ENTRY_ACTS_MAX, utf8 } from "../base/index.ts";

/** Leaves room for the rest of the block below its 64 KiB [L2]. */
export const IMPORT_GROUP_BYTES_MAX = 60_000;

/** In order; a single act that is too large stands alone, and is refused by whoever appends it. */
export function entryGroups<T extends { readonly type: string; readonly body: unknown }>(acts: readonly T[]): T[][] {
  const groups: T[][] = [];
  let sizeBytes = 0;
  for (const act of acts) {
    // JSON is never shorter than the canonical form by more than a few bytes a text.
    const actBytes = utf8(JSON.stringify([act.type, act.body])).length + 16;
    const last = groups.at(-1);
    if (last !== undefined && last.length < ENTRY_ACTS_MAX && sizeBytes + actBytes <= IMPORT_GROUP_BYTES_MAX) {
      last.push(act);
      sizeBytes += actBytes;
    } else {
      groups.push([act]);
      sizeBytes = actBytes;
    }
  }
  return groups;
}
