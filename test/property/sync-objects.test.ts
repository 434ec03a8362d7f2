import test from "ava";
import type { Hash } from "../../lib/base/index.ts";
import { deriveHash } from "../../lib/codec/index.ts";
import type { SyncObject } from "../../lib/sync/index.ts";
import { type ToyNode, World } from "./sync-world.ts";

function makeObjects(world: World, count: number, bytesMax: number): SyncObject[] {
  return [...Array(count).keys()].map(() => {
    const bytes = world.rng.bytes(1 + Math.floor(world.rng.next() * bytesMax));
    return { id: deriveHash("gdo v1 blob", bytes), kind: "chunk", bytes };
  });
}

function give(node: ToyNode, objects: readonly SyncObject[]): void {
  for (const object of objects) node.objects.set(object.id, object);
}

function runUntil(world: World, msMax: number, condition: () => boolean): boolean {
  for (let ms = 0; ms < msMax && !condition(); ms += 50) world.run(50);
  return condition();
}

const ids = (objects: readonly SyncObject[]): Hash[] => objects.map(({ id }) => id);

for (const seed of [1, 2, 3]) {
  test(`[S1][S6] seed ${seed}: objects spread over peers all arrive, once, under loss and reordering`, (t) => {
    const world = new World(seed);
    const [a, b, asking] = ["a", "b", "asking"].map((name) => world.node(name)) as [ToyNode, ToyNode, ToyNode];
    const objects = makeObjects(world, 40, 30_000);
    for (const [index, object] of objects.entries()) give(index % 2 === 0 ? a : b, [object]);
    world.broker.faults = { loss: 0.05, duplication: 0.1, delayMsMin: 0, delayMsMax: 200 };
    world.start();
    world.run(3000);
    asking.give({ type: "want", objects: ids(objects) });
    t.true(runUntil(world, 600_000, () => asking.got.length >= objects.length));
    t.deepEqual(new Set(ids(asking.got)).size, objects.length);
    t.is(asking.got.length, objects.length);
    t.is(asking.peer.wantedCount, 0);
  });
}

test("[S6] an object that nobody has yet comes when somebody has it", (t) => {
  const world = new World(5);
  const [a, asking] = ["a", "asking"].map((name) => world.node(name)) as [ToyNode, ToyNode];
  const objects = makeObjects(world, 1, 1000);
  world.start();
  world.run(1000);
  asking.give({ type: "want", objects: ids(objects) });
  world.run(20_000);
  t.is(asking.got.length, 0);
  give(a, objects);
  t.true(runUntil(world, 60_000, () => asking.got.length === 1));
});

test("[S6] the near peer is asked first", (t) => {
  const world = new World(6);
  const nodes = ["a", "b", "c", "d", "asking"].map((name) => world.node(name));
  const [, , near, , asking] = nodes as [ToyNode, ToyNode, ToyNode, ToyNode, ToyNode];
  const objects = makeObjects(world, 5, 1000);
  give(near, objects);
  world.start();
  world.run(3000);
  world.takeCost();
  asking.give({ type: "want", objects: ids(objects), near: near.key });
  t.true(runUntil(world, 2000, () => asking.got.length === 5));
  t.is(world.takeCost().byType["want"]?.frames, 1);
});

test("[S5] a peer that sends wrong bytes is passed over, and the right ones come from another", (t) => {
  const world = new World(7);
  const [liar, honest, asking] = ["liar", "honest", "asking"].map((name) => world.node(name)) as [
    ToyNode,
    ToyNode,
    ToyNode,
  ];
  const objects = makeObjects(world, 20, 40_000);
  give(honest, objects);
  give(
    liar,
    objects.map((object) => ({ ...object, bytes: object.bytes.map((byte) => byte ^ 1) })),
  );
  world.start();
  world.run(3000);
  asking.give({ type: "want", objects: ids(objects), near: liar.key });
  t.true(runUntil(world, 60_000, () => asking.got.length === objects.length));
  t.true(asking.refused.includes("object"));
  t.deepEqual(
    asking.got.map(({ id, bytes }) => [id, bytes]).sort(),
    objects.map(({ id, bytes }) => [id, bytes]).sort(),
  );
});

test("[S6] a peer that answers without giving is not asked in a circle", (t) => {
  const world = new World(8);
  const [empty, asking] = ["empty", "asking"].map((name) => world.node(name)) as [ToyNode, ToyNode];
  const answer = empty.peer.objectsFor.bind(empty.peer);
  empty.peer.objectsFor = (to) => answer(to, [], []);
  world.start();
  world.run(3000);
  asking.give({ type: "want", objects: ids(makeObjects(world, 40, 100)) });
  world.takeCost();
  world.run(60_000);
  const wants = world.takeCost().byType["want"]?.frames ?? 0;
  t.true(wants > 3 && wants <= 60, `${wants} questions in a minute`);
});

test("[S1] an object of several megabytes arrives in pieces", (t) => {
  const world = new World(9);
  const [a, asking] = ["a", "asking"].map((name) => world.node(name)) as [ToyNode, ToyNode];
  const bytes = new Uint8Array(2 * 2 ** 20).map((_, index) => (index * index) & 255);
  const object: SyncObject = { id: deriveHash("gdo v1 blob", bytes), kind: "blob", bytes };
  give(a, [object]);
  world.start();
  world.run(3000);
  asking.give({ type: "want", objects: [object.id] });
  t.true(runUntil(world, 10_000, () => asking.got.length === 1));
  t.deepEqual(asking.got[0], object);
});

test("[S6] many objects of one peer come once each, however many questions are under way", (t) => {
  const world = new World(10);
  const [a, asking] = ["a", "asking"].map((name) => world.node(name)) as [ToyNode, ToyNode];
  const objects = makeObjects(world, 1500, 12_000);
  give(a, objects);
  world.broker.faults = { loss: 0, duplication: 0, delayMsMin: 1, delayMsMax: 1 };
  world.start();
  world.run(3000);
  world.takeCost();
  asking.give({ type: "want", objects: ids(objects) });
  t.true(runUntil(world, 60_000, () => asking.got.length >= objects.length));
  t.deepEqual(asking.refused, [], "none too many, none too fast: all were asked for");
  const { frames = 0 } = world.takeCost().byType["data"] ?? {};
  t.true(frames < 1.1 * objects.length, `${frames} frames for ${objects.length} objects`);
});
