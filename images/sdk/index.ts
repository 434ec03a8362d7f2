/** What a dapp in TypeScript is made with. docs/guide/dapps.md shows how. */
export { Draft, fold, type Handler } from "./fold.ts";
export { type Check, integer, matching, oneOf, optional, Refusal, readFields, requireRight, text } from "./refusal.ts";
export { type Streams, serve } from "./serve.ts";
export type {
  Canonical,
  Dapp,
  DappEvent,
  Entry,
  Input,
  Outcome,
  Query,
  Reduction,
  State,
  Verdict,
} from "./types.ts";
