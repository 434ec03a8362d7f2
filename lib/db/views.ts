/** What the ledger's rules ask of what is held. */
import type { Hash, PublicKey } from "../base/index.ts";
import {
  type AdmitView,
  authorOf,
  type BranchView,
  CHARTER_APP,
  CHARTER_BRANCH,
  type CharterAt,
  decidersOf,
  type HeldVote,
  type StateView,
} from "../ledger/index.ts";
import { headId, originOf, type Tables } from "./apply-merge.ts";
import type { BranchRow } from "./tables/branches.ts";
import { sourcesView } from "./tables/sources.ts";

/** The charter's state as of its last merge; undefined before the genesis is held. */
export function charterNow(tables: Tables): StateView | undefined {
  const row = tables.branches.find(CHARTER_BRANCH);
  return row === undefined ? undefined : charterAt(tables, row.h);
}

/** The charter's state after its merge of a height, 0 for the genesis; undefined while it is not there. */
export function charterAt({ branches, charters, state }: Tables, h: number): StateView | undefined {
  const row = branches.find(CHARTER_BRANCH);
  if (row === undefined || h > row.h || h < 0) return undefined;
  return charters.at(h, () => state.viewAt(row.id, CHARTER_APP, h));
}

/** For one batch: who is known is asked once an author. */
export function admitView(tables: Tables, organisation: Hash): AdmitView {
  const { blocks, logs, alternates } = tables;
  const charter = charterNow(tables);
  const known = new Map<PublicKey, boolean>();
  return {
    organisation,
    knows: (author) => {
      // Before the charter is held nobody is known.
      const isKnown = known.get(author) ?? (charter !== undefined && authorOf(charter, author) !== undefined);
      known.set(author, isKnown);
      return isKnown;
    },
    parent: (id) => blocks.parent(id),
    at: (author, l, n) => blocks.at(author, l, n),
    versions: (author, l, n) => {
      const log = logs.find(author, l);
      return log === undefined ? 0 : Number(n < log.next) + alternates.ofNumber(log.id, n).length;
    },
    newest: (author, l) => newest(tables, author, l),
  };
}

export function branchView(tables: Tables, branch: string): BranchView {
  const { logs, branches, evidence } = tables;
  const row = branches.find(branch);
  const head = row === undefined ? null : headId(tables, row);
  const next = (author: PublicKey, l: string): number => {
    const log = logs.find(author, l);
    return row === undefined || log === undefined ? 0 : branches.next(row.id, log.id);
  };
  return {
    name: branch,
    origin: row === undefined ? undefined : originOf(tables, row),
    isAwaited: row === undefined && charterNow(tables)?.get(`branch/${branch.replace(/@.*/, "")}`) !== undefined,
    head: row === undefined || head === null ? undefined : { h: row.h, id: head },
    charterFor: (h) => (row === undefined ? undefined : charterFor(tables, row, h)),
    charterId: (h) => charterId(tables, h),
    charterAt: (h) => charterAt(tables, h),
    votes: (h) => votesAt(tables, branch, h),
    next,
    frozen: {
      cuts: () => evidence.cuts(),
      proof: (id) => evidence.proof(id),
      frozenAt: (author, l) => (row === undefined ? undefined : evidence.frozenAt(row.id, author, l)),
      next,
    },
    sources: sourcesView(tables, row),
    newest: (author, l) => newest(tables, author, l),
  };
}

/** [L10] Votes by those whose votes count at the height; none where the branch has not come so far. */
export function votesAt(tables: Tables, branch: string, h: number): readonly HeldVote[] {
  return tables.votes.at(branch, h, () => {
    const row = tables.branches.find(branch);
    const charter = row === undefined ? undefined : charterFor(tables, row, h);
    return charter === undefined ? undefined : decidersOf(charter.state, branch);
  });
}

/** Of all versions of the log. */
function newest({ logs, alternates }: Tables, author: PublicKey, l: string): number {
  const log = logs.find(author, l);
  return log === undefined ? -1 : Math.max(log.next - 1, alternates.newest(log.id));
}

/** [L16] The charter that the merge before names, or with which the branch began; on `charter` itself that merge. */
function charterFor(tables: Tables, { id, name, began }: BranchRow, h: number): CharterAt | undefined {
  const before = h <= 1 ? began : tables.branches.mergeAt(id, h - 1)?.charter;
  const at = name === CHARTER_BRANCH ? h - 1 : before;
  const state = at === undefined ? undefined : charterAt(tables, at);
  return at === undefined || state === undefined ? undefined : { h: at, state };
}

function charterId({ branches, blocks }: Tables, h: number): Hash | null | undefined {
  const row = branches.find(CHARTER_BRANCH);
  const merge = row === undefined ? undefined : branches.mergeAt(row.id, h);
  if (h === 0) return null;
  return merge === undefined ? undefined : blocks.idOf(merge.block);
}
