import test, { type ExecutionContext } from "ava";
import { type LedgerDb, MemoryDisk, PowerCut, type Tail } from "../../lib/db/index.ts";
import { MemoryStore } from "../../lib/store/index.ts";
import { ledgerDbContract } from "../contract/ledger-db.ts";
import { note, type TestOrganisation, testOrganisation } from "../support/ledger-fixtures.ts";

ledgerDbContract("LedgerDb on a disk in memory", async () => MemoryDisk.blank().open());

function setup(t: ExecutionContext): TestOrganisation & { disk: MemoryDisk; db: LedgerDb } {
  const disk = MemoryDisk.blank();
  t.teardown(() => disk.close());
  const organisation = testOrganisation();
  const db = disk.open();
  db.ingest([organisation.charter]);
  return { ...organisation, disk, db };
}

function reopened(disk: MemoryDisk, tail: Tail): LedgerDb {
  disk.powerCut(tail);
  return disk.open();
}

test("MemoryDisk: [L7] an own block outlives a power cut, with all that was taken in before it", (t) => {
  const { disk, db, charter, office, door } = setup(t);
  const foreign = door.entry([note("from the door")], [charter]);
  db.ingest([foreign]);
  const own = office.entry([note("own")], [charter]);
  db.appendOwn(own);
  const after = reopened(disk, "none");
  t.true(after.has(own.id));
  t.true(after.has(foreign.id));
});

test("MemoryDisk: of what was taken in after the last durable commit a power cut leaves nothing, a part or all", (t) => {
  for (const [tail, left] of [
    ["none", 0],
    ["part", 2],
    ["all", 4],
  ] as const) {
    const { disk, db, charter, office, door } = setup(t);
    db.appendOwn(office.entry([note("own")], [charter]));
    for (const text of ["a", "b", "c", "d"]) db.ingest([door.entry([note(text)], [charter])]);
    t.is(reopened(disk, tail).countEntries() - 1, left, tail);
  }
});

test("MemoryDisk: power that fails at an fsync leaves the block or does not, and the process does no more", (t) => {
  for (const when of ["before", "after"] as const) {
    const { disk, db, charter, office, door } = setup(t);
    db.appendOwn(office.entry([note("kept")], [charter]));
    disk.onFsync = () => when;
    const struck = office.entry([note("struck")], [charter]);
    t.throws(() => db.appendOwn(struck), { instanceOf: PowerCut });
    t.throws(() => db.ingest([door.entry([note("of a ghost")], [charter])]), { instanceOf: PowerCut });
    disk.onFsync = () => undefined;
    const after = reopened(disk, "none");
    t.is(after.has(struck.id), when === "after");
    t.is(after.countEntries(), when === "after" ? 2 : 1);
    t.deepEqual(after.verify().bad, []);
  }
});

test("MemoryDisk: a full disk refuses with STORE_FULL, keeps what it has, and takes more when there is room", (t) => {
  const { disk, db, charter, door } = setup(t);
  const entries = [...Array(400).keys()].map((each) => door.entry([note("x".repeat(900) + each)], [charter]));
  disk.setFull(true);
  let taken = 0;
  const error = t.throws(() => {
    for (const entry of entries) {
      db.ingest([entry]);
      taken += 1;
    }
  });
  t.is((error as { code?: string }).code, "STORE_FULL");
  t.is(db.countEntries(), taken);
  disk.setFull(false);
  db.ingest(entries.slice(taken));
  t.is(db.countEntries(), entries.length);
  t.is(reopened(disk, "none").countEntries(), taken, "nothing after the last full write was made durable");
});

test("MemoryDisk: a copy is a disk of its own; damage is found by verify or at opening", (t) => {
  const { disk, db, charter, office } = setup(t);
  for (let each = 0; each < 50; each += 1) db.appendOwn(office.entry([note(`n${each}`)], [charter]));
  disk.powerCut("none");
  const copy = disk.copy();
  copy.open().appendOwn(office.entry([note("on the copy")]));
  copy.close();
  t.is(disk.open().countEntries(), 50);
  disk.powerCut("none");
  const damaged = disk.damaged((bytes) => bytes.fill(0, 4096, 4096 * 20));
  t.teardown(() => damaged.close());
  const isFound = ((): boolean => {
    try {
      return damaged.open().verify().bad.length > 0;
    } catch {
      return true;
    }
  })();
  t.true(isFound);
});

test("MemoryStore: another store over the same map holds what was committed, and nothing else", async (t) => {
  const disk = new Map();
  const before = new MemoryStore(disk);
  const kept = await before.put("chunk", Uint8Array.of(1));
  await before.commit();
  const lost = await before.put("chunk", Uint8Array.of(2));
  t.true(before.has(lost));
  const after = new MemoryStore(disk);
  t.true(after.has(kept));
  t.false(after.has(lost));
});

test("MemoryDisk: a disk that is full stays so for the next process, which loses nothing that it was told is kept", (t) => {
  const { disk, charter, door } = setup(t);
  const entries = [...Array(40).keys()].map((each) => door.entry([note("x".repeat(300) + each)], [charter]));
  disk.setFull(true);
  const db = reopened(disk, "all");
  let taken = 0;
  t.throws(
    () => {
      for (const entry of entries) {
        db.ingest([entry]);
        taken += 1;
      }
    },
    { code: "STORE_FULL" },
  );
  t.true(taken > 0, "a page has room for some");
  t.is(db.countEntries(), taken);
});
