/**
 * How fast blocks pass from one node to another: `node test/bench/sync.mjs [entries]` after a build. Two
 * peers in one process over the real broker on the loopback address. First with nothing behind them, which
 * is sync's own cost; then with signed blocks that are verified and stored. Prints, asserts nothing.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRng, SystemClock, silentLog } from "../../dist/lib/base/index.js";
import { encodeEnvelope, keyFromSeed, signBlock } from "../../dist/lib/codec/index.js";
import { LedgerDb } from "../../dist/lib/db/index.js";
import { admit, branchPolicy, encodeGenesis, entryPayload } from "../../dist/lib/ledger/index.js";
import { Broker, helloTopic, MqttTransport, SyncPeer } from "../../dist/lib/sync/index.js";

const COUNT = Number(process.argv[2] ?? 20_000);
const clock = new SystemClock();
const author = keyFromSeed(new Uint8Array(32).fill(1));
const L = "00000000000000aa";

/** A genesis and COUNT entries of about 300 bytes, all in one log. */
function makeBlocks() {
  const genesis = {
    name: "Bench",
    fault: "crash",
    principals: [{ id: "bench", devices: [author.publicKey], roles: ["all"], recovery: null }],
    roles: { all: ["govern"] },
    branches: {
      charter: branchPolicy({ mode: "single", validator: "bench" }, { fork: "deny" }),
      main: branchPolicy({ mode: "single", validator: "bench" }),
    },
    limits: {},
  };
  const common = { v: 1, a: author.publicKey, l: L, p: [], t: [0, null, 0] };
  const blocks = [
    signBlock({ ...common, k: "charter", o: null, n: 0, b: null, c: 1, d: encodeGenesis(genesis) }, author),
  ];
  const body = { door: "front-door", reader: "front-door", outcome: "grant", cred: "ab".repeat(16) };
  while (blocks.length <= COUNT) {
    const before = blocks.at(-1);
    const d = entryPayload("door", [{ type: "swipe", body: { ...body, at: blocks.length } }]);
    const place = { o: blocks[0].id, n: before.n + 1, b: before.id, c: before.c + 1 };
    blocks.push(signBlock({ ...common, k: "entry", ...place, d }, author));
  }
  return blocks;
}

/** A log in memory: what comes is counted, not looked at. */
function memoryHolder(envelopes) {
  let held = envelopes.length;
  return {
    frontier: () => (held === 0 ? [] : [{ author: author.publicKey, l: L, n: held - 1 }]),
    read: ([, , from, to], creditBytes) => takeBytes(envelopes.slice(from, to + 1), creditBytes),
    take: (part) => {
      held += part.length;
    },
    close: () => {},
  };
}

function takeBytes(envelopes, creditBytes) {
  const taken = [];
  let left = creditBytes;
  for (const envelope of envelopes) {
    left -= envelope.length;
    if (left < 0 && taken.length > 0) break;
    taken.push(envelope);
  }
  return taken;
}

/** A ledger on disk: what comes is verified and stored. */
function diskHolder(genesis) {
  const dir = mkdtempSync(join(tmpdir(), "gdo-bench-"));
  const db = LedgerDb.open(join(dir, "ledger.db"));
  const view = { ...db.admitView(genesis.id), knows: () => true };
  return {
    frontier: () => db.frontier(),
    read: ([a, l, from, to], creditBytes) => db.range(a, l, from, to, creditBytes),
    take: (part) => db.ingest(admit(part, view, { signatures: "newest" }).admitted),
    close: () => {
      db.close();
      rmSync(dir, { recursive: true });
    },
  };
}

class Node {
  constructor(number, port, holder, organisation) {
    const pair = keyFromSeed(new Uint8Array(32).fill(10 + number));
    const rng = new SeededRng(number);
    this.holder = holder;
    this.bytes = 0;
    this.peer = new SyncPeer({ organisation, pair, rng, isKnownNode: () => true, checkObject: () => true });
    const presenceTopic = helloTopic(organisation, pair.publicKey);
    const url = `mqtt://127.0.0.1:${port}`;
    this.transport = new MqttTransport({ url, clientId: `bench-${number}`, presenceTopic, clock, rng, log: silentLog });
    this.cancel = () => {};
  }

  start() {
    this.local();
    this.transport.start({
      connected: () => this.give({ type: "connected" }),
      disconnected: () => this.give({ type: "disconnected" }),
      message: (topic, bytes) => {
        this.bytes += bytes.length;
        this.give({ type: "message", topic, bytes, nowMs: performance.now() });
      },
    });
  }

  local(ingested) {
    this.give({ type: "local", frontier: this.holder.frontier(), finals: [], ...(ingested ? { ingested } : {}) });
  }

  give(input) {
    for (const output of this.peer.step(input)) this.perform(output);
  }

  perform(output) {
    if (output.type === "publish") this.transport.publish(output.topic, output.bytes, output.retain ?? false);
    if (output.type === "subscribe") this.transport.subscribe(output.topics);
    if (output.type === "ingest") {
      this.holder.take(output.envelopes);
      this.local(1);
    }
    if (output.type === "serve-blocks") {
      const envelopes = this.holder.read(output.ranges[0], output.creditBytes);
      for (const answer of this.peer.blocksFor(output.to, envelopes)) this.perform(answer);
    }
    if (output.type === "wake") {
      this.cancel();
      const tick = () => this.give({ type: "tick", nowMs: performance.now() });
      this.cancel = clock.after(Math.max(0, output.atMs - performance.now()), tick);
    }
  }

  async close() {
    this.cancel();
    await this.transport.close();
    this.holder.close();
  }
}

async function measure(what, from, to, organisation) {
  const broker = await Broker.start({ port: 0 });
  const [full, empty] = [from, to].map((holder, index) => new Node(index, broker.port, holder, organisation));
  full.start();
  await new Promise((resolve) => clock.after(300, resolve));
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  empty.start();
  while ((empty.holder.frontier()[0]?.n ?? -1) < COUNT) await new Promise((resolve) => clock.after(2, resolve));
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(startCpu);
  const rateOf = (time) => `${String(Math.round((COUNT / time) * 1000)).padStart(7)} entries/s`;
  const cpuMs = (user + system) / 1000; // Both nodes and the broker together.
  console.log(
    `${what.padEnd(22)} ${COUNT} entries, ${empty.bytes} bytes: ${ms.toFixed(0)} ms ${rateOf(ms)}; ${cpuMs.toFixed(0)} ms of processor ${rateOf(cpuMs)}`,
  );
  await full.close();
  await empty.close();
  await broker.close();
}

const blocks = makeBlocks();
const envelopes = blocks.map(encodeEnvelope);
console.log(
  `${Math.round(envelopes.reduce((sum, { length }) => sum + length, 0) / envelopes.length)} bytes an envelope`,
);
await measure("sync alone", memoryHolder(envelopes), memoryHolder([]), blocks[0].id);
await measure("verified and stored", memoryHolder(envelopes), diskHolder(blocks[0]), blocks[0].id);
