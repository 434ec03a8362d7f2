/** A node's work on its ledger, without network, disk or containers: docs/design/ledger.md. */
export { Chain } from "./chain.ts";
export { type AppOutputs, claimedOutputs, differencesOf, type OutputDifference, parseOutputs } from "./outputs.ts";
export { type LogTurn, META_PLACE, OwnLog } from "./own-log.ts";
export type { NodeApps, NodeBlobs } from "./ports.ts";
export { type BranchConsensus, type MergeReport, Validator, type ValidatorEvent } from "./validator.ts";
export { testify } from "./witness.ts";
