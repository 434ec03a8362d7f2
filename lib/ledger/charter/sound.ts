/** What every charter must be able to do: be governed, and have each of its branches merged. */

import { faultOf, hasRole, policyOf } from "../merge/validators.ts";
import { type BranchPolicy, whyUnsoundQuorum } from "../policy.ts";
import type { StateView } from "../types.ts";
import { activePrincipals, governors, type Refusal } from "./state.ts";

/** Why an organisation in this state could never be mended; undefined for one that can go on. */
export function whyUnsound(state: StateView): Refusal | undefined {
  if (governors(state).length === 0)
    return {
      why: "nobody would be left with the right govern",
      todo: "first give a role with it to another principal: gdo charter role.grant",
    };
  const active = activePrincipals(state);
  for (const [key] of state.scan("branch/")) {
    const name = key.slice("branch/".length);
    const policy = policyOf(state, name);
    const wrong = policy === undefined ? undefined : whyUnmergeable(name, policy, { state, active });
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function whyUnmergeable(
  name: string,
  policy: BranchPolicy,
  { state, active }: { readonly state: StateView; readonly active: ReadonlySet<string> },
): Refusal | undefined {
  const roles = [policy.appenders, policy.mode === "quorum" ? policy.validators : null];
  const unknown = roles.find((role) => role !== null && state.get(`role/${role}`) === undefined);
  if (typeof unknown === "string")
    return {
      why: `branch/${name} names the role ${unknown}, which is not defined`,
      todo: "define it first: gdo charter role.set",
    };
  if (policy.mode === "single" && !active.has(policy.validator))
    return {
      why: `branch/${name} would be left without a validator`,
      todo: `first set another one: gdo branch ${name} --single PERSON`,
    };
  if (policy.mode !== "quorum") return undefined;
  const n = [...active].filter((id) => hasRole(state, id, policy.validators)).length;
  const why = whyUnsoundQuorum(policy.q, n, faultOf(state));
  const todo = `set a q that fits first (gdo branch ${name} --q N), or grant the role ${policy.validators} to others (gdo charter role.grant)`;
  return why === undefined ? undefined : { why: `branch/${name}: ${why}`, todo };
}
