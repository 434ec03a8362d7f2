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

type NodeRow = { place: string; node: Buffer };

/** What changes make of a dapp's tree, and the rows of the nodes that were read for it. */
interface Prepared extends TreeUpdate {
  readonly rows: ReadonlyMap<string, number>;
}

interface Previewed {
  readonly branch: number;
  readonly app: string;
  /** Of how many changes to the tables. */
  readonly age: number;
  readonly prepared: Prepared;
}

export class StateNodeTable {
  readonly #get: Statement<[number, string, string], { row: number; node: Buffer }>;
  readonly #add: Statement<[number, string, string, Uint8Array]>;
  readonly #set: Statement<[Uint8Array, number]>;
  readonly #drop: Statement<[number]>;
  readonly #all: Statement<[number, string], NodeRow>;
  /** A merge of one's own is previewed and then applied: worked out once, as long as nothing is written between. */
  readonly #previewed = new WeakMap<readonly StateChange[], Previewed>();
  #age = 0;

  constructor({ raw }: Connection) {
    this.#get = raw.prepare("SELECT rowid AS row, node FROM state_nodes WHERE branch = ? AND app = ? AND place = ?");
    this.#add = raw.prepare("INSERT INTO state_nodes (branch, app, place, node) VALUES (?, ?, ?, ?)");
    this.#set = raw.prepare("UPDATE state_nodes SET node = ? WHERE rowid = ?");
    this.#drop = raw.prepare("DELETE FROM state_nodes WHERE rowid = ?");
    this.#all = raw.prepare("SELECT place, node FROM state_nodes WHERE branch = ? AND app = ?");
  }

  /** The root that these changes lead to. The list must not change any more. */
  preview(branch: number, app: string, changes: readonly StateChange[]): Hash | undefined {
    const prepared = this.#prepare(branch, app, changes);
    this.#previewed.set(changes, { branch, app, age: this.#age, prepared });
    return prepared.root;
  }

  /** Makes them; the root. */
  apply(branch: number, app: string, changes: readonly StateChange[]): Hash | undefined {
    const { root, nodes, rows } = this.#takePreviewed(branch, app, changes) ?? this.#prepare(branch, app, changes);
    this.#age += 1;
    for (const [place, node] of nodes) {
      const row = rows.get(place);
      if (row === undefined) {
        if (node !== undefined) this.#add.run(branch, app, place, node);
      } else if (node === undefined) this.#drop.run(row);
      else this.#set.run(node, row);
    }
    return root;
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
    const rows = new Map<string, number>();
    const get = (place: string): Uint8Array | undefined => {
      const found = this.#get.get(branch, app, place);
      if (found !== undefined) rows.set(place, found.row);
      return found?.node;
    };
    return { ...updateTree({ get }, leafChanges(changes)), rows };
  }

  /** Whether what is kept is the tree of all these keys and no more. */
  isTreeOf(branch: number, app: string, pairs: Iterable<readonly [string, Canonical]>): boolean {
    const { nodes } = updateTree({ get: () => undefined }, leafChanges(pairs));
    const kept = this.#all.all(branch, app);
    return (
      kept.length === nodes.size &&
      kept.every(({ place, node }) => equalBytes(node, nodes.get(place) ?? new Uint8Array()))
    );
  }
}

/** Of two changes of one key the later counts. */
function leafChanges(changes: Iterable<StateChange>): LeafChange[] {
  const last = [...new Map(changes)];
  const gone = last.flatMap(([key, value]) => (value === undefined ? [key] : []));
  const kept = last.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  return [...stateLeaves(kept), ...statePaths(gone).map((path) => ({ path }))];
}
