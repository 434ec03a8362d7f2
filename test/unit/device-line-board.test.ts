import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { type Clock, SteeredClock, SystemClock, silentLog } from "../../lib/base/index.ts";
import {
  edgesOf,
  type FrameReport,
  LineBoard,
  SimulatedLines,
  type TrainEdge,
  WiegandReader,
} from "../../lib/device/index.ts";
import { until } from "../support/door-home.ts";

async function setup(t: ExecutionContext, clock: Clock = new SystemClock()) {
  const folder = mkdtempSync(join(tmpdir(), "gdo-board-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "board.sock");
  const board = await LineBoard.listen(path);
  t.teardown(() => board.close());
  const steering = clock instanceof SteeredClock ? { onAdvance: (ms: number) => clock.advanceTo(ms) } : {};
  const lines = new SimulatedLines({ path, clock, log: silentLog, ...steering });
  t.teardown(() => lines.close());
  const strike = lines.output("strike");
  await lines.open();
  const seen: { bits: string; wallMs: number }[] = [];
  const onFrame = async ({ bits, wallMs }: { bits: string; wallMs: number }): Promise<FrameReport> => {
    seen.push({ bits, wallMs });
    return { logged: seen.length, edgeToStrikeUs: 5, decisionUs: 1 };
  };
  const reader = new WiegandReader({ name: "front", clock, stopwatch: new SystemClock(), onFrame, onFault: t.fail });
  lines.attach("front", reader);
  await board.connected("front");
  return { board, lines, path, seen, strike };
}

const send = (path: string, text: string): void => {
  const socket = createConnection(path);
  socket.on("error", () => {});
  socket.end(text);
};

test("line board: a frame goes through the decoder and is reported", async (t) => {
  const { board, seen } = await setup(t);
  t.deepEqual(await board.play("front", edgesOf("1011")), { logged: 1, edgeToStrikeUs: 5, decisionUs: 1 });
  t.is(seen[0]?.bits, "1011");
});

test("line board: frames played all at once stay apart and in order", async (t) => {
  const { board, seen } = await setup(t);
  const sent = ["1", "01", "1101", "10011111100010110000100110", "0"];
  const reports = await Promise.all(sent.map((bits) => board.play("front", edgesOf(bits))));
  t.deepEqual(
    seen.map(({ bits }) => bits),
    sent,
  );
  t.deepEqual(
    reports.map(({ logged }) => logged),
    [1, 2, 3, 4, 5],
  );
});

test("line board: a train with a pause is two frames and one report", async (t) => {
  const { board, seen } = await setup(t);
  const train: TrainEdge[] = [
    [1, 41_000_000],
    [0, 40_000_000],
    [1, 1_000_000],
    [1, 0],
  ];
  t.is((await board.play("front", train)).logged, 2);
  t.deepEqual(
    seen.map(({ bits }) => bits),
    ["10", "11"],
  );
});

test("line board: the clock moves after what was played before and before what is played after", async (t) => {
  const { board, seen } = await setup(t, new SteeredClock(1_000_000));
  const first = board.play("front", edgesOf("1011"));
  board.advance(9_000_000);
  const second = board.play("front", edgesOf("0100"));
  await Promise.all([first, second]);
  t.true(seen[0]!.wallMs < 9_000_000);
  t.true(seen[1]!.wallMs >= 9_000_000);
});

test("line board: nobody at a reader is an error, not a wait", async (t) => {
  const { board } = await setup(t);
  await t.throwsAsync(board.play("back", edgesOf("1")), { code: "LINE_INVALID" });
});

test("line board: a door that goes away leaves its frames unanswered, as an error", async (t) => {
  const { board, lines } = await setup(t);
  const playing = board.play("front", edgesOf("1011"));
  await lines.close();
  await t.throwsAsync(playing, { code: "LINE_INVALID" });
});

test("[A4] line board: a level outlives its door, and safe brings it down", async (t) => {
  const { board, lines, path, strike } = await setup(t);
  await strike.write(true);
  await until(() => board.levels.get("strike") === true);
  await lines.close();
  t.true(board.levels.get("strike"));
  send(path, '{"type":"safe"}\n');
  await until(() => board.levels.get("strike") === false);
  t.pass();
});

test("[A4] line board: what a connection from before safe still says has no effect", async (t) => {
  const { board, path } = await setup(t);
  const level = '{"type":"level","line":"bolt","high":true,"monoNs":"1","wallMs":1}\n';
  const door = createConnection(path);
  door.on("error", () => {});
  door.write(`{"type":"hello","outputs":["bolt"],"readers":[]}\n${level}`);
  await until(() => board.levels.get("bolt") === true);
  send(path, '{"type":"safe"}\n');
  await until(() => board.levels.get("bolt") === false);
  const highs: string[] = [];
  board.onLevel(({ line, high }) => void (high && highs.push(line)));
  door.write(level);
  await board.connected("front"); // The door of the setup has come back since.
  t.is((await board.play("front", edgesOf("1011"))).logged, 1);
  t.deepEqual(highs, []);
});

test("[A4] line board: a living door comes back after safe and can energise again", async (t) => {
  const { board, path, strike } = await setup(t);
  await strike.write(true);
  await until(() => board.levels.get("strike") === true);
  send(path, '{"type":"safe"}\n');
  await until(() => board.levels.get("strike") === false);
  await board.connected("front");
  await strike.write(true);
  await until(() => board.levels.get("strike") === true);
  t.true(board.levels.get("strike"));
});

const GARBAGE = [
  "no json\n",
  "[]\n",
  '{"type":"levels"}\n',
  '{"type":"level","line":"strike","high":true,"monoNs":"1","wallMs":1}\n', // Without a hello naming the line.
  '{"type":"hello","outputs":"strike","readers":[]}\n',
  '{"type":"done","seq":77,"logged":1,"edgeToStrikeUs":null,"decisionUs":1}\n',
  `${"x".repeat(70_000)}`,
  "\xff\xfe\n",
];

test("line board: nonsense closes the connection, is counted, and harms nobody else", async (t) => {
  const { board, path, strike } = await setup(t);
  for (const [index, text] of GARBAGE.entries()) {
    send(path, text);
    await until(() => board.garbage === index + 1);
  }
  await strike.write(true);
  await until(() => board.levels.get("strike") === true);
  t.is((await board.play("front", edgesOf("1011"))).logged, 1);
});
