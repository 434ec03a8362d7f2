/** Proof of merge at one height: docs/design/ledger.md, "Proof of merge". */
export { Consensus } from "./consensus.ts";
export type { ConsensusInput, ConsensusOutput, ConsensusStatus, Judgement, Lock } from "./types.ts";
