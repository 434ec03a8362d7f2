/** Payload of an entry: {app, acts: [[type, body], …]}, 1 to 256 acts for one dapp. */
import { ENTRY_ACTS_MAX } from "../base/index.ts";
import type { Canonical } from "../codec/index.ts";
import { arrayOf, mapWith, nameOf, refuse, textOf } from "./shape.ts";
import type { Act } from "./types.ts";

const ACT_TYPE_CHARACTERS_MAX = 64;

export interface EntryPayload {
  readonly app: string;
  readonly acts: readonly Act[];
}

/** The payload of an entry. Throws LEDGER_FORM for what parseEntryPayload would refuse. */
export function entryPayload(app: string, acts: readonly Act[]): Canonical {
  const payload = { app, acts: acts.map(({ type, body }) => [type, body]) };
  parseEntryPayload(payload);
  return payload;
}

/** Throws LEDGER_FORM. */
export function parseEntryPayload(payload: Canonical): EntryPayload {
  const map = mapWith(payload, ["app", "acts"], "an entry's payload");
  const acts = arrayOf(map["acts"], "acts");
  if (acts.length < 1 || acts.length > ENTRY_ACTS_MAX)
    throw refuse(`an entry has 1 to ${ENTRY_ACTS_MAX} acts, not ${acts.length}`);
  return { app: nameOf(map["app"], "app"), acts: acts.map(parseAct) };
}

function parseAct(value: Canonical): Act {
  const pair = arrayOf(value, "an act");
  if (pair.length !== 2) throw refuse("an act is not [type, body]");
  const type = textOf(pair[0], "an act's type");
  if (type.length < 1 || type.length > ACT_TYPE_CHARACTERS_MAX)
    throw refuse(`an act's type has 1 to ${ACT_TYPE_CHARACTERS_MAX} characters`);
  return { type, body: pair[1] as Canonical };
}
