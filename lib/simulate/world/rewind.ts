/**
 * Cards that were put back byte for byte [L8]. Nothing on such a machine tells, only its peers: it must not use a
 * number twice if those that it met could have told. Where they could not, the ledger promises nothing of its key.
 */
import type { Hash, PublicKey } from "../../base/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import { authorOf } from "../../ledger/index.ts";
import type { SimNode } from "./node.ts";
import type { World } from "./world.ts";

interface Rewind {
  /** What it had said and does not know any more. */
  readonly lacks: readonly Hash[];
  readonly couldTell: boolean;
}

export class Rewinds {
  readonly #world: World;
  readonly #excuse: (author: PublicKey) => void;
  readonly #open = new Map<string, Rewind>();

  constructor(world: World, excuse: (author: PublicKey) => void) {
    this.#world = world;
    this.#excuse = excuse;
  }

  /** The card has been put back, and the machine runs again. */
  begin(node: SimNode): void {
    const said = this.#world.watch.blocksOf(node.member.pair.publicKey);
    const lacks = said.filter((id) => node.db?.has(id) !== true);
    if (lacks.length > 0) this.#open.set(node.name, { lacks, couldTell: this.#canTell(node, lacks) });
  }

  /** It has met others, or nobody, and goes on from what it holds. */
  met(name: string): void {
    const rewind = this.#open.get(name);
    if (rewind === undefined) return;
    this.#open.delete(name);
    const node = this.#world.node(name);
    if (rewind.couldTell && this.#canTell(node, rewind.lacks)) return;
    if (rewind.lacks.every((id) => node.db?.has(id) === true)) return;
    this.#world.tell(name, "nobody could tell that its card was put back: it may use numbers twice");
    this.#excuse(node.member.pair.publicKey);
  }

  /** Everybody hears everybody, there is somebody, and all who run hold what it lacks and would answer it. */
  #canTell(node: SimNode, lacks: readonly Hash[]): boolean {
    const others = this.#world.honest.flatMap(({ name, db }) => (name === node.name || db === undefined ? [] : [db]));
    const tells = (db: LedgerDb): boolean =>
      lacks.every((id) => db.has(id)) && authorOf(db.charterAt(), node.member.pair.publicKey)?.revoked === false;
    return this.#world.isWhole && others.length > 0 && others.every(tells);
  }
}
