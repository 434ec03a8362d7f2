/** The composition root: homes, nodes, agents, door processes. */
export type { ForgetReport, SnapshotRow } from "./backup.ts";
export { openSnapshotReader } from "./backup-reader.ts";
export { readConfig } from "./config.ts";
export type { Api } from "./control.ts";
export { type DemoEvent, type RunningDemo, runDemo, type Standing, type Summary } from "./demo/index.ts";
export { runDoor } from "./door/process.ts";
export { homeRoot, openHome, readSecret } from "./home.ts";
export { acceptInvitation } from "./invite/join.ts";
export { openApi } from "./open-api.ts";
export { pinoLog } from "./pino-log.ts";
export { type AgentEvent, type AgentHandle, runAgent } from "./run-agent.ts";
export { initHome, joinHome } from "./setup.ts";
export { type ListedName, openStoreReader } from "./store-reader.ts";
