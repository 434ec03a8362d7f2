/** The ledger's pure rules: docs/design/ledger.md [L1]–[L19]. */
export {
  type Admission,
  type AdmitOptions,
  type AdmittedBlock,
  type AdmitView,
  admit,
  ORPHANS_PER_AUTHOR_MAX,
  type Orphan,
  type Refusal,
  type RefusalReason,
} from "./admit.ts";
export { type Author, authorOf, CHARTER_APP, initialCharterState, reduceCharter } from "./charter.ts";
export { type EntryPayload, entryPayload, parseEntryPayload } from "./entry.ts";
export { checkForm, type FindParent, missingParents, type Parent, parentIds } from "./form.ts";
export {
  type BranchPolicy,
  encodeGenesis,
  type Genesis,
  type GenesisPrincipal,
  isLedgerName,
  MAIN_BRANCH,
  parseGenesis,
  RIGHT_GOVERN,
} from "./genesis.ts";
export {
  encodeMerge,
  encodeMergeChanges,
  type IncludedRange,
  MERGE_RANGES_MAX,
  type MergeChanges,
  type MergePayload,
  type MergeTest,
  parseMerge,
  parseMergeChanges,
  voidReason,
} from "./merge.ts";
export { type BranchView, judgeMerge, type MergeVerdict } from "./merge-rules.ts";
export {
  type AppInput,
  type AppVerdict,
  inReadingOrder,
  type MergeApp,
  type MergeEvent,
  type MergeOutcome,
  type StatesView,
  type VoidEntry,
  workMerge,
} from "./merge-work.ts";
export { includedRoot, type StateLeaf, stateLeaf, stateRoot } from "./merkle.ts";
export { orderEntries, type Placed } from "./order.ts";
export { compareStateKeys, OverlayState } from "./state-view.ts";
export type { Act, EntryOutcome, LedgerEntry, ReduceResult, StateChange, StateView } from "./types.ts";
