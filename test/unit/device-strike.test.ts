import test from "ava";
import { FakeClock } from "../../lib/base/index.ts";
import { PULSE_MS_MAX, Strike } from "../../lib/device/index.ts";
import { RecordingLine } from "../support/recording-line.ts";

function setup() {
  const clock = new FakeClock();
  const line = new RecordingLine();
  const events: string[] = [];
  const hooks = {
    onElapsed: () => void events.push("elapsed"),
    onReleased: () => void events.push("released"),
    onFault: () => void events.push("fault"),
  };
  return { clock, line, events, strike: new Strike(line, clock, hooks) };
}

/** Lets what is pending in promises happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("[A4] strike: a pulse ends released without anyone calling release", async (t) => {
  const { clock, events, line, strike } = setup();
  await strike.unlock(3_000);
  clock.advance(2_999);
  t.deepEqual(line.levels, [true]);
  clock.advance(1);
  t.deepEqual(line.levels, [true, false]);
  await settle();
  t.deepEqual(events, ["elapsed", "released"]);
});

test("[A4] strike: a second pulse moves the end and leaves one end", async (t) => {
  const { clock, line, strike } = setup();
  await strike.unlock(3_000);
  clock.advance(2_000);
  await strike.unlock(3_000);
  clock.advance(2_999);
  t.deepEqual(line.levels, [true, true]);
  clock.advance(10_000);
  t.deepEqual(line.levels, [true, true, false]);
});

test("[A4] strike: a pulse without end, or longer than the longest, is refused", async (t) => {
  const { line, strike } = setup();
  for (const pulseMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, PULSE_MS_MAX + 1]) {
    await t.throwsAsync(strike.unlock(pulseMs), { instanceOf: RangeError });
  }
  t.deepEqual(line.levels, []);
});

test("[A4] strike: a write that fails ends released, and the caller is told", async (t) => {
  const { clock, events, line, strike } = setup();
  line.failHigh = 1;
  await t.throwsAsync(strike.unlock(3_000), { code: "LINE_INVALID" });
  t.deepEqual(line.levels, [false]);
  clock.advance(10_000);
  t.deepEqual(line.levels, [false]);
  t.deepEqual(events, ["fault", "released"]);
});

test("[A4] strike: a release that fails is tried again until it holds", async (t) => {
  const { clock, events, line, strike } = setup();
  await strike.unlock(1_000);
  line.failLow = 3;
  clock.advance(1_000);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await settle();
    t.deepEqual(line.levels, [true]);
    clock.advance(100);
  }
  await settle();
  t.deepEqual(line.levels, [true, false]);
  t.deepEqual(events, ["elapsed", "fault", "fault", "fault", "released"]);
});

test("[A4] strike: a pulse that begins while a release is tried again is not cut short by it", async (t) => {
  const { clock, line, strike } = setup();
  await strike.unlock(1_000);
  line.failLow = 1;
  clock.advance(1_000);
  await settle();
  await strike.unlock(5_000);
  clock.advance(4_999);
  t.deepEqual(line.levels, [true, true]);
  clock.advance(1);
  t.deepEqual(line.levels, [true, true, false]);
});

test("[A4] strike: a step of the wall clock neither shortens nor lengthens a pulse", async (t) => {
  const { clock, line, strike } = setup();
  await strike.unlock(3_000);
  clock.setWall(3_600_000);
  clock.advance(2_999);
  t.deepEqual(line.levels, [true]);
  clock.setWall(0);
  clock.advance(1);
  t.deepEqual(line.levels, [true, false]);
});

test("[A4] strike: closing releases, and a closed strike never unlocks", async (t) => {
  const { clock, line, strike } = setup();
  await strike.unlock(3_000);
  await strike.close();
  t.false(line.levels.at(-1));
  await t.throwsAsync(strike.unlock(1_000), { instanceOf: RangeError });
  clock.advance(10_000);
  t.deepEqual(line.levels.filter(Boolean), [true]);
});
