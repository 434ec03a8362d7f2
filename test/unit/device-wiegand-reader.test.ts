import test from "ava";
import { FakeClock } from "../../lib/base/index.ts";
import { WiegandReader } from "../../lib/device/index.ts";
import { readerHarness } from "../support/reader-harness.ts";

test("reader: a frame ends four intervals after its last edge, not later", async (t) => {
  const { clock, frames, reader, send } = readerHarness();
  send("10011111100010110000100110", 1);
  clock.advance(3.9);
  t.is(frames.length, 0);
  clock.advance(0.2);
  t.is(await reader.settled(), "10011111100010110000100110");
  t.is(frames[0]?.wallMs, Math.floor(1_000 + 1_000 + 25 + 4));
});

test("reader: it settles at once when nothing is open", async (t) => {
  t.is(await readerHarness().reader.settled(), undefined);
});

test("reader: a handler that fails costs its own frame only", async (t) => {
  const { clock, faults, reader, send } = readerHarness();
  send("111", 1);
  clock.advance(30);
  t.is(await reader.settled(), undefined);
  t.is(faults.length, 1);
  send("101", 1);
  clock.advance(30);
  t.is(await reader.settled(), "101");
});

test("reader: edges closer than a reader makes them mark the frame", async (t) => {
  const { clock, frames, reader, send } = readerHarness();
  send("1010", 0.05);
  clock.advance(30);
  await reader.settled();
  t.is(frames[0]?.fault, "short_interval");
});

test("reader: the stopwatch's stamp of the last edge does not follow a steered clock", async (t) => {
  const [clock, stopwatch] = [new FakeClock(), new FakeClock()];
  clock.advance(1_000);
  const stamps: bigint[] = [];
  const onFrame = async ({ lastEdgeStopwatchNs }: { lastEdgeStopwatchNs: bigint }) =>
    void stamps.push(lastEdgeStopwatchNs);
  const reader = new WiegandReader({ name: "r", clock, stopwatch, onFrame, onFault: t.fail });
  stopwatch.advance(50);
  reader.edge(1, clock.monoNs() - 2_000_000n);
  clock.advance(3_600_000);
  await reader.settled();
  t.deepEqual(stamps, [48_000_000n]);
});

test("reader: after close nothing is handed over by the timer", async (t) => {
  const { clock, frames, reader, send } = readerHarness();
  send("1010", 1);
  const settled = reader.settled();
  reader.close();
  clock.advance(1_000);
  await settled;
  t.is(frames.length, 0);
});
