/** Cleaning and verifying through a running agent, beside backups, forgetting and interruptions. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { homePaths } from "../../lib/agent/home/home.ts";
import { SeededRng } from "../../lib/base/index.ts";
import { startOffice, until } from "../support/agents.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function fill(folder: string, seed: number, files: number): void {
  mkdirSync(folder, { recursive: true });
  const rng = new SeededRng(seed);
  for (let file = 0; file < files; file += 1) writeFileSync(join(folder, `${file}`), rng.bytes(50_000));
}

test("[T11] through an agent: gc beside backups and forget loses nothing that is kept", async (t) => {
  const { agent, root } = await startOffice(t);
  const { api } = agent;
  const source = join(await temporaryFolder(t), "in");
  fill(source, 0, 40);
  for (let round = 0; round < 6; round += 1) {
    fill(source, round, 40);
    const backup = api.call("backup", { path: source, name: "all" });
    const gc = api.call("gc", {});
    const forget = round === 0 ? undefined : api.call("forget", { name: "all", last: 1 });
    await Promise.all([backup, gc, forget]);
    const { bad, missing, snapshots } = await api.call("verify", { depth: "full" });
    t.deepEqual([bad, missing], [[], []], `round ${round}`);
    t.true(snapshots >= 1);
  }
  await api.call("forget", { name: "all", last: 1 });
  await api.call("gc", {});
  t.is((await api.call("verify", {})).missingCount, 0);
  const refs = join(homePaths(root).refs, "snapshots/all");
  const [kept = "", ...others] = readdirSync(refs);
  t.deepEqual(others, []);
  // What a damaged ref keeps cannot be told: nothing is removed.
  await api.call("forget", { name: "all", last: 1 });
  writeFileSync(join(refs, kept), "damaged");
  const packs = readdirSync(homePaths(root).packs);
  await t.throwsAsync(api.call("gc", {}), { code: "STORE_CORRUPT" });
  t.deepEqual(readdirSync(homePaths(root).packs), packs);
  t.deepEqual(await api.call("gcProgress", { job: "none" }), {});
});

test("[T10] a backup that is cancelled keeps nothing by name, and the store stays sound", async (t) => {
  const { agent } = await startOffice(t);
  const { api } = agent;
  const source = join(await temporaryFolder(t), "in");
  fill(source, 9, 200);
  const stop = new AbortController();
  const job = "this";
  const backup = api.call("backup", { path: source, name: "all", job }, stop.signal);
  await until(async () => ((await api.call("backupProgress", { job })).files > 0 ? true : undefined));
  stop.abort(new Error("enough"));
  await t.throwsAsync(backup, { message: "enough" });
  const { bad, missing, snapshots } = await api.call("verify", {});
  t.deepEqual([bad, missing, snapshots], [[], [], 0]);
  await api.call("gc", {});
  await api.call("backup", { path: source, name: "all" });
  t.is((await api.call("verify", {})).missingCount, 0);
});

test("[T11] a verification ends when it is asked to, and only one runs at a time", async (t) => {
  const { agent } = await startOffice(t);
  const { api } = agent;
  const source = join(await temporaryFolder(t), "in");
  fill(source, 3, 40);
  await api.call("backup", { path: source, name: "all" });
  const stop = new AbortController();
  const slow = api.call("verify", { rateBytes: 1000 }, stop.signal);
  await t.throwsAsync(api.call("verify", {}), { code: "REFUSED" });
  stop.abort(new Error("enough"));
  await t.throwsAsync(slow, { message: "enough" });
  t.is((await api.call("verify", {})).badCount, 0);
});
