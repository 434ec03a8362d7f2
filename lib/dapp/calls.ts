/** The calls that a dapp answers, as typed values. Their JSON form is in protocol/wire.ts. */
import type { Hash, PublicKey } from "../base/index.ts";
import type { Canonical } from "../codec/index.ts";
import type { Act, AppInput, AppVerdict, ReduceResult, StatesView } from "../ledger/index.ts";

/** State as of one ledger position. Only the called dapp's and that of dapps it reads is asked for [D4]. */
export interface DappState {
  get(app: string, key: string): Canonical | undefined;
  /** In the byte order of the keys. */
  scan(app: string, prefix: string): Iterable<readonly [string, Canonical]>;
  /** Of all that the dapp keeps, where that is known without reading it; see StateView. */
  bytes?(app: string): number | undefined;
  /** Content by its id. Knowing the id is the right to read it. STORE_MISSING when it is not held. */
  blob(id: Hash): Promise<Uint8Array>;
}

/** The two positions that a test compares. */
export interface TestStates {
  readonly before: DappState;
  readonly after: DappState;
}

/** Who gives a command, and by what they showed that it is they. */
export interface Actor {
  readonly principal: string;
  /** Key of the device that asks. */
  readonly author: PublicKey;
  readonly rights: readonly string[];
  readonly shown: "key" | "card" | "pin";
}

export interface Command {
  readonly name: string;
  readonly args: Canonical;
  readonly actor: Actor;
  /** What the dapp takes for now, ms since 1970. */
  readonly timeMs: number;
}

/**
 * One dapp, wherever it runs. Failures of its container are DAPP_ERROR, DAPP_LIMIT, CONTAINER: never a FAIL [D2].
 * It never sees a state of its own in another form than its own [D9].
 */
export interface DappCalls {
  /** Whether its state is of another form, so that a merge that touches nothing of it moves it. */
  isDue(state: DappState): boolean;
  reduce(input: AppInput, state: DappState): Promise<ReduceResult>;
  /** `input.entries` are those that were not void. */
  test(input: AppInput, states: TestStates): Promise<AppVerdict>;
  query(name: string, args: Canonical, state: DappState): Promise<Canonical>;
  /** Acts to append. NOT_FOUND, INPUT_INVALID, and REFUSED by a right that is missing or by the dapp itself. */
  command(command: Command, state: DappState): Promise<readonly Act[]>;
}

/** The ledger's view of all states at one position, with a place to read content from. */
export function dappState(states: StatesView, blob: (id: Hash) => Promise<Uint8Array>): DappState {
  return {
    get: (app, key) => states(app).get(key),
    scan: (app, prefix) => states(app).scan(prefix),
    bytes: (app) => states(app).bytes?.(),
    blob,
  };
}
