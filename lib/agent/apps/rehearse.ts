/**
 * A rehearsal: the real history of every branch once more with another image of a dapp, on a state of its own beside
 * the real one, and then the merge that would come next, on the real state. It says which past entries that image
 * would have judged otherwise, whether its test would have let the merges through, and what it would move. Nothing
 * of the ledger changes.
 */
import { GdoError, type Hash, type PublicKey, utf8 } from "../../base/index.ts";
import { type Block, type CanonicalMap, encodeCanonical } from "../../codec/index.ts";
import {
  type Act,
  authorOf,
  CHARTER_APP,
  CHARTER_BRANCH,
  judgeEntry,
  type LedgerEntry,
  MAIN_BRANCH,
  type MergeApp,
  OverlayState,
  orderSeed,
  parseEntryPayload,
  parseMerge,
  RIGHT_GOVERN,
  type StatesView,
  type StateView,
  validateOperation,
  workMerge,
} from "../../ledger/index.ts";
import { putBlob } from "../../store/index.ts";
import type { GdoNode } from "../node.ts";
import { containerApp, containerApps } from "./working-apps.ts";

/** An entry that would have been judged otherwise. Null: it counts; else why not. */
export interface ChangedVerdict {
  readonly id: Hash;
  readonly h: number;
  readonly was: string | null;
  readonly now: string | null;
}

/** On one branch, or one person's line of it. */
export interface BranchRehearsal {
  readonly branch: string;
  /** Up to which height of the branch. */
  readonly h: number;
  /** The dapp's entries in it. */
  readonly entries: number;
  readonly changed: readonly ChangedVerdict[];
  /** Keys of its state that would not be as they are. */
  readonly keys: number;
  /** Keys of the real state that the next merge changes to bring it into this image's form [D9]. */
  readonly moved?: number;
  /** Where it could not go on, and why. */
  readonly failure?: { readonly h: number; readonly why: string };
}

/** On `main`, and on the others that have entries of the dapp or that it fails on. */
export interface Rehearsal extends BranchRehearsal {
  readonly name: string;
  readonly tree: Hash;
  readonly others: readonly BranchRehearsal[];
}

const PAGE_ENTRIES = 1000;
const CHANGED_MAX = 10_000;

type Parts = Pick<GdoNode, "parts" | "fetcher">;

/** Reports that a charter's entry names, if its author may propose anything; who is to vote reads them [D8]. */
export function reportsNamed({ k, a, d }: Block, charter: StateView): Hash[] {
  if (k !== "entry" || authorOf(charter, a as PublicKey)?.rights.includes(RIGHT_GOVERN) !== true) return [];
  const { app, acts } = parseEntryPayload(d);
  return app === CHARTER_APP ? acts.flatMap(reportOf) : [];
}

/** Reports of what the charter has installed, and of what waits for more ballots. */
export function reportsKept(charter: StateView): Hash[] {
  const installed = [...charter.scan("dapp/")].flatMap(([, value]) => (value as CanonicalMap)["rehearsal"] ?? []);
  const open = [...charter.scan("open/")].flatMap(([, value]) => reportOf(value as unknown as Act));
  return [...(installed as Hash[]), ...open];
}

function reportOf({ type, body }: Act): Hash[] {
  const operation = validateOperation({ type, body });
  return "rehearsal" in operation && operation.rehearsal !== null ? [operation.rehearsal] : [];
}

/** As of the branches' heads. What the image's container does wrong is the rehearsal's failure, not an error of this. */
export async function rehearse(node: Parts, name: string, tree: Hash): Promise<Rehearsal> {
  const main = await rehearseOn(new Run(node, name, tree, MAIN_BRANCH));
  const others: BranchRehearsal[] = [];
  for (const line of node.parts.db.branches()) {
    if (line === MAIN_BRANCH || line === CHARTER_BRANCH) continue;
    const report = await rehearseOn(new Run(node, name, tree, line));
    if (report.entries > 0 || report.failure !== undefined) others.push(report);
  }
  return { name, tree, ...main, others };
}

/** The first failure, and where. */
export function failureOf({ others, ...main }: Rehearsal): { branch: string; h: number; why: string } | undefined {
  return [main, ...others].flatMap(({ branch, failure }) => (failure === undefined ? [] : { branch, ...failure }))[0];
}

async function rehearseOn(run: Run): Promise<BranchRehearsal> {
  const { node, branch } = run;
  const { db } = node.parts;
  const head = db.branches().includes(branch) ? db.head(branch) : undefined;
  const places = head === undefined ? new Map<number, Place>() : placesOf(node, branch, head.id);
  for (const { h, members } of merges(node, branch)) {
    const why = await run.merge(places.get(h) as Place, members);
    if (why !== undefined) return { ...run.report(h), failure: { h, why } };
  }
  return run.next(head);
}

/** A rehearsal as a text in the store, which a charter's operation can name; its id. */
export async function keepRehearsal({ parts: { store } }: Parts, rehearsal: Rehearsal): Promise<Hash> {
  const { id } = await putBlob(store, utf8(`${JSON.stringify(rehearsal, null, 1)}\n`));
  await store.commit();
  return id;
}

/** What a merge's work depends on besides its entries. */
interface Place {
  readonly h: number;
  /** By which height of the charter it judges. */
  readonly charterH: number;
  /** Of its order: who draws lots draws the same ones again [D3]. */
  readonly seed: Hash;
}

/** Of each merge of a branch up to its head. */
function placesOf({ parts: { db } }: Parts, branch: string, head: Hash): Map<number, Place> {
  const places = new Map<number, Place>();
  const base = db.branchView(branch).origin ?? (db.organisation() as Hash);
  for (let id: Hash | null = head; id !== null; ) {
    const payload = parseMerge((db.block(id) as Block).d);
    const { h, prev, cert, charter } = payload;
    places.set(h, { h, charterH: charter.h, seed: orderSeed(prev ?? base, cert) });
    id = prev;
  }
  return places;
}

interface Member {
  readonly block: Block;
  readonly void?: string | undefined;
}

/** The branch's merges that took anything, from the first on, each with its entries in the ledger's order. */
function* merges({ parts: { db } }: Parts, branch: string): Generator<{ h: number; members: Member[] }> {
  if (!db.branches().includes(branch)) return;
  let under: { h: number; members: Member[] } | undefined;
  for (let place = { h: 0, position: 0 }; ; ) {
    const rows = db.membersAfter(branch, place, PAGE_ENTRIES);
    for (const row of rows) {
      if (under !== undefined && under.h !== row.h) yield under;
      if (under?.h !== row.h) under = { h: row.h, members: [] };
      under.members.push(row);
      place = row;
    }
    if (rows.length < PAGE_ENTRIES) break;
  }
  if (under !== undefined) yield under;
}

class Run {
  readonly node: Parts;
  readonly branch: string;
  readonly #name: string;
  readonly #tree: Hash;
  readonly #states = new Map<string, OverlayState>();
  readonly #changed: ChangedVerdict[] = [];
  #entries = 0;

  constructor(node: Parts, name: string, tree: Hash, branch: string) {
    this.node = node;
    this.branch = branch;
    this.#name = name;
    this.#tree = tree;
  }

  /** Why it does not get through; undefined when it does. */
  async merge(place: Place, members: readonly Member[]): Promise<string | undefined> {
    const { db, store, dapps, log } = this.node.parts;
    const charter = db.charterAt(place.charterH);
    try {
      const dapp = await dapps.dapp(this.#tree);
      const own = containerApp(this.#name, this.#tree, { dapp, store, log });
      const others = own.reads.length === 0 ? [] : await this.#read(own.reads, charter);
      const apps = [...others.filter(({ name }) => name !== this.#name), own];
      const names = new Set(apps.map(({ name }) => name));
      const entries = members.map(({ block }) => judgeEntry(block, charter, this.branch));
      const concerned = entries.filter(({ app }) => names.has(app));
      if (concerned.length > 0) await this.#work(place, { apps, charter, concerned, members });
      return undefined;
    } catch (error) {
      if (error instanceof GdoError) return error.message;
      throw error;
    }
  }

  /** The merge after the head, of nothing, on the real state: whether the image works there, and what it moves [D9]. */
  async next(head: { readonly h: number; readonly id: Hash } | undefined): Promise<BranchRehearsal> {
    const { db, store, dapps, log } = this.node.parts;
    const h = (head?.h ?? 0) + 1;
    const charter = db.charterAt();
    const before: StatesView = (app) => (app === CHARTER_APP ? charter : this.#real(app));
    const report = this.report(h - 1);
    try {
      const own = containerApp(this.#name, this.#tree, { dapp: await dapps.dapp(this.#tree), store, log });
      const seed = orderSeed(head?.id ?? (db.organisation() as Hash), null);
      const apps = [{ ...own, isDue: () => true }];
      const { changes } = await workMerge({ height: h, seed, entries: [], apps, before });
      return own.isDue?.(before) === true ? { ...report, moved: changes[this.#name]?.length ?? 0 } : report;
    } catch (error) {
      if (error instanceof GdoError) return { ...report, failure: { h, why: error.message } };
      throw error;
    }
  }

  async #work(
    { h, seed }: Place,
    {
      apps,
      charter,
      concerned,
      members,
    }: { apps: MergeApp[]; charter: StateView; concerned: LedgerEntry[]; members: readonly Member[] },
  ): Promise<void> {
    const before: StatesView = (app) => (app === CHARTER_APP ? charter : this.#state(app));
    const { changes, voids } = await workMerge({ height: h, seed, entries: concerned, apps, before });
    for (const [app, made] of Object.entries(changes)) this.#state(app).apply(made);
    const now = new Map(voids.map(({ id, reason }) => [id, reason]));
    const was = new Map(members.map((member) => [member.block.id, member.void]));
    for (const { id, app } of concerned) {
      if (app !== this.#name) continue;
      this.#entries += 1;
      const verdicts = { was: was.get(id) ?? null, now: now.get(id) ?? null };
      if (verdicts.was !== verdicts.now && this.#changed.length < CHANGED_MAX)
        this.#changed.push({ id, h, ...verdicts });
    }
  }

  /** Dapps that it reads, and those that they read, as they were installed then. */
  async #read(reads: readonly string[], charter: StateView): Promise<MergeApp[]> {
    const { dapps, store, log } = this.node.parts;
    const { apps, missing } = await containerApps({ dapps, store, fetcher: this.node.fetcher, log }).open(
      charter,
      "warm",
    );
    const wanted = new Set(reads);
    for (const name of wanted) for (const each of apps.find((app) => app.name === name)?.reads ?? []) wanted.add(each);
    const lacking = missing.find((name) => wanted.has(name));
    if (lacking !== undefined)
      throw new GdoError("STORE_MISSING", `the image of ${lacking} is not here yet`, { hint: "gdo sync" });
    return apps.filter(({ name }) => wanted.has(name));
  }

  /** As the branch began, and what the merges so far made of it. */
  #state(app: string): OverlayState {
    const { db } = this.node.parts;
    const isFork = db.branches().includes(this.branch) && db.branchView(this.branch).origin !== null;
    const state = this.#states.get(app) ?? new OverlayState(isFork ? db.stateAt(app, this.branch, 0) : undefined);
    this.#states.set(app, state);
    return state;
  }

  #real(app: string): StateView {
    const { db } = this.node.parts;
    return db.branches().includes(this.branch) ? db.state(app, this.branch) : new OverlayState();
  }

  report(h: number): BranchRehearsal {
    const keys = differing(this.#real(this.#name), this.#state(this.#name));
    return { branch: this.branch, h, entries: this.#entries, changed: this.#changed, keys };
  }
}

/** How many keys do not have the same value in both. */
function differing(one: StateView, other: StateView): number {
  const left = new Map(
    [...one.scan("")].map(([key, value]) => [key, Buffer.from(encodeCanonical(value)).toString("hex")]),
  );
  let count = 0;
  for (const [key, value] of other.scan("")) {
    if (left.get(key) !== Buffer.from(encodeCanonical(value)).toString("hex")) count += 1;
    left.delete(key);
  }
  return count + left.size;
}
