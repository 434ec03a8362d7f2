/**
 * A dapp by itself, without a ledger: entries made by hand are merged as a node merges them, on a state in
 * memory. For a dapp's own tests, in process or in its container.
 */
import { type Hash, type PublicKey, toHex, utf8 } from "../base/index.ts";
import { type Canonical, canonicalFromJson, jsonFromCanonical } from "../codec/index.ts";
import {
  type LedgerEntry,
  type MergeApp,
  OverlayState,
  orderSeed,
  type StatesView,
  stateRoot,
  workMerge,
} from "../ledger/index.ts";
import { type Actor, type DappCalls, type DappState, dappState } from "./calls.ts";
import { FORM_KEY, markByHand } from "./form.ts";
import { gateVerdict } from "./gate.ts";
import type { Manifest } from "./manifest.ts";

/** An entry of a test; bodies are in JSON form. */
export interface TrialEntry {
  /** Principal. */
  readonly by: string;
  /** Default: append. */
  readonly rights?: readonly string[] | undefined;
  readonly acts: readonly (readonly [type: string, body: unknown])[];
  /** Default: some time that grows by the entry. */
  readonly timeMs?: number | undefined;
}

/** What a dapp that this one reads made of an entry of its own. */
export interface TrialEvent {
  readonly app: string;
  readonly event: unknown;
}

export interface TrialMerge {
  /** Why entries are void, by their number from 1. */
  readonly voids: Readonly<Record<number, string>>;
  readonly events: readonly unknown[];
  /** What the test of an advisory dapp found. */
  readonly advice: readonly string[];
  /** Root of the dapp's state after the merge. */
  readonly root: Hash;
}

/** State in JSON form, by key. */
export type TrialState = Readonly<Record<string, unknown>>;

export interface TrialOptions {
  readonly state?: TrialState | undefined;
  /** Of the state, where it is not the dapp's own. */
  readonly form?: number | undefined;
  /** State of the dapps that it reads. */
  readonly others?: Readonly<Record<string, TrialState>> | undefined;
}

export const TRIAL_TIME_MS = 1_700_000_000_000;
const DEFAULT_RIGHTS = ["append"];

export type TriedDapp = DappCalls & { readonly manifest: Manifest };

export class Trial {
  readonly #dapp: TriedDapp;
  readonly #states = new Map<string, OverlayState>();
  readonly #blobs = new Map<Hash, Uint8Array>();
  #height = 0;
  #made = 0;

  constructor(dapp: TriedDapp, { state = {}, others = {}, form = dapp.manifest.form }: TrialOptions = {}) {
    this.#dapp = dapp;
    this.set(dapp.manifest.name, markByHand(form));
    for (const [app, values] of Object.entries({ ...others, [dapp.manifest.name]: state })) this.set(app, values);
  }

  /** Sets keys of a dapp's state, as if earlier merges had; null deletes. */
  set(app: string, values: TrialState): void {
    const changes = Object.entries(values).map(([key, value]) => [key, fromJson(value) ?? undefined] as const);
    this.#view(app).apply(changes);
  }

  /** Content that entries may name. */
  setBlob(id: Hash, bytes: Uint8Array): void {
    this.#blobs.set(id, bytes);
  }

  /** The dapp's state in JSON form, in the order of the keys. */
  state(): Record<string, unknown> {
    const { [FORM_KEY]: _, ...state } = this.marked();
    return state;
  }

  /** The same with the host's mark of its form. */
  marked(): Record<string, unknown> {
    return Object.fromEntries([...this.#own.scan("")].map(([key, value]) => [key, jsonFromCanonical(value)]));
  }

  /** One merge. Throws what the dapp's container throws, and REFUSED when its test fails whatever is left out. */
  async merge(entries: readonly TrialEntry[], events: readonly TrialEvent[] = []): Promise<TrialMerge> {
    const heard: Canonical[] = [];
    const advice: string[] = [];
    const foreign = events.map(({ app }) => this.#entry(app, { by: "others", acts: [] }));
    const own = entries.map((entry) => this.#entry(this.#dapp.manifest.name, entry));
    const { changes, voids } = await workMerge({
      height: ++this.#height,
      seed: trialSeed(this.#height),
      entries: [...foreign, ...own],
      apps: [...this.#tellers(foreign, events), this.#app(heard, advice)],
      before: (app) => this.#view(app),
    });
    this.#own.apply(changes[this.#dapp.manifest.name] ?? []);
    const numbers = new Map(own.map(({ id }, index) => [id, index + 1]));
    const reasons = voids.map(({ id, reason }) => [numbers.get(id) ?? 0, reason] as const);
    return {
      voids: Object.fromEntries(reasons.sort(([a], [b]) => a - b)),
      events: heard.map(jsonFromCanonical),
      advice,
      root: stateRoot(this.#own.scan("")),
    };
  }

  query(name: string, args: unknown): Promise<unknown> {
    return this.#dapp.query(name, fromJson(args), this.#now()).then(jsonFromCanonical);
  }

  /** Acts that a command becomes; they are not merged. As DappCalls.command. */
  async command(name: string, args: unknown, who: Pick<TrialEntry, "by" | "rights">): Promise<[string, unknown][]> {
    const { by: principal, rights = DEFAULT_RIGHTS } = who;
    const actor: Actor = { principal, author: keyOf(principal), rights, shown: "key" };
    const command = { name, args: fromJson(args), actor, timeMs: TRIAL_TIME_MS };
    const acts = await this.#dapp.command(command, this.#now());
    return acts.map(({ type, body }) => [type, jsonFromCanonical(body)]);
  }

  get #own(): OverlayState {
    return this.#view(this.#dapp.manifest.name);
  }

  #view(app: string): OverlayState {
    const view = this.#states.get(app) ?? new OverlayState();
    this.#states.set(app, view);
    return view;
  }

  #at(states: StatesView): DappState {
    return dappState(states, async (id) => this.#blobs.get(id) ?? Promise.reject(new Error(`no content ${id}`)));
  }

  #now(): DappState {
    return this.#at((app) => this.#view(app));
  }

  #entry(app: string, { by, rights = DEFAULT_RIGHTS, acts, timeMs }: TrialEntry): LedgerEntry {
    this.#made += 1;
    return {
      id: this.#made.toString(16).padStart(64, "0") as Hash,
      author: keyOf(by),
      principal: by,
      rights,
      timeMs: timeMs ?? TRIAL_TIME_MS + this.#made,
      app,
      acts: acts.map(([type, body]) => ({ type, body: fromJson(body) })),
    };
  }

  /** The dapp, with its events listened to. */
  #app(heard: Canonical[], advice: string[]): MergeApp {
    const { manifest } = this.#dapp;
    return {
      name: manifest.name,
      image: null,
      reads: manifest.reads,
      isDue: (now) => this.#dapp.isDue(this.#at(now)),
      reduce: async (input, now) => {
        const result = await this.#dapp.reduce(input, this.#at(now));
        heard.splice(0, heard.length, ...result.outcomes.flatMap(({ events }) => events));
        return result;
      },
      test: (input, before, after) =>
        gateVerdict(
          manifest,
          () => this.#dapp.test(input, { before: this.#at(before), after: this.#at(after) }),
          (findings) => advice.push(...findings),
        ),
    };
  }

  /** Stand-ins for the dapps that it reads: each says what the test gave it to say. */
  #tellers(foreign: readonly LedgerEntry[], events: readonly TrialEvent[]): MergeApp[] {
    return [...new Set(events.map(({ app }) => app))].map((name) => ({
      name,
      image: null,
      reads: [],
      reduce: async ({ entries }) => ({
        outcomes: entries.map(({ id }) => ({
          id,
          events: [fromJson(events[foreign.findIndex((each) => each.id === id)]?.event)],
        })),
        changes: [],
      }),
      test: async () => ({ verdict: "PASS" }),
    }));
  }
}

function fromJson(json: unknown): Canonical {
  return canonicalFromJson(json ?? null);
}

/** Of a merge's order: another at each height, the same in every trial. */
function trialSeed(height: number): Hash {
  return orderSeed(height.toString(16).padStart(64, "0") as Hash, null);
}

/** Some key for a principal, the same each time. */
function keyOf(principal: string): PublicKey {
  return toHex(utf8(principal)).padEnd(64, "0").slice(0, 64) as PublicKey;
}
