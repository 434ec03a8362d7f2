/** How much a dapp keeps: the bytes of its keys in UTF-8 and of its values in canonical form. Pure. */
import { utf8 } from "../base/index.ts";
import { type Canonical, encodeCanonical } from "../codec/index.ts";
import type { StateChange } from "../ledger/index.ts";
import type { DappState } from "./calls.ts";

/** Before and after the changes. The same on every node: nothing but the state's content counts. */
export function stateBytes(
  state: DappState,
  app: string,
  changes: readonly StateChange[],
): { readonly before: number; readonly after: number } {
  const before = state.bytes?.(app) ?? sum(state.scan(app, ""));
  let after = before;
  for (const [key, value] of new Map(changes)) after += sizeOf(key, value) - sizeOf(key, state.get(app, key));
  return { before, after };
}

function sum(pairs: Iterable<readonly [string, Canonical]>): number {
  let bytes = 0;
  for (const [key, value] of pairs) bytes += sizeOf(key, value);
  return bytes;
}

function sizeOf(key: string, value: Canonical | undefined): number {
  return value === undefined ? 0 : utf8(key).length + encodeCanonical(value).length;
}
