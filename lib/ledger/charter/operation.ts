/**
 * What can be done to the charter, and the first of the three functions that judge it: `validate` looks at the
 * operation alone, `resolve` (resolve.ts) at who backs it, `apply` (apply.ts) at the state that it meets.
 */
import { fromHex, GdoError, type Hash, isHash } from "../../base/index.ts";
import { assertUsableKey, type Canonical, type CanonicalMap } from "../../codec/index.ts";
import { CHARTER_APP } from "../entry.ts";
import { MERGE_APP } from "../merge/request.ts";
import { type BranchPolicy, parsePolicy } from "../policy.ts";
import { arrayOf, checkAscending, countOf, isMap, mapOf, nameOf, refuse, textOf } from "../shape.ts";
import type { Act } from "../types.ts";
import type { Refusal } from "./state.ts";

/** A device's key, hex, and its name. */
export interface NamedKey {
  readonly key: string;
  readonly name: string;
}

/** The recovery key, shown, and its signature over `recoveryMessage`; both hex. */
export interface RecoveryProof {
  readonly key: string;
  readonly signature: string;
}

/** New devices for a principal in place of all that it has. */
export interface NewKeys {
  readonly principal: string;
  readonly keys: readonly NamedKey[];
  /** Hash of the next recovery key; null: there is none any more. */
  readonly recovery: string | null;
  readonly proof: RecoveryProof | null;
}

export type Operation =
  | {
      readonly type: "principal.add";
      readonly id: string;
      readonly roles: readonly string[];
      readonly recovery: string | null;
    }
  | { readonly type: "principal.remove"; readonly id: string }
  | ({ readonly type: "principal.rotate" | "principal.recover" } & NewKeys)
  | {
      readonly type: "guardians.set";
      readonly principal: string;
      readonly guardians: readonly string[];
      readonly threshold: number;
    }
  | { readonly type: "device.add"; readonly key: string; readonly principal: string; readonly name: string }
  | { readonly type: "device.revoke"; readonly key: string }
  | { readonly type: "device.decide"; readonly key: string }
  | { readonly type: "role.grant" | "role.revoke"; readonly principal: string; readonly role: string }
  | { readonly type: "role.set"; readonly role: string; readonly rights: readonly string[] }
  | {
      readonly type: "branch.set";
      readonly name: string;
      readonly policy: BranchPolicy;
      readonly from: Fork | null | undefined;
    }
  | {
      readonly type: "dapp.install" | "dapp.upgrade";
      readonly name: string;
      readonly version: string;
      readonly tree: Hash;
      /** Blob of the rehearsal that whoever proposes it has made [D8]. */
      readonly rehearsal: Hash | null;
    }
  | { readonly type: "dapp.remove"; readonly name: string }
  | { readonly type: "invitation.use"; readonly invitation: string; readonly principal: string }
  | { readonly type: "ballot"; readonly operation: string };

/** The merge that a branch is forked at. */
export type Fork = readonly [branch: string, h: number, merge: Hash];

const VERSION_CHARACTERS_MAX = 64;
const LIST_MAX = 64;

type Parse = (body: CanonicalMap) => Operation;

/** Each operation's fields, those that may be left out in brackets, and how they are read. */
const OPERATIONS: Readonly<Record<string, { readonly fields: string; readonly parse: Parse }>> = {
  "principal.add": {
    fields: "id roles [recovery]",
    parse: ({ id, roles, recovery }) => ({
      type: "principal.add",
      id: nameOf(id, "id"),
      roles: namesOf(roles, "roles"),
      recovery: hexOrNull(recovery, "recovery"),
    }),
  },
  "principal.remove": { fields: "id", parse: ({ id }) => ({ type: "principal.remove", id: nameOf(id, "id") }) },
  "principal.rotate": {
    fields: "principal keys recovery [proof]",
    parse: (body) => ({ type: "principal.rotate", ...newKeysOf(body) }),
  },
  "principal.recover": {
    fields: "principal keys recovery [proof]",
    parse: (body) => ({ type: "principal.recover", ...newKeysOf(body) }),
  },
  "guardians.set": {
    fields: "principal guardians threshold",
    parse: ({ principal, guardians, threshold }) => ({
      type: "guardians.set",
      principal: nameOf(principal, "principal"),
      ...guardiansOf(guardians, threshold),
    }),
  },
  "device.add": {
    fields: "key principal name",
    parse: ({ key, principal, name }) => ({
      type: "device.add",
      ...namedKeyOf({ key: key as Canonical, name: name as Canonical }),
      principal: nameOf(principal, "principal"),
    }),
  },
  "device.revoke": { fields: "key", parse: ({ key }) => ({ type: "device.revoke", key: hexOf(key, "key") }) },
  "device.decide": { fields: "key", parse: ({ key }) => ({ type: "device.decide", key: hexOf(key, "key") }) },
  "role.grant": { fields: "principal role", parse: (body) => ({ type: "role.grant", ...roleOf(body) }) },
  "role.revoke": { fields: "principal role", parse: (body) => ({ type: "role.revoke", ...roleOf(body) }) },
  "role.set": {
    fields: "role rights",
    parse: ({ role, rights }) => ({ type: "role.set", role: nameOf(role, "role"), rights: namesOf(rights, "rights") }),
  },
  "branch.set": {
    fields: "name policy [from]",
    parse: ({ name, policy, from }) => {
      const branch = nameOf(name, "name");
      return { type: "branch.set", name: branch, policy: parsePolicy(policy, branch), from: forkOf(from) };
    },
  },
  "dapp.install": {
    fields: "name version tree [rehearsal]",
    parse: (body) => ({ type: "dapp.install", ...dappOf(body) }),
  },
  "dapp.upgrade": {
    fields: "name version tree [rehearsal]",
    parse: (body) => ({ type: "dapp.upgrade", ...dappOf(body) }),
  },
  "dapp.remove": { fields: "name", parse: ({ name }) => ({ type: "dapp.remove", name: nameOf(name, "name") }) },
  "invitation.use": {
    fields: "invitation principal",
    parse: ({ invitation, principal }) => ({
      type: "invitation.use",
      invitation: hexOf(invitation, "invitation"),
      principal: nameOf(principal, "principal"),
    }),
  },
  ballot: {
    fields: "operation",
    parse: ({ operation }) => ({ type: "ballot", operation: hexOf(operation, "operation") }),
  },
};

/** All of them, with their fields; one in brackets may be left out. */
export const OPERATION_FIELDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(OPERATIONS).map(([type, { fields }]) => [type, fields.split(" ")]),
);

/** The operation that an act is, or why it is none. */
export function validate({ type, body }: Act): Operation | Refusal {
  const shape = Object.hasOwn(OPERATIONS, type) ? OPERATIONS[type] : undefined;
  if (shape === undefined) return { why: "no such charter operation", todo: "docs/design/ledger.md lists them" };
  try {
    return shape.parse(fieldsOf(body, shape.fields));
  } catch (error) {
    if (error instanceof GdoError) return { why: error.message, todo: todoFor(error.message, shape.fields) };
    throw error;
  }
}

function todoFor(why: string, fields: string): string {
  return why.includes("is not a name") ? "choose one of that form" : `its fields are ${fields}`;
}

export function isRefusal(value: object): value is Refusal {
  return "why" in value && "todo" in value;
}

function fieldsOf(body: Canonical, fields: string): CanonicalMap {
  const map = mapOf(body, "its body");
  const known = new Map(fields.split(" ").map((field) => [field.replace(/[[\]]/g, ""), field.startsWith("[")]));
  const strange = Object.keys(map).find((key) => !known.has(key));
  if (strange !== undefined) throw refuse(`the field ${strange} is not known`);
  for (const [field, isOptional] of known)
    if (!isOptional && !Object.hasOwn(map, field)) throw refuse(`the field ${field} is missing`);
  return map;
}

function namesOf(value: Canonical | undefined, what: string): string[] {
  const names = arrayOf(value, what).map((name) => nameOf(name, what));
  if (names.length > LIST_MAX || new Set(names).size !== names.length) throw refuse(`${what} are too many or double`);
  return names;
}

/** 32 bytes, hex. */
function hexOf(value: Canonical | undefined, what: string): string {
  if (typeof value !== "string" || !isHash(value)) throw refuse(`${what} is not 64 hex digits`);
  return value;
}

function hexOrNull(value: Canonical | undefined, what: string): string | null {
  return value === undefined || value === null ? null : hexOf(value, what);
}

/** [L3] Refused at enrolment: under some keys one signature fits every message. */
function namedKeyOf(value: Canonical): NamedKey {
  const { key, name } = mapOf(value, "a key");
  const hex = hexOf(key, "key");
  assertUsableKey(fromHex(hex) as Uint8Array);
  return { key: hex, name: nameOf(name, "name") };
}

function newKeysOf({ principal, keys, recovery, proof }: CanonicalMap): NewKeys {
  const named = arrayOf(keys, "keys").map(namedKeyOf);
  if (named.length === 0 || named.length > LIST_MAX) throw refuse(`keys are 1 to ${LIST_MAX}`);
  if (new Set(named.map(({ key }) => key)).size !== named.length) throw refuse("a key is named twice");
  const id = nameOf(principal, "principal");
  return { principal: id, keys: named, recovery: hexOrNull(recovery, "recovery"), proof: proofOf(proof) };
}

function proofOf(value: Canonical | undefined): RecoveryProof | null {
  if (value === undefined || value === null) return null;
  const { key, signature } = mapOf(value, "proof");
  const hex = hexOf(key, "the recovery key");
  assertUsableKey(fromHex(hex) as Uint8Array);
  if (typeof signature !== "string" || !/^[0-9a-f]{128}$/.test(signature))
    throw refuse("a signature has 128 hex digits");
  return { key: hex, signature };
}

function guardiansOf(
  value: Canonical | undefined,
  least: Canonical | undefined,
): Pick<Operation & { type: "guardians.set" }, "guardians" | "threshold"> {
  const guardians = namesOf(value, "guardians");
  const threshold = countOf(least, "threshold");
  checkAscending(guardians, "guardians");
  if (threshold > guardians.length || (threshold === 0) !== (guardians.length === 0))
    throw refuse(`${threshold} of ${guardians.length} guardians can never agree`);
  return { guardians, threshold };
}

function roleOf({ principal, role }: CanonicalMap): { principal: string; role: string } {
  return { principal: nameOf(principal, "principal"), role: nameOf(role, "role") };
}

function dappOf({ name, version, tree, rehearsal }: CanonicalMap): {
  name: string;
  version: string;
  tree: Hash;
  rehearsal: Hash | null;
} {
  const dapp = nameOf(name, "name");
  if (dapp === CHARTER_APP || dapp === MERGE_APP) throw refuse(`${dapp} cannot name a dapp`);
  const text = textOf(version, "version");
  if (text === "" || text.length > VERSION_CHARACTERS_MAX) throw refuse("the version is not a short text");
  const rehearsed = hexOrNull(rehearsal, "rehearsal") as Hash | null;
  return { name: dapp, version: text, tree: hexOf(tree, "tree") as Hash, rehearsal: rehearsed };
}

function forkOf(value: Canonical | undefined): Fork | null | undefined {
  if (value === undefined || value === null) return value;
  const [branch, h, merge, ...rest] = arrayOf(value, "from");
  const fork = [nameOf(branch, "from"), countOf(h, "from"), hexOf(merge, "from") as Hash] as const;
  if (rest.length > 0 || fork[1] === 0) throw refuse("from is [branch, height, merge]");
  return fork;
}

/** Whether an operation stands alone in its entry: it may stay open, and be adopted later. */
export function mayStayOpen({ type }: Operation): boolean {
  return type === "principal.recover";
}

/** The operation of a body that was kept open. */
export function reopened(
  value: Canonical,
): { readonly op: Operation; readonly ballots: readonly string[] } | undefined {
  const { type, body, ballots } = isMap(value) ? value : {};
  const op = typeof type === "string" ? validate({ type, body: body as Canonical }) : undefined;
  if (op === undefined || isRefusal(op) || !Array.isArray(ballots)) return undefined;
  return { op, ballots: ballots.map(String) };
}
