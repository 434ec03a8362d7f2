/**
 * Applying a merge: membership in the merge's order, state, roots, void entries, in one transaction of the
 * caller's. Everything that the merge block claims is computed again here, so a database never holds a
 * state that its merges do not lead to.
 */
import { GdoError, type Hash } from "../base/index.ts";
import type { Block } from "../codec/index.ts";
import {
  CHARTER_APP,
  CHARTER_BRANCH,
  type IncludedRange,
  type MergeChanges,
  type MergePayload,
  orderEntries,
  orderSeed,
  parseEntryPayload,
  voidReason,
} from "../ledger/index.ts";
import type { BlockTable } from "./tables/blocks.ts";
import type { BranchRow, BranchTable, Candidate } from "./tables/branches.ts";
import type { Charters } from "./tables/charters.ts";
import type { EvidenceTable } from "./tables/evidence.ts";
import type { LogTable } from "./tables/logs.ts";
import type { PendingTable } from "./tables/pending.ts";
import { noteTaken, type SourceTable, takenFrom } from "./tables/sources.ts";
import type { StateTable } from "./tables/state.ts";
import type { VoteTable } from "./tables/votes.ts";
import type { Alternate, AlternateTable } from "./versions/alternates.ts";
import { chooseVersions, type TakenRange } from "./versions/choose.ts";

export interface Tables {
  readonly charters: Charters;
  readonly logs: LogTable;
  readonly alternates: AlternateTable;
  readonly blocks: BlockTable;
  readonly branches: BranchTable;
  readonly pending: PendingTable;
  readonly state: StateTable;
  readonly votes: VoteTable;
  readonly evidence: EvidenceTable;
  readonly sources: SourceTable;
}

export interface MergeToApply {
  readonly merge: Block;
  readonly payload: MergePayload;
  readonly changes: MergeChanges;
}

/**
 * Throws LEDGER_FORKED when the merge does not follow the branch's head, LEDGER_ORPHAN when blocks are
 * missing, LEDGER_FORM when it contradicts itself, LEDGER_CORRUPT when other roots come out [L19].
 */
export function applyMerge(tables: Tables, branch: BranchRow, todo: MergeToApply): void {
  const { merge, payload, changes } = todo;
  const seq = tables.blocks.seqOf(merge.id);
  if (seq === undefined) throw new GdoError("LEDGER_ORPHAN", `merge ${merge.id} is not held`);
  if (payload.branch !== branch.takes)
    throw new GdoError("LEDGER_FORM", `merge ${merge.id} is of ${payload.branch}, not of ${branch.name}`);
  const head = branch.h === 0 ? null : headId(tables, branch);
  if (payload.h !== branch.h + 1 || payload.prev !== head) {
    throw new GdoError("LEDGER_FORKED", `merge ${merge.id} does not follow ${branch.name} at height ${branch.h}`);
  }
  const ranges = payload.included.map((range) => checkRange(tables, branch, range));
  const taken = takeSources(tables, branch, payload);
  const { entries, beside } = chooseVersions(tables, branch, { ...payload, ranges, taken });
  for (const chain of beside) takeVersion(tables, chain);
  for (const { log, to } of ranges) tables.branches.setNext(branch.id, log, to + 1);
  checkApps(branch, changes, merge.id);
  for (const frozen of payload.frozen) tables.evidence.freeze(branch.id, frozen);
  addMembers(tables, branch, payload, entries);
  addVoids(tables, branch, todo, entries);
  tables.state.apply(branch.id, payload.h, changes.state);
  checkRoots(tables.state.roots(branch.id), payload.state, merge.id);
  noteTaken(tables, branch, payload.from);
  tables.branches.advance(branch.id, payload.h, { block: seq, charter: payload.charter.h });
}

export function headId({ blocks }: Pick<Tables, "blocks">, { head }: BranchRow): Hash | null {
  return head === null ? null : (blocks.idOf(head) ?? null);
}

/** The merge that a branch was forked at. */
export function originOf({ blocks }: Pick<Tables, "blocks">, { origin }: BranchRow): Hash | undefined {
  return origin === null ? undefined : blocks.idOf(origin);
}

function checkRange({ logs, alternates, branches }: Tables, branch: BranchRow, range: IncludedRange): TakenRange {
  const { author, l, from, to } = range;
  const log = logs.find(author, l);
  if (log === undefined || (log.next <= to && alternates.newest(log.id) < to)) {
    throw new GdoError("LEDGER_ORPHAN", `blocks up to ${to} of ${author} ${l} are not held`);
  }
  const next = branches.next(branch.id, log.id);
  if (from !== next) {
    throw new GdoError(
      "LEDGER_FORM",
      `the range of ${author} ${l} begins at ${from}; ${branch.name} has up to ${next - 1}`,
    );
  }
  return { log: log.id, next: log.next, from, to };
}

function takeSources(tables: Tables, branch: BranchRow, { from, frozen }: MergePayload): Candidate[] {
  if (from.length === 0) return [];
  return takenFrom(tables, branch, from, frozen).map(({ seq, block: { id, n, c } }) => ({ seq, id, n, c }));
}

/** [L6] What is final becomes the log's line, unless a branch has taken numbers of the line that is there. */
function takeVersion({ alternates, branches }: Tables, chain: readonly Alternate[]): void {
  const first = chain.at(-1);
  if (first !== undefined && branches.nextAnywhere(first.log) <= first.n) alternates.swap(first.log, chain);
}

/** The charter's state is on its own branch and nowhere else. */
function checkApps({ name }: BranchRow, { state }: MergeChanges, merge: Hash): void {
  const wrong = Object.keys(state).find((app) => (app === CHARTER_APP) !== (name === CHARTER_BRANCH));
  if (wrong !== undefined) throw new GdoError("LEDGER_FORM", `merge ${merge}: ${name} has no state of ${wrong}`);
}

function addMembers(
  { blocks, branches }: Tables,
  branch: BranchRow,
  payload: MergePayload,
  entries: readonly Candidate[],
): void {
  const base = payload.prev ?? originOf({ blocks }, branch) ?? blocks.charter();
  if (base === undefined) throw new GdoError("LEDGER_ORPHAN", "the charter is not held");
  const rows = new Map(entries.map(({ id, seq }) => [id, seq]));
  orderEntries(entries, orderSeed(base, payload.cert)).forEach((id, position) => {
    branches.addMember(branch.id, payload.h, position, rows.get(id) as number); // [L12]
  });
  if (branches.hasOpenParent(branch, payload.h)) {
    throw new GdoError(
      "LEDGER_FORM",
      `merge at height ${payload.h}: an entry builds on one that is not in ${branch.name}`,
    );
  }
}

function addVoids(
  tables: Tables,
  branch: BranchRow,
  { merge, payload, changes }: MergeToApply,
  entries: readonly Candidate[],
): void {
  if (changes.voids.length !== payload.void) {
    throw new GdoError(
      "LEDGER_FORM",
      `merge ${merge.id}: it voids ${changes.voids.length} entries, not ${payload.void}`,
    );
  }
  const rows = new Map(entries.map(({ id, seq }) => [id, seq]));
  for (const { id, reason } of changes.voids) {
    const seq = rows.get(id);
    const block = seq === undefined ? undefined : tables.blocks.get(id);
    // Taken out of the map, so that an entry void twice is noticed too.
    if (block === undefined || seq === undefined || !rows.delete(id)) {
      throw new GdoError("LEDGER_FORM", `merge ${merge.id}: it voids ${id}, which it does not include`);
    }
    tables.branches.addVoid(branch.id, seq, parseEntryPayload(block.d).app, voidReason(reason));
  }
}

function checkRoots(
  computed: Readonly<Record<string, Hash>>,
  claimed: Readonly<Record<string, Hash>>,
  merge: Hash,
): void {
  const apps = new Set([...Object.keys(computed), ...Object.keys(claimed)]);
  for (const app of apps) {
    if (computed[app] !== claimed[app]) {
      throw new GdoError(
        "LEDGER_CORRUPT",
        `merge ${merge}: the state of ${app} is ${computed[app]}, not ${claimed[app]}`,
      );
    }
  }
}
