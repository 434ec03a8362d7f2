/** Formats of others. */
export {
  DOORBOT_FILE_BYTES_MAX,
  DOORBOT_ROWS_MAX,
  type DoorbotList,
  type DoorbotOptions,
  parseDoorbot,
} from "./doorbot.ts";
export { IMPORT_GROUP_BYTES_MAX, type ImportAct, importActs } from "./doorbot-acts.ts";
export type { DoorbotProblem, DoorbotRow } from "./doorbot-rows.ts";
