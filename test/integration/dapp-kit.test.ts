/** `gdo dapp new` and `gdo dapp test`: four languages, one contract, one state root. Needs runc and root. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import { newDapp } from "../../lib/agent/dapp-kit/new.ts";
import { openProject } from "../../lib/agent/dapp-kit/project.ts";
import { type TryReport, tryDapp } from "../../lib/agent/dapp-kit/try.ts";
import { openWorkshop } from "../../lib/agent/dapp-kit/workshop.ts";
import { Trial, type TrialMerge } from "../../lib/dapp/index.ts";
import { containersMissing } from "../support/dapp-containers.ts";

const test = (containersMissing() === undefined ? anyTest.serial : anyTest.serial.skip) as TestFn;
const folder = mkdtempSync(join(tmpdir(), "gdo-kit-"));
process.env.XDG_CACHE_HOME = join(folder, "cache");
anyTest.after.always(() => rmSync(folder, { recursive: true, force: true }));

const use = (by: string, ...amounts: number[]) => ({
  by,
  acts: amounts.map((amount) => ["use", { amount }] as const),
});
const limit = (by: string, member: string, max: number) => ({
  by,
  rights: ["quota"],
  acts: [["limit", { member, max }] as const],
});

/** What a dapp makes of two merges, commands and a query: all that can be seen of it. */
async function lifeOf(path: string): Promise<{ merges: TrialMerge[]; state: unknown; said: unknown }> {
  const workshop = await openWorkshop(await openProject(path), "runc");
  try {
    const trial = new Trial(workshop.warm);
    const first = await trial.merge([
      use("ada", 60),
      use("ada", 60),
      use("bob", 1, 2),
      use("bob", 3, 200),
      use("eve", 0),
    ]);
    const second = await trial.merge([
      limit("office", "ada", 61),
      use("ada", 1),
      limit("office", "bob", 2),
      use("ada", 1),
    ]);
    const command = (amount: number): Promise<unknown> =>
      trial.command("use", { amount }, { by: "bob" }).catch((error: Error) => error.message.replace(/^\S+ /, ""));
    const said = [await command(97), await command(98), await trial.query("used", "ada")];
    return { merges: [first, second], state: trial.state(), said };
  } finally {
    await workshop.close();
  }
}

test("[L19] the same contract in TypeScript, Python, shell and C gives the same state root", async (t) => {
  const lives = new Map<string, unknown>();
  for (const language of ["python", "ts", "shell", "c"] as const) {
    lives.set(language, await lifeOf(newDapp(`quota-${language}`, language, folder)));
  }
  const wanted = lives.get("python") as Awaited<ReturnType<typeof lifeOf>>;
  t.deepEqual(wanted.merges[0]?.voids, {
    2: "use: ada has used 60 of 100",
    4: "use: bob has used 6 of 100",
    5: "use: amount must be at least 1",
  });
  t.deepEqual(wanted.merges[1]?.voids, { 3: "test failed: bob has used 3 of 2", 4: "use: ada has used 61 of 61" });
  t.deepEqual(wanted.state, { "limit/ada": 61, "used/ada": 61, "used/bob": 3 });
  t.deepEqual(wanted.said, [[["use", { amount: 97 }]], "use: you have used 3 of 100", { used: 61, limit: 61 }]);
  for (const [language, life] of lives) t.deepEqual(life, wanted, language);
});

async function reportsOf(path: string): Promise<TryReport[]> {
  const reports: TryReport[] = [];
  await tryDapp(path, (report) => reports.push(report));
  return reports;
}

test("gdo dapp test: a new dapp passes as it is", async (t) => {
  const reports = await reportsOf(join(folder, "quota-python"));
  t.deepEqual(
    reports.filter(({ isPassed }) => !isPassed),
    [],
  );
  t.deepEqual([...new Set(reports.map(({ step }) => step))], ["manifest", "unit", "case", "determinism"]);
});

test("[D3] gdo dapp test: what is not the same twice is found, and shown", async (t) => {
  const path = newDapp("moody", "python", folder);
  const main = join(path, "app/main.py");
  const counting =
    "CALLS = []\n\n\ndef use(body, entry, state):\n    CALLS.append(1)\n    state.put('calls', len(CALLS))\n";
  writeFileSync(main, readFileSync(main, "utf8").replace("def use(body, entry, state):\n", counting));
  rmSync(join(path, "test/test_main.py"));
  const faults = (await reportsOf(path)).filter(({ isPassed }) => !isPassed);
  t.deepEqual(faults.at(-1)?.step, "determinism");
  t.regex(
    faults.at(-1)?.faults.join("\n") ?? "",
    /^what is used is counted up to the limit, again: state calls: first \d+, got \d+$/m,
  );
  t.true(faults[0]?.faults.includes("after calls: wanted nothing, got 4"));
});

test("gdo dapp new: a name that no dapp can have, or that is taken, is refused", (t) => {
  const words = "name: takes a to z, 0 to 9 and -, starts with a letter and has at most 32 characters";
  t.throws(() => newDapp("Quota", "c", folder), { code: "INPUT_INVALID", message: words });
  t.throws(() => newDapp("moody", "c", folder), { code: "INPUT_INVALID", message: /is there already/ });
});
