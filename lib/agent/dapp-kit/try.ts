/** `gdo dapp test`: unit tests, then every case in the container, then every case again to see whether it gives the same. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GdoError } from "../../base/index.ts";
import { Trial, type TrialMerge, type TriedDapp } from "../../dapp/index.ts";
import { differences, parseCases, type TrialCase } from "./cases.ts";
import { openProject, writeTypes } from "./project.ts";
import { runUnitTests } from "./unit-tests.ts";
import { openWorkshop } from "./workshop.ts";

const CASES = "test/cases.yaml";

/** One thing that was tried. */
export interface TryReport {
  readonly step: "manifest" | "types" | "unit" | "case" | "determinism";
  readonly name: string;
  readonly isPassed: boolean;
  /** What was wrong, a line each. */
  readonly faults: readonly string[];
}

/** Tells each step as it ends; whether all passed. DAPP_MANIFEST, INPUT_INVALID, CONTAINER. */
export async function tryDapp(
  folder: string,
  tell: (report: TryReport) => void,
  runtimePath = "runc",
): Promise<boolean> {
  let isPassed = true;
  const say = (step: TryReport["step"], name: string, faults: readonly string[]): void => {
    isPassed &&= faults.length === 0;
    tell({ step, name, isPassed: faults.length === 0, faults });
  };
  const project = await openProject(folder);
  const { name, version, accepts } = project.manifest;
  say("manifest", `${name} ${version}, ${Object.keys(accepts).length} acts with schemas`, []);
  if (await writeTypes(project)) say("types", "src/acts.ts written anew from the schemas", []);
  for (const { command, isPassed: isFine, words } of await runUnitTests(project.folder)) {
    say("unit", command, isFine ? [] : words.trim().split("\n"));
  }
  const path = join(project.folder, CASES);
  const cases = existsSync(path) ? parseCases(readFileSync(path, "utf8"), CASES) : [];
  const workshop = await openWorkshop(project, runtimePath);
  try {
    const results: Outcome[] = [];
    for (const each of cases) {
      const outcome = await outcomeOf(workshop.warm, each);
      results.push(outcome);
      say("case", each.name, faultsOf(each, outcome));
    }
    if (cases.length > 0)
      say("determinism", "each case again, and in a new container", await repeat(workshop, cases, results));
  } finally {
    await workshop.close();
  }
  return isPassed;
}

/** What a case came to, or why it came to nothing. */
type Outcome = (TrialMerge & { readonly state: unknown }) | { readonly failure: string };

async function outcomeOf(dapp: TriedDapp, { before, form, others, entries, events }: TrialCase): Promise<Outcome> {
  const trial = new Trial(dapp, { state: before, form, others });
  try {
    return { ...(await trial.merge(entries, events)), state: trial.state() };
  } catch (error) {
    if (error instanceof GdoError) return { failure: `${error.code}: ${error.message}` };
    throw error;
  }
}

function faultsOf(wanted: TrialCase, outcome: Outcome): string[] {
  if ("failure" in outcome) return [outcome.failure];
  return [
    ...differences(wanted.void, outcome.voids, "void"),
    ...(wanted.after === undefined ? [] : differences(wanted.after, outcome.state, "after")),
    ...(wanted.emits === undefined ? [] : differences(wanted.emits, outcome.events, "emits")),
  ];
}

/** [D3] What each case gives the second time, in the same container and in a new one, is what it gave the first. */
async function repeat(
  workshop: Awaited<ReturnType<typeof openWorkshop>>,
  cases: readonly TrialCase[],
  first: readonly Outcome[],
): Promise<string[]> {
  const fresh = await workshop.fresh();
  try {
    const faults: string[] = [];
    for (const [index, each] of cases.entries()) {
      for (const [where, dapp] of [
        ["again", workshop.warm],
        ["in a new container", fresh],
      ] as const) {
        const found = differences(first[index], await outcomeOf(dapp, each), `${each.name}, ${where}:`);
        faults.push(...found.map((line) => line.replace("wanted", "first")));
      }
    }
    return faults;
  } finally {
    await fresh.close();
  }
}
