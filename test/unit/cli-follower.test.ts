/** What a follower of events is told: finals once and in order, what waits taken back where it comes otherwise. */
import test from "ava";
import fc from "fast-check";
import { type FeedEvent, Follower } from "../../lib/cli/text/follower.ts";

function waiting(id: string, reason?: string): FeedEvent {
  return { id, app: "notes", acts: [], name: "", timeMs: 0, ...(reason === undefined ? {} : { reason }) };
}

function final(id: string, reason?: string): FeedEvent {
  return { ...waiting(id, reason), cursor: `1.${id}` };
}

function words(told: ReturnType<Follower["take"]>): string[] {
  return told.map(({ type, event: { id, reason } }) => `${type} ${id}${reason === undefined ? "" : ` ${reason}`}`);
}

test("events: what comes as it was told is told once more, as final", (t) => {
  const follower = new Follower();
  t.deepEqual(words(follower.take({ events: [], tentative: [waiting("a"), waiting("b", "bad")] })), [
    "tentative a",
    "tentative b bad",
  ]);
  t.deepEqual(words(follower.take({ events: [] })), []);
  t.deepEqual(words(follower.take({ events: [final("a"), final("b", "bad")], tentative: [] })), [
    "event a",
    "event b bad",
  ]);
});

test("events: another order, another fate or no fate at all takes back all that was told after it, newest first", (t) => {
  const follower = new Follower();
  follower.take({ events: [], tentative: [waiting("a"), waiting("b"), waiting("c")] });
  const inserted = { events: [], tentative: [waiting("a"), waiting("x"), waiting("b"), waiting("c")] };
  t.deepEqual(words(follower.take(inserted)), [
    "retracted c",
    "retracted b",
    "tentative x",
    "tentative b",
    "tentative c",
  ]);
  t.deepEqual(words(follower.take({ events: [final("a"), final("x", "void")] })), [
    "event a",
    "retracted c",
    "retracted b",
    "retracted x",
    "event x void",
  ]);
  t.deepEqual(words(follower.take({ events: [], tentative: [waiting("c")] })), ["tentative c"]);
  t.deepEqual(words(follower.take({ events: [], tentative: [] })), ["retracted c"]);
});

/** Reads as a reader does: a stack of what waits, and a list of what is final. */
class Reader {
  readonly stands: string[] = [];
  readonly finals: string[] = [];

  read({ type, event: { id, reason } }: ReturnType<Follower["take"]>[number]): boolean {
    const name = `${id} ${reason}`;
    if (type === "retracted") return this.stands.pop() === name;
    if (type === "tentative") return this.stands.push(name) > 0;
    this.finals.push(name);
    return this.stands.length === 0 || this.stands.shift() === name;
  }
}

test("events: what stands is the finals and what waits, whatever the pages", (t) => {
  const entry = fc.record({
    id: fc.constantFrom(..."abcdef"),
    reason: fc.option(fc.constant("bad"), { nil: undefined }),
  });
  const list = fc.uniqueArray(entry, { selector: ({ id }) => id, maxLength: 5 });
  const names = (events: readonly { id: string; reason?: string | undefined }[]): string[] =>
    events.map(({ id, reason }) => `${id} ${reason}`);
  const page = fc.record({ finals: list, waits: fc.option(list, { nil: undefined }) }).map(({ finals, waits }) => ({
    events: finals.map(({ id, reason }) => final(id, reason)),
    ...(waits === undefined ? {} : { tentative: waits.map(({ id, reason }) => waiting(id, reason)) }),
  }));
  const check = (pages: readonly { events: FeedEvent[]; tentative?: FeedEvent[] }[]): void => {
    const [follower, reader] = [new Follower(), new Reader()];
    for (const each of pages) {
      t.true(follower.take(each).every((told) => reader.read(told)));
      if (each.tentative !== undefined) t.deepEqual(reader.stands, names(each.tentative));
    }
    t.deepEqual(
      reader.finals,
      pages.flatMap(({ events }) => names(events)),
    );
  };
  t.notThrows(() => fc.assert(fc.property(fc.array(page, { maxLength: 8 }), check), { numRuns: 300 }));
});
