/** What every charter must be able to do, written once more from docs/design/ledger.md, "Charter and identity". */
import type { Canonical, CanonicalMap } from "../../codec/index.ts";
import { type FaultModel, quorumOf, type StateView } from "../../ledger/index.ts";

/** Why nobody could act by this charter: nobody governs, or a branch can never be merged. Undefined when all is well. */
export function whyHelpless(charter: StateView): string | undefined {
  const active = new Map<string, readonly string[]>();
  for (const [, device] of charter.scan("device/")) {
    const { principal, revoked } = device as CanonicalMap;
    if (revoked !== true) active.set(String(principal), listAt(charter.get(`principal/${principal}`), "roles"));
  }
  const mayGovern = (roles: readonly string[]): boolean =>
    roles.some((role) => listAt(charter.get(`role/${role}`), "rights").includes("govern"));
  if (![...active.values()].some(mayGovern)) return "nobody who has a device can govern";
  const { fault } = charter.get("organisation") as CanonicalMap;
  for (const [key, value] of charter.scan("branch/")) {
    const policy = value as CanonicalMap;
    const isSingle = policy["mode"] === "single";
    if (isSingle && !active.has(String(policy["validator"]))) return `nobody can merge ${key}`;
    if (policy["mode"] !== "quorum") continue;
    const voters = [...active.values()].filter((roles) => roles.includes(String(policy["validators"]))).length;
    const q = policy["q"] === null ? quorumOf(voters, fault as FaultModel) : Number(policy["q"]);
    if (voters === 0 || voters < q) return `${key} needs ${q} of ${voters} validators`;
  }
  return undefined;
}

function listAt(value: Canonical | undefined, field: string): readonly string[] {
  return ((value as CanonicalMap | undefined)?.[field] as readonly string[] | undefined) ?? [];
}
