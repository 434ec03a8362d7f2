/** Incarnations: when a log turns, what the new one names, and when two copies run [L8]. */
import test from "ava";
import { turnWords, twinWords } from "../../lib/agent/views/own-words.ts";
import { SeededRng, SystemClock } from "../../lib/base/index.ts";
import type { Block } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { decideStart, entryPayload, type IncarnationLog, liveTwins, type Place } from "../../lib/ledger/index.ts";
import { type LogTurn, OwnLog } from "../../lib/node/index.ts";
import { note, testKey, testOrganisation } from "../support/ledger-fixtures.ts";

const { charter } = testOrganisation();
const HERE: Place = { board: "b1", disk: "d1", mark: "m1" };
const PAIR = testKey(2);

function ownLog(db: LedgerDb, place?: Place, seed = 7): OwnLog {
  if (!db.has(charter.id)) db.ingest([charter]);
  const options = { db, pair: PAIR, organisation: charter.id, clock: new SystemClock(), rng: new SeededRng(seed) };
  return new OwnLog(place === undefined ? options : { ...options, place });
}

function say(log: OwnLog, text: string): Block {
  return log.append("entry", entryPayload("notes", [note(text)]), [charter]);
}

function copyOf(db: LedgerDb, from: LedgerDb): void {
  db.ingest([charter]);
  for (const { author, l, n } of from.frontier()) {
    const have = db.lastOf(author, l)?.n ?? -1;
    for (let at = have + 1; at <= n; at += 1) {
      const [block] = from
        .list({ limit: 10_000 })
        .rows.filter((row) => row.block.a === author && row.block.l === l && row.block.n === at);
      if (block !== undefined) db.ingest([block.block]);
    }
  }
}

test("[L8] a log goes on where all facts that are known are as they were", (t) => {
  t.deepEqual(decideStart({ l: undefined, place: undefined }, HERE), { type: "first" });
  t.deepEqual(decideStart({ l: "a1", place: HERE }, HERE), { type: "go-on", l: "a1" });
  t.deepEqual(decideStart({ l: "a1", place: undefined }, HERE), { type: "go-on", l: "a1" });
  t.deepEqual(decideStart({ l: "a1", place: HERE }, { ...HERE, machine: "new" }), { type: "go-on", l: "a1" });
  t.deepEqual(decideStart({ l: "a1", place: HERE }, { mark: "m1" }), { type: "go-on", l: "a1" });
});

test("[L8] a log turns where one fact is another, and says which", (t) => {
  for (const fact of Object.keys(HERE)) {
    t.deepEqual(decideStart({ l: "a1", place: HERE }, { ...HERE, [fact]: "other" }), { type: "moved", facts: [fact] });
  }
});

test("[L8] [L17] a device that has run before and remembers nothing goes on in a log that turned, and says why", (t) => {
  const lost = LedgerDb.open(":memory:");
  lost.ingest([charter]);
  const options = { db: lost, pair: PAIR, organisation: charter.id, clock: new SystemClock(), rng: new SeededRng(3) };
  const [turn, ...rest] = new OwnLog({ ...options, place: HERE, hasRun: true }).turns();
  t.deepEqual(turn?.cause, { type: "moved", facts: ["database"] });
  t.regex(turnWords(turn as LogTurn), /has lost its ledger/);
  const next = new OwnLog({ ...options, place: HERE, hasRun: true });
  t.deepEqual([rest.length, next.turns().length, next.incarnation], [0, 1, turn?.l]);
  const db = LedgerDb.open(":memory:");
  db.ingest([charter]);
  t.deepEqual(new OwnLog({ ...options, db, place: HERE, hasRun: false }).turns(), []);
});

test("[L8] a restart keeps the incarnation; a copy begins one that names where the log ended", (t) => {
  const db = LedgerDb.open(":memory:");
  const before = ownLog(db, HERE);
  say(before, "one");
  const last = say(before, "two");
  t.is(ownLog(db, HERE, 8).incarnation, before.incarnation);
  const copy = ownLog(db, { ...HERE, mark: "m2" }, 9);
  t.not(copy.incarnation, before.incarnation);
  const first = say(copy, "three");
  t.is(first.n, 0);
  t.true(first.p.includes(last.id));
  t.deepEqual(copy.turns().at(-1)?.before, [before.incarnation, 1]);
  t.is(ownLog(db, { ...HERE, mark: "m2" }, 10).incarnation, copy.incarnation);
});

test("[L8] blocks of this device that come from others turn its log, and no number is used again", (t) => {
  const [old, now] = [LedgerDb.open(":memory:"), LedgerDb.open(":memory:")];
  const original = ownLog(now, HERE);
  say(original, "one");
  copyOf(old, now);
  old.setMeta("own.incarnation", original.incarnation);
  const later = say(original, "two");
  const restored = ownLog(old, undefined, 8);
  t.is(restored.incarnation, original.incarnation);
  old.ingest([later]);
  restored.saw(later, false);
  const block = say(restored, "three");
  t.not(block.l, later.l);
  t.true(block.p.includes(later.id));
  t.deepEqual(restored.turns().at(-1)?.cause, { type: "behind", n: 1 });
});

test("[L8] a number that others hold another block of turns the log, too", (t) => {
  const db = LedgerDb.open(":memory:");
  const log = ownLog(db, HERE);
  const mine = say(log, "mine");
  log.saw({ a: mine.a, l: mine.l, n: 0 }, true);
  t.deepEqual(log.turns().at(-1)?.cause, { type: "forked", n: 0 });
  t.is(say(log, "next").n, 0);
});

test("[L8] a first block names where the log ended even when its parents are as many as may be", (t) => {
  const db = LedgerDb.open(":memory:");
  const log = ownLog(db, HERE);
  const blocks = [...Array(9).keys()].map((each) => say(log, `${each}`));
  const copy = ownLog(db, { ...HERE, disk: "d2" }, 8);
  const first = copy.append("entry", entryPayload("notes", [note("x")]), blocks.slice(0, 8));
  t.is(first.p.length, 8);
  t.true(first.p.includes((blocks.at(-1) as Block).id));
});

test("[L8] a door hears that others hold more of its log", (t) => {
  const log = ownLog(LedgerDb.open(":memory:"), HERE);
  say(log, "zero");
  log.heard(log.incarnation, 0);
  t.is(log.turns().length, 0);
  log.heard(log.incarnation, 1);
  t.deepEqual(log.turns().at(-1)?.cause, { type: "behind", n: 1 });
});

test("[L8] a restored device is one, two copies that go on are two", (t) => {
  const db = LedgerDb.open(":memory:");
  const first = ownLog(db, HERE);
  say(first, "one");
  const copy = ownLog(db, { ...HERE, mark: "m2" }, 8);
  say(copy, "two");
  say(copy, "three");
  t.deepEqual(copy.twins(), [], "the old log stays where it was");
  const stray = say(first, "four"); // The original runs on, and the copy hears of it.
  copy.saw(stray, false);
  t.deepEqual(copy.twins(), [], "it may have been there before");
  t.true(say(copy, "five").p.includes(stray.id));
  say(first, "six");
  t.deepEqual(copy.twins(), [[first.incarnation, copy.incarnation].sort()]);
});

test("[L8] an alarm ends when one of two logs has long been silent", (t) => {
  const log = (c: number): IncarnationLog => ({ l: "a1", newest: 9, c, named: [{ by: "b2", least: 4 }] });
  const other: IncarnationLog = { l: "b2", newest: 3, c: 5_000, named: [] };
  t.deepEqual(liveTwins([log(4_990), other]), [["a1", "b2"]]);
  t.deepEqual(liveTwins([log(3_000), other]), []);
});

test("[L8] the operator is told in words", (t) => {
  const turn = { before: ["a1", 41] as const, l: "b2", atMs: 0 };
  const words = turnWords({ ...turn, cause: { type: "moved", facts: ["disk", "mark"] } });
  t.regex(words, /another disk or SD card/);
  t.regex(words, /up to number 41/);
  t.regex(turnWords({ ...turn, cause: { type: "behind", n: 50 } }), /number 50/);
  t.regex(turnWords({ ...turn, cause: { type: "forked", n: 50 } }), /another block/);
  t.regex(twinWords(["a1", "b2"]), /^alarm: two copies/);
});
