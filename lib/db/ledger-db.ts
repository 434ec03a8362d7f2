/**
 * The ledger on disk, one SQLite file. One writer per home: the home's lock sees to that. What is taken in
 * has been admitted (lib/ledger, admit); what this keeps by itself is that numbers are used once [L6], that
 * parents are held, that own blocks are durable [L7], and that merges lead to the state they name [L19].
 */
import { GdoError, type Hash, type PublicKey } from "../base/index.ts";
import type { Block } from "../codec/index.ts";
import {
  type AdmitView,
  authorOf,
  type BranchView,
  CHARTER_BRANCH,
  type FrozenLog,
  type HeldVote,
  type IncarnationLog,
  type LogCut,
  lineOf,
  MAIN_BRANCH,
  type MergeChanges,
  type MergePayload,
  type MergeSource,
  type StateChange,
  type StateView,
} from "../ledger/index.ts";
import { applyMerge, headId, type Tables } from "./apply-merge.ts";
import { asGdoError, Connection } from "./connection.ts";
import { found, openBranches } from "./found.ts";
import { Listing, type ListOptions, type ListPage, type ListRow, type MemberRow } from "./listing.ts";
import type { PendingReader } from "./pending-reader.ts";
import { BlockTable, type Head } from "./tables/blocks.ts";
import { type BranchRow, BranchTable, type EntryPlace, type VoidEntry } from "./tables/branches.ts";
import { Charters } from "./tables/charters.ts";
import { contents } from "./tables/contents.ts";
import { EvidenceTable } from "./tables/evidence.ts";
import { type FrontierLog, LogTable, logBytes } from "./tables/logs.ts";
import { MetaTable } from "./tables/meta.ts";
import { PendingTable } from "./tables/pending.ts";
import { blocksOfRows, sumsOf } from "./tables/rows.ts";
import { hasTaken, SourceTable, takenFrom } from "./tables/sources.ts";
import { StateTable } from "./tables/state.ts";
import { VoteTable } from "./tables/votes.ts";
import type { Incoming, Ingested, OpenOptions } from "./types.ts";
import { type VerifyReport, verifyLedger } from "./verify/ledger.ts";
import { AlternateTable } from "./versions/alternates.ts";
import { VersionReader } from "./versions/reader.ts";
import { admitView, branchView, charterAt, charterNow, votesAt } from "./views.ts";

export class LedgerDb {
  readonly #connection: Connection;
  readonly #tables: Tables;
  readonly #meta: MetaTable;
  readonly #listing: Listing;
  /** For peers who hold another version of a log [L6]. */
  readonly versions: VersionReader;

  private constructor(connection: Connection) {
    this.#connection = connection;
    const logs = new LogTable(connection);
    const alternates = new AlternateTable(connection, logs);
    this.#tables = {
      charters: new Charters(),
      logs,
      alternates,
      blocks: new BlockTable(connection, logs, alternates),
      branches: new BranchTable(connection),
      pending: new PendingTable(connection),
      state: new StateTable(connection),
      votes: new VoteTable(connection, logs),
      evidence: new EvidenceTable(connection, logs),
      sources: new SourceTable(connection),
    };
    this.versions = new VersionReader(this.#tables);
    this.#meta = new MetaTable(connection);
    this.#listing = new Listing(connection);
  }

  /** Makes the file if there is none. Throws NOT_FOUND, CONFIG_INVALID (a later version's), LEDGER_CORRUPT, IO. */
  static open(path: string, options: OpenOptions = {}): LedgerDb {
    return LedgerDb.on(Connection.open(path, options.readOnly ?? false));
  }

  /** For MemoryDisk: on a connection that is open, and closed with this. */
  static on(connection: Connection): LedgerDb {
    try {
      return new LedgerDb(connection);
    } catch (error) {
      connection.close();
      throw asGdoError(error, connection.path);
    }
  }

  close(): void {
    this.#connection.close();
  }

  // --- Blocks ---

  /** Appends a block of this device; on disk when it returns [L7]. The same block again changes nothing. */
  appendOwn(block: Block): void {
    if (block.k === "entry") this.#connection.expect("entry");
    this.appendOwnBatch([[block]]);
  }

  /** As appendOwn, all parts or none, for the price of one. Each is written before the next is asked for. */
  appendOwnBatch(parts: Iterable<readonly Block[]>): void {
    this.#undoing(() =>
      this.#connection.durably(() => {
        for (const part of parts) this.#addAll(part, true);
      }),
    );
  }

  /**
   * Takes in admitted blocks, parents before children, all or none. The second block of a number is kept beside the
   * first [L6]. Throws LEDGER_ORPHAN: admission has missed something, or another writer came between.
   */
  ingest(blocks: readonly Incoming[]): Ingested {
    let added: Hash[] = [];
    if (blocks.length === 0) return { added, known: 0 };
    this.#undoing(() =>
      this.#connection.write(() => {
        added = this.#addAll(blocks, false);
      }),
    );
    return { added, known: blocks.length - added.length };
  }

  #addAll(blocks: readonly Incoming[], isOwn: boolean): Hash[] {
    const added: Hash[] = [];
    const all = blocks.map((each) => ("block" in each ? each : { block: each, isChecked: true }));
    const sums = sumsOf(all.map(({ block }) => block));
    for (const [index, { block, isChecked }] of all.entries()) {
      const seq = this.#tables.blocks.add(block, { isChecked, isOwn, sum: sums[index] as Uint8Array });
      if (seq === undefined) continue;
      added.push(block.id);
      if (block.k === "charter") found(this.#tables, block);
      if (block.k === "evidence") this.#tables.evidence.add(seq, block);
      if (block.k === "vote") this.#tables.votes.add(seq, block);
      if (block.k === "merge") this.#tables.branches.wait(seq, block);
    }
    return added;
  }

  /** What is remembered of rows is wrong once a transaction is undone. */
  #undoing(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** What is remembered of rows. */
  #forget(): void {
    const { logs, alternates, charters, votes, branches, blocks, state } = this.#tables;
    for (const table of [logs, alternates, charters, votes, branches, blocks, state]) table.forget();
  }

  /** Id of the charter that is held. */
  organisation(): Hash | undefined {
    return this.#tables.blocks.charter();
  }

  block(id: Hash): Block | undefined {
    return this.#tables.blocks.get(id);
  }

  has(id: Hash): boolean {
    return this.#tables.blocks.seqOf(id) !== undefined;
  }

  countEntries(): number {
    return this.#tables.blocks.countEntries();
  }

  /** Entries that any of these devices signed. */
  countEntriesOf(authors: readonly PublicKey[]): number {
    return authors.reduce((sum, author) => sum + this.#tables.blocks.countEntriesOf(author), 0);
  }

  /** At most 20 ids that begin so. Throws INPUT_INVALID. */
  resolvePrefix(hex: string): Hash[] {
    return this.#tables.blocks.resolvePrefix(hex);
  }

  children(id: Hash): Hash[] {
    return this.#tables.blocks.children(id);
  }

  /** Blocks that nothing follows: what a new block may name as parents. */
  heads(): Head[] {
    return this.#tables.blocks.heads();
  }

  // --- Logs ---

  /** The newest number of every log, over all its versions, ascending by (author, l). */
  frontier(): FrontierLog[] {
    return this.#tables.alternates.frontier();
  }

  /** Envelopes of numbers `from` to `to`, as many as fit in `bytesMax`, but one at least where one is held. */
  // biome-ignore lint/complexity/useMaxParams: the fifth is the credit; the four are one place in a log, as in a frame.
  range(author: PublicKey, l: string, from: number, to: number, bytesMax: number): Uint8Array[] {
    return this.#tables.blocks.range(author, l, { from, to }, bytesMax);
  }

  /** As range, of what is held beside the log's line [L6]; none of it where it does not fit. */
  // biome-ignore lint/complexity/useMaxParams: as range.
  alternates(author: PublicKey, l: string, from: number, to: number, bytesMax: number): Uint8Array[] {
    const log = this.#tables.logs.find(author, l);
    return log === undefined ? [] : this.#tables.alternates.range(log.id, { from, to }, bytesMax);
  }

  /** Pairs of blocks with one number that no evidence cuts off yet [L6]. */
  forks(): (readonly [Block, Block])[] {
    return this.#tables.alternates.pairs();
  }

  lastOf(author: PublicKey, l: string): Block | undefined {
    return this.#tables.blocks.lastOf(author, l);
  }

  /** Incarnations of an author's log, in the order in which they were first seen. */
  logsOf(author: PublicKey): string[] {
    return this.#tables.logs.ofAuthor(author);
  }

  /** Logs of which one number is known to have two blocks, and from where each is cut off [L6]. */
  cuts(): LogCut[] {
    return this.#tables.evidence.cuts();
  }

  /** Evidence whose two blocks are in blobs that were not read yet. */
  unreadEvidence(): Block[] {
    return this.#tables.evidence.unread().flatMap((id) => this.#tables.blocks.get(id) ?? []);
  }

  /** Notes what its blobs prove, or that they prove nothing [L6]. */
  readEvidence(evidence: Hash, proven: Omit<LogCut, "evidence"> | undefined): void {
    const seq = this.#tables.blocks.seqOf(evidence);
    if (seq === undefined) throw new GdoError("LEDGER_ORPHAN", `the evidence ${evidence} is not held`);
    this.#undoing(() => this.#connection.write(() => this.#tables.evidence.read(seq, proven)));
  }

  /** What is held of each incarnation of an author's log, for liveTwins [L8]. */
  incarnations(author: PublicKey): IncarnationLog[] {
    return this.#tables.blocks.namings.incarnations(author);
  }

  /** Newest blocks of the author's logs but `l` that none of the author's logs names [L8]. */
  unnamedTips(author: PublicKey, l: string): Block[] {
    return this.#tables.blocks.namings.unnamed(author, logBytes(l));
  }

  // --- Branches ---

  /** All lines, `charter` first: what it says decides who merges the others. */
  branches(): string[] {
    const names = this.#tables.branches.names();
    return [...names.filter((name) => name === CHARTER_BRANCH), ...names.filter((name) => name !== CHARTER_BRANCH)];
  }

  /** The line of a branch that a device's merges are on: in mode open its principal's own, else the branch. */
  lineOf(branch: string, author: PublicKey): string {
    const charter = this.charterAt();
    return lineOf(charter, branch, authorOf(charter, author)?.principal ?? "");
  }

  /** The last merge; undefined before the first. */
  head(branch: string): { h: number; id: Hash } | undefined {
    const row = this.#tables.branches.find(branch);
    const id = row === undefined ? null : headId(this.#tables, row);
    return row === undefined || id === null ? undefined : { h: row.h, id };
  }

  /** Entries that are held and not in the branch, in the order of taking in: any beginning is causally closed. */
  pending(branch: string, limit = Number.MAX_SAFE_INTEGER): Block[] {
    return blocksOfRows(this.#tables.pending.all(this.#branch(branch), limit), "that is pending");
  }

  /** The entries that a merge of the branch takes by `from`, which must be final here: not void there, not in it yet. */
  takenFrom(branch: string, from: readonly MergeSource[], frozen: readonly FrozenLog[]): Block[] {
    return takenFrom(this.#tables, this.#branch(branch), from, frozen).map(({ block }) => block);
  }

  /** As pending, to be read one by one. */
  pendingReader(branch: string): PendingReader {
    return this.#tables.pending.reader(this.#branch(branch));
  }

  /** Whether there are any: costs the same however many wait. */
  hasPending(branch: string): boolean {
    return this.#tables.pending.has(this.#branch(branch));
  }

  countPending(branch: string): number {
    return this.#tables.pending.count(this.#branch(branch));
  }

  /** Whether a branch has all of another's merge by taking from it. */
  hasTaken(branch: string, merge: Hash): boolean {
    const row = this.#tables.branches.find(branch);
    const seq = this.#tables.blocks.seqOf(merge);
    return row !== undefined && seq !== undefined && hasTaken(this.#tables, row, seq);
  }

  /**
   * Merge blocks that are held, not applied, and of a height that their branch has reached or comes to next, by a
   * charter that is here; in the order of taking in.
   */
  waitingMerges(): Block[] {
    return this.#tables.branches.waiting();
  }

  /** Those that come after them, at most so many of a branch, the next heights first. */
  waitingMergesLater(limit: number): Block[] {
    return this.#tables.branches.waitingLater(limit);
  }

  /** A device's merge blocks that are held and not applied, of whatever height. */
  waitingMergesOf(author: PublicKey): Block[] {
    return this.#tables.branches.waitingOf(author);
  }

  /** A merge that can never be applied is not among those that wait any more; the block stays. */
  passOver(merge: Hash): void {
    const { blocks, branches } = this.#tables;
    const seq = blocks.seqOf(merge);
    if (seq !== undefined) this.#connection.write(() => branches.passOver(seq));
  }

  /**
   * Applies the branch's next merge, which is held, in one transaction; a merge that is applied already
   * changes nothing. Whether its author may merge is judgeMerge's matter. Throws as applyMerge does.
   */
  applyMerge(branch: string, merge: Block, payload: MergePayload, changes: MergeChanges): void {
    const { blocks, branches } = this.#tables;
    this.#connection.expect("merge");
    this.#undoing(() =>
      this.#connection.write(() => {
        const seq = blocks.seqOf(merge.id);
        if (seq !== undefined && branches.isMerged(seq)) return;
        applyMerge(this.#tables, this.#branch(branch), { merge, payload, changes });
        openBranches(this.#tables);
      }),
    );
  }

  /** The roots that these changes would lead to: what a merge's payload must say. */
  previewRoots(branch: string, changes: Readonly<Record<string, readonly StateChange[]>>): Record<string, Hash> {
    return this.#tables.state.preview(this.#branch(branch).id, changes);
  }

  /** Height: how many merges there have been. */
  merges(branch: string): number {
    return this.#branch(branch).h;
  }

  /** Entries of one merge, in its order [L12]. */
  members(branch: string, h: number): Hash[] {
    return this.#tables.branches.members(this.#branch(branch).id, h);
  }

  /** Id of the branch's merge of a height. */
  mergeAt(branch: string, h: number): Hash | undefined {
    const row = this.#tables.branches.mergeAt(this.#branch(branch).id, h);
    return row === undefined ? undefined : this.#tables.blocks.idOf(row.block);
  }

  /** Branches that an entry is in, that which it is for and those that have taken it from there. */
  placesOf(id: Hash): EntryPlace[] {
    const seq = this.#tables.blocks.seqOf(id);
    return seq === undefined ? [] : this.#tables.branches.placesOf(seq);
  }

  /** In the branch's order. */
  voids(branch: string): VoidEntry[] {
    return this.#tables.branches.voids(this.#branch(branch).id);
  }

  countVoids(branch: string): number {
    return this.#tables.branches.countAllVoids(this.#branch(branch).id);
  }

  /** Votes on merges of the branch at a height by those whose votes count there, in the order of taking in. */
  votes(branch: string, h: number): HeldVote[] {
    return [...votesAt(this.#tables, branch, h)]; // What is read of it may lead to votes of this node.
  }

  /** Newest first, page by page. */
  list(options: ListOptions): ListPage {
    if (options.branch !== undefined) this.#branch(options.branch);
    return this.#listing.page(options);
  }

  /** Entries of the branch that follow a place in its order, in that order [L12]. */
  membersAfter(branch: string, place: { readonly h: number; readonly position: number }, limit: number): MemberRow[] {
    return this.#listing.after(this.#branch(branch).name, place, limit);
  }

  /** One block with what the branch that it is for made of it. */
  row(id: Hash): ListRow | undefined {
    return this.#listing.one(id);
  }

  #branch(name: string): BranchRow {
    const row = this.#tables.branches.find(name);
    if (row === undefined) throw new GdoError("NOT_FOUND", `there is no branch ${name}`);
    return row;
  }

  // --- State ---

  /** A dapp's state as of the branch's last merge. Reads the rows of the moment. */
  state(app: string, branch: string = MAIN_BRANCH): StateView {
    return this.#tables.state.view(this.#branch(branch).id, app);
  }

  /** A dapp's state after the branch's merge of a height; 0: as it began. */
  stateAt(app: string, branch: string, h: number): StateView {
    return this.#tables.state.viewAt(this.#branch(branch).id, app, h);
  }

  /** The charter's state after its merge of a height (default: the last); 0 is the genesis. NOT_FOUND beyond it. */
  charterAt(h?: number): StateView {
    const state = h === undefined ? charterNow(this.#tables) : charterAt(this.#tables, h);
    if (state === undefined) throw new GdoError("NOT_FOUND", `the charter is not at height ${h ?? 0}`);
    return state;
  }

  stateRoots(branch: string = MAIN_BRANCH): Record<string, Hash> {
    return this.#tables.state.roots(this.#branch(branch).id);
  }

  // --- Views for the ledger's rules ---

  /** What the admission of one batch asks, by the charter's last state. */
  admitView(organisation: Hash, allow?: (author: PublicKey) => boolean): AdmitView {
    return { ...admitView(this.#tables, organisation), ...(allow === undefined ? {} : { allow }) };
  }

  /** What judgeMerge asks [L16]. */
  branchView(branch: string): BranchView {
    return branchView(this.#tables, branch);
  }

  meta(key: string): string | undefined {
    return this.#meta.get(key);
  }

  /** On disk when it returns: what a device remembers of itself must outlive what it signs [L7]. */
  setMeta(key: string, value: string): void {
    this.#connection.durably(() => this.#meta.set(key, value));
  }

  /** Canonical bytes of all that may name an object of the store: bodies of blocks, values, what is remembered. */
  contents(): Iterable<Uint8Array> {
    return contents(this.#connection);
  }

  /** Checks everything that is stored against itself; says each thing that is wrong, and where. */
  verify(progress?: (blocks: number) => void): VerifyReport {
    this.#forget(); // What is stored, not what is remembered of it.
    return verifyLedger(this.#connection, this.#tables, progress);
  }
}
