/** Agents among themselves and among strangers: real processes' parts, real broker, real SQLite. */
import { readFileSync } from "node:fs";
import test, { type ExecutionContext } from "ava";
import { connectAsync, type MqttClient } from "mqtt";
import { type AgentEvent, openApi, openHome, readSecret, runAgent } from "../../lib/agent/index.ts";
import { type Hash, SeededRng, silentLog } from "../../lib/base/index.ts";
import {
  type Block,
  decodeBlock,
  encodeEnvelope,
  generateKey,
  type KeyPair,
  keyFromSeed,
  signBlock,
} from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { entryPayload } from "../../lib/ledger/index.ts";
import { encodeFrame, helloTopic, inboxTopic, liveTopic } from "../../lib/sync/index.ts";
import { inStep, joinDevice, startDevice, startOffice, statusOf, type TestAgent, until } from "../support/agents.ts";

const REVOKE_SELF = (key: string): { type: string; body: unknown } => ({ type: "device.revoke", body: { key } });

test("[L6] two agents come into step over MQTT, and what has no right is void with the reason", async (t) => {
  const office = await startOffice(t);
  const device = await startDevice(t, office, "front-door");
  await inStep(office, device);
  await device.agent.api.call("append", { app: "charter", acts: [REVOKE_SELF(office.key)] });
  const { voids } = await until(async () => {
    const now = await statusOf(office);
    return now.voids > 0 ? now : undefined;
  });
  await inStep(office, device);
  t.is(voids, 1);
  const { rows } = (await device.agent.api.call("log", {})) as { rows: { status: string; reason?: string }[] };
  t.is(
    rows.find(({ status }) => status === "void")?.reason,
    "device.revoke: front-door has not the right govern; ask one who has it: office",
  );
});

test("[S7] a device that was away when it was revoked learns it, says so, and stops; what it holds stays", async (t) => {
  const office = await startOffice(t);
  const device = await startDevice(t, office, "front-door");
  await inStep(office, device);
  await device.agent.close();
  await office.agent.api.call("append", { app: "charter", acts: [REVOKE_SELF(device.key)] });
  await until(async () => ((await statusOf(office)).pending === 0 ? true : undefined));
  const offline = await openApi(device.root);
  await offline.call("append", { app: "charter", acts: [REVOKE_SELF(office.key)] }); // It does not know yet.
  await offline.close();
  const told: AgentEvent[] = [];
  const again = await runAgent({ root: device.root, log: silentLog, onEvent: (event) => told.push(event) });
  t.teardown(() => again.close());
  const why = /^this device was revoked by office on \d{4}-\d\d-\d\d \(charter height 2\)/;
  const { revoked, connected, entries } = await until(async () => {
    const now = (await again.api.call("status")) as RevokedStatus;
    return now.revoked !== undefined && !now.connected ? now : undefined;
  });
  t.regex(revoked?.why ?? "", why);
  t.regex(revoked?.todo ?? "", /^ask office .*gdo invite front-door.*gdo --home NEW join TOKEN$/);
  t.is(entries, 2, "its admission, and what it said itself");
  t.false(connected);
  t.deepEqual(
    told.filter(({ type }) => type === "revoked").map(({ by, h }) => [by, h]),
    [["office", 2]],
    "once",
  );
  const refused = { code: "LEDGER_UNKNOWN_AUTHOR", message: why };
  await t.throwsAsync(async () => again.api.call("append", { app: "notes", acts: [REVOKE_SELF("")] }), refused);
  await t.throwsAsync(async () => again.api.call("sync"), refused);
  await again.close();
  const later = await openApi(device.root);
  t.regex(((await later.call("status")) as RevokedStatus).revoked?.why ?? "", why, "also when nobody is asked");
  await later.close();
  t.is((await statusOf(office)).entries, 2, "nothing more of it is taken in");
});

interface RevokedStatus {
  readonly revoked?: { readonly why: string; readonly todo: string };
  readonly connected: boolean;
  readonly entries: number;
}

test("[L7] a restarted agent goes on with its log, and a device that was away catches up", async (t) => {
  const office = await startOffice(t);
  const device = await startDevice(t, office, "front-door");
  await inStep(office, device);
  await device.agent.close();
  for (const name of ["a", "b", "c"]) {
    await office.agent.api.call("admit", { devices: [], principals: [{ id: name, roles: ["device"] }] });
  }
  const offline = await openApi(device.root); // No agent runs there: the home itself answers.
  await offline.call("append", { app: "charter", acts: [REVOKE_SELF(office.key)] });
  await offline.close();
  const again = { ...device, agent: await runAgent({ root: device.root, log: silentLog }) };
  t.teardown(() => again.agent.close());
  const { entries, voids } = await until(async () => {
    const now = await inStep(office, again);
    return now.voids === 1 ? now : undefined;
  });
  t.is(entries, 5); // One admission, three principals, one act without the right.
  t.is(voids, 1);
});

/** A client of the broker that is nobody's node. */
async function rogue(t: ExecutionContext, office: TestAgent): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${office.agent.brokerPort}`, { protocolVersion: 4 });
  t.teardown(() => client.endAsync(true));
  return client;
}

function entryOf(pair: KeyPair, charter: Block, n = 0, previous: Block = charter): Block {
  const d = entryPayload("charter", [{ type: "principal.add", body: { id: `x${n}`, roles: ["founder"] } }]);
  const l = "00000000000000ff";
  const link = n === 0 ? { b: null, p: [charter.id] } : { b: previous.id, p: [] };
  return signBlock(
    { v: 1, k: "entry", o: charter.id, a: pair.publicKey, l, n, ...link, c: previous.c + 1, t: [0, null, 1], d },
    pair,
  );
}

async function publishBlocks(
  client: MqttClient,
  office: TestAgent,
  as: TestAgent,
  envelopes: Uint8Array[],
): Promise<void> {
  const frame = encodeFrame({ type: "data", key: as.key, envelopes, pieces: [], lacks: [], end: "none" });
  const { organisation } = await statusOf(office);
  await client.publishAsync(liveTopic(organisation.id as Hash), Buffer.from(frame), { qos: 1 });
}

function refusedBy(agent: TestAgent, reason: string): Promise<number> {
  return until(async () => (await statusOf(agent)).refused[reason]);
}

test("an entry signed by a key that the charter does not know is refused, counted, harmless", async (t) => {
  const office = await startOffice(t);
  const device = await startDevice(t, office, "front-door");
  const before = await inStep(office, device);
  const charter = decodeBlock(new Uint8Array(readFileSync(openHome(office.root).charter)));
  const client = await rogue(t, office);
  // The frame says that it is the device's: frames are not signed, blocks are.
  await publishBlocks(client, office, device, [encodeEnvelope(entryOf(generateKey().pair, charter))]);
  t.true((await refusedBy(office, "unknown_author")) >= 1);
  const { entries, stateRoot, merges } = await statusOf(office);
  t.deepEqual(
    { entries, stateRoot, merges },
    { entries: before.entries, stateRoot: before.stateRoot, merges: before.merges },
  );
});

test("[L3] a block with a changed byte is refused and counted; the true one is taken after it", async (t) => {
  const office = await startOffice(t);
  const device = await startDevice(t, office, "front-door");
  await inStep(office, device);
  const charter = decodeBlock(new Uint8Array(readFileSync(openHome(office.root).charter)));
  const pair = keyFromSeed(readSecret(openHome(device.root).nodeKey));
  const envelope = encodeEnvelope(entryOf(pair, charter));
  const client = await rogue(t, office);
  const bent = Uint8Array.from(envelope);
  bent[bent.length - 1] = (bent.at(-1) ?? 0) ^ 1; // In the signature.
  await publishBlocks(client, office, device, [bent]);
  t.true((await refusedBy(office, "signature")) >= 1);
  await publishBlocks(client, office, device, [envelope, envelope]); // Twice: a replay changes nothing.
  await until(async () => ((await statusOf(office)).voids === 1 ? true : undefined));
  await publishBlocks(client, office, device, [envelope]);
  const { entries } = await statusOf(office);
  t.is(entries, 2);
});

test("[L6] a device that uses a number twice is cut off there, everybody holds the evidence, and is told", async (t) => {
  const office = await startOffice(t);
  const device = await startDevice(t, office, "front-door");
  await inStep(office, device);
  const charter = decodeBlock(new Uint8Array(readFileSync(openHome(office.root).charter)));
  const pair = keyFromSeed(readSecret(openHome(device.root).nodeKey));
  const first = entryOf(pair, charter);
  const [one, other] = [entryOf(pair, charter, 1, first), entryOf(pair, charter, 1, first)];
  const bent = signBlock({ ...fieldsOf(other), t: [1, null, 1] }, pair);
  const client = await rogue(t, office);
  await publishBlocks(client, office, device, [encodeEnvelope(first), encodeEnvelope(one)]);
  await inStep(office, device);
  await publishBlocks(client, office, device, [encodeEnvelope(bent)]);
  t.true((await refusedBy(office, "equivocation")) >= 1);
  const alarms = async ({ agent }: TestAgent): Promise<readonly string[]> =>
    ((await agent.api.call("status")) as { alarms?: readonly string[] }).alarms ?? [];
  for (const node of [office, device]) {
    const [alarm] = await until(async () => ((await alarms(node)).length > 0 ? alarms(node) : undefined));
    t.regex(alarm ?? "", /front-door signed two blocks with number 1/);
  }
  const later = entryOf(pair, charter, 2, one);
  await publishBlocks(client, office, device, [encodeEnvelope(later)]);
  await office.agent.api.call("admit", { devices: [], principals: [{ id: "after", roles: ["device"] }] });
  await inStep(office, device);
  const { rows } = (await office.agent.api.call("log", {})) as { rows: { id: string; status: string }[] };
  t.is(rows.find(({ id }) => id === later.id)?.status, "frozen");
});

test("[L6] two blocks that are too large for evidence are cut off by blobs, which whoever hears of it fetches", async (t) => {
  const office = await startOffice(t);
  const liar = await startDevice(t, office, "back-door");
  const device = await startDevice(t, office, "front-door");
  await inStep(office, device);
  await Promise.all([liar.agent.close(), device.agent.close()]);
  const charter = decodeBlock(new Uint8Array(readFileSync(openHome(office.root).charter)));
  const pair = keyFromSeed(readSecret(openHome(liar.root).nodeKey));
  const large = ["one", "other"].map((text) => {
    const d = entryPayload("notes", [{ type: "note", body: text.repeat(12_000) }]);
    return signBlock({ ...fieldsOf(entryOf(pair, charter)), d }, pair);
  });
  const db = LedgerDb.open(openHome(device.root).ledgerDb);
  db.ingest(large);
  db.close();
  const again = await runAgent({ root: device.root, log: silentLog });
  t.teardown(() => again.close());
  const { alarms } = await until(async () => {
    const status = (await office.agent.api.call("status")) as { alarms?: readonly string[] };
    return (status.alarms ?? []).length > 0 ? status : undefined;
  });
  t.regex(alarms?.[0] ?? "", /back-door signed two blocks with number 0/);
  // What either of them says in evidence is proven to the other once it has read the blobs.
  for (const { api } of [office.agent, again])
    await until(async () => {
      const { rows } = (await api.call("log", {})) as { rows: { id: Hash; kind: string }[] };
      const ids = rows.filter(({ kind }) => kind === "evidence").map(({ id }) => id);
      const shown = (await Promise.all(ids.map((id) => api.call("show", { id })))) as { detail: EvidenceDetail }[];
      const isProven = ({ detail }: { detail: EvidenceDetail }): boolean =>
        detail.name === "back-door" && detail.n === 0 && detail.blobs.length === 2;
      return shown.length > 0 && shown.every(isProven) ? true : undefined;
    });
});

interface EvidenceDetail {
  readonly name?: string;
  readonly n?: number;
  readonly blobs: readonly string[];
}

function fieldsOf({ v, k, o, a, l, n, b, p, c, t, d }: Block): Parameters<typeof signBlock>[0] {
  return { v, k, o, a, l, n, b, p, c, t, d };
}

test("garbage of any length on any topic is refused, counted, harmless", async (t) => {
  const office = await startOffice(t);
  const device = await startDevice(t, office, "front-door");
  const before = await inStep(office, device);
  const organisation = before.organisation.id as Hash;
  const rng = new SeededRng(11);
  const topics = [
    liveTopic(organisation),
    inboxTopic(organisation, office.key),
    inboxTopic(organisation, device.key),
    helloTopic(organisation, device.key),
  ];
  for (const length of [0, 1, 2, 31, 300, 301, 4096, 16_383, 16_384]) {
    const client = await rogue(t, office);
    client.on("error", () => {}); // The broker may throw it out.
    for (const topic of topics) await client.publishAsync(topic, Buffer.from(rng.bytes(length)), { qos: 0 });
    await client.endAsync();
  }
  const { agent } = office;
  await until(async () => {
    const { refused } = await statusOf({ agent });
    return Object.keys(refused).some((reason) => reason.startsWith("sync_")) ? true : undefined;
  });
  await office.agent.api.call("admit", { devices: [], principals: [{ id: "after", roles: ["device"] }] });
  const after = await inStep(office, device);
  t.is(after.entries, before.entries + 1);
});

test("a home that the charter does not know may not record, and says so", async (t) => {
  const office = await startOffice(t);
  const { root, key } = await joinDevice(t, office, "stranger");
  const api = await openApi(root);
  t.teardown(() => api.close());
  await t.throwsAsync(api.call("append", { app: "charter", acts: [REVOKE_SELF(key)] }), {
    message: "the charter does not know this device yet",
  });
});
