/** What a node's parts need of what is around them; the agent and the simulator bring it. */
import type { Hash, PublicKey } from "../base/index.ts";
import type { Block } from "../codec/index.ts";
import type {
  AdmitView,
  BranchView,
  FrozenLog,
  HeldVote,
  IncarnationLog,
  LogCut,
  MergeApp,
  MergeChanges,
  MergePayload,
  MergeSource,
  StateChange,
  StateView,
} from "../ledger/index.ts";

/** A device's own blocks and what it remembers of itself; all durable on return [L7]. */
export interface OwnBlocks {
  appendOwn(block: Block): void;
  /** All of them or none; the parts may be made only as they are asked for. */
  appendOwnBatch(parts: Iterable<readonly Block[]>): void;
  lastOf(author: PublicKey, l: string): Block | undefined;
  has(id: Hash): boolean;
  /** What is held of each incarnation of an author's log. */
  incarnations(author: PublicKey): IncarnationLog[];
  /** Newest blocks of the author's logs but `l` that none of the author's logs names. */
  unnamedTips(author: PublicKey, l: string): Block[];
  meta(key: string): string | undefined;
  setMeta(key: string, value: string): void;
}

export interface PendingEntry {
  /** Its place in the order of taking in. */
  readonly seq: number;
  readonly log: number;
  readonly block: Block;
}

/** What is pending on a branch, in the order of taking in over the logs that are read. */
export interface PendingEntries {
  peek(): PendingEntry | undefined;
  advance(log: number): void;
  /** No more of this log. */
  stop(log: number): void;
  /** Nothing of this log until `release`, which tells whether there are such. */
  hold(log: number): void;
  isHeld(log: number): boolean;
  release(): boolean;
  /** Where an entry that is pending stands in its log. */
  place(id: Hash): { readonly log: number; readonly n: number } | undefined;
}

/** The ledger on disk. lib/db is the real one. */
export interface NodeLedger extends OwnBlocks {
  admitView(organisation: Hash): AdmitView;
  ingest(blocks: readonly { readonly block: Block; readonly isChecked: boolean }[]): {
    readonly added: readonly Hash[];
  };
  block(id: Hash): Block | undefined;
  range(author: PublicKey, l: string, from: number, to: number, bytesMax: number): Uint8Array[];
  /** The newest number of every log. */
  frontier(): readonly { readonly n: number }[];
  branches(): string[];
  /** The line of a branch that a device's merges are on. */
  lineOf(branch: string, author: PublicKey): string;
  branchView(line: string): BranchView;
  head(line: string): { readonly h: number; readonly id: Hash } | undefined;
  cuts(): LogCut[];
  /** Pairs of blocks with one number that no evidence cuts off yet, the least numbers of a log first [L6]. */
  forks(): (readonly [Block, Block])[];
  /** Evidence whose two blocks are in blobs that were not read yet, and what came of reading them. */
  unreadEvidence(): Block[];
  readEvidence(evidence: Hash, proven: Omit<LogCut, "evidence"> | undefined): void;
  pending(line: string, limit?: number): Block[];
  pendingReader(line: string): PendingEntries;
  hasPending(line: string): boolean;
  /** The entries that a merge of the line takes by `from`, which must be final here. */
  takenFrom(line: string, from: readonly MergeSource[], frozen: readonly FrozenLog[]): Block[];
  waitingMerges(): Block[];
  waitingMergesLater(limit: number): Block[];
  waitingMergesOf(author: PublicKey): Block[];
  /** One that can never be applied is not among them any more. */
  passOver(merge: Hash): void;
  votes(branch: string, h: number): HeldVote[];
  charterAt(h?: number): StateView;
  state(app: string, line?: string): StateView;
  previewRoots(line: string, changes: Readonly<Record<string, readonly StateChange[]>>): Record<string, Hash>;
  applyMerge(line: string, merge: Block, payload: MergePayload, changes: MergeChanges): void;
}

/** Content by its id. */
export interface NodeBlobs {
  /** Durable on return. */
  put(bytes: Uint8Array): Promise<Hash>;
  read(id: Hash): Promise<Uint8Array>;
  /** Whether all of a blob or tree is held; what is not is asked for, of `near` first. */
  has(id: Hash, near?: PublicKey): Promise<boolean>;
  /** Runs work that puts something and then names it in the ledger: until it ends nothing of that is removed. */
  holding<T>(work: () => Promise<T>): Promise<T>;
}

/** How dapps are run: as they are, or anew, for a second opinion of the first [L13]. */
export type Conditions = "warm" | "fresh";

/** Dapps ready to work; `close` ends what was started for them alone. */
export interface WorkingApps {
  readonly apps: readonly MergeApp[];
  /** Installed, but their images are not held. */
  readonly missing: readonly string[];
  close(): Promise<void>;
}

export interface NodeApps {
  /** Every dapp that the charter's state has installed. */
  open(charter: StateView, conditions: Conditions): Promise<WorkingApps>;
}
