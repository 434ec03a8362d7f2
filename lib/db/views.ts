/** What the ledger's rules ask of what is held. */
import type { Hash } from "../base/index.ts";
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

export function admitView(tables: Tables, organisation: Hash): AdmitView {
  const { blocks, logs } = tables;
  return {
    organisation,
    // Before the charter is held nobody is known.
    knows: (author) => {
      const charter = charterOf(tables, MAIN_BRANCH);
      return charter !== undefined && authorOf(charter, author) !== undefined;
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
