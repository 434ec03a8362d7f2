/**
 * Payload of an entry: {app, acts: [[type, body], …]} and, for another branch than `main`, its name. 1 to
 * 256 acts for one dapp. Entries of the app `charter` belong to the branch `charter`, and nothing else does.
 */
import { ENTRY_ACTS_MAX } from "../base/index.ts";
import type { Canonical, CanonicalMap } from "../codec/index.ts";
import { CHARTER_BRANCH, MAIN_BRANCH } from "./policy.ts";
import { arrayOf, isMap, mapWith, nameOf, refuse, textOf } from "./shape.ts";
import type { Act } from "./types.ts";

const ACT_TYPE_CHARACTERS_MAX = 64;

/** The built-in app whose entries change the charter. */
export const CHARTER_APP = "charter";

export interface EntryPayload {
  readonly app: string;
  /** The branch that it is for. */
  readonly branch: string;
  readonly acts: readonly Act[];
}

/** The payload of an entry. Throws LEDGER_FORM for what parseEntryPayload would refuse. */
export function entryPayload(app: string, acts: readonly Act[], branch: string = branchOf(app)): Canonical {
  const named = branch === branchOf(app) ? {} : { branch };
  const payload = { app, acts: acts.map(({ type, body }) => [type, body]), ...named };
  parseEntryPayload(payload);
  return payload;
}

/** The branch of entries that name none. */
function branchOf(app: string): string {
  return app === CHARTER_APP ? CHARTER_BRANCH : MAIN_BRANCH;
}

/** The dapp of an entry that is held: its payload was read when it was taken in. */
export function appOfEntry(payload: Canonical): string {
  return (payload as CanonicalMap)["app"] as string;
}

/** Throws LEDGER_FORM. */
export function parseEntryPayload(payload: Canonical): EntryPayload {
  const isNamed = isMap(payload) && Object.hasOwn(payload, "branch");
  const map = mapWith(payload, isNamed ? ["app", "acts", "branch"] : ["app", "acts"], "an entry's payload");
  const acts = arrayOf(map["acts"], "acts");
  if (acts.length < 1 || acts.length > ENTRY_ACTS_MAX)
    throw refuse(`an entry has 1 to ${ENTRY_ACTS_MAX} acts, not ${acts.length}`);
  const app = nameOf(map["app"], "app");
  const branch = isNamed ? nameOf(map["branch"], "branch") : branchOf(app);
  // One form for one meaning, and a charter that can be changed in one place only.
  if (isNamed && (app === CHARTER_APP || branch === CHARTER_BRANCH || branch === MAIN_BRANCH))
    throw refuse(`an entry of ${app} does not name the branch ${branch}`);
  return { app, branch, acts: acts.map(parseAct) };
}

function parseAct(value: Canonical): Act {
  const pair = arrayOf(value, "an act");
  if (pair.length !== 2) throw refuse("an act is not [type, body]");
  const type = textOf(pair[0], "an act's type");
  if (type.length < 1 || type.length > ACT_TYPE_CHARACTERS_MAX)
    throw refuse(`an act's type has 1 to ${ACT_TYPE_CHARACTERS_MAX} characters`);
  return { type, body: pair[1] as Canonical };
}
