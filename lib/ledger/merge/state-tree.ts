/**
 * The state tree kept node by node [L19], so that a root costs what has changed: each changed key touches the
 * nodes on its path and no other. merkle.ts has the tree itself, from all keys at once; both give the same root.
 *
 * A node's bytes: u32 big-endian with bit d for each digit d that occurs, the same of those digits that lead
 * to a lone leaf, then ascending by digit a hash, and before a leaf's hash its path. The root is kept also
 * where it holds one leaf, or it could not be found.
 */
import { concatBytes, type Hash, hashOf32 } from "../../base/index.ts";
import { digitOf, STATE_ARITY, stateNodeHash } from "./merkle.ts";

/** What a key becomes; without a hash it is gone. */
export interface LeafChange {
  /** Of the key. */
  readonly path: Uint8Array;
  readonly hash?: Uint8Array;
}

/** Nodes by place: the digits on the way there, each one of 0-9, a-v; the root's is empty. */
export interface TreeNodes {
  get(place: string): Uint8Array | undefined;
}

export interface TreeUpdate {
  /** Undefined when no key is left. */
  readonly root: Hash | undefined;
  /** Nodes that are other now; undefined: gone. */
  readonly nodes: ReadonlyMap<string, Uint8Array | undefined>;
}

interface Leaf {
  readonly path: Uint8Array;
  readonly hash: Uint8Array;
}

/** What is behind one digit: a leaf, or a node, of which only the hash is known here. */
type Slot = Leaf | { readonly path?: undefined; readonly hash: Uint8Array };

const HASH_BYTES = 32;
const HEAD_BYTES = 8;
/** Of a path. */
const DIGITS = 52;

/** The tree after these changes, one a key. */
export function updateTree(nodes: TreeNodes, changes: readonly LeafChange[]): TreeUpdate {
  const update = new Update(nodes);
  const sorted = [...changes].sort((a, b) => Buffer.compare(a.path, b.path));
  const root = update.node("", nodes.get(""), sorted);
  return { root: root === undefined ? undefined : hashOf32(root.hash), nodes: update.changed };
}

class Update {
  readonly changed = new Map<string, Uint8Array | undefined>();
  readonly #nodes: TreeNodes;

  constructor(nodes: TreeNodes) {
    this.#nodes = nodes;
  }

  /** Changes a node, and gives what is then behind the digit that leads to it. */
  node(place: string, before: Uint8Array | undefined, changes: readonly LeafChange[]): Slot | undefined {
    if (place.length >= DIGITS) throw new RangeError("a key twice in one state");
    const slots = before === undefined ? [] : parseNode(before);
    for (let start = 0; start < changes.length; ) {
      const digit = digitOf((changes[start] as LeafChange).path, place.length);
      let end = start + 1;
      while (end < changes.length && digitOf((changes[end] as LeafChange).path, place.length) === digit) end += 1;
      slots[digit] = this.#slot(place + digit.toString(STATE_ARITY), slots[digit], changes.slice(start, end));
      start = end;
    }
    return this.#keep(place, before, slots);
  }

  #slot(place: string, before: Slot | undefined, changes: readonly LeafChange[]): Slot | undefined {
    if (before !== undefined && before.path === undefined) return this.node(place, this.#nodes.get(place), changes);
    const leaves = leavesOf(before, changes);
    return leaves.length > 1 ? this.node(place, undefined, leaves) : leaves[0];
  }

  #keep(place: string, before: Uint8Array | undefined, slots: readonly (Slot | undefined)[]): Slot | undefined {
    const kept = slots.filter((slot) => slot !== undefined);
    const [first] = kept;
    const isLone = kept.length === 1 && first?.path !== undefined;
    if (first === undefined || (isLone && place !== "")) {
      if (before !== undefined) this.changed.set(place, undefined);
      return first;
    }
    this.changed.set(place, nodeBytes(slots));
    if (isLone) return first;
    const hashes = kept.map(({ hash }) => hash);
    return {
      hash: stateNodeHash(
        bitmapOf(slots, () => true),
        hashes,
      ),
    };
  }
}

/** The leaves where there was one or none, by path. */
function leavesOf(before: Leaf | undefined, changes: readonly LeafChange[]): Leaf[] {
  const leaves = changes.filter((change): change is Leaf => change.hash !== undefined);
  const isChanged = before === undefined || changes.some(({ path }) => Buffer.compare(path, before.path) === 0);
  return isChanged ? leaves : [...leaves, before].sort((a, b) => Buffer.compare(a.path, b.path));
}

function bitmapOf(slots: readonly (Slot | undefined)[], counts: (slot: Slot) => boolean): number {
  return slots.reduce((sum, slot, digit) => (slot !== undefined && counts(slot) ? sum + 2 ** digit : sum), 0);
}

function nodeBytes(slots: readonly (Slot | undefined)[]): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(
    0,
    bitmapOf(slots, () => true),
  );
  view.setUint32(
    4,
    bitmapOf(slots, ({ path }) => path !== undefined),
  );
  const parts = slots.flatMap((slot) => {
    if (slot === undefined) return [];
    return slot.path === undefined ? [slot.hash] : [slot.path, slot.hash];
  });
  return concatBytes([head, ...parts]);
}

function parseNode(bytes: Uint8Array): (Slot | undefined)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [present, lone] = [view.getUint32(0), view.getUint32(4)];
  const slots = new Array<Slot | undefined>(STATE_ARITY).fill(undefined);
  let at = HEAD_BYTES;
  const next = (): Uint8Array => {
    at += HASH_BYTES;
    return bytes.subarray(at - HASH_BYTES, at);
  };
  for (let digit = 0; digit < STATE_ARITY; digit += 1) {
    if (((present >>> digit) & 1) === 0) continue;
    slots[digit] = ((lone >>> digit) & 1) === 1 ? { path: next(), hash: next() } : { hash: next() };
  }
  return slots;
}
