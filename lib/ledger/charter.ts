/**
 * The built-in app `charter`: principals, devices, roles, dapps. Its entries are reduced in process,
 * like any dapp's in its container: a pure function of entries in order and the state before.
 *
 * State:  organisation       {name, fault}
 *         device/<key, hex>  {principal, name} or {principal, name, revoked: true}
 *         principal/<id>     {roles: [role], recovery: hash of the next recovery key, hex, or null}
 *         role/<name>        {rights: [right]}
 *         branch/<name>      its policy, as in the genesis
 *         dapp/<name>        {version, tree}        tree: id, hex
 */
import { fromHex, GdoError, isHash, type PublicKey } from "../base/index.ts";
import { assertUsableKey, type Canonical, type CanonicalMap } from "../codec/index.ts";
import { CHARTER_APP } from "./entry.ts";
import { type Genesis, RIGHT_GOVERN } from "./genesis.ts";
import { isMap, isName } from "./shape.ts";
import { OverlayState } from "./state-view.ts";
import type { Act, EntryOutcome, LedgerEntry, ReduceResult, StateChange, StateView } from "./types.ts";

/** Who a key is, by the charter's state. */
export interface Author {
  readonly principal: string;
  /** The device's name. */
  readonly name: string;
  readonly revoked: boolean;
  /** None when revoked. Sorted, each once. */
  readonly rights: readonly string[];
}

/** The charter's state when the organisation begins. */
export function initialCharterState(genesis: Genesis): StateChange[] {
  const changes: StateChange[] = [["organisation", { name: genesis.name, fault: genesis.fault }]];
  for (const [role, rights] of Object.entries(genesis.roles)) changes.push([`role/${role}`, { rights }]);
  for (const [branch, policy] of Object.entries(genesis.branches)) changes.push([`branch/${branch}`, policy]);
  for (const { id, devices, roles, recovery } of genesis.principals) {
    changes.push([`principal/${id}`, { roles, recovery }]);
    devices.forEach((key, index) => {
      changes.push([deviceKey(key), { principal: id, name: index === 0 ? id : `${id}-${index + 1}` }]);
    });
  }
  return changes;
}

function deviceKey(key: PublicKey | string): string {
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

function rightsOf(state: StateView, principal: string): string[] {
  const rights = new Set<string>();
  for (const role of textsOf(state.get(`principal/${principal}`), "roles")) {
    for (const right of textsOf(state.get(`role/${role}`), "rights")) rights.add(right);
  }
  return [...rights].sort();
}

function textsOf(value: Canonical | undefined, field: string): string[] {
  const list = isMap(value) ? value[field] : undefined;
  return Array.isArray(list) ? list.map(String) : [];
}

/**
 * Reduces charter entries in their order. An entry whose author lacks `govern`, or one of whose acts
 * cannot be, is void as a whole, with the reason in words. Rights are those at the entry's place in
 * the order, so that a revocation takes effect within the same merge.
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
  if (!author.rights.includes(RIGHT_GOVERN)) return `${author.principal} has not the right ${RIGHT_GOVERN}`;
  for (const act of entry.acts) {
    const reason = perform(act, state);
    if (reason !== undefined) return `${act.type}: ${reason}`;
  }
  return undefined;
}

/** For a reason: decoded maps have no prototype, so not everything can be made text. */
function shown(value: Canonical | undefined): string {
  return typeof value === "string" ? value : "(not text)";
}

/** Changes the state, or says why the act cannot be. */
type Perform = (body: CanonicalMap, state: OverlayState) => string | undefined;

const OPERATIONS: Readonly<Record<string, { readonly fields: readonly string[]; readonly perform: Perform }>> = {
  "principal.add": { fields: ["id", "roles"], perform: addPrincipal },
  "device.add": { fields: ["key", "principal", "name"], perform: addDevice },
  "device.revoke": { fields: ["key"], perform: revokeDevice },
  "dapp.install": { fields: ["name", "version", "tree"], perform: (body, state) => putDapp(body, state, false) },
  "dapp.upgrade": { fields: ["name", "version", "tree"], perform: (body, state) => putDapp(body, state, true) },
  "dapp.remove": { fields: ["name"], perform: removeDapp },
};

function perform(act: Act, state: OverlayState): string | undefined {
  const operation = Object.hasOwn(OPERATIONS, act.type) ? OPERATIONS[act.type] : undefined;
  if (operation === undefined) return "no such charter operation";
  const { body } = act;
  const { fields } = operation;
  if (
    !isMap(body) ||
    Object.keys(body).length !== fields.length ||
    !fields.every((field) => Object.hasOwn(body, field))
  ) {
    return `its fields must be ${fields.join(", ")}`;
  }
  return operation.perform(body, state);
}

function addPrincipal({ id, roles }: CanonicalMap, state: OverlayState): string | undefined {
  if (!isName(id)) return "the id is not a name";
  if (state.get(`principal/${id}`) !== undefined) return `the principal ${id} exists`;
  if (!Array.isArray(roles)) return "roles is not an array";
  const unknown = roles.find((role: Canonical) => !isName(role) || state.get(`role/${role}`) === undefined);
  if (unknown !== undefined) return `no such role: ${shown(unknown)}`;
  state.apply([[`principal/${id}`, { roles: roles as readonly Canonical[], recovery: null }]]);
  return undefined;
}

function addDevice({ key, principal, name }: CanonicalMap, state: OverlayState): string | undefined {
  const wrong = typeof key === "string" ? whyUnusable(key) : "the key is not text";
  if (wrong !== undefined) return wrong;
  if (!isName(principal) || state.get(`principal/${principal}`) === undefined)
    return `no such principal: ${shown(principal)}`;
  if (!isName(name)) return "the device's name is not a name";
  if (state.get(deviceKey(String(key))) !== undefined) return "the device is in the charter already";
  state.apply([[deviceKey(String(key)), { principal, name }]]);
  return undefined;
}

/** [L3] Refused at enrolment: under some keys one signature fits every message. */
function whyUnusable(hex: string): string | undefined {
  const key = fromHex(hex);
  if (key === undefined) return "the key is not lower-case hex";
  try {
    assertUsableKey(key);
    return undefined;
  } catch (error) {
    if (error instanceof GdoError) return error.message;
    throw error;
  }
}

function revokeDevice({ key }: CanonicalMap, state: OverlayState): string | undefined {
  const device = typeof key === "string" ? state.get(deviceKey(key)) : undefined;
  if (!isMap(device)) return "no such device";
  if (device["revoked"] === true) return "the device is revoked already";
  state.apply([[deviceKey(String(key)), { ...device, revoked: true }]]);
  return whyStuck(state);
}

/** An organisation that nobody can govern, or a branch that nobody can merge, could never be mended. */
function whyStuck(state: OverlayState): string | undefined {
  const active = new Set<string>();
  for (const [, device] of state.scan("device/")) {
    if (isMap(device) && device["revoked"] !== true) active.add(String(device["principal"]));
  }
  if (![...active].some((principal) => rightsOf(state, principal).includes(RIGHT_GOVERN)))
    return `nobody would be left with the right ${RIGHT_GOVERN}`;
  for (const [key, policy] of state.scan("branch/")) {
    if (isMap(policy) && policy["mode"] === "single" && !active.has(String(policy["validator"])))
      return `${key} would be left without a validator`;
  }
  return undefined;
}

function putDapp({ name, version, tree }: CanonicalMap, state: OverlayState, installed: boolean): string | undefined {
  if (!isName(name) || name === CHARTER_APP) return "the name cannot name a dapp";
  if (typeof version !== "string" || version === "" || version.length > 64) return "the version is not a short text";
  if (typeof tree !== "string" || !isHash(tree)) return "the tree is not an id of 64 hex digits";
  const isThere = state.get(`dapp/${name}`) !== undefined;
  if (isThere !== installed) return installed ? `no such dapp: ${name}` : `the dapp ${name} is installed already`;
  state.apply([[`dapp/${name}`, { version, tree }]]);
  return undefined;
}

function removeDapp({ name }: CanonicalMap, state: OverlayState): string | undefined {
  if (typeof name !== "string" || state.get(`dapp/${name}`) === undefined) return `no such dapp: ${shown(name)}`;
  state.apply([[`dapp/${name}`, undefined]]);
  return undefined;
}
