/** Shapes that the ledger's rules share with dapps, databases and agents. */
import type { Hash, PublicKey } from "../base/index.ts";
import type { Canonical } from "../codec/index.ts";

/** One thing that an entry says; what it means is its dapp's matter. */
export interface Act {
  readonly type: string;
  readonly body: Canonical;
}

/** An entry as reducers get it: who said it, with which rights, when (advice [L5]), and what. */
export interface LedgerEntry {
  readonly id: Hash;
  readonly author: PublicKey;
  readonly principal: string;
  readonly rights: readonly string[];
  readonly timeMs: number;
  readonly app: string;
  readonly acts: readonly Act[];
  /** Why the branch does not take it; it is void, and no dapp sees it. */
  readonly refused?: string;
}

/** A key and its new value; undefined deletes. */
export type StateChange = readonly [key: string, value: Canonical | undefined];

/** A dapp's state at one ledger position. */
export interface StateView {
  get(key: string): Canonical | undefined;
  /** In the bytewise order of the keys' UTF-8. */
  scan(prefix: string): Iterable<readonly [string, Canonical]>;
  /** Of all keys in UTF-8 and all values in canonical form, where that is known without reading them one by one. */
  bytes?(): number;
}

/** What a reducer made of one entry: void with a reason, or events for the dapps that read it. */
export interface EntryOutcome {
  readonly id: Hash;
  readonly void?: string;
  readonly events: readonly Canonical[];
}

export interface ReduceResult {
  readonly outcomes: readonly EntryOutcome[];
  /** Of the whole call; of two changes of one key the later counts. */
  readonly changes: readonly StateChange[];
}
