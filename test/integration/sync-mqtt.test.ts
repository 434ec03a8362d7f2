/** Real clients and the real broker on the loopback address; ledgers are toys: what they hold is no matter of sync. */
import { connect, type Socket } from "node:net";
import test from "ava";
import { bytesOf, hashOf32, type PublicKey, SeededRng, SystemClock, silentLog } from "../../lib/base/index.ts";
import { type KeyPair, keyFromSeed } from "../../lib/codec/index.ts";
import {
  Broker,
  helloTopic,
  inboxTopic,
  liveTopic,
  MqttTransport,
  type SyncInput,
  type SyncOutput,
  SyncPeer,
} from "../../lib/sync/index.ts";

const ORG = hashOf32(new Uint8Array(32).fill(7));
const L = "00".repeat(8);
const clock = new SystemClock();

/** One log a node; an envelope is author, number, filling. */
class LiveNode {
  readonly pair: KeyPair;
  readonly logs = new Map<PublicKey, Uint8Array[]>();
  readonly refused: string[] = [];
  readonly #transport: MqttTransport;
  readonly #peer: SyncPeer;
  #cancel = (): void => {};
  #isClosed = false;

  constructor(number: number, port: number) {
    this.pair = keyFromSeed(new Uint8Array(32).fill(number));
    const rng = new SeededRng(number);
    this.#peer = new SyncPeer({
      organisation: ORG,
      pair: this.pair,
      rng,
      isKnownNode: () => true,
      checkObject: () => true,
    });
    const presenceTopic = helloTopic(ORG, this.pair.publicKey);
    const clientId = `node-${number}`;
    this.#transport = new MqttTransport({
      url: `mqtt://127.0.0.1:${port}`,
      clientId,
      presenceTopic,
      clock,
      rng,
      log: silentLog,
    });
    this.#transport.start({
      connected: () => this.give({ type: "connected" }),
      disconnected: () => this.give({ type: "disconnected" }),
      message: (topic, bytes) => this.give({ type: "message", topic, bytes, nowMs: nowMs() }),
    });
  }

  append(count: number): void {
    const log = this.#logOf(this.pair.publicKey);
    const envelopes = Array.from({ length: count }, (_, index) => {
      const envelope = new Uint8Array(250);
      envelope.set(bytesOf(this.pair.publicKey));
      new DataView(envelope.buffer).setUint32(32, log.length + index);
      return envelope;
    });
    log.push(...envelopes);
    this.give({ type: "appended", envelopes });
    this.#tellLocal(0);
  }

  count(): number {
    return [...this.logs.values()].reduce((sum, log) => sum + log.length, 0);
  }

  give(input: SyncInput): void {
    if (this.#isClosed) return;
    for (const output of this.#peer.step(input)) this.#do(output);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#transport.close();
  }

  #do(output: SyncOutput): void {
    if (output.type === "publish") this.#transport.publish(output.topic, output.bytes, output.retain ?? false);
    if (output.type === "subscribe") this.#transport.subscribe(output.topics);
    if (output.type === "refused") this.refused.push(output.why);
    if (output.type === "ingest") this.#ingest(output.envelopes);
    if (output.type === "serve-blocks") {
      const envelopes = output.ranges.flatMap(([author, , from, to]) => this.#logOf(author).slice(from, to + 1));
      for (const answer of this.#peer.blocksFor(output.to, envelopes)) this.#do(answer);
    }
    if (output.type === "wake") {
      this.#cancel();
      this.#cancel = clock.after(Math.max(0, output.atMs - nowMs()), () => this.give({ type: "tick", nowMs: nowMs() }));
    }
  }

  #ingest(envelopes: readonly Uint8Array[]): void {
    for (const envelope of envelopes) {
      const author = Buffer.from(envelope.subarray(0, 32)).toString("hex") as PublicKey;
      const n = Buffer.from(envelope).readUInt32BE(32);
      if (n === this.#logOf(author).length) this.#logOf(author).push(envelope.slice());
    }
    this.#tellLocal(1);
  }

  #tellLocal(ingested: number): void {
    const frontier = [...this.logs].map(([author, log]) => ({ author, l: L, n: log.length - 1 }));
    this.give({ type: "local", frontier, finals: [], ingested });
  }

  #logOf(author: PublicKey): Uint8Array[] {
    const log = this.logs.get(author) ?? [];
    this.logs.set(author, log);
    return log;
  }
}

function nowMs(): number {
  return Number(clock.monoNs()) / 1e6;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => void clock.after(10, resolve));
}

/** Bytes straight to the broker's port; resolves when the broker ends the connection. */
async function sendRaw(port: number, bytes: Uint8Array): Promise<void> {
  const socket: Socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(bytes);
  socket.resume();
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}

test.serial(
  "[S2][S6] three nodes converge over a real broker, through its restart, with what was appended meanwhile",
  async (t) => {
    let broker = await Broker.start({ port: 0 });
    const { port } = broker;
    const nodes = [1, 2, 3].map((number) => new LiveNode(number, port));
    try {
      for (const node of nodes) node.append(100);
      await until(() => nodes.every((node) => node.count() === 300));
      await broker.close();
      for (const node of nodes) node.append(50);
      broker = await Broker.start({ port });
      await until(() => nodes.every((node) => node.count() === 450));
      t.deepEqual(
        nodes.flatMap((node) => node.refused),
        [],
      );
      for (const { logs } of nodes)
        t.deepEqual(
          [...logs.values()].map((log) => log.length),
          [150, 150, 150],
        );
    } finally {
      await Promise.all(nodes.map((node) => node.close()));
      await broker.close();
    }
  },
);

test.serial("[S5] garbage on a real broker is counted by every node, and sync goes on", async (t) => {
  const broker = await Broker.start({ port: 0 });
  const nodes = [1, 2].map((number) => new LiveNode(number, broker.port));
  const rng = new SeededRng(5);
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const vandal = new MqttTransport({ url, clientId: "vandal", clock, rng, log: silentLog });
  try {
    const isUp = new Promise<void>((resolve) =>
      vandal.start({ connected: resolve, disconnected: () => {}, message: () => {} }),
    );
    for (const node of nodes) node.append(10);
    await until(() => nodes.every((node) => node.count() === 20));
    await isUp;
    const [first] = nodes;
    for (const length of [0, 1, 2, 100, 1000, 16_383]) {
      vandal.publish(liveTopic(ORG), rng.bytes(length), false);
      vandal.publish(inboxTopic(ORG, first?.pair.publicKey as PublicKey), rng.bytes(length), false);
    }
    await until(() => (first?.refused.length ?? 0) >= 12);
    for (const node of nodes) node.append(10);
    await until(() => nodes.every((node) => node.count() === 40));
    t.true(nodes.every((node) => node.refused.length >= 6));
  } finally {
    await Promise.all([...nodes.map((node) => node.close()), vandal.close()]);
    await broker.close();
  }
});

test.serial(
  "[S5] the broker ends connections that claim too large a packet, before it is sent, and lives on",
  async (t) => {
    const broker = await Broker.start({ port: 0 });
    try {
      const connectPacket = Buffer.from("101000044d51545404020000000474657374", "hex");
      await sendRaw(broker.port, Buffer.concat([connectPacket, Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])]));
      await sendRaw(broker.port, Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x7f]));
      await sendRaw(broker.port, new SeededRng(1).bytes(70_000));
      await until(() => broker.status().refused >= 2);
      const node = new LiveNode(1, broker.port);
      await until(() => broker.status().clients === 1);
      await node.close();
      t.pass();
    } finally {
      await broker.close();
    }
  },
);

test.serial("[S5] the broker takes no topic that is not gdo's, and retains nothing but presence", async (t) => {
  const broker = await Broker.start({ port: 0 });
  const url = `mqtt://127.0.0.1:${broker.port}`;
  try {
    const attempts: [topic: string, bytes: number, retain: boolean][] = [
      ["x", 1, false],
      ["$SYS/x", 1, false],
      [`${liveTopic(ORG)}/more`, 1, false],
      [liveTopic(ORG), 10, true],
      [helloTopic(ORG, keyFromSeed(new Uint8Array(32)).publicKey), 301, true],
    ];
    for (const [index, [topic, length, retain]] of attempts.entries()) {
      const transport = new MqttTransport({ url, clientId: `c${index}`, clock, rng: new SeededRng(1), log: silentLog });
      const isThrownOut = new Promise<void>((resolve) => {
        transport.start({
          connected: () => transport.publish(topic, new Uint8Array(length), retain),
          disconnected: resolve,
          message: () => {},
        });
      });
      await isThrownOut;
      await transport.close();
    }
    t.true(broker.status().refused >= attempts.length);
  } finally {
    await broker.close();
  }
});

test.serial("a port that is taken is an error that names it", async (t) => {
  const broker = await Broker.start({ port: 0 });
  await t.throwsAsync(Broker.start({ port: broker.port }), {
    code: "IO",
    message: new RegExp(`127\\.0\\.0\\.1:${broker.port}`),
  });
  await broker.close();
});
