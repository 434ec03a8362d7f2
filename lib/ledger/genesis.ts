/**
 * The charter block's payload: who is there at the start, what roles may do, which branches there
 * are. All later change is by entries of the app `charter`. The block's id names the organisation.
 */
import { bytesOf, type PublicKey } from "../base/index.ts";
import { assertUsableKey, type Canonical } from "../codec/index.ts";
import { arrayOf, bytes32, mapOf, mapWith, nameOf, refuse, textOf } from "./shape.ts";

/** The right to change the charter. */
export const RIGHT_GOVERN = "govern";
/** The branch on which the organisation's state is. */
export const MAIN_BRANCH = "main";

/** A person or a site. Votes count principals, never devices [L10]. */
export interface GenesisPrincipal {
  readonly id: string;
  readonly devices: readonly PublicKey[];
  readonly roles: readonly string[];
}

/** `single`: one named principal merges, and what it merges is final at once. */
export interface BranchPolicy {
  readonly mode: "single";
  readonly validator: string;
}

export interface Genesis {
  readonly name: string;
  readonly principals: readonly GenesisPrincipal[];
  /** Role → rights. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
  readonly branches: Readonly<Record<string, BranchPolicy>>;
}

const NAME_CHARACTERS_MAX = 100;

/** The charter block's payload. Throws LEDGER_FORM or KEY_INVALID for what parseGenesis would refuse. */
export function encodeGenesis(genesis: Genesis): Canonical {
  const payload: Canonical = {
    name: genesis.name,
    principals: genesis.principals.map(({ id, devices, roles }) => ({ id, devices: devices.map(bytesOf), roles })),
    roles: genesis.roles,
    branches: Object.fromEntries(
      Object.entries(genesis.branches).map(([name, { mode, validator }]) => [name, { mode, validator }]),
    ),
  };
  parseGenesis(payload);
  return payload;
}

/**
 * Reads and checks a charter block's payload: names, roles and validators that exist, keys that may be
 * used [L3] and belong to one principal each, somebody who may govern. Throws LEDGER_FORM or KEY_INVALID.
 */
export function parseGenesis(payload: Canonical): Genesis {
  const map = mapWith(payload, ["name", "principals", "roles", "branches"], "a genesis");
  const name = textOf(map["name"], "name");
  if (name.trim() === "" || name.length > NAME_CHARACTERS_MAX)
    throw refuse(`an organisation's name has 1 to ${NAME_CHARACTERS_MAX} characters`);
  const roles = parseRoles(map["roles"]);
  const principals = arrayOf(map["principals"], "principals").map((item) => parsePrincipal(item, roles));
  checkPrincipals(principals, roles);
  return { name, principals, roles, branches: parseBranches(map["branches"], principals) };
}

function parseRoles(value: Canonical | undefined): Record<string, readonly string[]> {
  const roles: Record<string, readonly string[]> = {};
  for (const [role, rights] of Object.entries(mapOf(value, "roles"))) {
    roles[nameOf(role, "a role")] = arrayOf(rights, `rights of ${role}`).map((right) => nameOf(right, "a right"));
  }
  return roles;
}

function parsePrincipal(value: Canonical, roles: Readonly<Record<string, unknown>>): GenesisPrincipal {
  const map = mapWith(value, ["id", "devices", "roles"], "a principal");
  const id = nameOf(map["id"], "a principal's id");
  const named = arrayOf(map["roles"], `roles of ${id}`).map((role) => nameOf(role, "a role"));
  const unknown = named.find((role) => !Object.hasOwn(roles, role));
  if (unknown !== undefined) throw refuse(`${id} has the role ${unknown}, which is not defined`);
  const devices = arrayOf(map["devices"], `devices of ${id}`).map((key) =>
    assertUsableKey(bytes32(key, "a device's key")),
  );
  return { id, devices, roles: named };
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

function parseBranches(
  value: Canonical | undefined,
  principals: readonly GenesisPrincipal[],
): Record<string, BranchPolicy> {
  const branches: Record<string, BranchPolicy> = {};
  for (const [name, policy] of Object.entries(mapOf(value, "branches"))) {
    const map = mapWith(policy, ["mode", "validator"], `branch ${name}`);
    if (map["mode"] !== "single") throw refuse(`branch ${name} has a mode that is not known`);
    const validator = principals.find(({ id }) => id === map["validator"]);
    if (validator === undefined || validator.devices.length === 0)
      throw refuse(`the validator of branch ${name} has no device`);
    branches[nameOf(name, "a branch")] = { mode: "single", validator: validator.id };
  }
  if (!Object.hasOwn(branches, MAIN_BRANCH)) throw refuse(`there is no branch ${MAIN_BRANCH}`);
  return branches;
}
