/** The simulated world: that it repeats itself, that every fault is survived, and that the invariants hold in it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import test from "ava";
import { FAULT_KINDS, type Fault, type SimulationOptions, scheduleOf, simulate } from "../../lib/simulate/index.ts";

/** Four validators, one of which may lie, and seven doors. */
const LARGE = { nodes: 11, days: 1, faults: FAULT_KINDS, cheats: 1 };
const SMALL: SimulationOptions = { seed: 1, nodes: 5, days: 1, faults: FAULT_KINDS, cheats: 0 };
const SEEDS = 50;

const run = promisify(execFile);

test("simulate: the same seed is the same run, byte for byte; another seed is another", async (t) => {
  const options = { ...SMALL, cheats: 1 };
  const [one, again, other] = [
    await simulate(options),
    await simulate(options),
    await simulate({ ...options, seed: 2 }),
  ];
  t.is(one.summary.trace, again.summary.trace);
  t.deepEqual(one.timeline, again.timeline);
  t.not(one.summary.trace, other.summary.trace);
});

test(`[L13] I1 I2 I4 I5 I7 I8 I10: ${SEEDS} seeds with every kind of fault and a validator that lies`, async (t) => {
  let faults = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { findings, summary, schedule } = await simulate({ ...LARGE, seed });
    faults += schedule.length;
    t.deepEqual(findings, [], `gdo simulate --seed ${seed} --nodes ${LARGE.nodes} --days ${LARGE.days} --cheats 1`);
    t.true(summary.merges >= 2, `seed ${seed}: ${summary.merges} merges`);
  }
  t.log(`${faults} faults`);
  t.true(faults > 3 * SEEDS);
});

test("simulate: in modes single and crash, with one to three validators, a day with faults ends well", async (t) => {
  for (const nodes of [2, 5, 9]) {
    for (const seed of [1, 2]) t.deepEqual((await simulate({ ...SMALL, nodes, seed })).findings, [], `${nodes} nodes`);
  }
});

/** Of each number of nodes, seeds in which a validator's card is struck, too. */
const CARDS = [
  { nodes: 8, seed: 1 },
  { nodes: 11, seed: 5 },
  { nodes: 11, seed: 11 },
];

test("[L8][L17] simulate: cards of doors and validators are put back, also byte for byte, or doubled", async (t) => {
  const faults = ["restored", "rewound", "cloned", "power"] as const;
  const struck = new Set<string>();
  for (const { nodes, seed } of CARDS) {
    const { findings, schedule } = await simulate({ ...SMALL, nodes, days: 2, faults, seed });
    t.deepEqual(findings, [], `seed ${seed}, ${nodes} nodes`);
    for (const { kind, nodes: whom } of schedule) if (whom.includes("validator-1")) struck.add(kind);
  }
  t.true(
    faults.every((kind) => kind === "power" || struck.has(kind)),
    [...struck].join(", "),
  );
});

test("simulate: administrators who want each other out come to one outcome, and somebody can always act", async (t) => {
  let voids = 0;
  for (const seed of [2, 3, 4]) {
    const { findings, timeline, summary } = await simulate({ ...SMALL, days: 3, faults: [], cheats: 1, seed });
    t.deepEqual(findings, [], `seed ${seed}`);
    if (timeline.some(({ what }) => what.startsWith("fall out"))) voids += summary.charterVoid;
  }
  t.true(voids > 0, "some of what they did was refused");
});

test("simulate: every kind of fault is in some schedule, and each alone is survived", async (t) => {
  for (const kind of FAULT_KINDS) {
    const options = { ...SMALL, days: 2, faults: [kind] };
    const seed = [...Array(60).keys()].find((each) => scheduleOf({ ...options, seed: each }).length > 0);
    t.not(seed, undefined, `no schedule has ${kind}`);
    t.deepEqual((await simulate({ ...options, seed: seed ?? 0 })).findings, [], `${kind}, seed ${seed}`);
  }
});

/** Those of four entries, then of a merge, its proposal, an attestation, a lock and a commitment. */
const FSYNCS = 10;

test("[L7] simulate: the power of a validator fails at each fsync in turn, before and after it", async (t) => {
  for (let count = 1; count <= FSYNCS; count += 1) {
    for (const amount of [count, -count]) {
      const fault: Fault = { kind: "fsync", atMs: 100, forMs: 2000, nodes: ["validator-1"], amount };
      const { findings, timeline } = await simulate(SMALL, [fault]);
      t.deepEqual(findings, [], `fsync ${amount}`);
      t.true(
        timeline.some(({ what }) => what.includes("the power failed")),
        `fsync ${amount} was met`,
      );
    }
  }
});

test("gdo simulate: one JSON object a line, and a fault that it does not know is wrong use", async (t) => {
  const { stdout } = await run("bin/gdo", ["--json", "simulate", "--nodes", "3", "--days", "1", "--faults", "none"]);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; findings?: number });
  t.deepEqual([...new Set(lines.map(({ type }) => type))], ["event", "summary"]);
  t.is(lines.at(-1)?.findings, 0);
  const refused = await t.throwsAsync(run("bin/gdo", ["simulate", "--faults", "partition,earthquake"]));
  t.is((refused as { code?: unknown }).code, 2);
});
