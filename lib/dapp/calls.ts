/** The calls that a dapp answers, as typed values. Their JSON form is in protocol/wire.ts. */
import type { Hash } from "../base/index.ts";
import type { Canonical } from "../codec/index.ts";
import type { AppInput, AppVerdict, ReduceResult, StatesView } from "../ledger/index.ts";

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
  reduce(input: AppInput, state: DappState): Promise<ReduceResult>;
  /** `input.entries` are those that were not void. */
  test(input: AppInput, states: TestStates): Promise<AppVerdict>;
  query(name: string, args: Canonical, state: DappState): Promise<Canonical>;
}

/** The ledger's view of all states at one position, with a place to read content from. */
export function dappState(states: StatesView, blob: (id: Hash) => Promise<Uint8Array>): DappState {
  return {
    get: (app, key) => states(app).get(key),
    scan: (app, prefix) => states(app).scan(prefix),
    blob,
  };
}
