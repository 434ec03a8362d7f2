/** What the ledger's rules ask of what is held. */
import type { Hash, PublicKey } from "../base/index.ts";
import {
  type AdmitView,
  authorOf,
  type BranchPolicy,
  type BranchView,
  CHARTER_APP,
  MAIN_BRANCH,
  type StateView,
} from "../ledger/index.ts";
import { headId, type Tables } from "./apply-merge.ts";

function charterOf({ branches, state }: Tables, branch: string): StateView | undefined {
  const row = branches.find(branch);
  return row === undefined ? undefined : state.view(row.id, CHARTER_APP);
}

/** For one batch: who is known is asked once an author. */
export function admitView(tables: Tables, organisation: Hash): AdmitView {
  const { blocks, logs } = tables;
  const charter = charterOf(tables, MAIN_BRANCH);
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
    newest: (author, l) => (logs.find(author, l)?.next ?? 0) - 1,
  };
}

export function branchView(tables: Tables, branch: string): BranchView {
  const { logs, branches } = tables;
  const row = branches.find(branch);
  const charter = charterOf(tables, branch);
  const head = row === undefined ? null : headId(tables, row);
  return {
    policy: charter?.get(`branch/${branch}`) as BranchPolicy | undefined,
    head: row === undefined || head === null ? undefined : { h: row.h, id: head },
    principalOf: (author) => {
      const found = charter === undefined ? undefined : authorOf(charter, author);
      return found === undefined || found.revoked ? undefined : found.principal;
    },
    next: (author, l) => {
      const log = logs.find(author, l);
      return row === undefined || log === undefined ? 0 : branches.next(row.id, log.id);
    },
    newest: (author, l) => (logs.find(author, l)?.next ?? 0) - 1,
  };
}
