/** The ledger's pure rules: docs/design/ledger.md [L1]–[L19]. */
export {
  type Admission,
  type AdmitOptions,
  type AdmitView,
  admit,
} from "./admit.ts";
export { type Author, authorOf, CHARTER_APP, initialCharterState, reduceCharter } from "./charter.ts";
export { entryPayload, parseEntryPayload } from "./entry.ts";
export { type Parent, parentIds } from "./form.ts";
export {
  type BranchPolicy,
  encodeGenesis,
  type Genesis,
  MAIN_BRANCH,
  parseGenesis,
} from "./genesis.ts";
export {
  encodeMerge,
  encodeMergeChanges,
  type IncludedRange,
  MERGE_RANGES_MAX,
  type MergeChanges,
  type MergePayload,
  parseMerge,
  parseMergeChanges,
  voidReason,
} from "./merge.ts";
export { type BranchView, judgeMerge } from "./merge-rules.ts";
export {
  type AppInput,
  type AppVerdict,
  inReadingOrder,
  type MergeApp,
  type MergeOutcome,
  type StatesView,
  type VoidEntry,
  workMerge,
} from "./merge-work.ts";
export { includedRoot, stateRoot } from "./merkle.ts";
export { orderEntries, type Placed } from "./order.ts";
export { OverlayState } from "./state-view.ts";
export type { Act, EntryOutcome, LedgerEntry, ReduceResult, StateChange, StateView } from "./types.ts";
