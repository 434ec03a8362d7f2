/** Branches as the charter's state has them: rows for those that began, at the genesis and after each merge of it. */
import { GdoError } from "../base/index.ts";
import type { Block } from "../codec/index.ts";
import {
  CHARTER_APP,
  CHARTER_BRANCH,
  forkedAt,
  initialCharterState,
  type Line,
  linesOf,
  parseGenesis,
  type StateView,
} from "../ledger/index.ts";
import type { Tables } from "./apply-merge.ts";
import { charterNow } from "./views.ts";

/** A charter's branches begin with it. LEDGER_FORM for a second one. */
export function found(tables: Tables, charter: Block): void {
  const { branches, state, blocks } = tables;
  if (blocks.charter() !== charter.id) throw new GdoError("LEDGER_FORM", `${charter.id} would be a second charter`);
  const id = branches.add({ name: CHARTER_BRANCH, takes: CHARTER_BRANCH }, 0);
  state.apply(id, 0, { [CHARTER_APP]: initialCharterState(parseGenesis(charter.d)) });
  openBranches(tables);
}

/** Opens what the charter's state has and the database has not, as soon as what it was forked at is final. */
export function openBranches(tables: Tables): void {
  const charter = charterNow(tables);
  for (const line of charter === undefined ? [] : linesOf(charter)) {
    if (tables.branches.find(line.name) === undefined)
      openLine(tables, line, forkedAt(charter as StateView, line.takes));
  }
}

function openLine(tables: Tables, line: Line, fork: ReturnType<typeof forkedAt>): void {
  const { branches, blocks, state } = tables;
  const charter = branches.find(CHARTER_BRANCH);
  if (fork === undefined) return void branches.add(line, charter?.h ?? 0);
  const seq = blocks.seqOf(fork.id);
  const place = seq === undefined ? undefined : branches.placeOf(seq);
  const source = place === undefined ? undefined : branches.byId(place.branch);
  if (place === undefined || source === undefined || seq === undefined || charter === undefined) return;
  if (source.takes !== fork.branch || place.h !== fork.h) return; // It was forked at what never was.
  const began = state.sinceOf(charter.id, CHARTER_APP, `origin/${line.takes}`) ?? charter.h;
  state.copy(source.id, place.h, branches.add(line, began, seq));
}
