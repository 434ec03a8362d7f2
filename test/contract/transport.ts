/** What every Transport must do; each implementation's test file is one call of this. */
import type { ExecutionContext, TestFn } from "ava";
import { toHex } from "../../lib/base/index.ts";
import type { Transport } from "../../lib/sync/index.ts";

export interface TransportWorld {
  /** Not started yet. `presenceTopic` is emptied when it leaves. */
  transport(name: string, presenceTopic?: string): Transport;
  /** Breaks the transport's connection as a dying process would; it may come back by itself. */
  cut(name: string): Promise<void>;
  close(): Promise<void>;
}

interface Heard {
  readonly transport: Transport;
  readonly messages: string[];
  readonly states: string[];
  until(condition: () => boolean): Promise<void>;
}

const ORG = "ab".repeat(32);
const LIVE = `gdo1/${ORG}/live`;
const inbox = (digit: string): string => `gdo1/${ORG}/to/${digit.repeat(64)}`;
const hello = (digit: string): string => `gdo1/${ORG}/hello/${digit.repeat(64)}`;

function listen(transport: Transport, topics: readonly string[]): Heard {
  const waiting: { condition: () => boolean; done: () => void }[] = [];
  const look = (): void => {
    for (const each of waiting) if (each.condition()) each.done();
  };
  const heard: Heard = {
    transport,
    messages: [],
    states: [],
    until: (condition) => new Promise((done) => (condition() ? done() : waiting.push({ condition, done }))),
  };
  transport.start({
    connected: () => {
      heard.states.push("connected");
      transport.subscribe(topics);
      look();
    },
    disconnected: () => {
      heard.states.push("disconnected");
      look();
    },
    message: (topic, bytes) => {
      heard.messages.push(`${topic} ${toHex(bytes)}`);
      look();
    },
  });
  return heard;
}

/** Resolves once what was published through `from` before has reached its own subscription. */
async function settled(heard: Heard, topic: string): Promise<void> {
  const before = heard.messages.length;
  heard.transport.publish(topic, new Uint8Array([0xee]), false);
  await heard.until(() => heard.messages.slice(before).includes(`${topic} ee`));
}

async function open(world: TransportWorld, name: string, topics: readonly string[], presence?: string): Promise<Heard> {
  const heard = listen(world.transport(name, presence), topics);
  await heard.until(() => heard.states.includes("connected"));
  await (topics.includes(LIVE) ? settled(heard, LIVE) : Promise.resolve());
  heard.messages.length = 0;
  return heard;
}

export function transportContract(test: TestFn, name: string, make: () => Promise<TransportWorld>): void {
  const check = (title: string, run: (t: ExecutionContext, world: TransportWorld) => Promise<void>): void => {
    test(`[S2] ${name}: ${title}`, async (t) => {
      const world = await make();
      try {
        await run(t, world);
      } finally {
        await world.close();
      }
    });
  };

  check("a message reaches every subscriber of its topic, with the same bytes, and nobody else", async (t, world) => {
    const a = await open(world, "a", [LIVE, inbox("a")]);
    const b = await open(world, "b", [LIVE, inbox("b")]);
    const bytes = Uint8Array.from({ length: 16_000 }, (_, index) => index & 0xff);
    a.transport.publish(LIVE, bytes, false);
    a.transport.publish(inbox("b"), new Uint8Array([1, 0, 255]), false);
    await b.until(() => b.messages.length === 2);
    await settled(a, LIVE);
    t.deepEqual(b.messages.slice(0, 2), [`${LIVE} ${toHex(bytes)}`, `${inbox("b")} 0100ff`]);
    t.false(a.messages.some((message) => message.startsWith(inbox("b"))));
  });

  check("`+` stands for one level", async (t, world) => {
    const a = await open(world, "a", [LIVE, `gdo1/${ORG}/hello/+`]);
    a.transport.publish(hello("1"), new Uint8Array([1]), false);
    a.transport.publish(inbox("1"), new Uint8Array([2]), false);
    await settled(a, LIVE);
    t.deepEqual(
      a.messages.filter((message) => !message.startsWith(LIVE)),
      [`${hello("1")} 01`],
    );
  });

  check("a retained message reaches who comes later, its newest only; an empty one clears it", async (t, world) => {
    const a = await open(world, "a", [LIVE, hello("1"), hello("2")]);
    a.transport.publish(hello("1"), new Uint8Array([1]), true);
    a.transport.publish(hello("1"), new Uint8Array([2]), true);
    a.transport.publish(hello("2"), new Uint8Array([3]), true);
    a.transport.publish(hello("2"), new Uint8Array(), true);
    await a.until(() => a.messages.includes(`${hello("2")} `));
    const b = listen(world.transport("b"), [hello("1"), hello("2"), LIVE]);
    await b.until(() => b.messages.length > 0);
    await settled(b, LIVE);
    t.deepEqual(
      b.messages.filter((message) => message.includes("/hello/")),
      [`${hello("1")} 02`],
    );
  });

  check("presence is cleared when a node closes", async (t, world) => {
    const watcher = await open(world, "w", [LIVE, hello("1")]);
    const node = await open(world, "n", [LIVE], hello("1"));
    node.transport.publish(hello("1"), new Uint8Array([7]), true);
    await watcher.until(() => watcher.messages.includes(`${hello("1")} 07`));
    await node.transport.close();
    await watcher.until(() => watcher.messages.includes(`${hello("1")} `));
    t.pass();
  });

  check("presence is cleared, and the node told, when its connection breaks", async (t, world) => {
    const watcher = await open(world, "w", [LIVE, hello("1")]);
    const node = await open(world, "n", [LIVE], hello("1"));
    node.transport.publish(hello("1"), new Uint8Array([7]), true);
    await watcher.until(() => watcher.messages.includes(`${hello("1")} 07`));
    await world.cut("n");
    await Promise.all([
      watcher.until(() => watcher.messages.includes(`${hello("1")} `)),
      node.until(() => node.states.includes("disconnected")),
    ]);
    t.pass();
  });

  check("it connects again after a break, and old subscriptions are gone", async (t, world) => {
    const node = await open(world, "n", [LIVE]);
    await world.cut("n");
    await node.until(() => node.states.filter((state) => state === "connected").length === 2);
    t.deepEqual(node.states, ["connected", "disconnected", "connected"]);
    await settled(node, LIVE); // It subscribed anew in `connected`.
  });

  check("publishing and subscribing while not connected is harmless and lost", async (t, world) => {
    const b = await open(world, "b", [LIVE]);
    const transport = world.transport("a");
    transport.publish(LIVE, new Uint8Array([1]), false);
    transport.subscribe([LIVE]);
    const a = listen(transport, []);
    await a.until(() => a.states.length > 0);
    await settled(b, LIVE);
    t.false(b.messages.includes(`${LIVE} 01`));
    t.deepEqual(a.messages, []);
  });

  check("after close nothing is heard or sent, and closing twice is fine", async (t, world) => {
    const a = await open(world, "a", [LIVE]);
    const b = await open(world, "b", [LIVE]);
    await a.transport.close();
    a.messages.length = 0;
    await a.transport.close();
    a.transport.publish(LIVE, new Uint8Array([1]), false);
    b.transport.publish(LIVE, new Uint8Array([2]), false);
    await settled(b, LIVE);
    t.deepEqual(a.messages, []);
    t.deepEqual(a.states, ["connected"]);
    t.false(b.messages.includes(`${LIVE} 01`));
  });

  check("closing before the connection stands leaves nothing open", async (t, world) => {
    const transport = world.transport("a");
    const states: string[] = [];
    transport.start({
      connected: () => states.push("c"),
      disconnected: () => states.push("d"),
      message: () => states.push("m"),
    });
    await transport.close();
    await settled(await open(world, "b", [LIVE]), LIVE);
    t.deepEqual(states, []);
  });
}
