import test from "ava";
import { difference, type Standing } from "../../lib/agent/demo/finale.ts";
import { type Frame, parseDay } from "../../lib/agent/demo-script/day.ts";
import { parseOutage } from "../../lib/agent/demo-script/outage.ts";
import { quantiles, Tally } from "../../lib/agent/demo-script/tally.ts";
import { defaultSpeed, startOfDay, timelineOf } from "../../lib/agent/demo-script/timeline.ts";
import { withVisits } from "../../lib/agent/demo-script/workshop.ts";

const READERS = new Set(["front-door", "laser-room"]);
const HOUR = 3_600_000;
const line = (atMs: unknown, reader: unknown = "front-door", bits: unknown = "01"): string =>
  JSON.stringify({ at_ms: atMs, reader, bits });
const frame = (atMs: number, reader = "front-door"): Frame => ({ atMs, reader, bits: "0" });

test("demo day: frames are read in order, empty lines are none", (t) => {
  const frames = parseDay(`${line(5)}\n\n${line(5, "laser-room", "1")}\n`, "day", READERS);
  t.deepEqual(frames, [
    { atMs: 5, reader: "front-door", bits: "01" },
    { atMs: 5, reader: "laser-room", bits: "1" },
  ]);
});

const MALFORMED: readonly [text: string, message: RegExp][] = [
  ["{", /day line 2 is not an object/],
  ["[]", /line 2 is not an object/],
  ["null", /line 2 is not an object/],
  [line(-1), /line 2 needs at_ms/],
  [line(86_400_000), /line 2 needs at_ms/],
  [line(7.5), /line 2 needs at_ms/],
  [line("7"), /line 2 needs at_ms/],
  [line(3), /line 2 is earlier than the line before/],
  [line(9, "cellar"), /line 2 names the reader 'cellar', which is none of front-door, laser-room/],
  [line(9, 7), /line 2 needs reader/],
  [line(9, "front-door", ""), /line 2 needs bits/],
  [line(9, "front-door", "012"), /line 2 needs bits/],
  [line(9, "front-door", "0".repeat(129)), /line 2 needs bits/],
  ['{"at_ms":9,"reader":"front-door","bits":"0","x":1}', /line 2 has a key 'x'/],
];

for (const [text, message] of MALFORMED) {
  test(`demo day: a malformed line is refused with its number: ${text.slice(0, 60)}`, (t) => {
    t.throws(() => parseDay(`${line(5)}\n${text}\n`, "day", READERS), { code: "INPUT_INVALID", message });
  });
}

test("demo day: a file without frames is refused", (t) => {
  t.throws(() => parseDay("\n", "day", READERS), { code: "INPUT_INVALID", message: /holds no frames/ });
});

test("demo outage: node and times are read", (t) => {
  t.deepEqual(parseOutage("laser-room:9:30-24:00", ["laser-room"]), {
    node: "laser-room",
    fromMs: 9.5 * HOUR,
    toMs: 24 * HOUR,
  });
});

for (const text of [
  "",
  "front-door",
  "front-door:10-14",
  "front-door:10:00-09:00",
  "front-door:10:00-10:00",
  "front-door:10:60-11:00",
  "front-door:10:00-25:00",
  "office:10:00-11:00",
  "front-door:10:00-11:00:00",
]) {
  test(`demo outage: '${text}' is refused`, (t) => {
    t.throws(() => parseOutage(text, ["front-door", "laser-room"]), { code: "USAGE" });
  });
}

test("demo timeline: the link changes before a frame of the same moment, and only at its node", (t) => {
  const frames = [frame(9), frame(10), frame(11, "laser-room"), frame(20), frame(21)];
  const outage = { node: "front-door", fromMs: 10, toMs: 20 };
  t.deepEqual(
    timelineOf("front-door", frames, outage).map(({ act, atMs }) => `${act} ${atMs}`),
    ["frame 9", "cut 10", "frame 10", "restore 20", "frame 20", "frame 21"],
  );
  t.deepEqual(
    timelineOf("laser-room", frames, outage).map(({ act }) => act),
    ["frame"],
  );
});

test("demo timeline: an outage after the last frame still begins and ends", (t) => {
  const acts = timelineOf("front-door", [frame(1)], { node: "front-door", fromMs: 10, toMs: 20 }).map(({ act }) => act);
  t.deepEqual(acts, ["frame", "cut", "restore"]);
});

test("demo timeline: clocks start at 06:30 for a first frame at 07:01, and the day takes half a minute", (t) => {
  const frames = [frame(7 * HOUR + 60_000), frame(23 * HOUR + 60_000)];
  t.is(startOfDay(frames), 6.5 * HOUR);
  t.is(defaultSpeed(frames), 1920);
  t.is(defaultSpeed([frame(5)]), 1);
});

test("demo tally: quantiles are those of nearest rank", (t) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  t.deepEqual(quantiles(values), { p50: 50, p99: 99 });
  t.deepEqual(quantiles([7]), { p50: 7, p99: 7 });
  t.deepEqual(quantiles([]), { p50: 0, p99: 0 });
});

test("demo tally: grants, offline decisions and frames without an answer are kept apart", (t) => {
  const tally = new Tally(["a"]);
  tally.add({ reader: "a", atMs: 1, isOffline: true, answer: { n: 0, decisionMs: 1, strikeMs: 2 } });
  tally.add({ reader: "a", atMs: 2, isOffline: true, answer: { n: 1, decisionMs: 3, strikeMs: undefined } });
  tally.add({ reader: "a", atMs: 3, isOffline: true });
  t.deepEqual(tally.door("a"), { frames: 3, granted: 1, offline: 2, unanswered: 1 });
  t.deepEqual(tally.strike(), { p50: 2, p99: 2 });
});

test("demo finale: nodes are equal only in entries, head and state, with nothing pending", (t) => {
  const one: Standing = {
    node: "a",
    entries: 5,
    pending: 0,
    stateRoot: "r",
    head: "h",
    merges: 1,
    voids: 0,
    doorN: -1,
    isPublishing: false,
  };
  const two = { ...one, node: "b" };
  t.is(difference([one, two]), undefined);
  t.regex(difference([one, { ...two, entries: 4 }]) ?? "", /a holds 5 entries, b 4/);
  t.regex(difference([one, { ...two, stateRoot: "q" }]) ?? "", /different states/);
  t.regex(difference([one, { ...two, head: "g" }]) ?? "", /different merges/);
  t.regex(difference([one, { ...two, pending: 2 }]) ?? "", /b has 2 entries/);
  t.regex(difference([{ ...one, isPublishing: true }, two]) ?? "", /a compiles a snapshot/);
});

test("demo lathe: visits stand among the day's frames in order, as far as the day goes", (t) => {
  const day = [frame(7.6 * HOUR), frame(11.2 * HOUR), frame(12 * HOUR)];
  const all = withVisits(day);
  t.deepEqual(
    all.map(({ atMs, who }) => [atMs / HOUR, who]),
    [
      [7.6, undefined],
      [8, "Robin"],
      [11, "Robin"],
      [11.2, undefined],
      [11.5, "Kim"],
      [12, undefined],
    ],
  );
  t.true(all.every(({ reader, who }) => (reader === "lathe") === (who !== undefined)));
});
