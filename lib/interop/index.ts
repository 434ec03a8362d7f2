/** Formats of others. */
export { DOORBOT_FILE_BYTES_MAX, type DoorbotList, parseDoorbot } from "./doorbot.ts";
export { importActs } from "./doorbot-acts.ts";
export type { DoorbotProblem } from "./doorbot-rows.ts";
