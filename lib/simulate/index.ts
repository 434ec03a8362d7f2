/** Many nodes in one process, in virtual time, with faults and cheats, from one seed. docs/design/simulate.md. */
export { FAULT_KINDS, type Fault, type FaultKind, faultText } from "./faults/fault.ts";
export { type SimulationOptions, type SimulationResult, scheduleOf, simulate } from "./run.ts";
export { shrink } from "./shrink.ts";
export type { TimelineEvent } from "./world/world.ts";
