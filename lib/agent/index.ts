/** The composition root: homes, nodes, agents, door processes. */
export { type Config, type DoorConfig, parseConfig, readConfig } from "./config.ts";
export { type Api, ControlClient } from "./control.ts";
export {
  type DemoEvent,
  type DemoOptions,
  type RunningDemo,
  runDemo,
  type Standing,
  type Summary,
} from "./demo/index.ts";
export { type DoorHandle, type DoorOptions, runDoor } from "./door-process.ts";
export { createHome, type HomePaths, homePaths, homeRoot, openHome, readSecret } from "./home.ts";
export { openApi } from "./open-api.ts";
export { pinoLog } from "./pino-log.ts";
export { type AgentEvent, type AgentHandle, type AgentOptions, runAgent } from "./run-agent.ts";
export { type InitOptions, initHome, type JoinOptions, joinHome } from "./setup.ts";
export { type ListedName, openStoreReader, type StoreReader } from "./store-reader.ts";
