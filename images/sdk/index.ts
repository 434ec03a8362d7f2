/** What a dapp in TypeScript is made with. docs/guide/dapps.md shows how. */
export { Draft, fold, type Handler } from "./fold.ts";
export { integer, matching, oneOf, optional, Refusal, readFields, requireRight, text } from "./refusal.ts";
export { serve } from "./serve.ts";
export type { Canonical, Dapp, Entry, Input, State, Verdict } from "./types.ts";
