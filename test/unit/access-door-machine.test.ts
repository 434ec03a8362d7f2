import test from "ava";
import { DOOR_INIT, type DoorInput, type DoorState, stepDoor } from "../../lib/access/index.ts";

const SECOND_NS = 1_000_000_000n;
const granted = (atSecond: bigint, unlockMs = 5000): DoorInput => ({
  type: "granted",
  nowNs: atSecond * SECOND_NS,
  unlockMs,
});

function run(...inputs: DoorInput[]): { state: DoorState; outputs: readonly unknown[] } {
  let state: DoorState = DOOR_INIT;
  const outputs: unknown[] = [];
  for (const input of inputs) {
    const step = stepDoor(state, input);
    state = step.state;
    outputs.push(...step.outputs);
  }
  return { state, outputs };
}

test("[A4] door machine: nothing unlocks before the strike is seen released", (t) => {
  t.deepEqual(run(granted(0n)), { state: { name: "init" }, outputs: [] });
});

test("[A4] door machine: a grant energises for its time and ends locked", (t) => {
  t.deepEqual(run({ type: "released" }, granted(1n)).outputs, [{ type: "energise", forMs: 5000 }]);
  t.deepEqual(run({ type: "released" }, granted(1n), { type: "elapsed" }).state, { name: "relocking" });
  t.deepEqual(run({ type: "released" }, granted(1n), { type: "elapsed" }, { type: "released" }).state, {
    name: "locked",
  });
});

test("door machine: a second grant extends and never shortens", (t) => {
  const longer = run({ type: "released" }, granted(1n), granted(3n));
  t.deepEqual(longer.state, { name: "unlocked", untilNs: 8n * SECOND_NS });
  t.deepEqual(longer.outputs.at(-1), { type: "energise", forMs: 5000 });
  const shorter = run({ type: "released" }, granted(1n), granted(2n, 1000));
  t.deepEqual(shorter.state, { name: "unlocked", untilNs: 6n * SECOND_NS });
  t.deepEqual(shorter.outputs.at(-1), { type: "energise", forMs: 4000 });
});

test("door machine: a grant while relocking unlocks again", (t) => {
  const again = run({ type: "released" }, granted(1n), { type: "elapsed" }, granted(7n));
  t.deepEqual(again.state, { name: "unlocked", untilNs: 12n * SECOND_NS });
});

test("[A4] door machine: lock releases in every state", (t) => {
  for (const before of [[], [{ type: "released" }], [{ type: "released" }, granted(1n)]] as DoorInput[][]) {
    t.deepEqual(run(...before, { type: "lock" }).outputs.at(-1), { type: "release" });
    t.deepEqual(run(...before, { type: "lock" }, { type: "released" }).state, { name: "locked" });
  }
});
