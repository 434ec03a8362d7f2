/** Both versions of a number that was used twice, in one database [L6]. */
import test from "ava";
import type { Hash } from "../../lib/base/index.ts";
import { type Block, encodeEnvelope } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { admit, entryPayload } from "../../lib/ledger/index.ts";
import { type MadeMerge, mergePending, note, TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";

const { charter, door } = testOrganisation();
const common = door.entry([note("zero")], [charter]);

/** The door's log after `common`, in one version of it. */
function version(...texts: readonly string[]): Block[] {
  const log = new TestLog(door.pair, charter.id);
  log.blocks.push(common);
  return texts.map((text) => log.entry([note(text)]));
}

const x = version("x1", "x2");
const y = version("y1", "y2", "y3");

function opened(...blocks: readonly Block[]): LedgerDb {
  const db = LedgerDb.open(":memory:");
  db.ingest([charter, common, ...blocks]);
  return db;
}

const ids = (blocks: readonly Block[]): Hash[] => blocks.map(({ id }) => id);
const line = (db: LedgerDb): Hash[] => ids([db.lastOf(common.a, common.l) as Block]);

test("[L6] both versions of a number are held, and who holds the same says the same, whatever came first", (t) => {
  const [one, other] = [opened(...x, ...y), opened(...y, ...x)];
  t.deepEqual(line(one), [x.at(-1)?.id as Hash]);
  t.deepEqual(line(other), [y.at(-1)?.id as Hash]);
  t.deepEqual(one.frontier(), other.frontier());
  t.is(one.frontier().find(({ author }) => author === common.a)?.n, 3, "of all versions");
  t.notDeepEqual(opened(...x).frontier(), opened(...y.slice(0, 2)).frontier(), "the numbers are equal, the blocks not");
  for (const db of [one, other]) {
    t.deepEqual(db.verify().bad, []);
    for (const block of [...x, ...y]) t.deepEqual(db.block(block.id), block);
    t.deepEqual(db.children(common.id).toSorted(), ids([x[0] as Block, y[0] as Block]).toSorted());
  }
  t.is(one.countEntries(), 3, "what counts is the log's line");
  t.deepEqual(ids(one.pending("main")), ids([common, ...x]));
});

test("[L6] a third block of a number is kept only where somebody builds on it", (t) => {
  const db = opened(...x, ...y);
  const [third] = version("third");
  const envelope = [encodeEnvelope(third as Block)];
  const view = db.admitView(charter.id);
  t.deepEqual(
    admit(envelope, view).refused.map(({ reason }) => reason),
    ["equivocation"],
  );
  const { admitted, forks } = admit(envelope, { ...view, needs: (id) => id === third?.id });
  t.deepEqual([admitted.length, forks[0]?.held], [1, x[0]?.id]);
  db.ingest(admitted);
  t.deepEqual(db.verify().bad, []);
  const many = ["a", "b", "c", "d"].map((text) => encodeEnvelope(version(text)[0] as Block));
  t.is(admit(many, opened(...x).admitView(charter.id)).admitted.length, 1, "within a batch, too");
});

/** A merge of all that this database has, on a log of the office that others can take. */
function mergeOf(db: LedgerDb, log = new TestLog(testKey(1), charter.id, "00000000000000d4")): MadeMerge {
  return mergePending(db, log);
}

function take(db: LedgerDb, { merge, payload, changes }: MadeMerge): void {
  db.ingest([merge]);
  db.applyMerge("main", merge, payload, changes);
}

test("[L6] a replica takes the version that a final merge includes, and the log's line is that one from then on", (t) => {
  const [one, other] = [opened(...x), opened(...y)];
  const made = mergeOf(one);
  take(one, made);
  other.ingest([made.merge]);
  const apply = (): void => other.applyMerge("main", made.merge, made.payload, made.changes);
  t.throws(apply, { code: "LEDGER_FORM" }, "the version is not held yet");
  other.ingest(x);
  apply();
  t.deepEqual(line(other), [x.at(-1)?.id as Hash]);
  t.deepEqual(other.stateRoots(), one.stateRoots());
  one.ingest(y);
  for (const db of [one, other]) {
    t.deepEqual(db.members("main", 1), one.members("main", 1));
    t.deepEqual(db.verify().bad, []);
    t.deepEqual(ids(db.pending("main")), []);
    t.is(db.countEntries(), 3);
  }
  t.deepEqual(one.frontier(), other.frontier());
  // The shorter version was chosen; the longer one stays beside it, and can still be given to others.
  t.is(other.alternates(common.a, common.l, 0, 9, 1e6).length, y.length);
});

test("[L6] two branches may have taken two versions: each keeps its own", (t) => {
  const main = (text: string): Block[] => version(text);
  const inCharter = new TestLog(door.pair, charter.id);
  inCharter.blocks.push(common);
  const z = [inCharter.add(entryPayload("charter", [{ type: "ballot", body: { operation: "0".repeat(64) } }]))];
  const [one, other] = [opened(...main("m")), opened(...z)];
  const office = new TestLog(testKey(1), charter.id, "00000000000000d4");
  const first = mergePending(one, office);
  const second = mergePending(other, new TestLog(testKey(1), charter.id, "00000000000000d5"), {}, "charter");
  const db = opened(...z, ...main("m"));
  db.ingest([first.merge, second.merge]);
  db.applyMerge("charter", second.merge, second.payload, second.changes);
  db.applyMerge("main", first.merge, first.payload, first.changes);
  t.is(db.members("charter", 1).length, 1);
  t.is(db.members("main", 1).length, 2);
  t.deepEqual(line(db), ids(z), "what a branch has taken is not moved");
  t.deepEqual(db.verify().bad, []);
});

test("[L6] an entry that builds on the version that was not taken is taken without it", (t) => {
  const db = opened(...x);
  take(db, mergeOf(db));
  db.ingest(y);
  const friend = new TestLog(testKey(1), charter.id, "00000000000000c3").entry([note("I saw y")], [y[2] as Block]);
  const honest = new TestLog(testKey(1), charter.id, "00000000000000c4").entry([note("I saw y1")], [y[0] as Block]);
  db.ingest([honest]);
  const next = new TestLog(testKey(1), charter.id, "00000000000000d6");
  take(db, mergePending(db, next));
  t.is(db.members("main", 2).length, 1);
  db.ingest([friend]);
  t.throws(
    () => mergeOf2(db),
    { message: /builds on one that is not in/ },
    "beyond what was taken, until it is frozen",
  );
  t.deepEqual(db.verify().bad, []);
});

function mergeOf2(db: LedgerDb): void {
  const { merge, payload, changes } = mergePending(db, new TestLog(testKey(1), charter.id, "00000000000000d7"));
  db.applyMerge("main", merge, payload, changes);
}

test("[L6] a replica finds the versions that a merge includes, also of many logs that were forked at once", (t) => {
  const logs = [...Array(16).keys()].map((each) => each.toString(16).padStart(16, "0"));
  const versionsOf = (text: string): Block[] =>
    logs.map((l) => new TestLog(door.pair, charter.id, l).entry([note(text)], [charter]));
  const [theirs, own] = [versionsOf("theirs"), versionsOf("own")];
  const [one, other] = [opened(...theirs), opened(...own, ...theirs)];
  const heads = ids(theirs.slice(2, 9)).sort();
  const made = mergePending(one, new TestLog(testKey(1), charter.id, "00000000000000d5"), { heads });
  take(one, made);
  take(other, made);
  t.deepEqual(other.members("main", 1), one.members("main", 1));
  t.deepEqual(other.verify().bad, []);
});
