/** What a merge takes: what is pending here, or what the merge of another says. Steps 1 and 2 of proof of merge. */
import { GdoError, type Hash, type PublicKey } from "../../base/index.ts";
import { type Block, decodeBlock } from "../../codec/index.ts";
import {
  CHARTER_BRANCH,
  castBy,
  certificateOf,
  type IncludedRange,
  judgeEntry,
  type LedgerEntry,
  MERGE_RANGES_MAX,
  type MergePayload,
  orderEntries,
  orderSeed,
  type Position,
  parentIds,
  parseEntryPayload,
  type StateView,
  validatorsOf,
} from "../../ledger/index.ts";
import type { NodeLedger } from "../ports.ts";

/** More wait for the next merge, so that one merge fits a small board's memory. */
const MERGE_ENTRIES_MAX = 5_000;

/** The entries of one merge, and what they are judged by. */
export interface Collected {
  readonly branch: string;
  /** In mode open this principal's own, else the branch. */
  readonly line: string;
  readonly h: number;
  readonly prev: Hash | null;
  /** Of the merge before. */
  readonly cert: MergePayload["cert"];
  /** By which authors are judged; the merge names it. */
  readonly charter: Position;
  readonly charterState: StateView;
  readonly blocks: readonly Block[];
  /** In the ledger's order [L12]. */
  readonly entries: readonly LedgerEntry[];
}

export interface CollectOptions {
  readonly ledger: NodeLedger;
  readonly organisation: Hash;
  readonly author: PublicKey;
  /** Dapps that cannot be worked with now: their entries wait, and what builds on them. */
  readonly without?: ReadonlySet<string>;
}

/** What is pending on a branch: causally closed, for the height after its last merge. */
export function collect(branch: string, options: CollectOptions): Collected {
  const { ledger, organisation, author, without = new Set() } = options;
  const line = ledger.lineOf(branch, author);
  const head = ledger.head(line);
  const at = ledger.head(CHARTER_BRANCH);
  const charter = { h: at?.h ?? 0, id: at?.id ?? null };
  const blocks = leaveOut(ledger.pending(line, MERGE_ENTRIES_MAX), without);
  const place = { branch, line, h: (head?.h ?? 0) + 1, prev: head?.id ?? null, charter };
  return order(ledger, organisation, { ...place, cert: certificateFor(ledger, line, branch), blocks });
}

/** What a merge of another says it takes: held, as its ranges were judged before. */
export function recollect(ledger: NodeLedger, organisation: Hash, line: string, payload: MergePayload): Collected {
  const { branch, h, prev, cert, charter, included } = payload;
  const blocks = included.flatMap((range) => entriesOf(ledger, branch, range));
  return order(ledger, organisation, { branch, line, h, prev, cert, charter, blocks });
}

function order(
  ledger: NodeLedger,
  organisation: Hash,
  unordered: Omit<Collected, "entries" | "charterState">,
): Collected {
  const { blocks, prev, cert, charter, line } = unordered;
  const charterState = ledger.charterAt(charter.h);
  const byId = new Map(blocks.map((block) => [block.id, block]));
  const ids = orderEntries(blocks, orderSeed(prev ?? ledger.branchView(line).origin ?? organisation, cert));
  return { ...unordered, charterState, entries: ids.map((id) => judgeEntry(byId.get(id) as Block, charterState)) };
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

/**
 * In the order of taking in, so that a block comes after all that it builds on. A log is taken range by range:
 * what comes after something that waits waits, too; and so do logs beyond those that one merge can name.
 */
function leaveOut(pending: readonly Block[], without: ReadonlySet<string>): Block[] {
  const [taken, stopped, left] = [new Set<string>(), new Set<string>(), new Set<Hash>()];
  return pending.filter((block) => {
    const log = block.a + block.l;
    const isBeyond = !taken.has(log) && taken.size >= MERGE_RANGES_MAX;
    const buildsOnLeft = stopped.has(log) || parentIds(block).some((id) => left.has(id));
    const isTaken = !isBeyond && !buildsOnLeft && !without.has(parseEntryPayload(block.d).app);
    if (isTaken) taken.add(log);
    else stopped.add(log);
    if (!isTaken) left.add(block.id);
    return isTaken;
  });
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
