import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { DoorLinkClient, type DoorLinkHost, DoorLinkServer } from "../../lib/agent/door/link.ts";
import { DATA_BYTES, encodeLinkFrame, type LinkFrame, LinkFrameReader } from "../../lib/agent/door/link-frames.ts";
import { type Cancel, GdoError, type PublicKey, SystemClock, silentLog, utf8 } from "../../lib/base/index.ts";
import { encodeCanonical } from "../../lib/codec/index.ts";
import { until } from "../support/door-home.ts";

const KEY = "cd".repeat(32) as PublicKey;
const LOG = "0123456789abcdef";
const FRAMES: LinkFrame[] = [
  { f: "door-front", door: "front-door", key: KEY, l: LOG, n: -1 },
  { f: "want", from: 7 },
  { f: "data", blocks: [utf8("one"), utf8("two")] },
  { f: "policy", bytes: utf8("signed") },
];

function socketPath(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gdo-link-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return join(folder, "agent.sock");
}

/** An agent that holds what it is given: block n is the text of n. */
class FakeAgent implements DoorLinkHost {
  readonly held: number[] = [];
  readonly listeners = new Set<() => void>();
  bytes: Uint8Array | undefined;
  isDeaf = false;

  frontOf(key: PublicKey, incarnation: string): number | undefined {
    return key === KEY && incarnation === LOG ? this.held.at(-1) : undefined;
  }

  ingest(envelopes: readonly Uint8Array[]): void {
    if (this.isDeaf) return;
    for (const envelope of envelopes) this.held.push(Number(new TextDecoder().decode(envelope).trim()));
  }

  policy(): Uint8Array | undefined {
    return this.bytes;
  }

  onPolicyChange(listener: () => void): Cancel {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  issue(text: string): void {
    this.bytes = utf8(text);
    for (const listener of this.listeners) listener();
  }
}

/** A door whose log has `size` blocks of `blockBytes` bytes. */
function doorOn(t: ExecutionContext, path: string, blockBytes = 8) {
  const door = { size: 0, policies: [] as string[], behind: [] as number[] };
  const block = (n: number): Uint8Array => utf8(String(n).padEnd(blockBytes));
  const link = new DoorLinkClient({
    ...{ path, clock: new SystemClock(), log: silentLog, door: "front-door", key: KEY },
    logs: () => [{ l: LOG, last: door.size - 1 }],
    onBehind: (_l, n) => void door.behind.push(n),
    range: (_l, from, bytesMax) => {
      const count = Math.min(Math.max(1, Math.floor(bytesMax / blockBytes)), door.size - from);
      return Array.from({ length: count }, (_, index) => block(from + index));
    },
    onPolicy: (bytes) => void door.policies.push(new TextDecoder().decode(bytes)),
  });
  t.teardown(() => link.close());
  return Object.assign(door, { link });
}

async function agentAt(t: ExecutionContext, path: string, agent = new FakeAgent()) {
  const server = new DoorLinkServer(agent);
  await server.listen(path);
  t.teardown(() => server.close());
  return { agent, server };
}

const upTo = (size: number): number[] => Array.from({ length: size }, (_, index) => index);

test("door link: frames come through, cut anywhere", (t) => {
  const stream = Buffer.concat(FRAMES.map(encodeLinkFrame));
  for (const pieceBytes of [1, 2, 3, 5, 64, stream.length]) {
    const reader = new LinkFrameReader(1024);
    const read: LinkFrame[] = [];
    for (let at = 0; at < stream.length; at += pieceBytes)
      read.push(...reader.take(stream.subarray(at, at + pieceBytes)));
    t.deepEqual(read, FRAMES);
  }
});

test("door link: a length beyond the bound is refused before anything is kept", (t) => {
  const reader = new LinkFrameReader(1024);
  t.throws(() => [...reader.take(Uint8Array.of(1, 4, 0, 0))], { code: "SYNC_FRAME" });
});

test("door link: what is no frame is refused", (t) => {
  const strange = [
    ...[
      null,
      [],
      "want",
      { f: "want" },
      { f: "want", from: -1 },
      { f: "data", blocks: [] },
      { f: "data", blocks: ["x"] },
    ],
    ...[
      { f: "policy", bytes: "x" },
      { f: "steer" },
      { f: "door-front", door: "", key: new Uint8Array(32), l: new Uint8Array(8), n: 0 },
    ],
    ...[{ f: "door-front", door: "d", key: new Uint8Array(31), l: new Uint8Array(8), n: 0 }],
  ];
  for (const value of strange) {
    const body = encodeCanonical(value as never);
    const frame = Buffer.concat([Buffer.from(Uint32Array.of(body.length).buffer), body]);
    t.throws(() => [...new LinkFrameReader(1024).take(frame)], { instanceOf: GdoError }, JSON.stringify(value));
  }
});

test("[S1] door link: what the door has logged reaches the agent once, then and later", async (t) => {
  const path = socketPath(t);
  const { agent } = await agentAt(t, path);
  const door = doorOn(t, path);
  door.size = 3;
  door.link.start();
  await until(() => agent.held.length === 3);
  for (; door.size < 50; ) {
    door.size += 1;
    door.link.appended();
  }
  await until(() => agent.held.length === 50);
  t.deepEqual(agent.held, upTo(50));
});

test("door link: a long log comes in bounded frames", async (t) => {
  const path = socketPath(t);
  const { agent } = await agentAt(t, path);
  const door = doorOn(t, path, 50_000);
  door.size = 40;
  t.true(door.size * 50_000 > 10 * DATA_BYTES);
  door.link.start();
  await until(() => agent.held.length === 40);
  t.deepEqual(agent.held, upTo(40));
});

test("[S1] door link: an agent that comes late, goes and comes back misses nothing", async (t) => {
  const path = socketPath(t);
  const door = doorOn(t, path);
  door.size = 2;
  door.link.start();
  const agent = new FakeAgent();
  for (const size of [5, 9]) {
    const { server } = await agentAt(t, path, agent);
    await until(() => agent.held.length >= door.size);
    await server.close();
    door.size = size;
    door.link.appended();
  }
  await agentAt(t, path, agent);
  await until(() => agent.held.length === 9);
  t.deepEqual(agent.held, upTo(9));
});

test("door link: the policy comes at once and whenever it changes", async (t) => {
  const path = socketPath(t);
  const { agent } = await agentAt(t, path);
  agent.bytes = utf8("first");
  const door = doorOn(t, path);
  door.link.start();
  await until(() => door.policies.length === 1);
  agent.issue("second");
  await until(() => door.policies.length === 2);
  t.deepEqual(door.policies, ["first", "second"]);
  await door.link.close();
  await until(() => agent.listeners.size === 0);
});

/** Resolves when the other side has closed the connection. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.resume();
  });
}

const GARBAGE: [string, Uint8Array][] = [
  ["noise", Uint8Array.from(upTo(200).map((n) => (n * 37) & 255))],
  ["a frame too long", Uint8Array.of(255, 255, 255, 255)],
  ["data before it names itself", encodeLinkFrame(FRAMES[2]!)],
  ["what only an agent sends", encodeLinkFrame(FRAMES[1]!)],
  ["its name twice", Buffer.concat([encodeLinkFrame(FRAMES[0]!), encodeLinkFrame(FRAMES[0]!)])],
];

for (const [what, bytes] of GARBAGE) {
  test(`door link: the agent closes on ${what}, counts it and goes on serving`, async (t) => {
    const path = socketPath(t);
    const { agent, server } = await agentAt(t, path);
    const socket = createConnection(path);
    socket.write(bytes);
    await closed(socket);
    t.is(server.refused, 1);
    const door = doorOn(t, path);
    door.size = 1;
    door.link.start();
    await until(() => agent.held.length === 1);
    t.is(server.refused, 1);
  });
}

test("door link: blocks that bring nothing new close the link instead of going round", async (t) => {
  const path = socketPath(t);
  const { agent, server } = await agentAt(t, path);
  agent.isDeaf = true;
  const door = doorOn(t, path);
  door.size = 1;
  door.link.start();
  await until(() => server.refused === 1);
  agent.isDeaf = false;
  await until(() => agent.held.length === 1);
  t.deepEqual(agent.held, [0]);
});

test("door link: the door closes on garbage, counts it, and looks for the agent again", async (t) => {
  const path = socketPath(t);
  const liar = createServer((socket) => {
    socket.on("error", () => {});
    socket.resume();
    socket.write(Uint8Array.of(9, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255));
  });
  await new Promise<void>((resolve) => liar.listen(path, resolve));
  const door = doorOn(t, path);
  door.size = 1;
  door.link.start();
  await until(() => door.link.garbage >= 2);
  await new Promise((resolve) => liar.close(resolve));
  const { agent } = await agentAt(t, path);
  await until(() => agent.held.length === 1);
  t.deepEqual(agent.held, [0]);
});

test("[L8] link: older logs of the door come before the present one, each over a connection of its own", async (t) => {
  const path = socketPath(t);
  const held = new Map<string, number[]>();
  const agent = new FakeAgent();
  let front = "";
  agent.frontOf = (_key, l) => {
    front = l;
    return held.get(l)?.at(-1);
  };
  agent.ingest = (envelopes) => {
    const numbers = envelopes.map((envelope) => Number(new TextDecoder().decode(envelope)));
    held.set(front, [...(held.get(front) ?? []), ...numbers]);
  };
  await agentAt(t, path, agent);
  const logs = [
    { l: "00000000000000b1", last: 2 },
    { l: "00000000000000b2", last: 0 },
  ];
  const link = new DoorLinkClient({
    ...{ path, clock: new SystemClock(), log: silentLog, door: "front-door", key: KEY, onPolicy: () => {} },
    logs: () => logs,
    range: (_l, from) => [utf8(String(from))],
    onBehind: () => t.fail(),
  });
  t.teardown(() => link.close());
  link.start();
  await until(() => held.get("00000000000000b2")?.length === 1);
  t.deepEqual(held.get("00000000000000b1"), [0, 1, 2]);
});

test("[L8] link: a door is told that the agent holds more of its log than itself", async (t) => {
  const path = socketPath(t);
  const { agent } = await agentAt(t, path);
  agent.held.push(0, 1, 2, 3);
  const door = doorOn(t, path);
  door.size = 2;
  door.link.start();
  await until(() => door.behind.length > 0);
  t.is(door.behind[0], 3);
});
