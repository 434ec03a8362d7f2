import test from "ava";
import { deriveHash } from "../../lib/codec/index.ts";
import { World } from "./sync-world.ts";

const SEEDS = [...Array(8).keys()].map((index) => index + 1);
const LOSSY = { loss: 0.15, duplication: 0.2, delayMsMin: 0, delayMsMax: 400 };

for (const seed of SEEDS) {
  test(`[S1][S6] seed ${seed}: loss, duplication, reordering and a partition lose no entry and double none`, (t) => {
    const world = new World(seed);
    const names = ["office", "front-door", "laser-room", "shed", "attic"].slice(0, 3 + (seed % 3));
    for (const name of names) {
      world.node(name, {
        isReporting: seed % 2 === 0,
        storeMs: seed % 4 === 0 ? 30 : 0,
        creditBytes: seed % 3 === 0 ? 2000 : 200_000,
      });
    }
    world.broker.faults = LOSSY;
    world.start();
    for (let round = 0; round < 30; round += 1) {
      if (round === 8) world.broker.partition([names.slice(0, 2), names.slice(2)]);
      if (round === 14) world.nodes[0]?.restart();
      if (round === 18) world.broker.partition([]);
      const author = world.nodes[Math.floor(world.rng.next() * world.nodes.length)];
      const seen = [...(author?.ledger.logs ?? [])].filter(([key]) => key !== author?.key);
      author?.append(
        1 + Math.floor(world.rng.next() * 12),
        150,
        seen.map(([key, log]) => [key, log.length - 1] as const),
      );
      world.run(world.rng.next() * 2000);
    }
    const written = world.nodes
      .map((node) => node.ledger.logs.get(node.key)?.length ?? 0)
      .reduce((sum, count) => sum + count, 0);
    t.not(world.converge(600_000), undefined, "all nodes hold the same");
    const held = [...(world.nodes[0]?.ledger.logs.values() ?? [])].reduce((sum, log) => sum + log.length, 0);
    t.is(held, written);
    t.deepEqual(
      world.nodes.flatMap((node) => node.refused),
      [],
    );
  });
}

test("[S6] a broker that was away for long, and lost what it retained, brings no loss", (t) => {
  const world = new World(1);
  const [a, b, c] = ["a", "b", "c"].map((name) => world.node(name));
  world.start();
  world.run(5000);
  world.broker.stop();
  for (const node of world.nodes) node.append(40);
  world.run(3_600_000);
  world.broker.restart();
  for (const node of world.nodes) node.transport.reconnect();
  const ms = world.converge(10_000);
  t.log(`${ms} ms after reconnection`);
  t.not(ms, undefined);
  t.is(a?.ledger.logs.get(b?.key as never)?.length, 40);
  t.is(c?.ledger.orphans, 0);
});

test("[S4] equal nodes say nothing but HELLO", (t) => {
  const world = new World(2);
  for (let index = 0; index < 8; index += 1) world.node(`n${index}`).append(20);
  world.start();
  t.not(world.converge(60_000), undefined);
  world.run(60_000);
  world.takeCost();
  world.run(600_000);
  t.deepEqual(Object.keys(world.takeCost().byType), ["hello"]);
});

test("[S4] blocks on the live topic are enough among connected nodes: no questions follow", (t) => {
  const world = new World(3);
  const nodes = ["a", "b", "c", "d"].map((name) => world.node(name));
  world.start();
  world.run(5000);
  world.takeCost();
  for (let each = 0; each < 20; each += 1) {
    nodes[each % 4]?.append(1);
    world.run(500);
  }
  t.not(world.converge(0), undefined);
  const { byType } = world.takeCost();
  t.deepEqual(Object.keys(byType).sort(), ["data", "hello"]);
  t.is(byType["data"]?.frames, 20 * 3);
});

test("[S1] a log travels through nodes that are not its author", (t) => {
  const world = new World(4);
  const [door, agent, office] = ["door", "agent", "office"].map((name) => world.node(name));
  world.broker.partition([["door", "agent"], ["office"]]);
  world.start();
  door?.append(30);
  t.not(world.converge(10_000, [door, agent] as never), undefined);
  world.broker.partition([["door"], ["agent", "office"]]);
  t.not(world.converge(60_000, [agent, office] as never), undefined);
  t.is(office?.ledger.logs.get(door?.key as never)?.length, 30);
});

test("[S1] blocks above the frame's size arrive in pieces, live and asked for", (t) => {
  const world = new World(5);
  const [a, b] = ["a", "b"].map((name) => world.node(name));
  world.start();
  world.run(3000);
  a?.append(3, 60_000);
  t.not(world.converge(100), undefined, "live");
  b?.transport.cut();
  a?.append(3, 60_000);
  a?.append(3, 10);
  world.run(5000);
  b?.transport.reconnect();
  t.not(world.converge(5000), undefined, "asked for");
});

test("[S6] logs that wait for one another arrive although the credit holds a few blocks only", (t) => {
  const world = new World(6);
  const [a, b, c] = ["a", "b", "c"].map((name) => world.node(name));
  const late = world.node("late", { creditBytes: 1500 });
  a?.start();
  b?.start();
  c?.start();
  for (let round = 0; round < 30; round += 1) {
    for (const node of [a, b, c]) {
      const seen = [...(node?.ledger.logs ?? [])].filter(([key]) => key !== node?.key);
      node?.append(
        2,
        200,
        seen.map(([key, log]) => [key, log.length - 1] as const),
      );
      world.run(20);
    }
  }
  world.run(10_000);
  late.start();
  const ms = world.converge(600_000);
  t.log(`${ms} ms, ${late.ledger.orphans} orphans`);
  t.not(ms, undefined);
});

test("[S1] more logs than one frame can list are compared window by window", (t) => {
  const world = new World(7);
  const a = world.node("a");
  const b = world.node("b");
  const authors = [...Array(2100).keys()].map((index) =>
    deriveHash("gdo v1 blob", new Uint8Array([index & 255, index >> 8])),
  );
  const other = new World(8).node("x");
  for (const [index, author] of authors.entries()) {
    other.append(1, 10);
    const envelope = other.ledger.logs.get(other.key)?.[0] as Uint8Array;
    if (index % 2 === 0) a.ledger.logs.set(author as never, [envelope]);
    else b.ledger.logs.set(author as never, [envelope]);
  }
  // The toy envelopes name another author; these two take them by position.
  for (const node of [a, b]) node.ledger.take = () => false;
  world.start();
  world.run(200);
  const { byType } = world.takeCost();
  t.log(byType);
  t.true((byType["front"]?.frames ?? 0) >= 4);
  t.deepEqual([...a.refused, ...b.refused], []);
});

test("[S6] a peer that says it has more, and sends nothing, is stalled and asked ever more seldom", (t) => {
  const world = new World(9);
  const liar = world.node("liar");
  const honest = world.node("honest");
  const third = world.node("third");
  liar.append(50);
  liar.ledger.read = () => [];
  world.start();
  world.run(20_000);
  const status = honest.peer.peers().find(({ key }) => key === liar.key);
  t.is(status?.stalled?.why, "sends nothing that we could take in");
  third.append(50);
  t.not(world.converge(5000, [honest, third]), undefined, "the others go on");
  world.run(300_000);
  world.takeCost();
  world.run(600_000);
  const { byType } = world.takeCost();
  t.true((byType["front"]?.frames ?? 0) < 100, `${byType["front"]?.frames} frames in ten minutes`);
});

test("[S6] a question that is not answered goes to another peer", (t) => {
  const world = new World(10);
  const [deaf, good, asking] = ["deaf", "good", "asking"].map((name) => world.node(name));
  deaf?.append(20);
  for (const envelope of deaf?.ledger.logs.get(deaf.key) ?? []) good?.ledger.take(envelope);
  if (deaf !== undefined) deaf.peer.blocksFor = () => [];
  if (deaf !== undefined) {
    const { publish } = deaf.transport;
    deaf.transport.publish = (topic, bytes, retain) =>
      topic.includes("/hello/") && publish.call(deaf.transport, topic, bytes, retain);
  }
  world.start();
  t.not(world.converge(30_000, [good, asking] as never), undefined);
});
