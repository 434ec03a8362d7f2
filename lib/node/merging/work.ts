/** A merge's work, steps 3 and 4: every touched dapp reduces and tests, once, or twice under other conditions [L13]. */
import { GdoError } from "../../base/index.ts";
import {
  CHARTER_APP,
  CHARTER_BRANCH,
  type MergeApp,
  type MergeOutcome,
  policyOf,
  reduceCharter,
  type StatesView,
  workMerge,
} from "../../ledger/index.ts";
import type { Conditions, NodeApps, NodeLedger } from "../ports.ts";
import type { Collected } from "./collect.ts";
import { differencesOf, outputsOf } from "./outputs.ts";

/** A dapp that could not do its part: its image is not there, its container fails, or it does not repeat itself. */
export class AppFailure extends Error {
  override readonly name = "AppFailure";
  readonly app: string;
  readonly verdict: "ERROR" | "MISSING";

  constructor(app: string, verdict: "ERROR" | "MISSING", why: string, cause?: unknown) {
    super(why, cause === undefined ? undefined : { cause });
    this.app = app;
    this.verdict = verdict;
  }
}

export interface WorkOptions {
  readonly ledger: NodeLedger;
  readonly apps: NodeApps;
}

/** Built in: reduced in process, and its rules are its test. */
const charterApp: MergeApp = {
  name: CHARTER_APP,
  image: null,
  reads: [],
  reduce: async ({ entries }, now) => reduceCharter(entries, now(CHARTER_APP)),
  test: async () => ({ verdict: "PASS" }),
};

/**
 * Throws AppFailure, also when an image is not held: which dapps read others its manifest says, so whether it has
 * to work is not known without it. `claimed` are the dapps that a merge says have worked.
 */
export async function workOnce(
  collected: Collected,
  { ledger, apps }: WorkOptions,
  { conditions = "warm", claimed }: { readonly conditions?: Conditions; readonly claimed?: ReadonlySet<string> } = {},
): Promise<MergeOutcome> {
  const { h: height, seed, entries, charterState, line, branch } = collected;
  const before: StatesView = (app) => (app === CHARTER_APP ? charterState : ledger.state(app, line));
  if (branch === CHARTER_BRANCH) return workMerge({ height, seed, entries, apps: [charterApp], before });
  const opened = await apps.open(charterState, conditions);
  const required = policyOf(charterState, branch)?.tests ?? [];
  const lacking = opened.missing.find((app) => claimed?.has(app) || required.includes(app) || claimed === undefined);
  const absent = required.find(
    (name) => !opened.missing.includes(name) && !opened.apps.some((app) => app.name === name),
  );
  try {
    if (lacking !== undefined) throw new AppFailure(lacking, "MISSING", `the image of ${lacking} is not here yet`);
    if (absent !== undefined)
      throw new AppFailure(absent, "MISSING", `${branch} requires the test of ${absent}, which is not installed`);
    return await workMerge({ height, seed, entries, apps: opened.apps.map(guarded), required, before });
  } finally {
    await opened.close();
  }
}

/**
 * What entries would come to, without tests: for what is shown before it is merged. `without` are the dapps that
 * cannot work now; of their entries nothing is known.
 */
export async function reduceOnly(
  { h: height, seed, entries, charterState, line, branch }: Collected,
  { ledger, apps }: WorkOptions,
): Promise<{ readonly outcome: MergeOutcome; readonly without: ReadonlySet<string> }> {
  const before: StatesView = (app) => (app === CHARTER_APP ? charterState : ledger.state(app, line));
  if (branch === CHARTER_BRANCH)
    return { outcome: await workMerge({ height, seed, entries, apps: [charterApp], before }), without: new Set() };
  const opened = await apps.open(charterState, "warm");
  const without = new Set(opened.missing);
  try {
    for (;;) {
      const known = entries.filter(({ app }) => !without.has(app));
      const working = opened.apps.filter(({ name }) => !without.has(name)).map(untested);
      try {
        return { outcome: await workMerge({ height, seed, entries: known, apps: working, before }), without };
      } catch (error) {
        if (!(error instanceof AppFailure)) throw error;
        without.add(error.app);
      }
    }
  } finally {
    await opened.close();
  }
}

function untested(app: MergeApp): MergeApp {
  return { ...guarded(app), test: async () => ({ verdict: "PASS" }) };
}

/**
 * [L13] As workOnce, and again with everything started anew; a dapp that gives something else the second time
 * depends on its surroundings: AppFailure names it and the first place that differs, before others pay for it.
 */
export async function workTwice(collected: Collected, options: WorkOptions): Promise<MergeOutcome> {
  const outcome = await workOnce(collected, options);
  if (collected.branch === CHARTER_BRANCH) return outcome;
  const again = await workOnce(collected, options, { conditions: "fresh" });
  const [difference] = differencesOf(outputsOf(outcome), outputsOf(again));
  if (difference === undefined) return outcome;
  const { app, place, one, other } = difference;
  const words = `${place} is ${JSON.stringify(one)} once and ${JSON.stringify(other)} the other time`;
  throw new AppFailure(app, "ERROR", `${app} does not give the same twice: ${words}`);
}

/** Says whose failure it was. */
function guarded(app: MergeApp): MergeApp {
  return {
    ...app,
    reduce: (input, now) => app.reduce(input, now).catch((cause: unknown) => fail(app.name, cause)),
    test: (input, before, after) => app.test(input, before, after).catch((cause: unknown) => fail(app.name, cause)),
  };
}

function fail(app: string, cause: unknown): never {
  if (!(cause instanceof GdoError)) throw cause;
  throw new AppFailure(app, cause.code === "STORE_MISSING" ? "MISSING" : "ERROR", cause.message, cause);
}
