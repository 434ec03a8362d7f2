/**
 * The state tree kept node by node [L19], so that a root costs what has changed: each changed key touches the
 * nodes on its path and no other. merkle.ts has the tree itself, from all keys at once; both give the same root.
 *
 * A node's bytes begin with what its hash is over: u32 big-endian with bit d for each digit d that occurs, and the
 * hash behind each, ascending. Then such a map of the digits that lead to a lone leaf, and those leaves' paths. The
 * root is kept also where it holds one leaf, or it could not be found.
 */
import { type Hash, hashOf32, startNumber } from "../../base/index.ts";
import { digitOf, STATE_ARITY, stateNodeHashes } from "./merkle.ts";

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

/** What is behind a digit after the changes. */
type Slot = Leaf | ChangedNode;

const HASH_BYTES = 32;
const MAP_BYTES = 4;
/** Of a path. */
const DIGITS = 52;
/** Nodes that are hashed in one call. */
const HASHED_AT_ONCE = 1024;
const NONE = new Uint8Array();
const DIGIT_NAMES = Array.from({ length: STATE_ARITY }, (_, digit) => digit.toString(STATE_ARITY));

/** The tree after these changes, one a key. */
export function updateTree(nodes: TreeNodes, changes: readonly LeafChange[]): TreeUpdate {
  const update = new Update(nodes);
  const root = update.node("", nodes.get(""), byPath(changes));
  update.hashAll();
  return { root: root === undefined ? undefined : hashOf32(root.hash), nodes: update.changed };
}

function byPath<T extends LeafChange>(changes: readonly T[]): T[] {
  const keyed = changes.map((change) => ({ change, start: startNumber(change.path) }));
  keyed.sort((a, b) => a.start - b.start || Buffer.compare(a.change.path, b.change.path));
  return keyed.map(({ change }) => change);
}

class Update {
  readonly changed = new Map<string, Uint8Array | undefined>();
  readonly #nodes: TreeNodes;
  /** By depth: a node's hash needs those of the nodes below it. */
  readonly #levels: ChangedNode[][] = [];

  constructor(nodes: TreeNodes) {
    this.#nodes = nodes;
  }

  /** Changes a node, and gives what is then behind the digit that leads to it; a node's hash comes with hashAll. */
  node(place: string, before: Uint8Array | undefined, changes: readonly LeafChange[]): Slot | undefined {
    const depth = place.length;
    if (depth >= DIGITS) throw new RangeError("a key twice in one state");
    const node = new ChangedNode(place, before);
    for (let start = 0; start < changes.length; ) {
      const digit = digitOf((changes[start] as LeafChange).path, depth);
      let end = start + 1;
      while (end < changes.length && digitOf((changes[end] as LeafChange).path, depth) === digit) end += 1;
      node.put(digit, this.#slot(node, digit, changes.slice(start, end)));
      start = end;
    }
    return this.#keep(node);
  }

  #slot(node: ChangedNode, digit: number, changes: readonly LeafChange[]): Slot | undefined {
    const place = node.place + DIGIT_NAMES[digit];
    if (node.hasNode(digit)) return this.node(place, this.#nodes.get(place), changes);
    const leaves = leavesOf(node.leafAt(digit), changes);
    return leaves.length > 1 ? this.node(place, undefined, leaves) : leaves[0];
  }

  /** A lone leaf stands in the node above, if there is one. */
  #keep(node: ChangedNode): Slot | undefined {
    const { place, present } = node;
    const lone = node.loneLeaf();
    if (present === 0 || (lone !== undefined && place !== "")) {
      if (node.isKept) this.changed.set(place, undefined);
      return lone;
    }
    for (let depth = this.#levels.length; depth <= place.length; depth += 1) this.#levels.push([]);
    (this.#levels[place.length] as ChangedNode[]).push(node);
    return lone ?? node;
  }

  /** From the deepest nodes up, level by level. */
  hashAll(): void {
    for (const level of this.#levels.reverse()) {
      for (let start = 0; start < level.length; start += HASHED_AT_ONCE) {
        this.#hash(level.slice(start, start + HASHED_AT_ONCE));
      }
    }
  }

  #hash(nodes: readonly ChangedNode[]): void {
    const written = nodes.map((node) => node.bytes());
    const hashes = stateNodeHashes(
      written.map((bytes, index) => bytes.subarray(0, (nodes[index] as ChangedNode).hashedBytes)),
    );
    for (const [index, node] of nodes.entries()) {
      node.hash = hashes[index] as Uint8Array;
      this.changed.set(node.place, written[index]);
    }
  }
}

/** A node that changes: what it was, and what is other behind some digits. */
class ChangedNode {
  readonly path = undefined;
  readonly place: string;
  /** Known once the nodes below have theirs. */
  hash: Uint8Array = NONE;
  /** Digits that occur, and those that lead to a lone leaf, as they will be. */
  present: number;
  #lone: number;
  readonly #before: Uint8Array;
  readonly #presentBefore: number;
  readonly #loneBefore: number;
  /** Digits behind which something is other, ascending, and what. */
  readonly #digits: number[] = [];
  readonly #slots: (Slot | undefined)[] = [];

  constructor(place: string, before: Uint8Array = NONE) {
    this.place = place;
    this.#before = before;
    this.#presentBefore = mapAt(before, 0);
    this.#loneBefore = mapAt(before, MAP_BYTES + HASH_BYTES * countOf(this.#presentBefore));
    this.present = this.#presentBefore;
    this.#lone = this.#loneBefore;
  }

  get isKept(): boolean {
    return this.#before.length > 0;
  }

  /** How many of its bytes its hash is over. */
  get hashedBytes(): number {
    return MAP_BYTES + HASH_BYTES * countOf(this.present);
  }

  /** Whether a node was behind the digit. */
  hasNode(digit: number): boolean {
    return isIn(this.#presentBefore, digit) && !isIn(this.#loneBefore, digit);
  }

  /** The leaf that was alone behind the digit. */
  leafAt(digit: number): Leaf | undefined {
    if (!isIn(this.#loneBefore, digit)) return undefined;
    const { path, hash } = this.#placesBefore(digit);
    return {
      path: this.#before.subarray(path, path + HASH_BYTES),
      hash: this.#before.subarray(hash, hash + HASH_BYTES),
    };
  }

  /** Digits ascending. */
  put(digit: number, slot: Slot | undefined): void {
    this.#digits.push(digit);
    this.#slots.push(slot);
    this.present = withDigit(this.present, digit, slot !== undefined);
    this.#lone = withDigit(this.#lone, digit, slot?.path !== undefined);
  }

  /** The one leaf that is left, if nothing else is. */
  loneLeaf(): Leaf | undefined {
    if (this.present !== this.#lone || countOf(this.present) !== 1) return undefined;
    const digit = 31 - Math.clz32(this.present);
    const index = this.#digits.indexOf(digit);
    return index < 0 ? this.leafAt(digit) : (this.#slots[index] as Leaf);
  }

  bytes(): Uint8Array {
    const hashed = this.hashedBytes;
    const bytes = new Uint8Array(hashed + MAP_BYTES + HASH_BYTES * countOf(this.#lone));
    const view = new DataView(bytes.buffer);
    view.setUint32(0, this.present);
    view.setUint32(hashed, this.#lone);
    let [hashTo, pathTo] = [MAP_BYTES, hashed + MAP_BYTES];
    let changed = 0;
    for (let digit = 0; digit < STATE_ARITY; digit += 1) {
      const isChanged = this.#digits[changed] === digit;
      const slot = isChanged ? this.#slots[changed] : undefined;
      if (isChanged) changed += 1;
      if (!isIn(this.present, digit)) continue;
      const { hash, path } = this.#placesBefore(digit);
      if (slot === undefined) copy32(this.#before, hash, bytes, hashTo);
      else copy32(slot.hash, 0, bytes, hashTo);
      hashTo += HASH_BYTES;
      if (!isIn(this.#lone, digit)) continue;
      if (slot?.path === undefined) copy32(this.#before, path, bytes, pathTo);
      else copy32(slot.path, 0, bytes, pathTo);
      pathTo += HASH_BYTES;
    }
    return bytes;
  }

  /** Where a digit's hash and path were, if it had them. */
  #placesBefore(digit: number): { readonly hash: number; readonly path: number } {
    const below = 2 ** digit - 1;
    const hash = MAP_BYTES + HASH_BYTES * countOf(this.#presentBefore & below);
    const paths = 2 * MAP_BYTES + HASH_BYTES * countOf(this.#presentBefore);
    return { hash, path: paths + HASH_BYTES * countOf(this.#loneBefore & below) };
  }
}

/** The leaves where there was one or none, by path. */
function leavesOf(before: Leaf | undefined, changes: readonly LeafChange[]): Leaf[] {
  const leaves = changes.filter((change): change is Leaf => change.hash !== undefined);
  const isChanged = before === undefined || changes.some(({ path }) => Buffer.compare(path, before.path) === 0);
  return isChanged ? leaves : byPath([...leaves, before]);
}

function isIn(map: number, digit: number): boolean {
  return ((map >>> digit) & 1) === 1;
}

function withDigit(map: number, digit: number, isThere: boolean): number {
  return isThere ? map | (1 << digit) : map & ~(1 << digit);
}

/** How many digits a map has. */
function countOf(map: number): number {
  const pairs = map - ((map >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function mapAt(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
  );
}

/** In place of set(), which takes a view of what it copies: that costs more than so few bytes. */
function copy32(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number): void {
  for (let index = 0; index < HASH_BYTES; index += 1) to[toAt + index] = from[fromAt + index] as number;
}
