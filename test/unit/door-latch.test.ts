import test from "ava";
import { DoorLatch } from "../../lib/agent/door/latch.ts";
import { FakeClock, silentLog } from "../../lib/base/index.ts";
import { RecordingLine } from "../support/recording-line.ts";

function setup() {
  const clock = new FakeClock();
  const line = new RecordingLine();
  return { clock, line, latch: new DoorLatch(line, clock, silentLog) };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("[A4] latch: before its line has taken the safe level nothing unlocks", async (t) => {
  const { latch, line } = setup();
  line.failLow = 1;
  await latch.start();
  t.false(await latch.grant(5_000));
  t.deepEqual(line.levels, []);
});

test("[A4] latch: locked, unlocked for its time, locked again", async (t) => {
  const { clock, latch, line } = setup();
  await latch.start();
  t.is(latch.state, "locked");
  t.true(await latch.grant(5_000));
  t.is(latch.state, "unlocked");
  clock.advance(3_000);
  t.true(await latch.grant(5_000));
  clock.advance(4_999);
  t.is(latch.state, "unlocked");
  clock.advance(1);
  await settle();
  t.is(latch.state, "locked");
  t.deepEqual(line.levels, [false, true, true, false]);
});

test("[A4] latch: a strike that cannot be energised ends locked", async (t) => {
  const { latch, line } = setup();
  await latch.start();
  line.failHigh = 1;
  await t.throwsAsync(latch.grant(5_000), { code: "LINE_INVALID" });
  t.is(latch.state, "locked");
  t.true(await latch.grant(5_000));
});

test("[A4] latch: closing while unlocked locks", async (t) => {
  const { clock, latch, line } = setup();
  await latch.start();
  await latch.grant(5_000);
  await latch.close();
  t.is(latch.state, "locked");
  t.false(line.levels.at(-1));
  clock.advance(10_000);
  t.is(line.levels.filter(Boolean).length, 1);
});
