/** The calls that a dapp answers, as typed values. Their JSON form is in wire.ts. */
import type { Hash } from "../base/index.ts";
import type { Canonical } from "../codec/index.ts";
import type { LedgerEntry, ReduceResult } from "../ledger/index.ts";

/** What another dapp made of one of its entries. */
export interface DappEvent {
  readonly app: string;
  readonly entry: Hash;
  readonly event: Canonical;
}

export type ReduceStep =
  | { readonly kind: "entry"; readonly entry: LedgerEntry }
  | ({ readonly kind: "event" } & DappEvent);

/** Entries of the dapp and events of the dapps that it reads, in the ledger's order. */
export interface ReduceInput {
  readonly steps: readonly ReduceStep[];
}

export interface TestInput {
  /** Height of the merge that is tested. */
  readonly height: number;
  /** The dapp's own candidate entries that were not void, in the ledger's order. */
  readonly entries: readonly LedgerEntry[];
}

export type TestVerdict =
  | { readonly verdict: "PASS" }
  | { readonly verdict: "FAIL"; readonly findings: readonly string[] };

/** State as of one ledger position. Only the called dapp's and that of dapps it reads is asked for [D4]. */
export interface DappState {
  get(app: string, key: string): Canonical | undefined;
  /** In the byte order of the keys. */
  scan(app: string, prefix: string): Iterable<readonly [string, Canonical]>;
  /** Content by its id. Knowing the id is the right to read it. STORE_MISSING when it is not held. */
  blob(id: Hash): Promise<Uint8Array>;
}

/** The two positions that a test compares. */
export interface TestStates {
  readonly before: DappState;
  readonly after: DappState;
}

/** One dapp, wherever it runs. Failures of its container are DAPP_ERROR, DAPP_LIMIT, CONTAINER: never a FAIL [D2]. */
export interface DappCalls {
  reduce(input: ReduceInput, state: DappState): Promise<ReduceResult>;
  test(input: TestInput, states: TestStates): Promise<TestVerdict>;
  query(name: string, args: Canonical, state: DappState): Promise<Canonical>;
}

/** Puts a dapp's entries and the events given to it into the order of the merge. */
export function stepsInOrder(
  order: readonly Hash[],
  entries: readonly LedgerEntry[],
  events: readonly DappEvent[],
): ReduceStep[] {
  const steps = new Map<Hash, ReduceStep[]>(order.map((id) => [id, []]));
  for (const entry of entries) steps.get(entry.id)?.push({ kind: "entry", entry });
  for (const event of events) steps.get(event.entry)?.push({ kind: "event", ...event });
  return [...steps.values()].flat();
}
