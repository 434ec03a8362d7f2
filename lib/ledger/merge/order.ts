/** The order in which a merge's entries are reduced [L12]. Pure: the set and the seed alone decide. */
import { bytesOf, compareBytes, concatBytes, HASH_BYTES, type Hash, startNumber, utf8 } from "../../base/index.ts";
import { deriveHash, deriveHashesOf } from "../../codec/index.ts";

/** What of a block its place depends on. */
export interface Placed {
  readonly id: Hash;
  readonly c: number;
}

/**
 * The seed of a merge's order [L12]: derive-key "gdo v1 seed" over the id of the merge before, or of what the
 * branch begins with (the charter; for a fork the merge it was forked at), and the votes that made it final.
 * Nobody knew them when signing, so no id can be ground for a place.
 */
export function orderSeed(base: Hash, cert: { readonly votes: readonly Hash[] } | null): Hash {
  return deriveHash("gdo v1 seed", concatBytes([base, ...(cert?.votes ?? [])].map(bytesOf)));
}

/**
 * What a dapp may take its chance from in a merge [D3]: derive-key "gdo v1 dapp seed" over the order's seed and the
 * dapp's name, so that no two dapps draw the same, and none learns the order's own seed.
 */
export function dappSeed(order: Hash, app: string): Hash {
  return deriveHash("gdo v1 dapp seed", concatBytes([bytesOf(order), utf8(app)]));
}

/**
 * Topological, then by Lamport clock, then by a hash of the seed and the id [L12]. The seed is
 * `orderSeed`'s. A block's clock is greater than any
 * parent's [L4], so order by clock is topological by itself.
 */
export function orderEntries(blocks: readonly Placed[], seed: Hash): Hash[] {
  const seeded = Buffer.from(blocks.map(({ id }) => seed + id).join(""), "hex");
  const ties = deriveHashesOf("gdo v1 order", seeded, 2 * HASH_BYTES);
  return blocks
    .map(({ id, c }, index) => {
      const tie = ties[index] as Uint8Array;
      return { id, c, tie, start: startNumber(tie) };
    })
    .sort((x, y) => x.c - y.c || x.start - y.start || compareBytes(x.tie, y.tie))
    .map(({ id }) => id);
}
