/** The ledger's pure rules: docs/design/ledger.md [L1]–[L20]. */
export {
  type Admission,
  type AdmitOptions,
  type AdmitView,
  admit,
  type Orphan,
  type RefusalReason,
} from "./admit.ts";
export { worthVerifying } from "./ahead.ts";
export {
  type CharterStep,
  encodeFarewell,
  findRevocation,
  type Revocation,
  revokedByFarewell,
} from "./charter/farewell.ts";
export { OPERATION_FIELDS, validate as validateOperation } from "./charter/operation.ts";
export { performAct, reduceCharter } from "./charter/reduce.ts";
export { recoveryMessage, resolve as resolveOperation } from "./charter/resolve.ts";
export {
  type Author,
  authorOf,
  deciderOf,
  governors,
  initialCharterState,
  operationId,
  recoveryCommitment,
} from "./charter/state.ts";
export {
  Consensus,
  type ConsensusInput,
  type ConsensusOutput,
  type ConsensusStatus,
  type Judgement,
  type Lock,
} from "./consensus/index.ts";
export { appOfEntry, CHARTER_APP, entryPayload, parseEntryPayload } from "./entry.ts";
export type { Parent } from "./form.ts";
export { encodeGenesis, type Genesis, parseGenesis, RIGHT_GOVERN } from "./genesis.ts";
export {
  type EvidencePayload,
  encodeEvidence,
  equivocationOf,
  fitsEvidence,
  parseEvidence,
  provenBy,
  provenByBlobs,
} from "./logs/evidence.ts";
export { type FrozenView, frozenBy, judgeFrozen, type LogCut, whyBeyondCut } from "./logs/frozen.ts";
export { decideStart, type IncarnationLog, liveTwins, type Place } from "./logs/incarnation.ts";
export { entryJudge, judgeEntry } from "./merge/entry-verdict.ts";
export {
  encodeMerge,
  type FrozenLog,
  type IncludedRange,
  MERGE_FROZEN_MAX,
  MERGE_RANGES_MAX,
  type MergePayload,
  type MergeSource,
  type Position,
  parseMerge,
} from "./merge/merge.ts";
export { encodeMergeChanges, type MergeChanges, parseMergeChanges, voidReason } from "./merge/merge-changes.ts";
export {
  type BranchView,
  type CharterAt,
  castBy,
  commitsOn,
  type HeldVote,
  judgeMerge,
  judgeProposal,
  whyNotMerge,
} from "./merge/merge-rules.ts";
export {
  type AppInput,
  type AppVerdict,
  inReadingOrder,
  type MergeApp,
  type MergeOutcome,
  type StatesView,
  type VoidEntry,
  workMerge,
} from "./merge/merge-work.ts";
export { includedRoot, stateLeaves, statePaths, stateRoot } from "./merge/merkle.ts";
export { orderEntries, orderSeed, type Placed } from "./merge/order.ts";
export {
  type Asked,
  MERGE_APP,
  parseTake,
  type SourcesView,
  takeAct,
  weighRequests,
  whyNotTake,
} from "./merge/request.ts";
export { type LeafChange, type TreeUpdate, updateTree } from "./merge/state-tree.ts";
export { OverlayState } from "./merge/state-view.ts";
export {
  decidersOf,
  decidesFor,
  faultOf,
  forkedAt,
  type Line,
  lineOf,
  linesOf,
  policyOf,
  principalOf,
  validatorsOf,
} from "./merge/validators.ts";
export {
  type CastVote,
  certificateOf,
  encodeVote,
  parseVote,
  type Vote,
} from "./merge/vote.ts";
export { parentIds } from "./parents.ts";
export {
  type BranchPolicy,
  branchPolicy,
  CHARTER_BRANCH,
  type FaultModel,
  faultsOf,
  MAIN_BRANCH,
  quorumOf,
  whyUnsoundQuorum,
} from "./policy.ts";
export type { Act, EntryOutcome, LedgerEntry, ReduceResult, StateChange, StateView } from "./types.ts";
