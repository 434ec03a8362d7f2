/** A dapp without its container: states in memory and entries made by hand, for unit tests. */
export { Harness } from "./harness.ts";

import { jsonFromCanonical } from "../../lib/codec/json.ts";
import { contractOf } from "./harness.ts";
import type { Canonical, Dapp, Entry, Input, Outcome, State, Verdict } from "./types.ts";

/** States of several dapps; a snapshot is a copy. */
export class MemoryState implements State {
  readonly #own: string;
  readonly #apps: Map<string, Map<string, Canonical>>;
  readonly #blobs: Map<string, Uint8Array>;

  constructor(own: string, apps = new Map<string, Map<string, Canonical>>(), blobs = new Map<string, Uint8Array>()) {
    this.#own = own;
    this.#apps = apps;
    this.#blobs = blobs;
  }

  async get(key: string, app: string = this.#own): Promise<Canonical | undefined> {
    return this.#apps.get(app)?.get(key);
  }

  async *scan(prefix: string, app: string = this.#own): AsyncGenerator<readonly [string, Canonical]> {
    const found = [...(this.#apps.get(app) ?? [])].filter(([key]) => key.startsWith(prefix));
    yield* found.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  async blob(id: string): Promise<Uint8Array> {
    const bytes = this.#blobs.get(id);
    if (bytes === undefined) throw new Error(`no content ${id}`);
    return bytes;
  }

  setBlob(id: string, bytes: Uint8Array): void {
    this.#blobs.set(id, bytes);
  }

  set(key: string, value: Canonical | undefined, app: string = this.#own): void {
    const state = this.#apps.get(app) ?? new Map<string, Canonical>();
    this.#apps.set(app, state);
    if (value === undefined) state.delete(key);
    else state.set(key, value);
  }

  /** The same state, of its own from now on; content is shared. */
  copy(): MemoryState {
    const apps = new Map([...this.#apps].map(([app, state]) => [app, new Map(state)]));
    return new MemoryState(this.#own, apps, this.#blobs);
  }
}

const SEED = "5".repeat(64);

let made = 0;

/** An entry with these acts by somebody with all rights that the first dapps know; fields may be set. */
export function entryOf(acts: Entry["acts"], fields: Partial<Entry> = {}): Entry {
  made += 1;
  return {
    id: made.toString(16).padStart(64, "0"),
    at: made,
    author: "a".repeat(64),
    principal: "office",
    rights: ["append", "accounts", "members", "door", "policy", "training"],
    timeMs: 1_700_000_000_000 + made,
    acts,
    ...fields,
  };
}

export interface Merged {
  readonly outcomes: readonly Outcome[];
  readonly verdict: Verdict;
  readonly after: MemoryState;
}

/** Reduces and tests as a merge does. */
export function merge(dapp: Dapp, entries: readonly Entry[], before: MemoryState, height = 1): Promise<Merged> {
  return mergeInput(dapp, { height, seed: SEED, entries, events: [] }, before);
}

/** The same with events of other dapps. */
export async function mergeInput(dapp: Dapp, input: Input, before: MemoryState): Promise<Merged> {
  const { entries } = input;
  const { outcomes, changes } = await dapp.reduce(input, before);
  const after = before.copy();
  for (const [key, value] of changes) after.set(key, value);
  const voided = new Set(outcomes.filter((outcome) => outcome.void !== undefined).map(({ id }) => id));
  const kept = entries.filter(({ id }) => !voided.has(id));
  const verdict = (await dapp.test?.({ ...input, entries: kept }, before, after)) ?? { verdict: "PASS" };
  return { outcomes, verdict, after };
}

const contracts = new Map<string, ReturnType<typeof contractOf>>();

/** The same dapp; its tests fail when a schema of its folder would refuse an entry that the dapp itself takes. */
export function withSchemas(dapp: Dapp, folder: URL): Dapp {
  const contract = contracts.get(folder.href) ?? contractOf(folder);
  contracts.set(folder.href, contract);
  return {
    ...dapp,
    async reduce(input, state) {
      const reduction = await dapp.reduce(input, state);
      const schemas = await contract;
      for (const [index, { id, void: reason }] of reduction.outcomes.entries()) {
        const acts = (input.entries[index]?.acts ?? []).map(([type, body]) => [type, jsonFromCanonical(body)] as const);
        const why = reason === undefined ? schemas.whyVoid(acts) : undefined;
        if (why !== undefined) throw new Error(`entry ${id} is taken, but its schema says: ${why}`);
      }
      return reduction;
    },
  };
}

/** Asks a query by its name. */
export async function ask(dapp: Dapp, name: string, args: Canonical, state: State): Promise<Canonical> {
  const query = dapp.queries?.[name];
  if (query === undefined) throw new Error(`there is no query ${name}`);
  return query(args, state);
}
