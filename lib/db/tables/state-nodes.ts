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

export class StateNodeTable {
  readonly #get: Statement<[number, string, string], { node: Buffer }>;
  readonly #put: Statement<[number, string, string, Uint8Array]>;
  readonly #drop: Statement<[number, string, string]>;
  readonly #all: Statement<[number, string], NodeRow>;

  constructor({ raw }: Connection) {
    const place = "branch = ? AND app = ? AND place = ?";
    this.#get = raw.prepare(`SELECT node FROM state_nodes WHERE ${place}`);
    this.#put = raw.prepare(
      `INSERT INTO state_nodes (branch, app, place, node) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET node = excluded.node`,
    );
    this.#drop = raw.prepare(`DELETE FROM state_nodes WHERE ${place}`);
    this.#all = raw.prepare("SELECT place, node FROM state_nodes WHERE branch = ? AND app = ?");
  }

  /** What these changes would make of a dapp's tree. */
  preview(branch: number, app: string, changes: Iterable<StateChange>): TreeUpdate {
    return updateTree({ get: (place) => this.#get.get(branch, app, place)?.node }, leafChanges(changes));
  }

  /** Makes them; the root. */
  apply(branch: number, app: string, changes: Iterable<StateChange>): Hash | undefined {
    const { root, nodes } = this.preview(branch, app, changes);
    for (const [place, node] of nodes) {
      if (node === undefined) this.#drop.run(branch, app, place);
      else this.#put.run(branch, app, place, node);
    }
    return root;
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
