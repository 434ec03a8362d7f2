/**
 * A node of an organisation, without its network: own log, merges, dapps, policy. The running agent puts
 * loops and transports around it; a command without a running agent uses it as it is.
 */
import { existsSync } from "node:fs";
import { GdoError, type Hash, type Log, type PublicKey } from "../base/index.ts";
import { type Block, type Canonical, keyFromSeed, verifyBlocks } from "../codec/index.ts";
import {
  type Act,
  authorOf,
  type BranchPolicy,
  CHARTER_BRANCH,
  decidesFor,
  entryPayload,
  MAIN_BRANCH,
  type MergePayload,
  parseEntryPayload,
  policyOf,
  principalOf,
  type RefusalReason,
  RIGHT_GOVERN,
  validatorsOf,
  whyNotMerge,
} from "../ledger/index.ts";
import {
  Chain,
  type LogTurn,
  type MergeReport,
  type NodeBlobs,
  policyOfNext,
  TentativeStates,
  Validator,
  type ValidatorEvent,
  Witness,
} from "../node/index.ts";
import type { Refusal } from "../sync/index.ts";
import { PolicyBook } from "./apps/policy-book.ts";
import { reportsKept, reportsNamed } from "./apps/rehearse.ts";
import { containerApps, finalState, installedDapps, storeBlobs, tentativeState } from "./apps/working-apps.ts";
import { readSecret } from "./home/home.ts";
import { closeAll, type NodeParts, openParts } from "./node-parts.ts";
import { type RequestObjects, RootFetcher } from "./storage/object-access.ts";
import { cutWords, turnWords, twinWords } from "./views/own-words.ts";
import {
  hearFarewell,
  type OwnRevocation,
  ownRevocation,
  rememberedRevocation,
  revokedWords,
} from "./views/revocation.ts";

/** What the world around a node wants to know. */
export interface NodeListener {
  /** Own blocks, durable. */
  appended(blocks: readonly Block[]): void;
  merged(payload: MergePayload, merge: Block): void;
  /** A newer policy is held, signed and whole. */
  policyChanged(generation: number): void;
  /** What votes have led to that somebody should know. */
  voting(event: ValidatorEvent): void;
  /** This device goes on in a new incarnation of its log [L8]. */
  turned(turn: LogTurn): void;
  /** This device counts for nothing any more, or will once that is merged. */
  revoked(revocation: OwnRevocation): void;
  /** Something that a person should look at. */
  alarm(words: string): void;
  /** Heights of a branch that peers say are final. */
  reports(branch: string): readonly { readonly author: PublicKey; readonly h: number }[];
  request: RequestObjects;
}

/** Durations remembered for `metrics`. */
const MEASURED_MAX = 1000;

const NOBODY: NodeListener = {
  appended() {},
  merged() {},
  policyChanged() {},
  voting() {},
  reports: () => [],
  turned() {},
  revoked() {},
  alarm() {},
  request() {},
};

/** What is refused from others, as `status` counts it: blocks by admission, merges by the chain, messages by sync. */
export type RefusedCode = RefusalReason | "merge" | Refusal;

export class GdoNode {
  readonly parts: NodeParts;
  readonly chain: Chain;
  readonly fetcher: RootFetcher;
  readonly policies: PolicyBook;
  readonly refusals = new Map<string, number>();
  readonly validator: Validator;
  readonly tentative: TentativeStates;
  readonly #doorKey: PublicKey | undefined;
  readonly #mergeMs: number[] = [];
  readonly #twins = new Set<string>();
  readonly #witness: Witness;
  readonly #blobs: NodeBlobs;
  /** Evidence that is being put into blobs. */
  #large: Promise<void> = Promise.resolve();
  listener: NodeListener = NOBODY;
  #isVoting = false;
  /** As it was told last. */
  #revocation: OwnRevocation | undefined;
  /** The charter, or what waits for it, has changed. */
  #isCharterNew = true;

  private constructor(parts: NodeParts) {
    const { db, store, dapps, ownLog, charter, clock, log } = parts;
    const organisation = charter.id;
    this.parts = parts;
    this.#witness = new Witness({ ledger: db, organisation, ownLog, log });
    this.#doorKey = existsSync(parts.paths.doorKey)
      ? keyFromSeed(readSecret(parts.paths.doorKey)).publicKey
      : undefined;
    this.fetcher = new RootFetcher(
      store,
      (objects, near) => this.listener.request(objects, near),
      () => void this.chain.advance().then(() => this.policies.refresh()),
    );
    this.policies = new PolicyBook(this);
    const blobs = storeBlobs(store, this.fetcher);
    this.#blobs = blobs;
    const apps = containerApps({ dapps, store, fetcher: this.fetcher, log });
    this.tentative = new TentativeStates({ ledger: db, apps, organisation, author: ownLog.author });
    this.validator = new Validator({
      ...{ ledger: db, blobs, ownLog, organisation, clock, log, apps },
      timeoutMs: parts.config.votes.timeoutMs,
      publish: (block) => this.listener.appended([block]),
      advance: () => this.chain.advance(),
      tell: (event) => this.listener.voting(event),
      reports: (branch) => this.listener.reports(branch),
    });
    this.chain = new Chain({
      ...{ ledger: db, blobs, organisation, log },
      settled: () => this.#settled(),
      onMerged: (payload, merge) => this.#merged(payload, merge),
      refused: (reason) => this.countRefusal(reason),
      saw: (block, isSecond) => this.#saw(block, isSecond),
      proved: (evidence) => this.#tellFrozen(evidence),
      verifyBlocks,
    });
  }

  /** As openParts; then applies what a crash left unapplied. */
  static async open(root: string, log: Log): Promise<GdoNode> {
    const parts = await openParts(root, log);
    try {
      await parts.runtime.cleanup();
      const node = new GdoNode(parts);
      const { ownLog } = parts;
      if (ownLog.turns().at(-1)?.l === ownLog.incarnation && ownLog.isFresh) node.#tellTurn();
      await node.chain.advance();
      await node.policies.refresh();
      return node;
    } catch (error) {
      await closeAll(parts.closers);
      throw error;
    }
  }

  /** Records acts for one dapp, one entry. LEDGER_UNKNOWN_AUTHOR before the charter admits this device. */
  append(app: string, acts: readonly Act[], branch?: string): Block {
    const payload = entryPayload(app, acts, branch === MAIN_BRANCH ? undefined : branch);
    const block = this.parts.ownLog.append("entry", payload, this.#parentsOf(parseEntryPayload(payload).branch));
    this.listener.appended([block]);
    return block;
  }

  /** As append, one entry for each group of acts: all of them or none. */
  appendAll(app: string, groups: readonly (readonly Act[])[]): Block[] {
    const payloads = groups.map((acts) => entryPayload(app, acts));
    const blocks = this.parts.ownLog.appendAll("entry", payloads, this.#parentsOf(MAIN_BRANCH));
    this.listener.appended(blocks);
    return blocks;
  }

  /** What an entry for the branch goes on top of. */
  #parentsOf(branch: string): Block[] {
    const { db, ownLog, charter } = this.parts;
    this.assertKnown();
    if (policyOf(db.charterAt(), branch) === undefined)
      throw new GdoError("NOT_FOUND", `there is no branch ${branch}`, { hint: "gdo branch" });
    const line = db.lineOf(branch, ownLog.author);
    return [db.head(CHARTER_BRANCH), db.head(line)].flatMap((head) => db.block(head?.id ?? charter.id) ?? []);
  }

  /**
   * LEDGER_UNKNOWN_AUTHOR for a device that the charter does not know, or that is revoked: also by what waits to be
   * merged, for from then on its peers tell it nothing any more.
   */
  assertKnown(): void {
    const { db, pair } = this.parts;
    if (authorOf(db.charterAt(), pair.publicKey) === undefined)
      throw new GdoError("LEDGER_UNKNOWN_AUTHOR", "the charter does not know this device yet", { hint: "gdo status" });
    const revocation = this.revocation();
    if (revocation !== undefined)
      throw new GdoError("LEDGER_UNKNOWN_AUTHOR", revokedWords(revocation), { hint: revocation.todo });
  }

  /** That this device is revoked, by what waits to be merged, too; undefined while it is not. */
  revocation(): OwnRevocation | undefined {
    const known = this.#revocation;
    return known?.h == null ? ownRevocation(this.parts.db, this.parts.pair.publicKey) : known;
  }

  /** A peer says how the charter went on. What does not prove that this device is revoked counts for nothing. */
  hearFarewell(bytes: Uint8Array): void {
    const { db, charter, pair, log } = this.parts;
    try {
      hearFarewell(db, bytes, { organisation: charter.id, device: pair.publicKey });
    } catch (error) {
      if (!(error instanceof GdoError)) throw error;
      this.countRefusal("farewell");
      log.warn("a farewell proves nothing", { why: error.message });
    }
    this.#isCharterNew = true;
    this.#noteRevocation();
  }

  /** The peers have told: whatever this device holds besides, it is none of theirs any more. */
  get isSentAway(): boolean {
    return rememberedRevocation(this.parts.db) !== undefined;
  }

  /** Told once, and again when it is final. */
  #noteRevocation(): void {
    const before = this.#revocation;
    if (!this.#isCharterNew || before?.h != null) return;
    this.#isCharterNew = false;
    const now = this.revocation();
    this.#revocation = now;
    if (now === undefined || (before !== undefined && before.h === now.h)) return;
    this.parts.log.error(revokedWords(now), { todo: now.todo });
    if (this.isSentAway) this.#stopVoting();
    this.listener.revoked(now);
  }

  /** By a charter that is not the last it would go on. */
  #stopVoting(): void {
    this.#isVoting = false;
    void this.validator.close();
  }

  /** Proof of merge now. REFUSED on a node that does not merge the branch, or not alone. */
  async merge(branch: string, { takesOver = false } = {}): Promise<MergeReport> {
    const policy = this.assertMayMerge(branch);
    // [L10] Two devices that both merged could make two merges of one height.
    if (policy.mode !== "quorum" && !takesOver && !this.validator.decides(branch))
      throw new GdoError("REFUSED", "another device of the same person merges; if both do, the branch breaks in two", {
        hint: `gdo merge ${branch} --take-over, if that device is lost`,
      });
    if (policy.mode === "quorum")
      throw new GdoError("REFUSED", `${branch} is merged by a quorum of ${policy.validators}`, { hint: "gdo agent" });
    return this.parts.store.holding(() => this.#merge(branch));
  }

  /** The policy of a branch that this node merges, alone or with others. NOT_FOUND, REFUSED, LEDGER_UNKNOWN_AUTHOR. */
  assertMayMerge(branch: string): BranchPolicy {
    const { db, pair } = this.parts;
    if (this.isSentAway) this.assertKnown();
    // [L16] Who merged it before a change does so once more.
    const policy = policyOfNext(db, branch) ?? policyOf(db.charterAt(), branch);
    if (policy === undefined) throw new GdoError("NOT_FOUND", `there is no branch ${branch}`, { hint: "gdo branch" });
    const why = whyNotMerge(pair.publicKey, branch, db.branchView(db.lineOf(branch, pair.publicKey)));
    if (why !== undefined) {
      const self = principalOf(db.charterAt(), pair.publicKey);
      if (self !== undefined && policy.mode === "quorum" && decidesFor(db.charterAt(), pair.publicKey) === undefined)
        throw new GdoError("REFUSED", `another device of ${self} votes on ${branch}, not this one`, {
          hint: `gdo device decide ${pair.publicKey.slice(0, 12)}`,
        });
      const who = policy.mode === "single" ? policy.validator : "others";
      throw new GdoError("REFUSED", `${branch} is merged by ${who}, not by this node`, { hint: "gdo status" });
    }
    return policy;
  }

  async #merge(branch: string): Promise<MergeReport> {
    const report = await this.validator.merge(branch);
    const block = report.id === undefined ? undefined : this.parts.db.block(report.id);
    if (block !== undefined) {
      this.#mergeMs.push(report.ms);
      if (this.#mergeMs.length > MEASURED_MAX) this.#mergeMs.shift();
      this.listener.appended([block]);
      if (branch === MAIN_BRANCH) await this.policies.publish(report.h);
      await this.policies.refresh();
    }
    return report;
  }

  /** Asks a dapp, as of the last final merge, or with what waits. NOT_FOUND for a dapp that is not installed. */
  async query(app: string, name: string, args: Canonical, isTentative = false): Promise<Canonical> {
    const tree = this.treeOf(app);
    if (tree === undefined)
      throw new GdoError("NOT_FOUND", `no dapp is called ${app}`, { hint: "gdo dapp install FOLDER" });
    const dapp = await this.parts.dapps.dapp(tree);
    return dapp.query(name, args, isTentative ? await tentativeState(this) : finalState(this));
  }

  /** Image of an installed dapp. */
  treeOf(app: string): Hash | undefined {
    const installed = this.parts.db.charterAt().get(`dapp/${app}`);
    return (installed as { tree?: Hash } | undefined)?.tree;
  }

  /** Entries that this home's keys signed. */
  countAuthored(): number {
    const { db, pair } = this.parts;
    return db.countEntriesOf(this.#doorKey === undefined ? [pair.publicKey] : [pair.publicKey, this.#doorKey]);
  }

  /** How long merges took, in milliseconds. */
  metrics(): { merges: number; mergeMs: { p50: number; p99: number } } {
    return {
      merges: this.#mergeMs.length,
      mergeMs: { p50: quantile(this.#mergeMs, 0.5), p99: quantile(this.#mergeMs, 0.99) },
    };
  }

  countRefusal(reason: string): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }

  /** From now on this node votes where it may, as blocks come: for the running agent, which publishes them. */
  startVoting(): void {
    this.#noteRevocation();
    if (this.isSentAway) return;
    this.#isVoting = true;
    this.#fetchAllReports();
    this.#testify();
    this.validator.start();
  }

  #settled(): void {
    this.#noteRevocation();
    this.#testify();
    if (this.#isVoting) this.validator.look();
  }

  async #publishPolicy(h: number): Promise<void> {
    try {
      await this.policies.publish(h);
    } catch (error) {
      if (!(error instanceof GdoError)) throw error;
      this.parts.log.error("no policy could be published", { code: error.code, why: error.message });
    }
  }

  /** Who votes on a branch needs the dapps: asked for as soon as they are installed. */
  async #fetchDapps(): Promise<void> {
    const { db } = this.parts;
    if (!this.#isVoting || !this.isValidator()) return;
    for (const { tree } of installedDapps(db.charterAt())) await this.fetcher.has(tree);
  }

  /** [D8] Whoever may vote on a dapp has what its rehearsal says. */
  async #fetchReports(reports: readonly Hash[], near?: PublicKey): Promise<void> {
    const { db, ownLog, log } = this.parts;
    if (reports.length === 0 || authorOf(db.charterAt(), ownLog.author)?.rights.includes(RIGHT_GOVERN) !== true) return;
    try {
      for (const report of reports) await this.fetcher.has(report, near);
    } catch (error) {
      if (!(error instanceof GdoError)) throw error;
      log.warn("the report of a rehearsal cannot be fetched", { code: error.code, why: error.message });
    }
  }

  /** Of everything that may still be voted on, and of what is installed. */
  #fetchAllReports(): void {
    const { db } = this.parts;
    const charter = db.charterAt();
    const pending = db.pending(CHARTER_BRANCH).flatMap((block) => reportsNamed(block, charter));
    void this.#fetchReports([...new Set([...pending, ...reportsKept(charter)])]);
  }

  /** Whether this node's principal merges any branch. */
  isValidator(): boolean {
    const charter = this.parts.db.charterAt();
    const principal = authorOf(charter, this.parts.ownLog.author)?.principal;
    const branches = [...charter.scan("branch/")].map(([key]) => key.slice("branch/".length));
    return branches.some(
      (each) => principal !== undefined && validatorsOf(charter, each)?.principals.includes(principal),
    );
  }

  /** [L8] Another copy of this device, if it was one, is told of once a pair. */
  #saw(block: Block, isSecond: boolean): void {
    const { ownLog, log } = this.parts;
    if (block.k === "evidence") this.#tellFrozen(block);
    if (block.k === "entry" && parseEntryPayload(block.d).branch === CHARTER_BRANCH) this.#isCharterNew = true;
    if (block.a !== ownLog.author) void this.#fetchReports(reportsNamed(block, this.parts.db.charterAt()), block.a);
    if (block.a !== ownLog.author) return;
    const before = ownLog.incarnation;
    ownLog.saw(block, isSecond);
    if (ownLog.incarnation !== before) this.#tellTurn();
    for (const pair of ownLog.twins()) {
      if (this.#twins.has(pair.join())) continue;
      this.#twins.add(pair.join());
      log.error(twinWords(pair));
      this.listener.alarm(twinWords(pair));
    }
  }

  /** [L6] After what came is kept; not before this node knows where its own log ends. */
  #testify(): void {
    const { db, ownLog } = this.parts;
    if (!this.#isVoting || authorOf(db.charterAt(), ownLog.author)?.revoked !== false) return;
    for (const evidence of this.#witness.testify()) {
      this.listener.appended([evidence]);
      this.#tellFrozen(evidence);
    }
    this.#large = this.#large.then(() => this.#testifyByBlobs());
  }

  async #testifyByBlobs(): Promise<void> {
    try {
      for (const evidence of this.#isVoting ? await this.#witness.testifyByBlobs(this.#blobs) : []) {
        this.listener.appended([evidence]);
        this.#tellFrozen(evidence);
        this.validator.look();
      }
    } catch (error) {
      if (!(error instanceof GdoError)) throw error;
      this.parts.log.warn("evidence cannot be kept", { code: error.code, why: error.message });
    }
  }

  #tellFrozen({ id }: Block): void {
    const { db, log } = this.parts;
    const cut = db.cuts().find(({ evidence }) => evidence === id);
    if (cut === undefined) return;
    const words = cutWords(cut, authorOf(db.charterAt(), cut.author)?.name ?? "");
    log.error(words);
    this.listener.alarm(words);
  }

  #tellTurn(): void {
    const turn = this.parts.ownLog.turns().at(-1);
    if (turn === undefined) return;
    this.parts.log.warn("this device goes on in a new log", { why: turnWords(turn) });
    this.listener.turned(turn);
  }

  #merged(payload: MergePayload, merge: Block): void {
    if (payload.branch === CHARTER_BRANCH) {
      this.#isCharterNew = true;
      void this.#fetchDapps();
      this.#fetchAllReports();
    }
    // Where a quorum decides, whoever proposed what is final now sees to the doors' policy.
    if (payload.branch === MAIN_BRANCH && merge.a === this.parts.pair.publicKey) void this.#publishPolicy(payload.h);
    this.listener.merged(payload, merge);
    void this.policies.refresh();
  }

  async close(): Promise<void> {
    this.#isVoting = false;
    await this.#large;
    await this.validator.close();
    await this.chain.close();
    return closeAll(this.parts.closers);
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
