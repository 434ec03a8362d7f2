/** The blob that a merge names: what it did, where that can grow with the entries. */
import { bytesOf, type Hash, OBJECT_BYTES_MAX } from "../../base/index.ts";
import { type Canonical, decodeCanonical, encodeCanonical } from "../../codec/index.ts";
import { arrayOf, hashAt, mapOf, mapWith, nameOf, refuse, textOf } from "../shape.ts";
import type { StateChange } from "../types.ts";

const REASON_CHARACTERS_MAX = 500;

/** What a merge did: state changes per dapp, and which entries are void, why. */
export interface MergeChanges {
  readonly state: Readonly<Record<string, readonly StateChange[]>>;
  readonly voids: readonly { readonly id: Hash; readonly reason: string }[];
}

/**
 * The blob of changes: canonical {state: {app: [[key, value] or [key], …]}, void: [[id, reason], …]}; a key
 * alone is deleted. Throws INPUT_INVALID for values nested deeper than 12: the blob adds four levels.
 */
export function encodeMergeChanges({ state, voids }: MergeChanges): Uint8Array {
  const apps = Object.entries(state).map(([app, changes]) => [
    app,
    changes.map(([key, value]) => (value === undefined ? [key] : [key, value])),
  ]);
  return encodeCanonical({
    state: Object.fromEntries(apps),
    void: voids.map(({ id, reason }) => [bytesOf(id), voidReason(reason)]),
  });
}

const LONE_SURROGATE = /\p{Surrogate}/gu;

/** A reason as it is kept: dapps and entries have a hand in its text, and none may stand in a merge's way. */
export function voidReason(text: string): string {
  const whole = text.replace(LONE_SURROGATE, "\ufffd").normalize("NFC");
  return whole.slice(0, REASON_CHARACTERS_MAX).replace(LONE_SURROGATE, "\ufffd");
}

/** Throws LEDGER_FORM. */
export function parseMergeChanges(bytes: Uint8Array): MergeChanges {
  const map = mapWith(decodeCanonical(bytes, { bytesMax: OBJECT_BYTES_MAX }), ["state", "void"], "a merge's changes");
  const state: Record<string, StateChange[]> = {};
  for (const [app, changes] of Object.entries(mapOf(map["state"], "state"))) {
    state[nameOf(app, "a dapp")] = arrayOf(changes, "changes").map(parseChange);
  }
  return { state, voids: arrayOf(map["void"], "void").map(parseVoid) };
}

function parseChange(value: Canonical): StateChange {
  const pair = arrayOf(value, "a change");
  if (pair.length !== 1 && pair.length !== 2) throw refuse("a change is not [key] or [key, value]");
  return [textOf(pair[0], "a key"), pair[1]];
}

function parseVoid(value: Canonical): { id: Hash; reason: string } {
  const [id, reason, ...rest] = arrayOf(value, "a void entry");
  if (rest.length > 0) throw refuse("a void entry is not [id, reason]");
  const text = textOf(reason, "a reason");
  if (text.length > REASON_CHARACTERS_MAX) throw refuse(`a reason has more than ${REASON_CHARACTERS_MAX} characters`);
  return { id: hashAt(id, "an id"), reason: text };
}
