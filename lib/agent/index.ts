/**
 * The composition root: homes, nodes, agents, door processes. What is heavy is loaded when it is first called: a
 * command that only asks a running agent, or a door, starts without the rest.
 */
import { late } from "../base/index.ts";

export type { Collected } from "../store/index.ts";
export type { BooksReport } from "./apps/books.ts";
export type { Api } from "./control.ts";
export type { DemoEvent, RunningDemo, Standing, Summary } from "./demo/index.ts";
export { homeRoot, openHome, readSecret, writeSecret } from "./home/home.ts";
export type { RefusedCode } from "./node.ts";
export { agentApi, openApi } from "./open-api.ts";
export type { AgentEvent, AgentHandle } from "./run-agent.ts";
export type { ForgetReport, SnapshotRow } from "./storage/backup.ts";
export type { ListedName } from "./storage/store-reader.ts";

export const importBank = late(async () => (await import("./apps/books.ts")).importBank);
export const importJournal = late(async () => (await import("./apps/books.ts")).importJournal);
export const exportJournal = late(async () => (await import("./apps/books.ts")).exportJournal);
export const runDemo = late(async () => (await import("./demo/index.ts")).runDemo);
export const runDoor = late(async () => (await import("./door/process.ts")).runDoor);
export const readConfig = late(async () => (await import("./home/config.ts")).readConfig);
export const initHome = late(async () => (await import("./home/setup.ts")).initHome);
export const joinHome = late(async () => (await import("./home/setup.ts")).joinHome);
export const deviceKey = late(async () => (await import("./home/setup.ts")).deviceKey);
export const acceptInvitation = late(async () => (await import("./invite/join.ts")).acceptInvitation);
export const pinoLog = late(async () => (await import("./pino-log.ts")).pinoLog);
export const runAgent = late(async () => (await import("./run-agent.ts")).runAgent);
export const openSnapshotReader = late(async () => (await import("./storage/backup-reader.ts")).openSnapshotReader);
export const openStoreReader = late(async () => (await import("./storage/store-reader.ts")).openStoreReader);
export const openDappLog = late(async () => (await import("./apps/dapp-logs.ts")).openDappLog);
export const newDapp = late(async () => (await import("./dapp-kit/new.ts")).newDapp);
export const openProject = late(async () => (await import("./dapp-kit/project.ts")).openProject);
export const writeTypes = late(async () => (await import("./dapp-kit/project.ts")).writeTypes);
export const tryDapp = late(async () => (await import("./dapp-kit/try.ts")).tryDapp);
