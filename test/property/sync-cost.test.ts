import test from "ava";
import { World } from "./sync-world.ts";

/** Sum of the envelopes' own bytes that `node` got since it held `before` of each log. */
function payloadBytes(envelopes: readonly Uint8Array[]): number {
  return envelopes.reduce((sum, envelope) => sum + envelope.length, 0);
}

for (const logs of [3, 40]) {
  test(`[S4] figures: 120 missing entries in ${logs} logs cost one round trip and at most 5 KB`, (t) => {
    const world = new World(1);
    const nodes = [...Array(logs).keys()].map((index) => world.node(`n${index}`));
    for (const node of nodes) node.append(5);
    const [keeper, late] = nodes;
    for (const node of nodes) {
      for (const other of nodes)
        for (const envelope of node.ledger.logs.get(node.key) ?? []) other.ledger.take(envelope);
    }
    keeper?.append(120, 200);
    keeper?.start();
    world.run(2000);
    world.takeCost();
    world.broker.faults = { loss: 0, duplication: 0, delayMsMin: 50, delayMsMax: 50 };
    late?.start();
    const knownBefore = late?.ledger.known;
    world.run(5000);
    t.is(late?.ledger.print(), keeper?.ledger.print());
    const { bytes, byType } = world.takeCost();
    const overhead = bytes - payloadBytes(keeper?.ledger.logs.get(keeper.key)?.slice(5) ?? []);
    t.log(`${logs} logs: ${overhead} bytes of overhead`, byType);
    t.true(overhead <= 5000);
    t.is(byType["front"]?.frames, 2, "one question, one answer");
    t.is(byType["want"], undefined);
    t.is(late?.ledger.known, knownBefore, "nothing twice");
  });
}

test("[S4] figures: an idle resync of 100 devices costs one HELLO of at most 300 bytes", (t) => {
  const world = new World(2);
  const [a, b] = ["a", "b"].map((name) => world.node(name));
  for (let index = 0; index < 100; index += 1) {
    const author = new World(index).node(`d${index}`);
    author.append(3);
    for (const envelope of author.ledger.logs.get(author.key) ?? [])
      for (const node of [a, b]) node?.ledger.take(envelope);
  }
  a?.start();
  world.run(5000);
  world.takeCost();
  b?.start();
  world.run(5000);
  const { bytes, frames, byType } = world.takeCost();
  t.log(byType);
  t.deepEqual(Object.keys(byType), ["hello"]);
  t.true(bytes / frames <= 300);
});

test("[S4] figures: a lacking node's question is about 13 bytes a device", (t) => {
  const world = new World(3);
  const [a, b] = ["a", "b"].map((name) => world.node(name));
  for (let index = 0; index < 100; index += 1) {
    const author = new World(index).node(`d${index}`);
    author.append(300, 5);
    for (const envelope of author.ledger.logs.get(author.key) ?? [])
      for (const node of [a, b]) node?.ledger.take(envelope);
  }
  a?.append(1);
  a?.start();
  world.run(2000);
  world.takeCost();
  b?.start();
  world.run(3000);
  t.is(a?.ledger.print(), b?.ledger.print());
  const { byType } = world.takeCost();
  t.log(byType);
  t.true((byType["front"]?.bytes ?? 0) <= 100 * 13 + 400);
});

test("[S6] figures: a day of a busy door arrives within 2 s of reconnection", (t) => {
  const world = new World(4);
  const [door, office] = ["door", "office"].map((name) => world.node(name));
  world.start();
  world.run(3000);
  door?.transport.cut();
  door?.append(2000, 250);
  world.run(86_400_000);
  world.broker.faults = { loss: 0, duplication: 0, delayMsMin: 3, delayMsMax: 3 };
  door?.transport.reconnect();
  const ms = world.converge(2000);
  t.log(`${ms} simulated ms`);
  t.not(ms, undefined);
  t.is(office?.ledger.known, 0, "nothing twice");
});
