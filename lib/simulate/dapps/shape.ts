/** What the simulated dapps share: reading acts, counting, one reducer's frame. */
import type { Canonical, CanonicalMap } from "../../codec/index.ts";
import {
  type Act,
  type EntryOutcome,
  type LedgerEntry,
  OverlayState,
  type ReduceResult,
  type StateView,
} from "../../ledger/index.ts";

/** A field's text; empty where there is none, as in what a cheat writes. */
export function textIn({ body }: Act, field: string): string {
  const value = fieldIn(body, field);
  return typeof value === "string" ? value : "";
}

/** A field's whole number; 0 where there is none. */
export function numberIn({ body }: Act, field: string): number {
  const value = fieldIn(body, field);
  return typeof value === "number" ? value : 0;
}

function fieldIn(body: Canonical, field: string): Canonical | undefined {
  if (body === null || typeof body !== "object" || Array.isArray(body) || body instanceof Uint8Array) return undefined;
  return (body as CanonicalMap)[field];
}

export function countAt(state: StateView, key: string): number {
  const value = state.get(key);
  return typeof value === "number" ? value : 0;
}

/** Why the act cannot be, or the event that it makes, if it makes one. */
export interface ActResult {
  readonly why?: string;
  readonly event?: Canonical;
}

/** Reduces entry by entry; one act that cannot be voids its entry. */
export function reduceEach(
  entries: readonly LedgerEntry[],
  before: StateView,
  perform: (act: Act, state: OverlayState, entry: LedgerEntry) => ActResult,
): ReduceResult {
  const after = new OverlayState(before);
  const outcomes = entries.map((entry): EntryOutcome => {
    const draft = new OverlayState(after);
    const events: Canonical[] = [];
    for (const act of entry.acts) {
      const result = perform(act, draft, entry);
      if (result.why !== undefined) return { id: entry.id, void: result.why, events: [] };
      if (result.event !== undefined) events.push(result.event);
    }
    after.apply(draft.changes());
    return { id: entry.id, events };
  });
  return { outcomes, changes: after.changes() };
}
