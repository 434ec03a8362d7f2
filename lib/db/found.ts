/** Branches as the charter's state has them: rows for those that began, at the genesis and after each merge of it. */
import { GdoError } from "../base/index.ts";
import type { Block } from "../codec/index.ts";
import { CHARTER_APP, CHARTER_BRANCH, initialCharterState, linesOf, parseGenesis } from "../ledger/index.ts";
import type { Tables } from "./apply-merge.ts";
import { charterNow } from "./views.ts";

/** A charter's branches begin with it. LEDGER_FORM for a second one. */
export function found(tables: Tables, charter: Block): void {
  const { branches, state, blocks } = tables;
  if (blocks.charter() !== charter.id) throw new GdoError("LEDGER_FORM", `${charter.id} would be a second charter`);
  const id = branches.add(CHARTER_BRANCH, CHARTER_BRANCH, 0);
  state.apply(id, 0, { [CHARTER_APP]: initialCharterState(parseGenesis(charter.d)) });
  openBranches(tables);
}

/** Opens what the charter's state has and the database has not. */
export function openBranches(tables: Tables): void {
  const charter = charterNow(tables);
  const began = tables.branches.find(CHARTER_BRANCH)?.h ?? 0;
  for (const { name, takes } of charter === undefined ? [] : linesOf(charter)) {
    if (tables.branches.find(name) === undefined) tables.branches.add(name, takes, began);
  }
}
