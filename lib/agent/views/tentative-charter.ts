/** The charter as it will be once what waits is merged into it: what a command looks at before it records anything. */
import type { Hash } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import {
  CHARTER_BRANCH,
  judgeEntry,
  OverlayState,
  orderEntries,
  orderSeed,
  reduceCharter,
} from "../../ledger/index.ts";

/** The charter with what waits to be merged into it: what this node knows to be under way. */
export function tentativeCharter(db: LedgerDb): OverlayState {
  return pendingCharter(db).state;
}

/** The same, with what waits in its order. */
export function pendingCharter(db: LedgerDb): { readonly entries: readonly Block[]; readonly state: OverlayState } {
  const final = db.charterAt();
  const pending = db.pending(CHARTER_BRANCH);
  if (pending.length === 0) return { entries: [], state: new OverlayState(final) }; // Nearly always, and asked for with every entry.
  const byId = new Map(pending.map((block) => [block.id, block]));
  const seed = orderSeed(db.head(CHARTER_BRANCH)?.id ?? (db.organisation() as Hash), null);
  const entries = orderEntries(pending, seed).map((id) => byId.get(id) as Block);
  const judged = entries.map((entry) => judgeEntry(entry, final)).filter(({ refused }) => refused === undefined);
  return { entries, state: new OverlayState(final, reduceCharter(judged, final).changes) };
}
