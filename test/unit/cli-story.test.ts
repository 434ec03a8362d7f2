import test from "ava";
import type { DemoEvent, Summary } from "../../lib/agent/index.ts";
import { Story, summaryText, timeOfDay } from "../../lib/cli/text/story.ts";

const HOUR = 3_600_000;

function frame(atMs: number, node: string, isGranted = true): DemoEvent {
  const reasons = isGranted ? ["granted"] : ["unknown_credential"];
  return { type: "frame", atMs, node, reader: node, isOffline: false, logged: 1, isAnswered: true, isGranted, reasons };
}

function begun(): Story {
  const story = new Story();
  story.tell({ type: "day", frames: 5, nodes: ["a", "b"], fromMs: 7 * HOUR, toMs: 10 * HOUR, speed: 100 });
  return story;
}

test("story: an hour is told when all doors are past it, with the cards of that hour only", (t) => {
  const story = begun();
  t.is(story.tell(frame(7.5 * HOUR, "a")), "");
  t.is(story.tell(frame(8.5 * HOUR, "a")), "", "b may still have cards of the first hour");
  t.is(story.tell(frame(7.6 * HOUR, "b")), "");
  t.regex(story.tell(frame(8.1 * HOUR, "b")), /^08:00 {2}In the last hour 2 let in, 0 turned away\./);
});

test("story: what is left is told at the end of the day, at its own time", (t) => {
  const story = begun();
  story.tell(frame(9.9 * HOUR, "a"));
  const [hour, last] = story.tell({ type: "dayend", atMs: 9.95 * HOUR }).split("\n");
  t.regex(hour ?? "", /^09:57 {2}In the last hour 1 let in/);
  t.regex(last ?? "", /^09:57 {2}That was the last card/);
});

test("story: three denials are told, the others are counted", (t) => {
  const story = begun();
  const told = [1, 2, 3, 4, 5].map((minute) => story.tell(frame(7 * HOUR + minute * 60_000, "a", false)));
  t.deepEqual(
    told.map((text) => text !== ""),
    [true, true, true, false, false],
  );
});

test("story: the outage tells how many cards the door decided alone", (t) => {
  const story = begun();
  story.tell({ type: "link", node: "a", state: "cut", atMs: 10 * HOUR, offline: 3 });
  const text = story.tell({ type: "link", node: "a", state: "restored", atMs: 14 * HOUR, offline: 20 });
  t.regex(text, /^14:00 .* decided 17 cards alone/);
});

test("story: the tables show denials by reason and say when state roots differ", (t) => {
  const door = {
    frames: 3,
    granted: 1,
    denied: 2,
    deniedBy: { unknown_credential: 2 },
    frameErrors: 0,
    offlineDecisions: 0,
  };
  const summary: Summary = {
    doors: { front: door },
    lathe: { ...door, denied: 3, deniedBy: { membership_expired: 3 } },
    nodes: { a: { entries: 3, stateRoot: "aa" }, b: { entries: 3, stateRoot: "bb" } },
    merges: 1,
    void: 0,
    decisionMs: { p50: 0.1, p99: 0.2 },
    strikeMs: { p50: 4, p99: 5 },
    unanswered: 0,
    restarts: 0,
    convergedMs: 10,
  };
  const text = summaryText(summary);
  t.regex(text, /front +3 +1 +2 unknown_credential +0 +0/);
  t.regex(text, /lathe +3 +1 +3 membership_expired +0 +0/);
  t.regex(text, /State roots: DIFFERENT/);
});

test("story: times of the day are cut to the minute", (t) => {
  t.is(timeOfDay(7 * HOUR + 59_999), "07:00");
});

test("story: whoever is known is told by name, with all reasons, and that the door was cut off", (t) => {
  const story = begun();
  const kim = { ...frame(11.5 * HOUR, "a", false), reader: "lathe", who: "Kim", isOffline: true } as const;
  const reasons = ["membership_expired", "certificate_expired", "level_too_low"];
  t.is(
    story.tell({ ...kim, reasons } as DemoEvent),
    "11:30  The lathe, cut off, turns Kim away: the dues have lapsed, and the certificate has expired, and level_too_low.",
  );
  const robin = { ...frame(11 * HOUR, "a"), reader: "lathe", who: "Robin" } as DemoEvent;
  t.is(story.tell(robin), "11:00  The lathe lets Robin work: dues are paid, the certificate holds.");
});
