/** Order and roots against checked-in vectors; an overlay over state. */
import { readFileSync } from "node:fs";
import test from "ava";
import type { Hash } from "../../lib/base/index.ts";
import { deriveHash, encodeCanonical } from "../../lib/codec/index.ts";
import { includedRoot, OverlayState, orderEntries, type Placed, stateRoot } from "../../lib/ledger/index.ts";

interface Vectors {
  readonly orders: readonly {
    readonly name: string;
    readonly seed: Hash;
    readonly blocks: readonly Placed[];
    readonly order: readonly Hash[];
  }[];
  readonly states: readonly { readonly keys: number; readonly root: Hash }[];
  readonly included: readonly { readonly count: number; readonly root: Hash }[];
}

const vectors = JSON.parse(readFileSync("test/fixtures/ledger/order-and-roots.json", "utf8")) as Vectors;

for (const { name, seed, blocks, order } of vectors.orders) {
  test(`[L12] order vector, ${name}`, (t) => {
    t.deepEqual(orderEntries(blocks, seed), order);
    t.deepEqual(orderEntries(blocks.toReversed(), seed), order);
  });
}

test("[L12] the seed decides between equals, so no id is good in itself", (t) => {
  const [one, two] = vectors.orders;
  t.deepEqual(one?.blocks, two?.blocks);
  t.notDeepEqual(one?.order, two?.order);
});

function pairs(count: number): [string, number][] {
  return Array.from({ length: count }, (_, index) => [`key/${index}`, index]);
}

for (const { keys, root } of vectors.states) {
  test(`[L19] state root vector, ${keys} keys`, (t) => {
    t.is(stateRoot(pairs(keys)), root);
    t.is(stateRoot(pairs(keys).reverse()), root);
  });
}

test("[L19] every key and every value changes the root", (t) => {
  const root = stateRoot(pairs(40));
  const others = [pairs(41), pairs(39), [...pairs(39), ["key/39", 40]], [...pairs(39), ["key/x", 39]]] as [
    string,
    number,
  ][][];
  t.is(new Set([root, ...others.map(stateRoot)]).size, 5);
  t.not(stateRoot([["a", null]]), stateRoot([]));
});

test("[L19] a key twice is a bug", (t) => {
  t.throws(
    () =>
      stateRoot([
        ["a", 1],
        ["a", 2],
      ]),
    { instanceOf: RangeError },
  );
});

for (const { count, root } of vectors.included) {
  test(`ledger: included root vector, ${count} ids`, (t) => {
    const ids = Array.from({ length: count }, (_, index) => deriveHash("gdo v1 block", encodeCanonical(index)));
    t.is(includedRoot(ids), root);
    t.is(includedRoot(ids.toReversed()), root);
  });
}

test("ledger: a single id is not its own root, and an id twice is a bug", (t) => {
  const id = deriveHash("gdo v1 block", encodeCanonical(0));
  t.not(includedRoot([id]), id);
  t.throws(() => includedRoot([id, id]), { instanceOf: RangeError });
});

test("ledger: an overlay shows its changes over its base, in the bytewise order of keys", (t) => {
  const base = new OverlayState(undefined, [
    ["a/1", 1],
    ["a/2", 2],
    ["a/\u{1f511}", 3],
    ["b", 4],
  ]);
  const over = new OverlayState(base, [
    ["a/2", undefined],
    ["a/\uffee", 5],
    ["a/1", 6],
  ]);
  t.deepEqual(
    [...over.scan("a/")],
    [
      ["a/1", 6],
      ["a/\uffee", 5],
      ["a/\u{1f511}", 3],
    ],
  );
  t.is(over.get("a/2"), undefined);
  t.is(over.get("b"), 4);
  t.is(base.get("a/2"), 2);
  t.deepEqual(over.changes(), [
    ["a/1", 6],
    ["a/2", undefined],
    ["a/\uffee", 5],
  ]);
});
