/** Homes that are copied, put back and put back byte for byte, as running nodes of one organisation. */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { findPlace } from "../../lib/agent/home/place.ts";
import { openApi, openHome, runAgent } from "../../lib/agent/index.ts";
import { silentLog } from "../../lib/base/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { META_PLACE } from "../../lib/node/index.ts";
import { inStep, startDevice, startOffice, statusOf, type TestAgent, until } from "../support/agents.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface OwnStatus {
  readonly log: string;
  readonly incarnation?: { readonly why: string; readonly cause: { readonly type: string } };
  readonly alarms?: readonly string[];
  readonly refused: Readonly<Record<string, number>>;
}

async function ownStatus(agent: Pick<TestAgent, "agent">): Promise<OwnStatus> {
  return (await statusOf(agent)) as unknown as OwnStatus;
}

/** Says something that has no right, so that it is void at once: what counts is that it arrives. */
async function say(agent: Pick<TestAgent, "agent">, id: string): Promise<void> {
  await agent.agent.api.call("append", { app: "charter", acts: [{ type: "principal.add", body: { id, roles: [] } }] });
}

async function start(t: ExecutionContext, device: TestAgent): Promise<TestAgent & { events: string[] }> {
  const events: string[] = [];
  const agent = await runAgent({ root: device.root, log: silentLog, onEvent: ({ type }) => events.push(type) });
  t.teardown(() => agent.close());
  return { ...device, agent, events };
}

/** An office and a device that has said two things, with the device's home as it was after the first. */
async function organisation(t: ExecutionContext) {
  const office = await startOffice(t);
  const device = await startDevice(t, office, "front-door");
  await inStep(office, device);
  await say(device, "a");
  await inStep(office, device);
  await device.agent.close();
  const backup = join(await temporaryFolder(t), "backup");
  execFileSync("cp", ["-a", device.root, backup]);
  return { office, device, backup };
}

/** Byte for byte, as if the file system had been put back, too: the mark is what the database remembers. */
function putBack(device: TestAgent, backup: string): void {
  rmSync(device.root, { recursive: true });
  execFileSync("cp", ["-a", backup, device.root]);
  const { ledgerDb, nodeMark } = openHome(device.root);
  const db = LedgerDb.open(ledgerDb);
  db.setMeta(META_PLACE, JSON.stringify(findPlace(nodeMark, db).place));
  db.close();
}

async function neverForked(t: ExecutionContext, ...agents: readonly TestAgent[]): Promise<void> {
  for (const agent of agents) t.is((await ownStatus(agent)).refused["equivocation"], undefined);
}

test("[L8] last week's home, put back, goes on in a new log, and nobody ever sees a number twice", async (t) => {
  const { office, device, backup } = await organisation(t);
  const week = await start(t, device);
  await say(week, "b");
  await inStep(office, week);
  const { log } = await ownStatus(week);
  await week.agent.close();
  rmSync(device.root, { recursive: true });
  execFileSync("cp", ["-a", backup, device.root]);
  const again = await start(t, device);
  const status = await ownStatus(again);
  t.not(status.log, log);
  t.regex(status.incarnation?.why ?? "", /put back from a backup/);
  t.true(again.events.includes("incarnation"));
  await say(again, "c");
  const { entries } = await inStep(office, again);
  t.is(entries, 4); // The admission, a, b, c.
  t.is((await ownStatus(again)).alarms, undefined);
  await neverForked(t, office, again);
});

test("[L8] a card that was put back byte for byte: the peers know more of its log than itself", async (t) => {
  const { office, device, backup } = await organisation(t);
  const week = await start(t, device);
  await say(week, "b");
  await inStep(office, week);
  await week.agent.close();
  putBack(device, backup);
  const again = await start(t, device);
  await say(again, "c");
  await inStep(office, again);
  const status = await ownStatus(again);
  t.is(status.incarnation?.cause.type, "behind");
  t.is((await statusOf(office)).entries, 4);
  await neverForked(t, office, again);
});

test("[L6] a card that was put back and signed before it met anybody: the log is cut off, and nobody is stuck", async (t) => {
  const { office, device, backup } = await organisation(t);
  const week = await start(t, device);
  await say(week, "b");
  await inStep(office, week);
  await week.agent.close();
  putBack(device, backup);
  const offline = await openApi(device.root);
  await offline.call("append", { app: "charter", acts: [{ type: "principal.add", body: { id: "c", roles: [] } }] });
  await offline.close();
  const again = await start(t, device);
  await until(async () => ((await ownStatus(again)).incarnation?.cause.type === "forked" ? true : undefined));
  await say(again, "d");
  const { entries } = await inStep(office, again);
  t.is(entries, 4, "the admission, a, b, d: c was another number 1, and b is final");
  for (const agent of [office, again]) {
    const alarms = await until(async () => (await ownStatus(agent)).alarms);
    t.regex(alarms.join(), /front-door signed two blocks with number 1/);
  }
});

test("[L8] a clone and its original both go on, and both say that two copies run", async (t) => {
  const { office, device } = await organisation(t);
  const root = join(await temporaryFolder(t), "clone");
  execFileSync("cp", ["-a", device.root, root]);
  const original = await start(t, device);
  const clone = await start(t, { ...device, root });
  t.not((await ownStatus(original)).log, (await ownStatus(clone)).log);
  let said = 0;
  await until(async () => {
    for (const agent of [original, clone]) {
      await say(agent, `x${said}`);
      said += 1;
    }
    await until(async () => ((await statusOf(office)).entries === 2 + said ? true : undefined));
    const alarms = [await ownStatus(original), await ownStatus(clone)].map((status) => status.alarms?.length ?? 0);
    return alarms.every((count) => count === 1) ? true : undefined;
  });
  t.true(original.events.includes("alarm") || clone.events.includes("alarm"));
  await neverForked(t, office, original, clone);
});

test("[L8] an office that was put back decides no height anew: it merges once it has met a peer", async (t) => {
  const office = await startOffice(t);
  const device = await startDevice(t, office, "front-door");
  await inStep(office, device);
  const backup = join(await temporaryFolder(t), "backup");
  execFileSync("cp", ["-a", office.root, backup]);
  await say(office, "later");
  const before = await inStep(office, device);
  const port = office.agent.brokerPort; // The device looks for it there.
  await device.agent.close();
  await office.agent.close();
  rmSync(office.root, { recursive: true });
  execFileSync("cp", ["-a", backup, office.root]);
  const config = openHome(office.root).config;
  writeFileSync(config, readFileSync(config, "utf8").replace(/port: 0/, `port: ${port}`));
  const again = await start(t, office);
  await say(again, "alone");
  await until(async () => (again.events.includes("waits") ? true : undefined));
  t.true((await statusOf(again)).merges < before.merges);
  const back = await start(t, device);
  const { merges, entries } = await inStep(again, back);
  t.is(entries, 3); // The admission, later, alone.
  t.true(merges > before.merges);
  t.is((await statusOf(back)).refused["merge"], undefined);
});
