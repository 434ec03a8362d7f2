/** What a dapp in TypeScript is made with. docs/guide/dapps.md shows how. */

export { commandsOf, tryActs } from "./commands.ts";
export { addDays, addMonths, dateField, dateOfMs, msOfDate } from "./dates.ts";
export { Draft, fold, type Handler, type Handlers } from "./fold.ts";
export { keyPart, nameOfKeyPart } from "./keys.ts";
export {
  type Check,
  integer,
  list,
  matching,
  oneLine,
  oneOf,
  optional,
  Refusal,
  readFields,
  requireRight,
  text,
  yesOrNo,
} from "./refusal.ts";
export { serve } from "./serve.ts";
export type {
  Act,
  Actor,
  Canonical,
  Command,
  Dapp,
  DappEvent,
  Entry,
  Input,
  Migration,
  Query,
  State,
  Verdict,
} from "./types.ts";
