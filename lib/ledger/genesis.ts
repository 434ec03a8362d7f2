/**
 * The charter block's payload: who is there at the start, what roles may do, which branches there
 * are. All later change is by entries of the app `charter`. The block's id names the organisation.
 */
import { bytesOf, type Hash, type PublicKey } from "../base/index.ts";
import { assertUsableKey, type Canonical } from "../codec/index.ts";
import {
  type BranchPolicy,
  CHARTER_BRANCH,
  type FaultModel,
  MAIN_BRANCH,
  parsePolicy,
  whyUnsoundQuorum,
} from "./policy.ts";
import { arrayOf, bytes32, hashOrNull, mapOf, mapWith, nameOf, refuse, textOf } from "./shape.ts";

/** The right to change the charter. */
export const RIGHT_GOVERN = "govern";

/** A person or a site. Votes count principals, never devices [L10]. */
export interface GenesisPrincipal {
  readonly id: string;
  readonly devices: readonly PublicKey[];
  readonly roles: readonly string[];
  /** Hash of the recovery key that may replace all its devices; null: there is none. */
  readonly recovery: Hash | null;
}

export interface Genesis {
  readonly name: string;
  readonly fault: FaultModel;
  readonly principals: readonly GenesisPrincipal[];
  /** Role → rights. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
  /** Among them `charter` and `main`. */
  readonly branches: Readonly<Record<string, BranchPolicy>>;
  /** Bounds that an organisation sets itself; this version knows none. */
  readonly limits: Readonly<Record<string, never>>;
}

const NAME_CHARACTERS_MAX = 100;

/** The charter block's payload. Throws LEDGER_FORM or KEY_INVALID for what parseGenesis would refuse. */
export function encodeGenesis(genesis: Genesis): Canonical {
  const { name, fault, principals, roles, branches, limits } = genesis;
  const payload: Canonical = {
    name,
    fault,
    principals: principals.map(({ id, devices, roles: named, recovery }) => ({
      id,
      devices: devices.map(bytesOf),
      roles: named,
      recovery: recovery === null ? null : bytesOf(recovery),
    })),
    roles,
    branches,
    limits,
  };
  parseGenesis(payload);
  return payload;
}

const FIELDS = ["name", "fault", "principals", "roles", "branches", "limits"];

/**
 * Reads and checks a charter block's payload: names, roles and validators that exist, quorums that can be
 * reached and not twice, keys that may be used [L3] and belong to one principal each, somebody who may
 * govern. Throws LEDGER_FORM or KEY_INVALID.
 */
export function parseGenesis(payload: Canonical): Genesis {
  const map = mapWith(payload, FIELDS, "a genesis");
  const name = textOf(map["name"], "name");
  if (name.trim() === "" || name.length > NAME_CHARACTERS_MAX)
    throw refuse(`an organisation's name has 1 to ${NAME_CHARACTERS_MAX} characters`);
  const fault = parseFault(map["fault"]);
  const roles = parseRoles(map["roles"]);
  const principals = arrayOf(map["principals"], "principals").map((item) => parsePrincipal(item, roles));
  checkPrincipals(principals, roles);
  mapWith(map["limits"], [], "limits");
  const genesis: Genesis = { name, fault, principals, roles, branches: parseBranches(map["branches"]), limits: {} };
  for (const [branch, policy] of Object.entries(genesis.branches)) checkBranch(branch, policy, genesis);
  return genesis;
}

function parseFault(value: Canonical | undefined): FaultModel {
  if (value === "byzantine" || value === "crash") return value;
  throw refuse("fault is neither byzantine nor crash");
}

function parseRoles(value: Canonical | undefined): Record<string, readonly string[]> {
  const roles: Record<string, readonly string[]> = {};
  for (const [role, rights] of Object.entries(mapOf(value, "roles"))) {
    roles[nameOf(role, "a role")] = arrayOf(rights, `rights of ${role}`).map((right) => nameOf(right, "a right"));
  }
  return roles;
}

function parsePrincipal(value: Canonical, roles: Readonly<Record<string, unknown>>): GenesisPrincipal {
  const map = mapWith(value, ["id", "devices", "roles", "recovery"], "a principal");
  const id = nameOf(map["id"], "a principal's id");
  const named = arrayOf(map["roles"], `roles of ${id}`).map((role) => nameOf(role, "a role"));
  const unknown = named.find((role) => !Object.hasOwn(roles, role));
  if (unknown !== undefined) throw refuse(`${id} has the role ${unknown}, which is not defined`);
  const devices = arrayOf(map["devices"], `devices of ${id}`).map((key) =>
    assertUsableKey(bytes32(key, "a device's key")),
  );
  return { id, devices, roles: named, recovery: hashOrNull(map["recovery"], `recovery of ${id}`) };
}

function checkPrincipals(
  principals: readonly GenesisPrincipal[],
  roles: Readonly<Record<string, readonly string[]>>,
): void {
  if (new Set(principals.map(({ id }) => id)).size !== principals.length) throw refuse("a principal is named twice");
  const devices = principals.flatMap((principal) => principal.devices);
  if (new Set(devices).size !== devices.length) throw refuse("a device is named twice");
  const governs = ({ devices: own, roles: named }: GenesisPrincipal): boolean =>
    own.length > 0 && named.some((role) => roles[role]?.includes(RIGHT_GOVERN));
  if (!principals.some(governs)) throw refuse(`nobody has the right ${RIGHT_GOVERN}`);
}

function parseBranches(value: Canonical | undefined): Record<string, BranchPolicy> {
  const branches: Record<string, BranchPolicy> = {};
  for (const [name, policy] of Object.entries(mapOf(value, "branches"))) {
    branches[nameOf(name, "a branch")] = parsePolicy(policy, name);
  }
  for (const name of [CHARTER_BRANCH, MAIN_BRANCH]) {
    if (!Object.hasOwn(branches, name)) throw refuse(`there is no branch ${name}`);
  }
  return branches;
}

function checkBranch(branch: string, policy: BranchPolicy, { principals, roles, fault }: Genesis): void {
  const { appenders } = policy;
  if (appenders !== null && !Object.hasOwn(roles, appenders))
    throw refuse(`branch ${branch} takes entries of the role ${appenders}, which is not defined`);
  const active = principals.filter(({ devices }) => devices.length > 0);
  if (policy.mode === "single" && !active.some(({ id }) => id === policy.validator))
    throw refuse(`the validator of branch ${branch} has no device`);
  if (policy.mode !== "quorum") return;
  if (!Object.hasOwn(roles, policy.validators))
    throw refuse(`branch ${branch} is merged by the role ${policy.validators}, which is not defined`);
  const n = active.filter(({ roles: named }) => named.includes(policy.validators)).length;
  const why = whyUnsoundQuorum(policy.q, n, fault);
  if (why !== undefined) throw refuse(`branch ${branch}: ${why}`);
}
