/** What a merge takes: what is pending here, or what the merge of another says. Steps 1 and 2 of proof of merge. */
import { GdoError, type Hash, type PublicKey } from "../../base/index.ts";
import { type Block, decodeBlock } from "../../codec/index.ts";
import {
  type Asked,
  appOfEntry,
  type BranchView,
  CHARTER_BRANCH,
  castBy,
  certificateOf,
  entryJudge,
  type FrozenLog,
  frozenBy,
  type IncludedRange,
  type LedgerEntry,
  MERGE_APP,
  MERGE_FROZEN_MAX,
  type MergePayload,
  type MergeSource,
  orderEntries,
  orderSeed,
  type Position,
  parseEntryPayload,
  parseTake,
  type StateView,
  validatorsOf,
  weighRequests,
} from "../../ledger/index.ts";
import type { NodeLedger } from "../ports.ts";
import { LOGS_PER_DEVICE_MAX, pick } from "./pick.ts";

/** More wait for the next merge, so that one merge fits a small board's memory. */
const MERGE_ENTRIES_MAX = 5_000;

/** Of one principal before everybody else's. */
const SHARE_MAX = 500;

/** The entries of one merge, and what they are judged by. */
export interface Collected {
  readonly branch: string;
  /** In mode open this principal's own, else the branch. */
  readonly line: string;
  readonly h: number;
  readonly prev: Hash | null;
  /** Of the order of its entries, and of what chance its dapps have [L12] [D3]. */
  readonly seed: Hash;
  /** Of the merge before. */
  readonly cert: MergePayload["cert"];
  /** By which authors are judged; the merge names it. */
  readonly charter: Position;
  readonly charterState: StateView;
  /** Entries for the branch itself, and where they are. */
  readonly blocks: readonly Block[];
  readonly included: readonly IncludedRange[];
  readonly frozen: readonly FrozenLog[];
  /** What these ask the branch to take, and the entries of other branches that are taken. */
  readonly asked: Asked;
  readonly from: readonly MergeSource[];
  readonly taken: readonly Block[];
  /** All of them, in the ledger's order [L12]. */
  readonly entries: readonly LedgerEntry[];
}

export interface CollectOptions {
  readonly ledger: NodeLedger;
  readonly organisation: Hash;
  readonly author: PublicKey;
  /** Dapps that cannot be worked with now: their entries wait, and what builds on them. */
  readonly without?: ReadonlySet<string>;
}

type Place = Pick<Collected, "branch" | "line" | "h" | "prev" | "seed" | "cert" | "charter">;

/** What is pending on a branch: causally closed, for the height after its last merge. */
export function collect(branch: string, options: CollectOptions): Collected {
  const { ledger, organisation, author, without = new Set() } = options;
  const line = ledger.lineOf(branch, author);
  const head = ledger.head(line);
  const at = ledger.head(CHARTER_BRANCH);
  const charter = { h: at?.h ?? 0, id: at?.id ?? null };
  const cert = certificateFor(ledger, line, branch);
  const view = ledger.branchView(line);
  const prev = head?.id ?? null;
  const seed = orderSeed(prev ?? view.origin ?? organisation, cert);
  const place: Place = { branch, line, h: (head?.h ?? 0) + 1, prev, seed, charter, cert };
  const isWaiting = waitingRequests(ledger, line, without);
  const blocks = pick(ledger.pendingReader(line), {
    charter: ledger.charterAt(),
    isWaiting: (block, app) => without.has(app) || isWaiting(block),
    entriesMax: MERGE_ENTRIES_MAX,
    shareMax: SHARE_MAX,
  });
  const included = rangesOf(blocks, view);
  const frozen = frozenBy({ included }, view.frozen, MERGE_FROZEN_MAX);
  const asked = ask(ledger, place, blocks);
  return order(ledger, place, { blocks, included, frozen, asked, from: asked.from });
}

/** What a merge of another says it takes: held, as its ranges were judged before. */
export function recollect(ledger: NodeLedger, organisation: Hash, line: string, payload: MergePayload): Collected {
  const { branch, h, prev, cert, charter, included, frozen, from } = payload;
  const seed = orderSeed(prev ?? ledger.branchView(line).origin ?? organisation, cert);
  const place: Place = { branch, line, h, prev, seed, charter, cert };
  const blocks = included.flatMap((range) => entriesOf(ledger, branch, range));
  const asked = ask(ledger, place, blocks);
  return order(ledger, place, { blocks, included, frozen, asked, from });
}

/** A device of whose logs a merge takes too many; undefined where there is none. */
export function crowdingDevice({ included }: Pick<MergePayload, "included">): PublicKey | undefined {
  const counts = new Map<PublicKey, number>();
  for (const { author } of included) counts.set(author, (counts.get(author) ?? 0) + 1);
  return [...counts].find(([, count]) => count > LOGS_PER_DEVICE_MAX)?.[0];
}

/** What the requests among the branch's own entries ask it to take. */
function ask(ledger: NodeLedger, place: Place, blocks: readonly Block[]): Asked {
  const { branch, line } = place;
  const charter = ledger.charterAt(place.charter.h);
  const requests = blocks.filter(({ d }) => appOfEntry(d) === MERGE_APP);
  const entries = inOrder(ledger, place, requests);
  return weighRequests(entries, { branch, line, charter, sources: ledger.branchView(line).sources });
}

function inOrder(ledger: NodeLedger, place: Place, blocks: readonly Block[]): LedgerEntry[] {
  const { branch, seed, charter } = place;
  const state = ledger.charterAt(charter.h);
  const byId = new Map(blocks.map((block) => [block.id, block]));
  const ids = orderEntries(blocks, seed);
  const judge = entryJudge(state, branch);
  return ids.map((id) => judge(byId.get(id) as Block));
}

function order(
  ledger: NodeLedger,
  place: Place,
  unordered: Pick<Collected, "blocks" | "included" | "frozen" | "asked" | "from">,
): Collected {
  const { blocks, asked, from, frozen } = unordered;
  const taken = from.length === 0 ? [] : ledger.takenFrom(place.line, from, frozen);
  const entries = inOrder(ledger, place, [...blocks, ...taken]).map((entry) => {
    const refused = asked.refused.get(entry.id);
    return refused === undefined ? entry : { ...entry, refused };
  });
  return { ...place, ...unordered, taken, charterState: ledger.charterAt(place.charter.h), entries };
}

/**
 * Requests that a merge cannot take yet: what they ask for is not final here, or a dapp of it cannot be worked with,
 * or there is much of it and another has been taken into this merge already.
 */
function waitingRequests(ledger: NodeLedger, line: string, without: ReadonlySet<string>): (block: Block) => boolean {
  const { sources } = ledger.branchView(line);
  let count = 0;
  return ({ d }) => {
    if (appOfEntry(d) !== MERGE_APP) return false;
    const source = readTake(parseEntryPayload(d).acts);
    if (source === undefined) return false; // Void, and in nobody's way.
    const place = sources.place(source.id);
    if (place === undefined) return true;
    if (place.branch !== source.branch || place.h !== source.h) return false;
    const taken = ledger.takenFrom(line, [source], []);
    if (taken.some((block) => without.has(appOfEntry(block.d)))) return true;
    if (count > 0 && count + taken.length > MERGE_ENTRIES_MAX) return true;
    count += taken.length;
    return false;
  };
}

function readTake(acts: LedgerEntry["acts"]): MergeSource | undefined {
  try {
    return parseTake(acts);
  } catch (error) {
    if (error instanceof GdoError) return undefined;
    throw error;
  }
}

/** One range per log that goes on where the branch ends for it. */
function rangesOf(blocks: readonly Block[], view: BranchView): IncludedRange[] {
  const ranges = new Map<string, IncludedRange>();
  for (const { a: author, l, n } of blocks) {
    const known = ranges.get(author + l);
    ranges.set(author + l, { author, l, from: known?.from ?? view.next(author, l), to: Math.max(known?.to ?? 0, n) });
  }
  return [...ranges].sort(([x], [y]) => (x < y ? -1 : 1)).map(([, range]) => range);
}

/** q commit votes for the branch's head, where its validators vote. */
function certificateFor(ledger: NodeLedger, line: string, branch: string): MergePayload["cert"] {
  const view = ledger.branchView(line);
  const { head } = view;
  const charter = head === undefined ? undefined : view.charterFor(head.h);
  const validators = charter === undefined ? undefined : validatorsOf(charter.state, branch);
  if (head === undefined || charter === undefined || validators?.mode !== "quorum") return null;
  const cert = certificateOf(castBy(charter.state, view.votes(head.h)), head.id, validators);
  if (cert === undefined) throw new GdoError("LEDGER_ORPHAN", `the votes for merge ${head.id} are not held`);
  return cert;
}

const READ_BYTES = 4 * 1024 * 1024;

/** The entries for a branch in a range of a log. */
function entriesOf(ledger: NodeLedger, branch: string, { author, l, from, to }: IncludedRange): Block[] {
  const entries: Block[] = [];
  for (let n = from; n <= to; ) {
    const envelopes = ledger.range(author, l, n, to, READ_BYTES);
    if (envelopes.length === 0) throw new GdoError("LEDGER_ORPHAN", `number ${n} of ${author} ${l} is not held`);
    const blocks = envelopes.map(decodeBlock);
    entries.push(...blocks.filter(({ k, d }) => k === "entry" && parseEntryPayload(d).branch === branch));
    n += envelopes.length;
  }
  return entries;
}
