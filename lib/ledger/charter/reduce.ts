/**
 * The built-in app `charter`: its entries are reduced in process, like any dapp's in its container: a pure function
 * of entries in order and the state before. Each act goes through validate, resolve and apply.
 */
import type { Canonical } from "../../codec/index.ts";
import { OverlayState } from "../merge/state-view.ts";
import type { Act, EntryOutcome, LedgerEntry, ReduceResult, StateChange, StateView } from "../types.ts";
import { apply } from "./apply.ts";
import { isRefusal, mayStayOpen, type Operation, reopened, validate } from "./operation.ts";
import { resolve } from "./resolve.ts";
import { authorOf, operationId, type Refusal, refusalText } from "./state.ts";

/**
 * Reduces charter entries in their order. An entry one of whose acts cannot be is void as a whole, with the reason
 * and what to do in words. Rights are those at the entry's place in the order, so that a revocation takes effect
 * within the same merge.
 */
export function reduceCharter(entries: readonly LedgerEntry[], state: StateView): ReduceResult {
  const after = new OverlayState(state);
  const outcomes = entries.map((entry) => reduceEntry(entry, after));
  return { outcomes, changes: after.changes() };
}

function reduceEntry(entry: LedgerEntry, state: OverlayState): EntryOutcome {
  const draft = new OverlayState(state);
  const reason = whyVoid(entry, draft);
  if (reason !== undefined) return { id: entry.id, void: reason, events: [] };
  state.apply(draft.changes());
  return { id: entry.id, events: [] };
}

function whyVoid(entry: LedgerEntry, state: OverlayState): string | undefined {
  const author = authorOf(state, entry.author);
  if (author === undefined) return "its author is not in the charter";
  if (author.revoked) return `the device ${author.name} is revoked`;
  for (const act of entry.acts) {
    const done = performAct(act, author.principal, state);
    if (isRefusal(done)) return `${act.type}: ${refusalText(done)}`;
    state.apply(done);
  }
  return undefined;
}

/** The changes that an act of a principal makes to the charter, or why it makes none. */
export function performAct(act: Act, principal: string, state: StateView): readonly StateChange[] | Refusal {
  const op = validate(act);
  if (isRefusal(op)) return op;
  if (op.type === "ballot") return backOpen(op.operation, principal, state);
  return mayStayOpen(op) ? back(act, op, principal, state) : decide(op, [principal], state);
}

function decide(op: Operation, ballots: readonly string[], state: StateView): readonly StateChange[] | Refusal {
  const resolution = resolve(op, ballots, state);
  if (resolution.verdict === "refuse") return resolution;
  return resolution.verdict === "adopt" ? apply(op, state) : [];
}

function backOpen(id: string, principal: string, state: StateView): readonly StateChange[] | Refusal {
  const value = state.get(`open/${id}`);
  const open = value === undefined ? undefined : reopened(value);
  if (value === undefined || open === undefined)
    return { why: "no operation with that id is open", todo: "see gdo charter for those that are" };
  return back(value as unknown as Act, open.op, principal, state);
}

/** Saying the same again is a ballot for it, so it does not matter who said it first. */
function back(
  { type, body }: Act,
  op: Operation,
  principal: string,
  state: StateView,
): readonly StateChange[] | Refusal {
  const key = `open/${operationId(type, body)}`;
  const before = state.get(key);
  const known = before === undefined ? [] : (reopened(before)?.ballots ?? []);
  const ballots = [...new Set([...known, principal])].sort();
  const changes = decide(op, ballots, state);
  if (isRefusal(changes)) return changes;
  const kept: Canonical | undefined = changes.length === 0 ? { type, body, ballots } : undefined;
  return [...changes, [key, kept]];
}
