/**
 * What would be if all that is pending here were merged now: entries in the order and the state that the next
 * merge would give them, as far as it is known. Reduced over the last final merge when it is asked for, without
 * tests; thrown away as soon as anything comes. Nothing final depends on it.
 */
import { GdoError, type Hash } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import { CHARTER_APP, CHARTER_BRANCH, OverlayState, type StateView } from "../../ledger/index.ts";
import { type CollectOptions, collect } from "./collect.ts";
import { reduceOnly, type WorkOptions } from "./work.ts";

/** An entry that waits. */
export interface TentativeEntry {
  readonly block: Block;
  /** Why it would be void. */
  readonly reason?: string;
}

export interface Tentative {
  /** Another one when anything has come or become final since. */
  readonly key: string;
  /** In the order that the next merge would give them [L12]. */
  readonly entries: readonly TentativeEntry[];
  /** Dapps that cannot work here now: their entries are listed, and have changed nothing. */
  readonly without: ReadonlySet<string>;
  /** A dapp's state with what waits. */
  state(app: string): StateView;
}

export type TentativeOptions = Omit<CollectOptions, "without"> & WorkOptions;

export class TentativeStates {
  readonly #options: TentativeOptions;
  readonly #kept = new Map<string, { readonly key: string; readonly value: Promise<Tentative> }>();

  constructor(options: TentativeOptions) {
    this.#options = options;
  }

  /**
   * What is pending on a branch, or on this node's own line of an open one, reduced once for all who ask before
   * anything else comes. Rejects with REFUSED for the line of somebody else.
   */
  async at(line: string): Promise<Tentative> {
    const { ledger, author } = this.#options;
    const branch = line.replace(/@.*/, "");
    if (ledger.lineOf(branch, author) !== line)
      throw new GdoError("REFUSED", `what waits is known of this node's own line, not of ${line}`);
    const key = this.#keyOf(line);
    const kept = this.#kept.get(line);
    if (kept?.key === key) return kept.value;
    const value = this.#reduce(branch, key);
    this.#kept.set(line, { key, value });
    value.catch(() => this.#kept.delete(line));
    return value;
  }

  /** Blocks are only ever added, so their number tells what is pending over a head. */
  #keyOf(line: string): string {
    const { ledger } = this.#options;
    const held = ledger.frontier().reduce((sum, { n }) => sum + n + 1, 0);
    const heads = [line, CHARTER_BRANCH].map((name) => ledger.head(name)?.h ?? 0);
    return [held, ...heads].join(".");
  }

  async #reduce(branch: string, key: string): Promise<Tentative> {
    const { ledger } = this.#options;
    const collected = collect(branch, this.#options);
    const { outcome, without } = await reduceOnly(collected, this.#options);
    const blocks = new Map([...collected.blocks, ...collected.taken].map((block) => [block.id, block]));
    const reasons = new Map<Hash, string>(outcome.voids.map(({ id, reason }) => [id, reason]));
    const entries = collected.entries.flatMap(({ id }): TentativeEntry[] => {
      const block = blocks.get(id);
      const reason = reasons.get(id);
      return block === undefined ? [] : [{ block, ...(reason === undefined ? {} : { reason }) }];
    });
    const { charterState, line } = collected;
    const state = (app: string): StateView =>
      new OverlayState(app === CHARTER_APP ? charterState : ledger.state(app, line), outcome.changes[app] ?? []);
    return { key, entries, without, state };
  }
}
