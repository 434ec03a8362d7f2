import test from "ava";
import { Agenda } from "../../lib/simulate/time/agenda.ts";
import { NodeClock } from "../../lib/simulate/time/node-clock.ts";

test("Agenda: things happen in the order of their time, ties in the order of their making", (t) => {
  const agenda = new Agenda();
  const done: string[] = [];
  for (const [atMs, name] of [
    [5, "c"],
    [1, "a"],
    [5, "d"],
    [3, "b"],
    [9, "e"],
  ] as const)
    agenda.at(atMs, () => done.push(name));
  agenda.at(4, () => done.push("never"))();
  while (agenda.nextMs < Number.POSITIVE_INFINITY) agenda.step();
  t.deepEqual(done, ["a", "b", "c", "d", "e"]);
  t.is(agenda.nowMs, 9);
});

test("Agenda: a leap puts what was due meanwhile into the second after, in its order", (t) => {
  const agenda = new Agenda();
  const done: [string, number][] = [];
  const note = (name: string) => () => void done.push([name, agenda.nowMs]);
  agenda.at(400_000, note("second"));
  agenda.at(100_000, note("first"));
  const cancel = agenda.at(200_000, note("cancelled"));
  agenda.at(1_000_500, note("on time"));
  agenda.leap(1_000_000);
  cancel();
  while (agenda.nextMs < Number.POSITIVE_INFINITY) agenda.step();
  t.deepEqual(done, [
    ["first", 1_000_100],
    ["second", 1_000_400],
    ["on time", 1_000_500],
  ]);
});

test("NodeClock: [L5] the wall may say 1970 or run backwards; the monotonic clock goes on", (t) => {
  const agenda = new Agenda();
  const clock = new NodeClock(agenda, 5000);
  agenda.rest(100);
  t.is(clock.nowMs(), 5100);
  clock.setWall(0, 1);
  agenda.rest(200);
  t.is(clock.nowMs(), 100);
  clock.setWall(1000, -0.5);
  agenda.rest(300);
  t.is(clock.nowMs(), 950);
  t.is(clock.monoNs(), 300_000_000n);
});

test("NodeClock: after stop no timer fires", (t) => {
  const agenda = new Agenda();
  const clock = new NodeClock(agenda, 0);
  clock.after(10, () => t.fail("fired"));
  clock.stop();
  while (agenda.nextMs < Number.POSITIVE_INFINITY) agenda.step();
  t.pass();
});
