/** What `gdo branch` and `gdo fork` say of a branch's policy, as the charter's operations take it. */
import { GdoError } from "../base/index.ts";
import type { OptionSpec } from "./command.ts";
import { wholeNumber } from "./values.ts";

export interface Policy {
  readonly mode: string;
  readonly validator?: string;
  readonly validators?: string;
  readonly q?: number | null;
  readonly tests: readonly string[];
  readonly appenders: string | null;
  readonly mergeFrom: readonly string[];
  readonly fork: string;
}

const names = (text: string): string[] =>
  text
    .split(",")
    .filter((name) => name !== "")
    .sort();

export const POLICY_OPTIONS: readonly OptionSpec[] = [
  { flags: "--single <principal>", about: "this principal merges" },
  { flags: "--quorum <role>", about: "those with this role merge by their votes" },
  {
    flags: "--q <n>",
    about: "how many of them must agree (default: what the fault model needs)",
    parse: wholeNumber("--q", 1, 64),
  },
  { flags: "--open", about: "each principal merges for themselves" },
  { flags: "--appenders <role>", about: "only who has this role appends; 'all' for everybody" },
  { flags: "--tests <dapps>", about: "dapps whose tests must pass, with commas", parse: names },
  {
    flags: "--merge-from <branches>",
    about: "branches that it may take from, with commas; 'none' for none",
    parse: names,
  },
  { flags: "--forks <verdict>", about: "allow or deny forks" },
];

/** Whether any of them was given. */
export function isPolicyGiven(options: Readonly<Record<string, unknown>>): boolean {
  return ["single", "quorum", "q", "open", "appenders", "tests", "mergeFrom", "forks"].some(
    (name) => options[name] !== undefined,
  );
}

/** A policy with what was given changed. USAGE where two modes were given, or none for a new branch. */
export function changedPolicy(before: Policy | undefined, options: Readonly<Record<string, unknown>>): Policy {
  const modes = ["single", "quorum", "open"].filter((name) => options[name] !== undefined);
  if (modes.length > 1) throw new GdoError("USAGE", `a branch has one mode, not --${modes.join(" and --")}`);
  const { appenders, tests, forks, mergeFrom } = options;
  const rules = {
    tests: (tests as string[] | undefined) ?? before?.tests ?? [],
    appenders: appenders === undefined ? (before?.appenders ?? null) : (appenders as string),
    mergeFrom: (mergeFrom as string[] | undefined)?.filter((name) => name !== "none") ?? before?.mergeFrom ?? [],
    fork: (forks as string | undefined) ?? before?.fork ?? "allow",
  };
  return { ...modeOf(before, options), ...rules, appenders: rules.appenders === "all" ? null : rules.appenders };
}

function modeOf(
  before: Policy | undefined,
  { single, quorum, open, q }: Readonly<Record<string, unknown>>,
): Pick<Policy, "mode"> {
  if (single !== undefined) return { mode: "single", validator: single } as Pick<Policy, "mode">;
  if (quorum !== undefined) return { mode: "quorum", validators: quorum, q: q ?? null } as Pick<Policy, "mode">;
  if (open !== undefined) return { mode: "open" };
  if (before === undefined)
    throw new GdoError("USAGE", "a new branch needs a mode", { hint: "--single PRINCIPAL, --quorum ROLE or --open" });
  const { tests: _, appenders: _a, mergeFrom: _m, fork: _f, ...mode } = before;
  return q === undefined ? mode : ({ ...mode, q } as Pick<Policy, "mode">);
}
