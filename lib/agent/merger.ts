/**
 * The validator of a branch in mode single: collects, orders, lets the dapps reduce and test in their
 * containers, and publishes the merge. One merge at a time. Rules: docs/design/ledger.md, "Proof of merge".
 */
import { type Clock, type Hash, OBJECT_BYTES_MAX } from "../base/index.ts";
import type { Block, CanonicalMap } from "../codec/index.ts";
import { type DappHost, type DappState, dappState } from "../dapp/index.ts";
import type { LedgerDb } from "../db/index.ts";
import {
  CHARTER_APP,
  CHARTER_BRANCH,
  encodeMerge,
  encodeMergeChanges,
  type IncludedRange,
  includedRoot,
  judgeEntry,
  type LedgerEntry,
  type MergeApp,
  type MergeChanges,
  type MergeOutcome,
  type MergePayload,
  orderEntries,
  orderSeed,
  type Position,
  reduceCharter,
  type StatesView,
  type StateView,
  type VoidEntry,
  workMerge,
} from "../ledger/index.ts";
import { type ChunkStore, putBlob, readBlobBytes } from "../store/index.ts";
import type { OwnLog } from "./own-log.ts";

/** More wait for the next merge, so that one merge fits a small board's memory. */
const MERGE_ENTRIES_MAX = 5_000;
const HEADS_MAX = 7;

export interface MergerOptions {
  readonly db: LedgerDb;
  readonly store: ChunkStore;
  readonly dapps: DappHost;
  readonly ownLog: OwnLog;
  readonly organisation: Hash;
  readonly clock: Clock;
}

export interface MergeReport {
  readonly branch: string;
  /** Height after the merge. */
  readonly h: number;
  /** Absent when there was nothing to merge. */
  readonly id?: Hash;
  readonly included: number;
  readonly void: readonly VoidEntry[];
  readonly tests: readonly { readonly app: string; readonly verdict: "PASS" }[];
  readonly ms: number;
}

interface Collected {
  /** In mode open this principal's own, else the branch. */
  readonly line: string;
  readonly blocks: readonly Block[];
  readonly entries: readonly LedgerEntry[];
  readonly h: number;
  readonly prev: Hash | null;
  /** By which authors are judged; the merge names it. */
  readonly charter: Position;
  readonly charterState: StateView;
}

export class Merger {
  readonly #options: MergerOptions;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: MergerOptions) {
    this.#options = options;
  }

  /** Merges what is pending. What a dapp's container throws is thrown: nothing is merged then [L14]. */
  merge(branch: string): Promise<MergeReport> {
    const report = this.#turn.then(() => this.#merge(branch));
    this.#turn = report.catch(() => undefined);
    return report;
  }

  async #merge(branch: string): Promise<MergeReport> {
    const { db, clock, ownLog } = this.#options;
    const startNs = clock.monoNs();
    const line = db.lineOf(branch, ownLog.author);
    const collected = this.#collect(line);
    if (collected.entries.length === 0) return { branch, h: collected.h - 1, included: 0, void: [], tests: [], ms: 0 };
    const { charterState } = collected;
    const apps = branch === CHARTER_BRANCH ? [charterApp] : await this.#apps(charterState);
    const before: StatesView = (app) => (app === CHARTER_APP ? charterState : db.state(app, line));
    const outcome = await workMerge({ height: collected.h, entries: collected.entries, apps, before });
    const block = await this.#publish(branch, collected, outcome);
    const tests = outcome.touched.map(({ name }) => ({ app: name, verdict: "PASS" as const }));
    const ms = Number(clock.monoNs() - startNs) / 1e6;
    return { branch, h: collected.h, id: block.id, included: collected.entries.length, void: outcome.voids, tests, ms };
  }

  #collect(line: string): Collected {
    const { db, organisation } = this.#options;
    const head = db.head(line);
    const blocks = db.pending(line, MERGE_ENTRIES_MAX);
    const byId = new Map(blocks.map((block) => [block.id, block]));
    const at = db.head(CHARTER_BRANCH);
    const charterState = db.charterAt(at?.h ?? 0);
    const order = orderEntries(blocks, orderSeed(head?.id ?? organisation, null));
    const entries = order.map((id) => judgeEntry(byId.get(id) as Block, charterState));
    const charter = { h: at?.h ?? 0, id: at?.id ?? null };
    return { line, blocks, entries, h: (head?.h ?? 0) + 1, prev: head?.id ?? null, charter, charterState };
  }

  /** The dapps that the charter has installed. */
  async #apps(charter: StateView): Promise<MergeApp[]> {
    const { dapps, store } = this.#options;
    const apps: MergeApp[] = [];
    for (const [key, value] of charter.scan("dapp/")) {
      const tree = (value as CanonicalMap)["tree"] as Hash;
      apps.push(containerApp(key.slice("dapp/".length), tree, await dapps.dapp(tree), store));
    }
    return apps;
  }

  /** The changes are on disk before the block that names them, and the block before it is applied [L7]. */
  async #publish(branch: string, collected: Collected, outcome: MergeOutcome): Promise<Block> {
    const { db, store, ownLog } = this.#options;
    const { line } = collected;
    const changes: MergeChanges = { state: outcome.changes, voids: outcome.voids };
    const { id: blob } = await putBlob(store, encodeMergeChanges(changes));
    await store.commit();
    const payload: MergePayload = {
      branch,
      h: collected.h,
      prev: collected.prev,
      heads: headsOf(collected.blocks).map(({ id }) => id),
      set: includedRoot(collected.entries.map(({ id }) => id)),
      included: rangesOf(collected.blocks, db, line),
      entries: collected.entries.length,
      void: outcome.voids.length,
      state: db.previewRoots(line, outcome.changes),
      changes: blob,
      tests: outcome.touched.map(({ name, image }) => ({ app: name, image, verdict: "PASS", output: null })),
      charter: collected.charter,
      cert: null,
      from: [],
      frozen: [],
    };
    const block = ownLog.append("merge", encodeMerge(payload), this.#parents(collected));
    db.applyMerge(line, block, payload, changes);
    return block;
  }

  /** The charter's merge by which it judges comes before it. */
  #parents({ blocks, charter }: Collected): Block[] {
    const merge = charter.id === null ? undefined : this.#options.db.block(charter.id);
    return merge === undefined ? headsOf(blocks) : [...headsOf(blocks), merge];
  }
}

/** Newest included entry of each log, the newest clocks first to be named. */
function headsOf(blocks: readonly Block[]): Block[] {
  const newest = new Map<string, Block>();
  for (const block of blocks) {
    const known = newest.get(block.a + block.l);
    if (known === undefined || known.n < block.n) newest.set(block.a + block.l, block);
  }
  const heads = [...newest.values()].sort((x, y) => y.c - x.c).slice(0, HEADS_MAX);
  return heads.sort((x, y) => (x.id < y.id ? -1 : 1));
}

function rangesOf(blocks: readonly Block[], db: LedgerDb, line: string): IncludedRange[] {
  const view = db.branchView(line);
  const ranges = new Map<string, IncludedRange>();
  for (const { a: author, l, n } of blocks) {
    const known = ranges.get(author + l);
    ranges.set(author + l, { author, l, from: view.next(author, l), to: Math.max(known?.to ?? 0, n) });
  }
  return [...ranges].sort(([x], [y]) => (x < y ? -1 : 1)).map(([, range]) => range);
}

/** Built in: reduced in process, and its rules are its test. */
const charterApp: MergeApp = {
  name: CHARTER_APP,
  image: null,
  reads: [],
  reduce: async ({ entries }, now) => reduceCharter(entries, now(CHARTER_APP)),
  test: async () => ({ verdict: "PASS" }),
};

type Dapp = Awaited<ReturnType<DappHost["dapp"]>>;

function containerApp(name: string, image: Hash, dapp: Dapp, store: ChunkStore): MergeApp {
  const at = (views: StatesView): DappState => dappState(views, blobReader(store));
  return {
    name,
    image,
    reads: dapp.manifest.reads,
    reduce: (input, now) => dapp.reduce(input, at(now)),
    test: (input, before, after) => dapp.test(input, { before: at(before), after: at(after) }),
  };
}

/** Content for dapps: whole, and no larger than an object may be. */
export function blobReader(store: ChunkStore): (id: Hash) => Promise<Uint8Array> {
  return (id) => readBlobBytes(store, id, OBJECT_BYTES_MAX);
}
