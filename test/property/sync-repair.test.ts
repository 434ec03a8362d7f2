/** Different versions of one log on different nodes: REPAIR brings everybody all of them [L6]. */
import test from "ava";
import fc from "fast-check";
import { type Block, encodeEnvelope } from "../../lib/codec/index.ts";
import { type LogPoint, REPAIR_POINTS_MAX, REPAIR_WINDOWS_MAX, type RepairFrame } from "../../lib/sync/wire/frames.ts";
import { tryDecodeFrame } from "../../lib/sync/wire/parse.ts";
import { note, TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";
import { type ForkNode, ForkWorld } from "./sync-fork-world.ts";

const { charter, door } = testOrganisation();

/** A log of the door: `common` blocks, then the blocks of one version. */
function logOf(common: readonly Block[], version: string, count: number): Block[] {
  const log = new TestLog(door.pair, charter.id);
  log.blocks.push(...common);
  return [...Array(count).keys()].map((each) =>
    log.entry([note(`${version}${each}`)], log.blocks.length === 0 ? [charter] : []),
  );
}

/** One more log of the office, that builds on this block. */
function friendOf(index: number, on: Block | undefined): Block[] {
  const log = new TestLog(testKey(1), charter.id, index.toString(16).padStart(16, "c"));
  return [log.entry([note("I saw it")], [on ?? charter]), log.entry([note("and more")])];
}

const counts = { common: fc.nat({ max: 40 }), x: fc.nat({ max: 12 }), y: fc.nat({ max: 12 }) };
const split = fc.record({
  ...counts,
  seed: fc.nat({ max: 1000 }),
  /** What each node holds of the log's two versions, and whether something of its own builds on it. */
  holders: fc.array(
    fc.record({ version: fc.constantFrom("x", "y", "both", "none"), part: fc.nat(20), builds: fc.boolean() }),
    {
      minLength: 2,
      maxLength: 4,
    },
  ),
});

type Split = typeof split extends fc.Arbitrary<infer T> ? T : never;

/** The world as it was split, not running yet. */
function worldOf({ common, x, y, seed, holders }: Split): ForkWorld {
  const before = logOf([], "common", common);
  const versions = { x: logOf(before, "x", x), y: logOf(before, "y", y) };
  const heldOf = ({ version, part }: Split["holders"][number]): Block[] => {
    if (version === "none") return [];
    return [...before, ...(version === "both" ? [...versions.x, ...versions.y] : versions[version].slice(0, part))];
  };
  const world = new ForkWorld(seed, charter);
  for (const [index, holder] of holders.entries()) {
    const held = heldOf(holder);
    const own = holder.builds ? friendOf(index, held.at(-1)) : [];
    world.node(`n${index}`, testKey(10 + index)).take([...held, ...own].map(encodeEnvelope));
  }
  world.broker.faults = { loss: seed % 3 === 0 ? 0.1 : 0, duplication: 0.1, delayMsMin: 1, delayMsMax: 300 };
  return world;
}

test("[L6][S6] nodes come to hold both versions of a log, however they were split, also where frames are lost", (t) => {
  const check = (each: Split): boolean => {
    const world = worldOf(each);
    for (const node of world.nodes) node.start();
    const ms = world.converge(1_200_000);
    const [first, ...rest] = world.nodes.map((node) => node.ids());
    const bad = world.nodes.flatMap(({ db }) => db.verify().bad);
    for (const { db } of world.nodes) db.close();
    return ms !== undefined && bad.length === 0 && rest.every((ids) => ids === first);
  };
  t.notThrows(() => fc.assert(fc.property(split, check), { numRuns: 25 }));
});

test("[L6] figures: one young fork among 100 logs costs a few hundred bytes a round, and its blocks", (t) => {
  const world = new ForkWorld(1, charter);
  const before = logOf([], "common", 200);
  const others = [...Array(100).keys()].flatMap((index) => friendOf(index, undefined));
  for (const [index, version] of ["x", "y"].entries()) {
    const node = world.node(version, testKey(10 + index));
    node.take([...before, ...others, ...logOf(before, version, 3)].map(encodeEnvelope));
  }
  for (const node of world.nodes) node.start();
  const ms = world.converge(60_000);
  t.log(ms, world.cost);
  t.not(ms, undefined);
  const { repair, data } = world.cost;
  t.true((repair?.bytes ?? 0) < 4096, "16 ranges of 24 B a round, both ways");
  t.true((repair?.frames ?? 0) <= 16);
  const bytes = [..."xy"]
    .flatMap((version) => logOf(before, version, 3))
    .reduce((sum, block) => sum + encodeEnvelope(block).length, 0);
  t.true((data?.bytes ?? 0) <= 2 * bytes + 1024, "nothing that both hold travels");
  world.clock.advance(60_000);
  const silent = JSON.stringify({ ...world.cost, hello: 0 });
  world.clock.advance(600_000);
  t.is(JSON.stringify({ ...world.cost, hello: 0 }), silent, "equal digests: silence [S4]");
});

test("[L6] a fork deep in a long log is found in few rounds, and a log that is only longer is none", (t) => {
  const world = new ForkWorld(2, charter);
  const before = logOf([], "common", 17);
  for (const [index, count] of [700, 500].entries())
    world
      .node(`n${index}`, testKey(10 + index))
      .take([...before, ...logOf(before, index === 0 ? "x" : "y", count)].map(encodeEnvelope));
  const longer = new TestLog(testKey(1), charter.id, "00000000000000b7");
  const blocks = [...Array(50).keys()].map((each) => longer.entry([note(`${each}`)], each === 0 ? [charter] : []));
  world.nodes[0]?.take(blocks.map(encodeEnvelope));
  world.nodes[1]?.take(blocks.slice(0, 20).map(encodeEnvelope));
  for (const node of world.nodes) node.start();
  t.not(world.converge(300_000), undefined);
  t.log(world.cost);
  t.is(world.nodes[0]?.ids(), world.nodes[1]?.ids());
  t.true((world.cost["repair"]?.bytes ?? 0) < 16_384);
});

test("[S5] whatever a REPAIR claims, it costs one bounded answer, and changes nothing", (t) => {
  const world = new ForkWorld(3, charter);
  const before = logOf([], "common", 30);
  const node = world.node("n", testKey(10));
  const others = [...Array(40).keys()].flatMap((index) => friendOf(index, undefined));
  node.take([...before, ...others, ...logOf(before, "x", 5), ...logOf(before, "y", 9)].map(encodeEnvelope));
  node.start();
  world.clock.advance(1000);
  const held = node.ids();
  const tags = tagsOf(node);
  const print = fc.nat().map((value) => value.toString(16).padStart(16, "0"));
  const number = fc.oneof(fc.nat({ max: 50 }), fc.maxSafeNat());
  const point = fc.tuple(fc.oneof(fc.constantFrom(...tags), print), number, print) as fc.Arbitrary<LogPoint>;
  const points = fc.array(point, { maxLength: REPAIR_POINTS_MAX });
  const window = fc.record({ from: print, to: fc.oneof(print, fc.constant("")), print });
  const windows = fc.array(window, { maxLength: REPAIR_WINDOWS_MAX });
  const lists = fc.record({ windows, claims: points, versions: points, wants: points, isAnswer: fc.boolean() });
  const check = (fields: Omit<RepairFrame, "type" | "key" | "creditBytes">): boolean => {
    const frame = { ...fields, type: "repair", key: testKey(11).publicKey, creditBytes: 2 ** 40 } as const;
    const sent = node.peer
      .repair(frame, node.db.versions)
      .flatMap((each) => (each.type === "publish" ? [each.bytes] : []));
    const bytes = sent.reduce((sum, { length }) => sum + length, 0);
    return sent.every((each) => tryDecodeFrame(each, 16_384) !== undefined) && bytes < 2 ** 20 + 2 ** 16;
  };
  fc.assert(fc.property(lists, check), { numRuns: 200 });
  t.is(node.ids(), held);
});

/** Tags of the logs that a node holds, as it names them. */
function tagsOf(node: ForkNode): string[] {
  const windows = [{ from: "0000000000000000", to: "", print: "0000000000000000" }];
  const found: string[] = [];
  for (let todo = windows; todo.length > 0; ) {
    const frame = {
      type: "repair",
      key: testKey(11).publicKey,
      windows: todo,
      claims: [],
      versions: [],
      wants: [],
    } as const;
    const answers = node.peer
      .repair({ ...frame, isAnswer: false, creditBytes: 0 }, node.db.versions)
      .flatMap((each) => (each.type === "publish" ? (tryDecodeFrame(each.bytes, 16_384) ?? []) : []));
    const repairs = answers.filter((each): each is RepairFrame => each.type === "repair");
    for (const { claims } of repairs) found.push(...claims.map(([tag]) => tag));
    todo = repairs.flatMap((each) => each.windows).map((each) => ({ ...each, print: "0000000000000000" }));
  }
  return found;
}
