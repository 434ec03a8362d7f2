/** The third of the three: what an operation that may be done changes, or why the state that it meets forbids it. */
import type { Canonical } from "../../codec/index.ts";
import { OverlayState } from "../merge/state-view.ts";
import { policyOf } from "../merge/validators.ts";
import { CHARTER_BRANCH } from "../policy.ts";
import { isMap } from "../shape.ts";
import type { StateChange, StateView } from "../types.ts";
import type { NewKeys, Operation } from "./operation.ts";
import { whyUnsound } from "./sound.ts";
import { deciderOf, deviceKey, principalAt, type Refusal, textsOf } from "./state.ts";

type Of<T extends Operation["type"]> = Extract<Operation, { readonly type: T }>;
type Outcome = readonly StateChange[] | Refusal;

/** The changes that an operation makes. Refuses what the state forbids and what could never be mended. */
export function apply(op: Operation, state: StateView): Outcome {
  const outcome = changesOf(op, state);
  if ("why" in outcome) return outcome;
  return whyUnsound(new OverlayState(state, outcome)) ?? outcome;
}

function changesOf(op: Operation, state: StateView): Outcome {
  switch (op.type) {
    case "principal.add":
      return addPrincipal(op, state);
    case "principal.remove":
      return removePrincipal(op, state);
    case "principal.rotate":
    case "principal.recover":
      return replaceKeys(op, state);
    case "guardians.set":
      return setGuardians(op, state);
    case "device.add":
      return addDevice(op, state);
    case "device.revoke":
      return revokeDevice(op, state);
    case "device.decide":
      return letDecide(op, state);
    case "role.grant":
    case "role.revoke":
      return changeRole(op, state);
    case "role.set":
      return [[`role/${op.role}`, { rights: op.rights }]];
    case "branch.set":
      return setBranch(op, state);
    case "invitation.use":
      return useInvitation(op, state);
    case "ballot":
      return [];
    default:
      return changeDapp(op, state);
  }
}

function refusal(why: string, todo: string): Refusal {
  return { why, todo };
}

function noPrincipal(id: string): Refusal {
  return refusal(`no such principal: ${id}`, "add it first, or see gdo charter for those that are there");
}

function addPrincipal({ id, roles, recovery }: Of<"principal.add">, state: StateView): Outcome {
  if (state.get(`principal/${id}`) !== undefined)
    return refusal(`the principal ${id} exists or has existed`, "choose another id");
  return whyNoRole(roles, state) ?? [[`principal/${id}`, { roles, recovery }]];
}

function whyNoRole(roles: readonly string[], state: StateView): Refusal | undefined {
  const unknown = roles.find((role) => state.get(`role/${role}`) === undefined);
  return unknown === undefined
    ? undefined
    : refusal(`no such role: ${unknown}`, "define it first: gdo charter role.set");
}

/** Its name stays taken, so that old entries keep their author. */
function removePrincipal({ id }: Of<"principal.remove">, state: StateView): Outcome {
  if (principalAt(state, id) === undefined) return noPrincipal(id);
  const gone: StateChange = [`principal/${id}`, { roles: [], recovery: null, removed: true }];
  const rest = [...withoutDevices(id, state), ...withoutDecider(id, state), ...withoutOpen(id, state)];
  return [gone, [`guardians/${id}`, undefined], ...rest];
}

function withoutDevices(id: string, state: StateView): StateChange[] {
  return [...state.scan("device/")].flatMap(([key, device]): StateChange[] =>
    isMap(device) && device["principal"] === id ? [[key, { ...device, revoked: true }]] : [],
  );
}

function withoutDecider(id: string, state: StateView): StateChange[] {
  return state.get(`decider/${id}`) === undefined ? [] : [[`decider/${id}`, undefined]];
}

/** Recoveries that still wait: whoever has the keys now has objected to them. */
function withoutOpen(id: string, state: StateView): StateChange[] {
  return [...state.scan("open/")].flatMap(([key, value]): StateChange[] => {
    const body = isMap(value) ? value["body"] : undefined;
    return isMap(body) && body["principal"] === id ? [[key, undefined]] : [];
  });
}

function replaceKeys({ principal: id, keys, recovery }: NewKeys, state: StateView): Outcome {
  const principal = principalAt(state, id);
  if (principal === undefined) return noPrincipal(id);
  const known = keys.find(({ key }) => state.get(deviceKey(key)) !== undefined);
  if (known !== undefined) return refusal(`the key ${known.key} is in the charter already`, "make a new one");
  const added = keys.map(({ key, name }): StateChange => [deviceKey(key), { principal: id, name }]);
  const changed: StateChange = [`principal/${id}`, { ...principal, recovery }];
  const [first] = keys;
  const decider: StateChange[] =
    keys.length > 1 && first !== undefined ? [[`decider/${id}`, first.key]] : withoutDecider(id, state);
  return [changed, ...withoutDevices(id, state), ...added, ...decider, ...withoutOpen(id, state)];
}

function setGuardians({ principal, guardians, threshold }: Of<"guardians.set">, state: StateView): Outcome {
  const missing = guardians.find((id) => principalAt(state, id) === undefined);
  if (missing !== undefined) return noPrincipal(missing);
  if (guardians.includes(principal)) return refusal("nobody guards themselves", "name other principals");
  const value = guardians.length === 0 ? undefined : { guardians, threshold };
  return [[`guardians/${principal}`, value], ...withoutOpen(principal, state)];
}

function addDevice({ key, principal, name }: Of<"device.add">, state: StateView): Outcome {
  if (principalAt(state, principal) === undefined) return noPrincipal(principal);
  if (state.get(deviceKey(key)) !== undefined)
    return refusal("the device is in the charter already", "a device that was revoked needs a new key");
  // A new device takes nothing over by itself.
  const decider = deciderOf(state, principal);
  const kept: StateChange[] = decider === undefined ? [] : [[`decider/${principal}`, decider]];
  return [[deviceKey(key), { principal, name }], ...kept];
}

function letDecide({ key }: Of<"device.decide">, state: StateView): Outcome {
  const device = state.get(deviceKey(key));
  if (!isMap(device)) return refusal("no such device", "see gdo charter for those that are there");
  if (device["revoked"] === true) return refusal("the device is revoked", "name one that is not: gdo charter");
  const principal = String(device["principal"]);
  if (deciderOf(state, principal) === key) return refusal("the device decides already", "there is nothing to do");
  return [[`decider/${principal}`, key]];
}

function revokeDevice({ key }: Of<"device.revoke">, state: StateView): Outcome {
  const device = state.get(deviceKey(key));
  if (!isMap(device)) return refusal("no such device", "see gdo device for those that are there");
  if (device["revoked"] === true) return refusal("the device is revoked already", "there is nothing to do");
  return [[deviceKey(key), { ...device, revoked: true }]];
}

function changeRole({ type, principal: id, role }: Of<"role.grant" | "role.revoke">, state: StateView): Outcome {
  const principal = principalAt(state, id);
  if (principal === undefined) return noPrincipal(id);
  const wrong = whyNoRole([role], state);
  if (wrong !== undefined) return wrong;
  const roles = textsOf(principal, "roles");
  const has = roles.includes(role);
  if (has === (type === "role.grant"))
    return refusal(`${id} has ${has ? "" : "not "}the role ${role} already`, "there is nothing to do");
  const next = has ? roles.filter((each) => each !== role) : [...roles, role].sort();
  return [[`principal/${id}`, { ...principal, roles: next }]];
}

function setBranch({ name, policy, from }: Of<"branch.set">, state: StateView): Outcome {
  const before = policyOf(state, name);
  if (from !== undefined && before !== undefined)
    return refusal(`the branch name ${name} is in use`, "choose another name");
  if (from === undefined && before === undefined)
    return refusal(`there is no branch ${name}`, "say what it begins with: from, null for nothing");
  if (before !== undefined && (before.mode === "open") !== (policy.mode === "open"))
    return refusal(`${name} cannot change between open and other modes`, "fork it under another name");
  const changes: StateChange[] = [[`branch/${name}`, policy]];
  const untested = policy.tests.find((app) => state.get(`dapp/${app}`) === undefined);
  if (untested !== undefined) return refusal(`no such dapp: ${untested}`, "install it first: gdo charter dapp.install");
  const nowhere = policy.mergeFrom.find((each) => each !== name && policyOf(state, each) === undefined);
  if (nowhere !== undefined)
    return refusal(
      `there is no branch ${nowhere} to take from`,
      "make it first, or see gdo branch for those that are there",
    );
  if (from === undefined) return changes;
  return whyNoFork(from, state) ?? [...changes, [`origin/${name}`, from as Canonical]];
}

function whyNoFork(from: Of<"branch.set">["from"], state: StateView): Refusal | undefined {
  if (from === null || from === undefined) return undefined;
  const [source] = from;
  const policy = policyOf(state, source);
  if (policy === undefined) return refusal(`there is no branch ${source}`, "see gdo branch for those that are there");
  const isDenied = source === CHARTER_BRANCH || policy.fork === "deny";
  return isDenied
    ? refusal(`${source} denies forks`, "change its policy first, or begin a branch with nothing")
    : undefined;
}

/** Whoever comes second with a token is refused, wherever the first one came. */
function useInvitation({ invitation, principal }: Of<"invitation.use">, state: StateView): Outcome {
  if (state.get(`invitation/${invitation}`) !== undefined)
    return refusal("the invitation is used already", "ask for a new one: gdo invite");
  return [[`invitation/${invitation}`, { principal }]];
}

function branchRequiring(app: string, state: StateView): string | undefined {
  const names = [...state.scan("branch/")].map(([key]) => key.slice("branch/".length));
  return names.find((name) => policyOf(state, name)?.tests.includes(app));
}

function changeDapp(op: Of<"dapp.install" | "dapp.upgrade" | "dapp.remove">, state: StateView): Outcome {
  const isThere = state.get(`dapp/${op.name}`) !== undefined;
  if (op.type === "dapp.install" && isThere)
    return refusal(`the dapp ${op.name} is installed already`, "upgrade it: gdo charter dapp.upgrade");
  if (op.type !== "dapp.install" && !isThere)
    return refusal(`no such dapp: ${op.name}`, "install it first: gdo charter dapp.install");
  const requiring = op.type === "dapp.remove" ? branchRequiring(op.name, state) : undefined;
  if (requiring !== undefined)
    return refusal(
      `the branch ${requiring} requires the test of ${op.name}`,
      `first set its policy: gdo branch ${requiring} --tests`,
    );
  if (op.type === "dapp.remove") return [[`dapp/${op.name}`, undefined]];
  const { version, tree, rehearsal } = op;
  return [[`dapp/${op.name}`, { version, tree, ...(rehearsal === null ? {} : { rehearsal }) }]];
}
