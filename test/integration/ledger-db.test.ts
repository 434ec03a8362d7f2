/** The database as a file: reopening, reading beside the writer, other files, the cost of what is pending. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import Database from "better-sqlite3";
import { SeededRng, SystemClock } from "../../lib/base/index.ts";
import { type Block, type Canonical, verifyBlock } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { PENDING } from "../../lib/db/tables/pending.ts";
import { branchPolicy, entryPayload, parseEntryPayload } from "../../lib/ledger/index.ts";
import { OwnLog } from "../../lib/node/index.ts";
import { mergePending, note, TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("ledger: everything is there after closing and opening", async (t) => {
  const path = join(await temporaryFolder(t), "ledger.db");
  const { charter, door, office } = testOrganisation();
  const first = LedgerDb.open(path);
  first.ingest([charter, door.entry([note("one")], [charter])]);
  const { merge, payload, changes } = mergePending(first, office);
  first.applyMerge("main", merge, payload, changes);
  first.setMeta("boot", "7");
  const before = [first.frontier(), first.stateRoots(), first.head("main"), first.heads()];
  first.close();
  const second = LedgerDb.open(path);
  t.teardown(() => second.close());
  t.deepEqual([second.frontier(), second.stateRoots(), second.head("main"), second.heads()], before);
  t.is(second.meta("boot"), "7");
  second.appendOwn(office.entry([note("goes on")]));
  t.deepEqual(second.verify().bad, []);
});

test("ledger: a reader beside the writer sees what was committed and changes nothing", async (t) => {
  const path = join(await temporaryFolder(t), "ledger.db");
  const { charter, office } = testOrganisation();
  const writer = LedgerDb.open(path);
  t.teardown(() => writer.close());
  writer.ingest([charter]);
  const reader = LedgerDb.open(path, { readOnly: true });
  t.teardown(() => reader.close());
  const block = office.entry([note("x")], [charter]);
  writer.appendOwn(block);
  t.true(reader.has(block.id));
  t.throws(() => reader.appendOwn(office.entry([note("y")])), { code: "IO" });
  t.throws(() => reader.setMeta("a", "b"), { code: "IO" });
});

test("ledger: what is not there, is no database, or is of a later version is refused with its code", async (t) => {
  const folder = await temporaryFolder(t);
  t.throws(() => LedgerDb.open(join(folder, "none.db"), { readOnly: true }), { code: "NOT_FOUND" });
  t.throws(() => LedgerDb.open(join(folder, "no/folder.db")), { code: "NOT_FOUND" });
  writeFileSync(
    join(folder, "text.db"),
    "this is no database, and it is long enough to be looked at as one".repeat(20),
  );
  t.throws(() => LedgerDb.open(join(folder, "text.db")), { code: "LEDGER_CORRUPT" });
  LedgerDb.open(join(folder, "later.db")).close();
  const raw = new Database(join(folder, "later.db"));
  raw.pragma("user_version = 99");
  raw.close();
  t.throws(() => LedgerDb.open(join(folder, "later.db")), { code: "CONFIG_INVALID", message: /format 99/ });
});

test("[L7] a batch of own blocks is kept as a whole or not at all", async (t) => {
  const path = join(await temporaryFolder(t), "ledger.db");
  const { charter, office } = testOrganisation();
  const db = LedgerDb.open(path);
  t.teardown(() => db.close());
  db.ingest([charter]);
  const blocks = Array.from({ length: 50 }, (_, n) => office.entry([note(`${n}`)], n === 0 ? [charter] : []));
  db.appendOwnBatch([blocks.slice(0, 30), blocks.slice(30)]);
  t.is(db.countEntries(), 50);
  const next = office.entry([note("next")]);
  const twin = new TestLog(testKey(1), charter.id).entry([note("twin")], [charter]);
  t.throws(() => db.appendOwnBatch([[next], [twin]]), { code: "LEDGER_FORKED" });
  t.false(db.has(next.id));
  db.appendOwn(next);
  t.is(db.countEntries(), 51);
  t.is(db.countEntriesOf([testKey(1).publicKey]), 51);
});

test("ledger: what is pending is found by an index, not by reading what is merged", async (t) => {
  const path = join(await temporaryFolder(t), "ledger.db");
  const { charter, door, office } = testOrganisation();
  const db = LedgerDb.open(path);
  t.teardown(() => db.close());
  db.ingest([charter, ...Array.from({ length: 20 }, (_, n) => door.entry([note(`${n}`)], n === 0 ? [charter] : []))]);
  const { merge, payload, changes } = mergePending(db, office);
  db.applyMerge("main", merge, payload, changes);
  const raw = new Database(path, { readonly: true });
  t.teardown(() => raw.close());
  const plan = raw.prepare(`EXPLAIN QUERY PLAN SELECT b.body ${PENDING} ORDER BY b.seq`).all({ id: 1, takes: "main" });
  const steps = (plan as { detail: string }[]).map(({ detail }) => detail);
  const searches = [
    /^SEARCH s USING INDEX runs_by_branch \(log=\? AND branch=\? AND n>\? AND n<\?\)/,
    /^SEARCH x USING .*INDEX runs_by_branch \(log=\? AND branch=\? AND n<\?\)/,
    /^SEARCH b USING INDEX sqlite_autoindex_blocks_2 \(log=\? AND n>\? AND n<\?\)/,
    /^SEARCH e USING .*INDEX runs \(log=\? AND n>\?\)/,
  ];
  for (const search of searches)
    t.true(
      steps.some((step) => search.test(step)),
      `${search} in ${steps.join("; ")}`,
    );
});

test("ledger: a log's entries for a branch are found between whatever else is in it", async (t) => {
  const db = LedgerDb.open(join(await temporaryFolder(t), "ledger.db"));
  t.teardown(() => db.close());
  const draft = branchPolicy({ mode: "single", validator: "office" });
  const { charter, door, office } = testOrganisation({ branches: { draft } });
  db.ingest([charter]);
  const held: Block[] = [];
  const append = (log: TestLog, branch?: string): void => {
    const block = log.entry([note(`${held.length}`)], held.length < 2 ? [charter] : [], "notes", branch);
    db.ingest([block]);
    held.push(block);
  };
  // Runs of one and of several, of each branch and of merges, in the office's log; the door's between them.
  for (const step of "omommxodxmddoomxdmomxdodmmx") {
    if (step === "o") append(door);
    else if (step !== "x") append(office, step === "d" ? "draft" : undefined);
    for (const branch of ["main", "draft"]) {
      const isIn = (block: Block): boolean => db.placesOf(block.id).some((place) => place.branch === branch);
      const open = held.filter((block) => parseEntryPayload(block.d).branch === branch && !isIn(block));
      t.deepEqual(
        db.pending(branch).map(({ id }) => id),
        open.map(({ id }) => id),
      );
      t.is(db.countPending(branch), open.length);
      if (step !== "x" || open.length === 0) continue;
      const { merge, payload, changes } = mergePending(db, office, {}, branch);
      db.applyMerge(branch, merge, payload, changes);
    }
  }
  t.is(db.countEntries(), held.length);
  t.is(db.countEntriesOf([door.pair.publicKey]), held.filter(({ a }) => a === door.pair.publicKey).length);
  t.deepEqual(db.verify().bad, []);
});

test("[L7] entries appended at once follow each other, all of them or none, and one more follows the last", async (t) => {
  const db = LedgerDb.open(join(await temporaryFolder(t), "ledger.db"));
  t.teardown(() => db.close());
  const { charter } = testOrganisation();
  db.ingest([charter]);
  const options = { db, pair: testKey(1), organisation: charter.id, clock: new SystemClock(), rng: new SeededRng(1) };
  const log = new OwnLog(options);
  const payload = (n: number): Canonical => entryPayload("notes", [note(`${n}`)]);
  const good = Array.from({ length: 200 }, (_, n) => payload(n));
  // A float is in no block [L1]: what was written before it is undone.
  t.throws(() => log.appendAll("entry", [...good, 0.5 as Canonical], [charter]));
  t.is(db.countEntries(), 0);
  const blocks = log.appendAll("entry", good, [charter]);
  t.deepEqual([blocks.length, db.countEntries()], [200, 200]);
  t.true(blocks.every(verifyBlock));
  t.deepEqual(
    blocks.map(({ n, b }) => [n, b]),
    blocks.map((_, n) => [n, blocks[n - 1]?.id ?? null]),
  );
  const { n, b } = log.append("entry", payload(200), []);
  t.deepEqual([n, b], [200, blocks.at(-1)?.id]);
  t.deepEqual(db.verify().bad, []);
});
