/**
 * Policies of branches: who merges, how many of them must agree, who may append, what is taken from
 * elsewhere. And the arithmetic of quorums: any two must share an honest principal.
 */
import type { Canonical, CanonicalMap } from "../codec/index.ts";
import { arrayOf, countOf, isMap, mapWith, nameOf, refuse } from "./shape.ts";

/** The branch on which the organisation's own rules are; every organisation has it. */
export const CHARTER_BRANCH = "charter";
/** The branch of entries that name none. */
export const MAIN_BRANCH = "main";

/** What may go wrong with validators: they lie, or they only stop. */
export type FaultModel = "byzantine" | "crash";

/** What every branch has, whatever its mode. A type alias, so that it is canonical data as it is. */
export type BranchRules = {
  /** Dapps whose test must pass in every merge, touched or not. */
  readonly tests: readonly string[];
  /** Role of those whose entries the branch takes; null: whoever is in the charter. */
  readonly appenders: string | null;
  /** Branches that its merges may take from. */
  readonly mergeFrom: readonly string[];
  readonly fork: "allow" | "deny";
};

export type BranchPolicy = BranchRules & BranchMode;

/** Who merges. */
export type BranchMode =
  | { readonly mode: "single"; readonly validator: string }
  | { readonly mode: "quorum"; readonly validators: string; readonly q: number | null }
  | { readonly mode: "open" };

/** More principals with one validating role than any branch needs; bounds what a certificate may name. */
export const VALIDATORS_MAX = 64;
const NAMES_MAX = 64;

/** A policy with the rules that are left out at their plainest: everybody appends, nothing is taken from elsewhere. */
export function branchPolicy(mode: BranchMode, rules: Partial<BranchRules> = {}): BranchPolicy {
  return { ...mode, tests: [], appenders: null, mergeFrom: [], fork: "allow", ...rules };
}

const RULE_FIELDS = ["tests", "appenders", "mergeFrom", "fork"];

/** Asked for with nearly every block that comes. */
const policiesRead = new WeakMap<object, { readonly branch: string; readonly policy: BranchPolicy }>();

/** The policy of a branch by its name, its form checked; the value must not change any more. Throws LEDGER_FORM. */
export function parsePolicy(value: Canonical | undefined, branch: string): BranchPolicy {
  const known = isMap(value) ? policiesRead.get(value) : undefined;
  if (known?.branch === branch) return known.policy;
  const policy = readPolicy(value, branch);
  if (isMap(value)) policiesRead.set(value, { branch, policy });
  return policy;
}

function readPolicy(value: Canonical | undefined, branch: string): BranchPolicy {
  const mode = parseMode(value, branch);
  const map = value as CanonicalMap;
  const rules: BranchRules = {
    tests: namesOf(map["tests"], `tests of ${branch}`),
    appenders: map["appenders"] === null ? null : nameOf(map["appenders"], `the appenders of ${branch}`),
    mergeFrom: namesOf(map["mergeFrom"], `mergeFrom of ${branch}`),
    fork: forkOf(map["fork"], branch),
  };
  if (rules.mergeFrom.some((name) => name === branch || name === CHARTER_BRANCH))
    throw refuse(`branch ${branch} cannot take from itself or from ${CHARTER_BRANCH}`);
  if (branch === CHARTER_BRANCH) checkCharterBranch(mode, rules);
  return { ...mode, ...rules };
}

function parseMode(value: Canonical | undefined, branch: string): BranchMode {
  const what = `branch ${branch}`;
  const mode = isMap(value) ? value["mode"] : undefined;
  if (mode === "single") {
    const map = mapWith(value, ["mode", "validator", ...RULE_FIELDS], what);
    return { mode, validator: nameOf(map["validator"], `the validator of ${branch}`) };
  }
  if (mode === "quorum") {
    const map = mapWith(value, ["mode", "validators", "q", ...RULE_FIELDS], what);
    const q = map["q"] === null ? null : countOf(map["q"], `q of ${branch}`);
    return { mode, validators: nameOf(map["validators"], `the validators of ${branch}`), q };
  }
  if (mode === "open") {
    mapWith(value, ["mode", ...RULE_FIELDS], what);
    return { mode };
  }
  throw refuse(`branch ${branch} has a mode that is not known`);
}

/** Authority must be one line: nothing else may be merged into it, and nobody may have another. */
function checkCharterBranch({ mode }: BranchMode, { tests, mergeFrom, fork }: BranchRules): void {
  if (mode === "open") throw refuse(`branch ${CHARTER_BRANCH} cannot be open`);
  if (tests.length > 0 || mergeFrom.length > 0 || fork !== "deny")
    throw refuse(`branch ${CHARTER_BRANCH} has no tests, takes from no branch and denies forks`);
}

function namesOf(value: Canonical | undefined, what: string): string[] {
  const names = arrayOf(value, what).map((name) => nameOf(name, what));
  if (names.length > NAMES_MAX) throw refuse(`more than ${NAMES_MAX} ${what}`);
  if (names.some((name, index) => index > 0 && name <= (names[index - 1] as string)))
    throw refuse(`${what} out of order or double`);
  return names;
}

function forkOf(value: Canonical | undefined, branch: string): "allow" | "deny" {
  if (value === "allow" || value === "deny") return value;
  throw refuse(`fork of ${branch} is neither allow nor deny`);
}

/** The smallest q with which any two quorums of n share an honest principal. */
export function quorumOf(n: number, fault: FaultModel): number {
  return fault === "byzantine" ? Math.floor((2 * n) / 3) + 1 : Math.floor(n / 2) + 1;
}

/** How many of n may fail in that way, with `quorumOf(n)`, without two truths; at most n − q of them without a halt. */
export function faultsOf(n: number, fault: FaultModel): number {
  return Math.max(0, fault === "byzantine" ? Math.floor((n - 1) / 3) : Math.floor((n - 1) / 2));
}

/** Why q of n can never be reached, or could be reached twice; undefined when it is sound. */
export function whyUnsoundQuorum(q: number | null, n: number, fault: FaultModel): string | undefined {
  const least = quorumOf(n, fault);
  if (n === 0) return "nobody with a device would validate, so nothing could be merged";
  if (n > VALIDATORS_MAX) return `${n} would validate, more than ${VALIDATORS_MAX}`;
  if (q === null) return undefined;
  if (q > n) return `${q} of ${n} validators can never agree`;
  if (q < least)
    return `two disjoint quorums could both decide: of ${n} validators ${least} are needed (${fault}), not ${q}`;
  return undefined;
}
