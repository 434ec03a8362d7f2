/**
 * The charter's state: who is there, what they may do, which branches and dapps there are.
 *
 *   organisation        {name, fault}
 *   device/<key, hex>   {principal, name} or {principal, name, revoked: true}
 *   principal/<id>      {roles: [role], recovery: hash of the next recovery key, hex, or null}, and removed: true
 *   decider/<id>        the key of its device that votes and merges, where it has or had several
 *   guardians/<id>      {guardians: [id], threshold}
 *   role/<name>         {rights: [right]}
 *   branch/<name>       its policy, as in the genesis
 *   origin/<name>       [branch, height, merge] that a branch was forked at, or null; absent for the genesis' own
 *   dapp/<name>         {version, tree}        tree: id, hex
 *   open/<operation>    {type, body, ballots: [principal]}: waits for more ballots
 *   invitation/<key>    {principal}: used
 */
import type { PublicKey } from "../../base/index.ts";
import { type Canonical, type CanonicalMap, deriveHash, encodeCanonical } from "../../codec/index.ts";
import { type Genesis, RIGHT_GOVERN } from "../genesis.ts";
import { isMap } from "../shape.ts";
import type { StateChange, StateView } from "../types.ts";

/** Who a key is, by the charter's state. */
export interface Author {
  readonly principal: string;
  /** The device's name. */
  readonly name: string;
  readonly revoked: boolean;
  /** None when revoked. Sorted, each once. */
  readonly rights: readonly string[];
}

/** Why something cannot be, and what would help. */
export interface Refusal {
  readonly why: string;
  readonly todo: string;
}

/** A refusal as an entry's reason. */
export function refusalText({ why, todo }: Refusal): string {
  return `${why}; ${todo}`;
}

/** The charter's state when the organisation begins. */
export function initialCharterState(genesis: Genesis): StateChange[] {
  const changes: StateChange[] = [["organisation", { name: genesis.name, fault: genesis.fault }]];
  for (const [role, rights] of Object.entries(genesis.roles)) changes.push([`role/${role}`, { rights }]);
  for (const [branch, policy] of Object.entries(genesis.branches)) changes.push([`branch/${branch}`, policy]);
  for (const { id, devices, roles, recovery } of genesis.principals) {
    changes.push([`principal/${id}`, { roles, recovery }]);
    if (devices.length > 1) changes.push([`decider/${id}`, devices[0] as string]);
    devices.forEach((key, index) => {
      changes.push([deviceKey(key), { principal: id, name: index === 0 ? id : `${id}-${index + 1}` }]);
    });
  }
  return changes;
}

export function deviceKey(key: string): string {
  return `device/${key}`;
}

/** Whom a key belongs to; undefined for a stranger. Revoked devices are known: what they signed is a fact. */
export function authorOf(state: StateView, key: PublicKey): Author | undefined {
  const device = state.get(deviceKey(key));
  if (!isMap(device)) return undefined;
  const principal = String(device["principal"]);
  const revoked = device["revoked"] === true;
  return { principal, name: String(device["name"]), revoked, rights: revoked ? [] : rightsOf(state, principal) };
}

/** Sorted, each once. */
export function rightsOf(state: StateView, principal: string): string[] {
  const rights = new Set<string>();
  for (const role of textsOf(state.get(`principal/${principal}`), "roles")) {
    for (const right of textsOf(state.get(`role/${role}`), "rights")) rights.add(right);
  }
  return [...rights].sort();
}

/** A field that is a list of texts; empty where there is none. */
export function textsOf(value: Canonical | undefined, field: string): string[] {
  const list = isMap(value) ? value[field] : undefined;
  return Array.isArray(list) ? list.map(String) : [];
}

/** A principal that is there and was not removed. */
export function principalAt(state: StateView, id: string): CanonicalMap | undefined {
  const principal = state.get(`principal/${id}`);
  return isMap(principal) && principal["removed"] !== true ? principal : undefined;
}

/** Those who may change the charter and can: the ones to ask. */
export function governors(state: StateView): string[] {
  return [...activePrincipals(state)].filter((id) => rightsOf(state, id).includes(RIGHT_GOVERN)).sort();
}

/** Principals with at least one device that is not revoked. */
export function activePrincipals(charter: StateView): Set<string> {
  const active = new Set<string>();
  for (const [, device] of charter.scan("device/")) {
    if (isMap(device) && device["revoked"] !== true) active.add(String(device["principal"]));
  }
  return active;
}

/**
 * The key of the one device that votes and merges for a principal [L10]: the one that the charter names, else of those
 * that are not revoked the one with the least key. Undefined where there is none.
 */
export function deciderOf(charter: StateView, principal: string): PublicKey | undefined {
  const active: PublicKey[] = [];
  for (const [key, device] of charter.scan("device/")) {
    if (isMap(device) && device["principal"] === principal && device["revoked"] !== true)
      active.push(key.slice("device/".length) as PublicKey); // Checked when it was enrolled.
  }
  const named = charter.get(`decider/${principal}`);
  return active.find((key) => key === named) ?? active[0];
}

/** By which a charter names the recovery key that it does not show yet. */
export function recoveryCommitment(key: Uint8Array): string {
  return deriveHash("gdo v1 recovery key", key);
}

/** Names an operation by what it says, whoever says it. */
export function operationId(type: string, body: Canonical): string {
  return deriveHash("gdo v1 operation", encodeCanonical([type, body]));
}
