/** Nodes of the state trees, one a row, so that a merge reads and writes those that it changes [L19]. */
import type { Statement } from "better-sqlite3";
import { equalBytes, type Hash } from "../../base/index.ts";
import type { Canonical } from "../../codec/index.ts";
import {
  type LeafChange,
  type StateChange,
  stateLeaves,
  statePaths,
  type TreeUpdate,
  updateTree,
} from "../../ledger/index.ts";
import type { Connection } from "../connection.ts";

/** What changes make of a dapp's tree, and which of its nodes there were before. */
interface Prepared extends TreeUpdate {
  readonly held: ReadonlySet<string>;
}

interface Previewed {
  readonly branch: number;
  readonly app: string;
  /** Of how many changes to the tables. */
  readonly age: number;
  readonly prepared: Prepared;
}

export class StateNodeTable {
  readonly #tree: Statement<[number, string], { id: number }>;
  readonly #addTree: Statement<[number, string]>;
  readonly #get: Statement<[number], Buffer>;
  readonly #add: Statement<[number, Uint8Array]>;
  readonly #set: Statement<[Uint8Array, number]>;
  readonly #drop: Statement<[number]>;
  readonly #getDeep: Statement<[number, string], Buffer>;
  readonly #putDeep: Statement<[number, string, Uint8Array]>;
  readonly #dropDeep: Statement<[number, string]>;
  readonly #count: Statement<[{ tree: number; from: number; below: number }], number>;
  /** A merge of one's own is previewed and then applied: worked out once, as long as nothing is written between. */
  readonly #previewed = new WeakMap<readonly StateChange[], Previewed>();
  #age = 0;

  constructor({ raw }: Connection) {
    this.#tree = raw.prepare("SELECT id FROM state_trees WHERE branch = ? AND app = ?");
    this.#addTree = raw.prepare("INSERT INTO state_trees (branch, app) VALUES (?, ?)");
    this.#get = raw.prepare<[number], Buffer>("SELECT node FROM state_nodes WHERE id = ?").pluck();
    this.#add = raw.prepare("INSERT INTO state_nodes (id, node) VALUES (?, ?)");
    this.#set = raw.prepare("UPDATE state_nodes SET node = ? WHERE id = ?");
    this.#drop = raw.prepare("DELETE FROM state_nodes WHERE id = ?");
    const isDeep = "FROM deep_state_nodes WHERE tree = ? AND place = ?";
    this.#getDeep = raw.prepare<[number, string], Buffer>(`SELECT node ${isDeep}`).pluck();
    this.#putDeep = raw.prepare("INSERT OR REPLACE INTO deep_state_nodes (tree, place, node) VALUES (?, ?, ?)");
    this.#dropDeep = raw.prepare(`DELETE ${isDeep}`);
    this.#count = raw
      .prepare<[{ tree: number; from: number; below: number }], number>(
        `SELECT (SELECT count(*) FROM state_nodes WHERE id >= @from AND id < @below)
           + (SELECT count(*) FROM deep_state_nodes WHERE tree = @tree)`,
      )
      .pluck();
  }

  /** The root that these changes lead to. The list must not change any more. */
  preview(branch: number, app: string, changes: readonly StateChange[]): Hash | undefined {
    const prepared = this.#prepare(branch, app, changes);
    this.#previewed.set(changes, { branch, app, age: this.#age, prepared });
    return prepared.root;
  }

  /** Makes them; the root. */
  apply(branch: number, app: string, changes: readonly StateChange[]): Hash | undefined {
    const { root, nodes, held } = this.#takePreviewed(branch, app, changes) ?? this.#prepare(branch, app, changes);
    this.#age += 1;
    const tree = this.#tree.get(branch, app)?.id ?? Number(this.#addTree.run(branch, app).lastInsertRowid);
    for (const [place, node] of nodes) this.#write(tree, place, node, held.has(place));
    return root;
  }

  #write(tree: number, place: string, node: Uint8Array | undefined, isHeld: boolean): void {
    const id = idOf(tree, place);
    if (id === undefined) {
      if (node === undefined) this.#dropDeep.run(tree, place);
      else this.#putDeep.run(tree, place, node);
    } else if (node === undefined) this.#drop.run(id);
    else if (isHeld) this.#set.run(node, id);
    else this.#add.run(id, node);
  }

  #read(tree: number, place: string): Uint8Array | undefined {
    const id = idOf(tree, place);
    return id === undefined ? this.#getDeep.get(tree, place) : this.#get.get(id);
  }

  /** To be called when a transaction was undone. */
  forget(): void {
    this.#age += 1;
  }

  #takePreviewed(branch: number, app: string, changes: readonly StateChange[]): Prepared | undefined {
    const known = this.#previewed.get(changes);
    const isSame = known?.branch === branch && known.app === app && known.age === this.#age;
    this.#previewed.delete(changes);
    return isSame ? known.prepared : undefined;
  }

  #prepare(branch: number, app: string, changes: readonly StateChange[]): Prepared {
    const tree = this.#tree.get(branch, app)?.id;
    const held = new Set<string>();
    const get = (place: string): Uint8Array | undefined => {
      const node = tree === undefined ? undefined : this.#read(tree, place);
      if (node !== undefined) held.add(place);
      return node;
    };
    return { ...updateTree({ get }, leafChanges(changes)), held };
  }

  /** Whether what is kept is the tree of all these keys and no more. */
  isTreeOf(branch: number, app: string, pairs: Iterable<readonly [string, Canonical]>): boolean {
    const { nodes } = updateTree({ get: () => undefined }, leafChanges(pairs));
    const tree = this.#tree.get(branch, app)?.id;
    if (tree === undefined) return nodes.size === 0;
    const range = { from: tree * TREE_UNIT, below: (tree + 1) * TREE_UNIT };
    return (
      this.#count.get({ tree, ...range }) === nodes.size &&
      [...nodes].every(([place, node = NONE]) => equalBytes(node, this.#read(tree, place) ?? NONE))
    );
  }
}

const NONE = new Uint8Array();
const DIGITS_MAX = 6;
const [DIGIT_UNIT, DEPTH_UNIT] = [32, 8];
const TREE_UNIT = DIGIT_UNIT ** DIGITS_MAX * DEPTH_UNIT;
const TREES_MAX = 2 ** 53 / TREE_UNIT;

/** Tree, digits, depth: in the order of these numbers a node is followed by those below it. Undefined: too deep. */
function idOf(tree: number, place: string): number | undefined {
  if (tree >= TREES_MAX) throw new RangeError(`${tree} state trees`);
  if (place.length > DIGITS_MAX) return undefined;
  const digits = place === "" ? 0 : Number.parseInt(place, DIGIT_UNIT);
  return tree * TREE_UNIT + digits * DIGIT_UNIT ** (DIGITS_MAX - place.length) * DEPTH_UNIT + place.length;
}

/** Of two changes of one key the later counts. */
function leafChanges(changes: Iterable<StateChange>): LeafChange[] {
  const last = [...new Map(changes)];
  const gone = last.flatMap(([key, value]) => (value === undefined ? [key] : []));
  const kept = last.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  return [...stateLeaves(kept), ...statePaths(gone).map((path) => ({ path }))];
}
