/** Who merges a branch, by the charter's state at one position [L16]. */
import type { Hash, PublicKey } from "../../base/index.ts";
import { activePrincipals, deciderOf, deviceKey } from "../charter/state.ts";
import { type BranchPolicy, type FaultModel, parsePolicy, quorumOf } from "../policy.ts";
import { isMap } from "../shape.ts";
import type { StateView } from "../types.ts";

export interface Validators {
  readonly mode: BranchPolicy["mode"];
  /** With at least one device that is not revoked; ascending [L10]. In mode open none: everybody merges for themselves. */
  readonly principals: readonly string[];
  /** How many of them must agree; 0 in mode open. */
  readonly q: number;
}

/** The policy of a branch; undefined when there is no such branch. */
export function policyOf(charter: StateView, branch: string): BranchPolicy | undefined {
  const value = charter.get(`branch/${branch}`);
  return value === undefined ? undefined : parsePolicy(value, branch);
}

/** What may go wrong with the organisation's validators. */
export function faultOf(charter: StateView): FaultModel {
  const organisation = charter.get("organisation");
  return isMap(organisation) && organisation["fault"] === "crash" ? "crash" : "byzantine";
}

/** The validators of a branch by the charter's state [L16]; undefined when there is no such branch. */
export function validatorsOf(charter: StateView, branch: string): Validators | undefined {
  const policy = policyOf(charter, branch);
  if (policy === undefined) return undefined;
  const { mode } = policy;
  if (mode === "open") return { mode, principals: [], q: 0 };
  const active = activePrincipals(charter);
  if (mode === "single") return { mode, principals: active.has(policy.validator) ? [policy.validator] : [], q: 1 };
  const principals = [...active].filter((id) => hasRole(charter, id, policy.validators)).sort();
  return { mode, principals, q: policy.q ?? quorumOf(principals.length, faultOf(charter)) };
}

/** Whose key it is; undefined for strangers and revoked devices. */
export function principalOf(charter: StateView, key: PublicKey): string | undefined {
  const device = charter.get(deviceKey(key));
  return isMap(device) && device["revoked"] !== true ? String(device["principal"]) : undefined;
}

/** Whose votes and merges a key signs [L10]: a principal's that this device decides for. */
export function decidesFor(charter: StateView, key: PublicKey): string | undefined {
  const principal = principalOf(charter, key);
  return principal !== undefined && deciderOf(charter, principal) === key ? principal : undefined;
}

/** The devices whose votes on merges of a branch count [L10]; none where nobody votes. */
export function decidersOf(charter: StateView, branch: string): PublicKey[] {
  const validators = validatorsOf(charter, branch);
  if (validators?.mode !== "quorum") return [];
  return validators.principals.flatMap((principal) => deciderOf(charter, principal) ?? []);
}

/** Whether the entries of a principal that is not revoked are taken by the branch. */
export function mayAppend(charter: StateView, branch: string, principal: string): boolean {
  const appenders = policyOf(charter, branch)?.appenders;
  return appenders === null || (appenders !== undefined && hasRole(charter, principal, appenders));
}

/** One line of merges. In mode open each principal has its own, `branch@principal`; else a branch is one. */
export interface Line {
  readonly name: string;
  /** The branch whose entries it takes. */
  readonly takes: string;
}

/** The line of a branch that a principal's merges are on. */
export function lineOf(charter: StateView, branch: string, principal: string): string {
  return policyOf(charter, branch)?.mode === "open" ? `${branch}@${principal}` : branch;
}

/** What a branch was forked at; undefined for one that began with nothing. */
export function forkedAt(
  charter: StateView,
  branch: string,
): { readonly branch: string; readonly h: number; readonly id: Hash } | undefined {
  const origin = charter.get(`origin/${branch}`);
  if (!Array.isArray(origin)) return undefined;
  const [source, h, id] = origin as unknown as readonly [string, number, Hash];
  return { branch: source, h, id };
}

/** All lines of all branches. */
export function linesOf(charter: StateView): Line[] {
  const lines: Line[] = [];
  for (const [key] of charter.scan("branch/")) {
    const takes = key.slice("branch/".length);
    if (policyOf(charter, takes)?.mode !== "open") lines.push({ name: takes, takes });
    else
      for (const [id] of charter.scan("principal/"))
        lines.push({ name: lineOf(charter, takes, id.slice("principal/".length)), takes });
  }
  return lines;
}

/** Whether a principal has a role. */
export function hasRole(charter: StateView, id: string, role: string): boolean {
  const principal = charter.get(`principal/${id}`);
  const roles = isMap(principal) ? principal["roles"] : undefined;
  return Array.isArray(roles) && roles.includes(role);
}
