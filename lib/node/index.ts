/** A node's work on its ledger, without network, disk or containers: docs/design/ledger.md. */
export { Chain } from "./chain.ts";
export { mayMergeAlone, meetPeers, mustMeet } from "./meeting.ts";
export {
  type AppOutputs,
  claimedOutputs,
  differencesOf,
  type OutputDifference,
  parseOutputs,
} from "./merging/outputs.ts";
export { TentativeStates } from "./merging/tentative.ts";
export {
  type BranchConsensus,
  type MergeReport,
  policyOfNext,
  Validator,
  type ValidatorEvent,
} from "./merging/validator.ts";
export { ORPHANS_MAX } from "./orphans.ts";
export { type LogTurn, META_PLACE, OwnLog } from "./own-log.ts";
export type { NodeApps, NodeBlobs } from "./ports.ts";
export { Witness } from "./witness.ts";
