/**
 * The validator of a branch in mode single: collects, orders, lets the dapps reduce and test in their
 * containers, and publishes the merge. One merge at a time. Rules: docs/design/ledger.md, "Proof of merge".
 */
import { type Clock, type Hash, OBJECT_BYTES_MAX } from "../base/index.ts";
import type { Block, CanonicalMap } from "../codec/index.ts";
import { type DappHost, type DappState, dappState } from "../dapp/index.ts";
import type { LedgerDb } from "../db/index.ts";
import {
  authorOf,
  CHARTER_APP,
  encodeMerge,
  encodeMergeChanges,
  type IncludedRange,
  includedRoot,
  type LedgerEntry,
  type MergeApp,
  type MergeChanges,
  type MergeOutcome,
  type MergePayload,
  orderEntries,
  orderSeed,
  parseEntryPayload,
  reduceCharter,
  type StatesView,
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
  readonly blocks: readonly Block[];
  readonly entries: readonly LedgerEntry[];
  readonly h: number;
  readonly prev: Hash | null;
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
    const { db, clock } = this.#options;
    const startNs = clock.monoNs();
    const collected = this.#collect(branch);
    if (collected.entries.length === 0) return { branch, h: collected.h - 1, included: 0, void: [], tests: [], ms: 0 };
    const apps = await this.#apps();
    const before: StatesView = (app) => db.state(app, branch);
    const outcome = await workMerge({ height: collected.h, entries: collected.entries, apps, before });
    const block = await this.#publish(branch, collected, outcome);
    const tests = outcome.touched.map(({ name }) => ({ app: name, verdict: "PASS" as const }));
    const ms = Number(clock.monoNs() - startNs) / 1e6;
    return { branch, h: collected.h, id: block.id, included: collected.entries.length, void: outcome.voids, tests, ms };
  }

  #collect(branch: string): Collected {
    const { db, organisation } = this.#options;
    const head = db.head(branch);
    const blocks = db.pending(branch, MERGE_ENTRIES_MAX);
    const byId = new Map(blocks.map((block) => [block.id, block]));
    const charter = db.state(CHARTER_APP, branch);
    const entries = orderEntries(blocks, orderSeed(head?.id ?? organisation, null)).map((id): LedgerEntry => {
      const block = byId.get(id) as Block;
      const author = authorOf(charter, block.a);
      const { app, acts } = parseEntryPayload(block.d);
      const principal = author?.principal ?? "";
      return { id, author: block.a, principal, rights: author?.rights ?? [], timeMs: block.t[0], app, acts };
    });
    return { blocks, entries, h: (head?.h ?? 0) + 1, prev: head?.id ?? null };
  }

  /** The dapps that the charter has installed, and the charter's own. */
  async #apps(): Promise<MergeApp[]> {
    const { db, dapps, store } = this.#options;
    const apps: MergeApp[] = [charterApp];
    for (const [key, value] of db.state(CHARTER_APP).scan("dapp/")) {
      const tree = (value as CanonicalMap)["tree"] as Hash;
      apps.push(containerApp(key.slice("dapp/".length), tree, await dapps.dapp(tree), store));
    }
    return apps;
  }

  /** The changes are on disk before the block that names them, and the block before it is applied [L7]. */
  async #publish(branch: string, collected: Collected, outcome: MergeOutcome): Promise<Block> {
    const { db, store, ownLog } = this.#options;
    const changes: MergeChanges = { state: outcome.changes, voids: outcome.voids };
    const { id: blob } = await putBlob(store, encodeMergeChanges(changes));
    await store.commit();
    const payload: MergePayload = {
      branch,
      h: collected.h,
      prev: collected.prev,
      heads: headsOf(collected.blocks).map(({ id }) => id),
      set: includedRoot(collected.entries.map(({ id }) => id)),
      included: rangesOf(collected.blocks, db, branch),
      entries: collected.entries.length,
      void: outcome.voids.length,
      state: db.previewRoots(branch, outcome.changes),
      changes: blob,
      tests: outcome.touched.map(({ name, image }) => ({ app: name, image, verdict: "PASS", output: null })),
      charter: { h: 0, id: null },
      cert: null,
      from: [],
      frozen: [],
    };
    const block = ownLog.append("merge", encodeMerge(payload), headsOf(collected.blocks));
    db.applyMerge(branch, block, payload, changes);
    return block;
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

function rangesOf(blocks: readonly Block[], db: LedgerDb, branch: string): IncludedRange[] {
  const view = db.branchView(branch);
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
