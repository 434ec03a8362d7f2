/**
 * The work of one merge (proof of merge, steps 3, 4 and 9): each touched dapp reduces its entries and
 * tests the outcome; entries that a test does not let through are found by halving and are void, with
 * the test's words. Without clock, network or disk: the dapps' own work comes in behind MergeApp.
 */
import { GdoError, type Hash } from "../../base/index.ts";
import type { Canonical } from "../../codec/index.ts";
import type { LedgerEntry, ReduceResult, StateChange, StateView } from "../types.ts";
import { dappSeed } from "./order.ts";
import { MERGE_APP } from "./request.ts";
import { OverlayState } from "./state-view.ts";

/** What one dapp made of one of its entries, for the dapps that read it. */
export interface MergeEvent {
  readonly app: string;
  readonly entry: Hash;
  readonly event: Canonical;
}

/** State of any dapp, by name, at one position. */
export type StatesView = (app: string) => StateView;

export interface AppInput {
  readonly height: number;
  /** The only chance that a dapp has [D3]: this dapp's own in this merge, the same wherever it is worked again. */
  readonly seed: Hash;
  /** All entries of the merge, in its order: places entries and events among each other. */
  readonly order: readonly Hash[];
  /** In the ledger's order. */
  readonly entries: readonly LedgerEntry[];
  readonly events: readonly MergeEvent[];
}

export type AppVerdict =
  | { readonly verdict: "PASS" }
  | { readonly verdict: "FAIL"; readonly findings: readonly string[] };

/** One dapp as a merge needs it. A container that fails throws: that is ERROR, never FAIL [D2]. */
export interface MergeApp {
  readonly name: string;
  /** Tree of its image; null for what is built in. */
  readonly image: Hash | null;
  /** Dapps whose events it is given. */
  readonly reads: readonly string[];
  /** Whether it has work though nothing touches it: its state is of another form than its image [D9]. */
  isDue?(now: StatesView): boolean;
  reduce(input: AppInput, now: StatesView): Promise<ReduceResult>;
  /** `input.entries` are those that were not void. */
  test(input: AppInput, before: StatesView, after: StatesView): Promise<AppVerdict>;
}

export interface VoidEntry {
  readonly id: Hash;
  readonly app: string;
  readonly reason: string;
}

export interface MergeOutcome {
  readonly changes: Readonly<Record<string, readonly StateChange[]>>;
  readonly voids: readonly VoidEntry[];
  /** Dapps whose test passed, in the order in which it did: those that reduced, then those that only had to test. */
  readonly touched: readonly MergeApp[];
}

export interface MergeWorkInput {
  readonly height: number;
  /** Of the merge's order [L12]; each dapp is given one made of it. */
  readonly seed: Hash;
  /** In the ledger's order [L12]. */
  readonly entries: readonly LedgerEntry[];
  readonly apps: readonly MergeApp[];
  /** Dapps, all among these, that test the merge whether or not it touches them. */
  readonly required?: readonly string[];
  readonly before: StatesView;
}

const REASON_CHARACTERS_MAX = 500;

/** A dapp after those whose events it reads; names decide where nothing else does. LEDGER_FORM on a loop. */
export function inReadingOrder(apps: readonly MergeApp[]): MergeApp[] {
  const waiting = new Map([...apps].sort((a, b) => (a.name < b.name ? -1 : 1)).map((app) => [app.name, app]));
  const ordered: MergeApp[] = [];
  while (waiting.size > 0) {
    const next = [...waiting.values()].find(({ reads }) => !reads.some((name) => waiting.has(name)));
    if (next === undefined)
      throw new GdoError("LEDGER_FORM", `dapps read each other in a loop: ${[...waiting.keys()].join(", ")}`);
    waiting.delete(next.name);
    ordered.push(next);
  }
  return ordered;
}

const TEST_FAILED = "test failed: ";

/** Reduces and tests. Throws what a dapp's container throws, and REFUSED when a test fails whatever is left out. */
export async function workMerge(input: MergeWorkInput): Promise<MergeOutcome> {
  const { work, failed } = await workThrough(input);
  return failed === undefined ? work : isolateAll(input, failed);
}

/** A dapp that is required, that no entry touches, and whose test fails. */
interface Failed {
  readonly app: MergeApp;
  readonly said: string;
}

async function workThrough(input: MergeWorkInput): Promise<{ work: MergeWork; failed: Failed | undefined }> {
  const work = new MergeWork(input);
  const apps = inReadingOrder(input.apps);
  const names = new Set(apps.map(({ name }) => name));
  for (const { id, app, refused } of input.entries) {
    const reason = refused ?? (names.has(app) || app === MERGE_APP ? undefined : `no dapp is called ${app}`);
    if (reason !== undefined) work.voids.push({ id, app, reason });
  }
  for (const app of apps) await work.run(app);
  const required = apps.filter((app) => input.required?.includes(app.name) && !work.touched.includes(app));
  for (const app of required) {
    const verdict = await work.testUntouched(app);
    if (verdict.verdict === "FAIL") return { work, failed: { app, said: said(verdict) } };
  }
  return { work, failed: undefined };
}

/** Whichever entries a dapp objects to that none is for: found by halving all of the merge. */
async function isolateAll(input: MergeWorkInput, failed: Failed): Promise<MergeOutcome> {
  const reasons = new Map<Hash, string>();
  const trial = (left: ReadonlySet<Hash>): ReturnType<typeof workThrough> =>
    workThrough({
      ...input,
      entries: input.entries.map((entry) => {
        const refused = entry.refused ?? reasons.get(entry.id) ?? (left.has(entry.id) ? "left out" : undefined);
        return refused === undefined ? entry : { ...entry, refused };
      }),
    });
  const left = new Set(input.entries.map(({ id }) => id));
  const { failed: always } = await trial(left);
  if (always !== undefined) throw whatever(always.app, always.said);
  const search = async (suspects: readonly LedgerEntry[]): Promise<void> => {
    for (const { id } of suspects) left.delete(id);
    const found = (await trial(left)).failed;
    const [only] = suspects;
    if (found === undefined || only === undefined) return;
    for (const { id } of suspects) left.add(id);
    if (suspects.length === 1) {
      reasons.set(only.id, `${TEST_FAILED}${found.app.name}: ${found.said}`.slice(0, REASON_CHARACTERS_MAX));
      return;
    }
    const half = suspects.length >> 1;
    await search(suspects.slice(0, half));
    await search(suspects.slice(half));
  };
  await search(input.entries.filter(({ refused }) => refused === undefined));
  const { work, failed: still } = await trial(new Set());
  if (still !== undefined) throw whatever(failed.app, failed.said);
  return work;
}

function whatever({ name }: MergeApp, why: string): GdoError {
  return new GdoError("REFUSED", `${name}: its test fails whatever entries are left out: ${why}`);
}

interface Trial {
  readonly result: ReduceResult;
  readonly verdict: AppVerdict;
}

class MergeWork implements MergeOutcome {
  readonly voids: VoidEntry[] = [];
  readonly touched: MergeApp[] = [];
  readonly changes: Record<string, readonly StateChange[]> = {};
  readonly #input: MergeWorkInput;
  readonly #overlays = new Map<string, OverlayState>();
  readonly #events: MergeEvent[] = [];
  readonly #order: readonly Hash[];

  constructor(input: MergeWorkInput) {
    this.#input = input;
    this.#order = input.entries.map(({ id }) => id);
  }

  async run(app: MergeApp): Promise<void> {
    const entries = this.#input.entries.filter((entry) => entry.app === app.name && entry.refused === undefined);
    const events = this.#events.filter((event) => app.reads.includes(event.app));
    if (entries.length === 0 && events.length === 0 && app.isDue?.(this.#input.before) !== true) return;
    const trial = await this.#try(app, entries, events);
    this.#take(app, trial.verdict.verdict === "PASS" ? trial : await this.#isolate(app, entries, events));
  }

  /** A dapp that has nothing to reduce looks at what the others have done. */
  async testUntouched(app: MergeApp): Promise<AppVerdict> {
    const { before } = this.#input;
    const now: StatesView = (name) => this.#overlays.get(name) ?? before(name);
    const verdict = await app.test(this.#inputOf(app, [], []), before, now);
    if (verdict.verdict === "PASS") this.touched.push(app);
    return verdict;
  }

  #inputOf(app: MergeApp, entries: readonly LedgerEntry[], events: readonly MergeEvent[]): AppInput {
    const { height, seed } = this.#input;
    return { height, seed: dappSeed(seed, app.name), order: this.#order, entries, events };
  }

  /** Reduces and tests without keeping anything. */
  async #try(app: MergeApp, entries: readonly LedgerEntry[], events: readonly MergeEvent[]): Promise<Trial> {
    const { before } = this.#input;
    const now: StatesView = (name) => this.#overlays.get(name) ?? before(name);
    const result = await app.reduce(this.#inputOf(app, entries, events), now);
    const overlay = new OverlayState(before(app.name), result.changes);
    const after: StatesView = (name) => (name === app.name ? overlay : now(name));
    const voided = new Set(result.outcomes.flatMap((outcome) => (outcome.void === undefined ? [] : [outcome.id])));
    const kept = entries.filter(({ id }) => !voided.has(id));
    return { result, verdict: await app.test(this.#inputOf(app, kept, events), before, after) };
  }

  /** Finds by halving the entries with which the test fails, voids them, and gives the trial of the rest. */
  async #isolate(app: MergeApp, entries: readonly LedgerEntry[], events: readonly MergeEvent[]): Promise<Trial> {
    let good: LedgerEntry[] = [];
    let passed = await this.#try(app, good, events);
    if (passed.verdict.verdict === "FAIL") throw whatever(app, said(passed.verdict));
    const search = async (suspects: readonly LedgerEntry[]): Promise<void> => {
      const trial = await this.#try(app, [...good, ...suspects], events);
      const [only] = suspects;
      if (trial.verdict.verdict === "PASS") {
        good = [...good, ...suspects];
        passed = trial;
      } else if (suspects.length === 1 && only !== undefined) {
        this.voids.push({
          id: only.id,
          app: app.name,
          reason: `${TEST_FAILED}${said(trial.verdict)}`.slice(0, REASON_CHARACTERS_MAX),
        });
      } else {
        const half = suspects.length >> 1;
        await search(suspects.slice(0, half));
        await search(suspects.slice(half));
      }
    };
    await search(entries);
    return passed;
  }

  #take(app: MergeApp, { result }: Trial): void {
    this.#overlays.set(app.name, new OverlayState(this.#input.before(app.name), result.changes));
    this.changes[app.name] = result.changes;
    this.touched.push(app);
    for (const { id, void: reason, events } of result.outcomes) {
      if (reason !== undefined) this.voids.push({ id, app: app.name, reason: reason.slice(0, REASON_CHARACTERS_MAX) });
      this.#events.push(...events.map((event) => ({ app: app.name, entry: id, event })));
    }
  }
}

function said(verdict: AppVerdict): string {
  return verdict.verdict === "FAIL" ? (verdict.findings[0] ?? "no finding given") : "";
}
