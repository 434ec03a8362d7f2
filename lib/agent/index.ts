/** The composition root: homes, nodes, agents, door processes. */

export type { Api } from "./control.ts";
export { type DemoEvent, type RunningDemo, runDemo, type Standing, type Summary } from "./demo/index.ts";
export { runDoor } from "./door/process.ts";
export { readConfig } from "./home/config.ts";
export { homeRoot, openHome, readSecret } from "./home/home.ts";
export { initHome, joinHome } from "./home/setup.ts";
export { acceptInvitation } from "./invite/join.ts";
export { openApi } from "./open-api.ts";
export { pinoLog } from "./pino-log.ts";
export { type AgentEvent, type AgentHandle, runAgent } from "./run-agent.ts";
export type { ForgetReport, SnapshotRow } from "./storage/backup.ts";
export { openSnapshotReader } from "./storage/backup-reader.ts";
export { type ListedName, openStoreReader } from "./storage/store-reader.ts";
