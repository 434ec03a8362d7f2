/** Which of the entries that are pending a merge takes: what waits, and who floods, keeps nobody else back. */
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import type { Block } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { type Genesis, parentIds } from "../../lib/ledger/index.ts";
import { LOGS_PER_DEVICE_MAX, type PickOptions, pick } from "../../lib/node/merging/pick.ts";
import {
  mergePending,
  note,
  TestLog,
  type TestOrganisation,
  testKey,
  testOrganisation,
} from "../support/ledger-fixtures.ts";

function person(id: string, key: number, role = "device"): Genesis["principals"][0] {
  return { id, devices: [testKey(key).publicKey], roles: [role], recovery: null };
}

interface Setup extends TestOrganisation {
  readonly db: LedgerDb;
  readonly ben: TestLog;
}

function setup(t: Pick<ExecutionContext, "teardown">): Setup {
  const principals = [person("ben", 3), person("front-door", 2), person("office", 1, "founder")];
  const organisation = testOrganisation({ principals });
  const db = LedgerDb.open(":memory:");
  t.teardown(() => db.close());
  db.ingest([organisation.charter]);
  return { ...organisation, db, ben: new TestLog(testKey(3), organisation.charter.id) };
}

/** `count` entries of a dapp on top of a log, taken in. */
function entries({ db, charter }: Setup, log: TestLog, count: number, app = "notes"): Block[] {
  const blocks = Array.from({ length: count }, (_, n) =>
    log.entry([note(`${app} ${n}`)], log.blocks.length === 0 ? [charter] : [], app),
  );
  db.ingest(blocks);
  return blocks;
}

function picked({ db }: Setup, options: Partial<PickOptions> = {}): Block[] {
  const all = { entriesMax: 5_000, shareMax: 5_000, isWaiting: () => false, charter: db.charterAt() };
  return pick(db.pendingReader("main"), { ...all, ...options });
}

const ids = (blocks: readonly Block[]): string[] => blocks.map(({ id }) => id);

test("merge: a flood by one keeps nobody else's entries out, and fills the room that they leave", (t) => {
  const at = setup(t);
  const flood = entries(at, at.door, 2_000);
  const [theirs, own] = [entries(at, at.ben, 3), entries(at, at.office, 2)];
  t.deepEqual(ids(picked(at, { entriesMax: 20, shareMax: 8 })), ids([...flood.slice(0, 15), ...theirs, ...own]));
  t.deepEqual(ids(picked(at, { entriesMax: 8, shareMax: 5 })), ids([...flood.slice(0, 5), ...theirs]));
  t.deepEqual(ids(picked(at)), ids([...flood, ...theirs, ...own]));
});

test("merge: what builds on more than somebody's share comes as soon as that does", (t) => {
  const at = setup(t);
  const flood = entries(at, at.door, 20);
  const on = at.ben.entry([note("on the last")], [flood[19] as Block]);
  at.db.ingest([on]);
  const own = entries(at, at.office, 1);
  t.deepEqual(ids(picked(at, { shareMax: 5 })), ids([...flood, on, ...own]));
  t.deepEqual(ids(picked(at, { shareMax: 5, entriesMax: 8 })), ids([...flood.slice(0, 7), ...own]));
});

test("merge: devices of one principal share what is theirs", (t) => {
  const at = setup(t);
  const second = new TestLog(testKey(2), at.charter.id, "00000000000000a2");
  const flood = [...entries(at, at.door, 10), ...entries(at, second, 10)];
  const theirs = entries(at, at.ben, 2);
  t.deepEqual(ids(picked(at, { entriesMax: 8, shareMax: 6 })), ids([...flood.slice(0, 6), ...theirs]));
});

test("merge: however many entries of a dapp wait, others are taken; what builds on them waits, too", (t) => {
  const at = setup(t);
  const waiting = entries(at, at.door, 1_000, "broken");
  const behind = entries(at, at.door, 1);
  const own = entries(at, at.office, 3);
  const on = at.ben.entry([note("on what waits")], [waiting[700] as Block]);
  at.db.ingest([on]);
  const options = { entriesMax: 10, isWaiting: (_: Block, app: string) => app === "broken" };
  t.deepEqual(ids(picked(at, options)), ids(own));
  const { merge, payload, changes } = mergePending(at.db, at.office);
  at.db.applyMerge("main", merge, payload, changes);
  t.deepEqual(picked(at, options), [], "all of it was merged");
  t.true(waiting.length + behind.length > 0);
});

test("merge: what names a merge by one whose entries wait is taken", (t) => {
  const at = setup(t);
  const { merge, payload, changes } = mergePending(at.db, at.office);
  at.db.applyMerge("main", merge, payload, changes);
  entries(at, at.office, 2, "broken");
  const later = mergePending(at.db, at.office, { h: 2, prev: merge.id }).merge;
  const on = at.ben.entry([note("on a merge")], [later]);
  at.db.ingest([on]);
  t.deepEqual(ids(picked(at, { isWaiting: (_, app) => app === "broken" })), [on.id]);
});

test("[L6] merge: of one device it takes from so many logs, whatever they hold", (t) => {
  const at = setup(t);
  const logs = [...Array(LOGS_PER_DEVICE_MAX + 2).keys()].map(
    (n) => new TestLog(testKey(2), at.charter.id, `00000000000000b${n}`),
  );
  const blocks = logs.flatMap((log) => entries(at, log, 2));
  t.deepEqual(ids(picked(at)), ids(blocks.slice(0, 2 * LOGS_PER_DEVICE_MAX)));
});

/** Which log speaks, on which of the blocks before it it builds, and whether its dapp waits. */
const graph = fc.array(
  fc.record({ who: fc.nat(2), on: fc.uniqueArray(fc.nat(40), { maxLength: 2 }), waits: fc.nat(4) }),
  { maxLength: 40 },
);

test("merge: whatever is picked is causally closed, each log a range, and something is wherever something can be", (t) => {
  const check = (steps: readonly { who: number; on: number[]; waits: number }[], max: number, share: number): void => {
    const teardowns: (() => unknown)[] = [];
    const at = setup({ teardown: (fn) => void teardowns.push(fn as () => unknown) });
    const logs = [at.office, at.door, at.ben];
    const blocks: Block[] = [];
    for (const { who, on, waits } of steps) {
      const parents = on.flatMap((n) => blocks[n] ?? []);
      const log = logs[who] as TestLog;
      blocks.push(
        log.entry([note(`${blocks.length}`)], [at.charter, ...parents].slice(0, 4), waits === 0 ? "broken" : "notes"),
      );
    }
    at.db.ingest(blocks);
    const isWaiting = (_: Block, app: string): boolean => app === "broken";
    const found = picked(at, { entriesMax: max, shareMax: share, isWaiting });
    const [all, held] = [new Set(ids(found)), new Set(ids(blocks))];
    t.true(found.length <= max);
    for (const block of found)
      for (const parent of parentIds(block))
        t.true(all.has(parent) || !held.has(parent), "its parents are picked, too");
    const seqs = found.map(({ id }) => blocks.findIndex((block) => block.id === id));
    t.deepEqual(
      seqs,
      [...seqs].sort((x, y) => x - y),
    );
    const couldBe = free(blocks);
    t.true(all.size > 0 || couldBe.length === 0);
    if (max >= blocks.length && share >= blocks.length) t.deepEqual(ids(found), ids(couldBe));
    for (const teardown of teardowns) teardown();
  };
  t.notThrows(() =>
    fc.assert(fc.property(graph, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), check), {
      numRuns: 150,
    }),
  );
});

/** Entries that neither wait nor build on what does. */
function free(blocks: readonly Block[]): Block[] {
  const held = new Set(ids(blocks));
  const good = new Set<string>();
  return blocks.filter((block) => {
    const isGood =
      !JSON.stringify(block.d).includes('"broken"') && parentIds(block).every((id) => good.has(id) || !held.has(id));
    if (isGood) good.add(block.id);
    return isGood;
  });
}
