/** The state tree kept node by node is the tree of all keys, after any history. */
import test from "ava";
import fc from "fast-check";
import { toHex } from "../../lib/base/index.ts";
import { type LeafChange, stateLeaves, statePaths, stateRoot, updateTree } from "../../lib/ledger/index.ts";

/** Nodes in memory; counts what is read of them. */
class Tree {
  readonly nodes = new Map<string, Uint8Array>();
  reads = 0;

  get(place: string): Uint8Array | undefined {
    this.reads += 1;
    return this.nodes.get(place);
  }

  /** Gives the root, and how many nodes were read and written. */
  change(changes: readonly LeafChange[]): { readonly root: string | undefined; readonly touched: number } {
    this.reads = 0;
    const { root, nodes } = updateTree(this, changes);
    for (const [place, node] of nodes) {
      if (node === undefined) this.nodes.delete(place);
      else this.nodes.set(place, node);
    }
    return { root, touched: this.reads + nodes.size };
  }

  shown(): string[] {
    return [...this.nodes].map(([place, node]) => `${place}:${toHex(node)}`).sort();
  }
}

const leaf = (key: string, value: number | undefined): LeafChange =>
  value === undefined ? { path: statePaths([key])[0] as Uint8Array } : (stateLeaves([[key, value]])[0] as LeafChange);

test("[L19] kept incrementally, a root is byte for byte the root from scratch", (t) => {
  const key = fc.nat(60).map((n) => `key${n}`);
  const change = fc.tuple(key, fc.option(fc.nat(3), { nil: undefined, freq: 2 }));
  const merges = fc.array(fc.array(change, { maxLength: 25 }), { maxLength: 12 });
  const check = (history: readonly (readonly (readonly [string, number | undefined])[])[]): void => {
    const tree = new Tree();
    const state = new Map<string, number>();
    for (const merge of history) {
      const changes = new Map(merge);
      for (const [name, value] of changes) {
        if (value === undefined) state.delete(name);
        else state.set(name, value);
      }
      const { root } = tree.change([...changes].map(([name, value]) => leaf(name, value)));
      t.is(root, state.size === 0 ? undefined : stateRoot(state));
    }
    const anew = new Tree();
    anew.change([...state].map(([name, value]) => leaf(name, value)));
    t.deepEqual(tree.shown(), anew.shown());
  };
  t.notThrows(() => fc.assert(fc.property(merges, check), { numRuns: 200 }));
});

test("[L19] paths that part late make the same tree in any order, and leave nothing behind", (t) => {
  const path = fc.tuple(fc.nat(2), fc.nat(3)).map(([at, bits]) => {
    const bytes = new Uint8Array(32);
    bytes[31 - 12 * at] = bits * 64 + bits;
    return bytes;
  });
  const paths = fc.uniqueArray(path, { selector: toHex, minLength: 1, maxLength: 12 });
  const check = (all: readonly Uint8Array[]): void => {
    const leaves = all.map((each, index) => ({ path: each, hash: new Uint8Array(32).fill(index + 1) }));
    const [tree, anew] = [new Tree(), new Tree()];
    for (const each of leaves) tree.change([each]);
    const { root } = anew.change(leaves);
    t.deepEqual(tree.shown(), anew.shown());
    const half = leaves.slice(leaves.length >> 1);
    for (const each of leaves.slice(0, leaves.length >> 1)) tree.change([{ path: each.path }]);
    const rest = new Tree();
    rest.change(half);
    t.deepEqual(tree.shown(), rest.shown());
    t.is(tree.change(leaves).root, root);
    t.is(tree.change(leaves.map(({ path: gone }) => ({ path: gone }))).root, undefined);
    t.is(tree.nodes.size, 0);
  };
  t.notThrows(() => fc.assert(fc.property(paths, check), { numRuns: 200 }));
});

test("[L19] a change touches the nodes on its path, however many keys there are", (t) => {
  const tree = new Tree();
  tree.change(Array.from({ length: 20_000 }, (_, n) => leaf(`key${n}`, n)));
  for (const [name, value] of [
    ["key7", 8],
    ["new", 1],
    ["key9", undefined],
  ] as const) {
    const { touched } = tree.change([leaf(name, value)]);
    t.true(touched <= 12, `${touched} nodes`);
  }
});
