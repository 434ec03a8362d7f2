/** verify() against changed files: every byte of a block row, columns, edges, state, pages. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import Database from "better-sqlite3";
import { type Block, encodeEnvelope } from "../../lib/codec/index.ts";
import { LedgerDb, type VerifyReport } from "../../lib/db/index.ts";
import { admit, encodeVote } from "../../lib/ledger/index.ts";
import { mergePending, note, testOrganisation } from "../support/ledger-fixtures.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Filled {
  readonly path: string;
  readonly blocks: readonly Block[];
}

/** Three entries at the door, one of them void, their merge, and a vote on it. */
async function filled(t: ExecutionContext): Promise<Filled> {
  const path = join(await temporaryFolder(t), "ledger.db");
  const { charter, door, office } = testOrganisation();
  const db = LedgerDb.open(path);
  db.ingest([charter]);
  const blocks = ["one", "bad", "three"].map((text, n) => door.entry([note(text)], n === 0 ? [charter] : []));
  db.ingest(blocks);
  const { merge, payload, changes } = mergePending(db, office);
  db.applyMerge("main", merge, payload, changes);
  const vote = office.add(encodeVote({ branch: "main", h: 1, r: 0, phase: "commit", merge: merge.id }), [], {
    k: "vote",
  });
  db.appendOwn(vote);
  db.close();
  return { path, blocks: [charter, ...blocks, merge, vote] };
}

function change(path: string, sql: string, ...values: unknown[]): void {
  const raw = new Database(path);
  raw.prepare(sql).run(...values);
  raw.close();
}

function verify(path: string): VerifyReport {
  const db = LedgerDb.open(path, { readOnly: true });
  try {
    return db.verify();
  } finally {
    db.close();
  }
}

test("ledger: a sound database has no findings, and says how many blocks it read", async (t) => {
  const { path } = await filled(t);
  const seen: number[] = [];
  const db = LedgerDb.open(path);
  t.deepEqual(
    db.verify((blocks) => seen.push(blocks)),
    { blocks: 6, bad: [] },
  );
  t.is(seen.at(-1), 6);
  db.close();
});

test("ledger: one flipped byte, anywhere in a body or signature, is found and its block named", async (t) => {
  const { path, blocks } = await filled(t);
  const block = blocks[2] as Block;
  for (const column of ["body", "sig"] as const) {
    for (let at = 0; at < block[column].length; at += 1) {
      const bent = new Uint8Array(block[column]);
      bent[at] = (bent[at] ?? 0) ^ 0x10;
      change(path, `UPDATE blocks SET ${column} = ? WHERE seq = 3`, bent);
      const { bad } = verify(path);
      t.true(
        bad.some(({ id, what }) => id === block.id && what.includes("row 3")),
        `${column} byte ${at}`,
      );
    }
    change(path, `UPDATE blocks SET ${column} = ? WHERE seq = 3`, block[column]);
  }
  t.deepEqual(verify(path).bad, []);
});

const COLUMNS: readonly (readonly [title: string, sql: string, what: RegExp])[] = [
  ["kind", "UPDATE blocks SET kind = 'vote' WHERE seq = 3", /column kind/],
  ["branch", "UPDATE blocks SET branch = 'draft' WHERE seq = 3", /column branch/],
  ["charter position", "UPDATE merges SET charter = 1", /another height of the charter/],
  ["branch that a line takes", "UPDATE branches SET takes = 'maim' WHERE name = 'main'", /takes what is for maim/],
  ["branch's name", "UPDATE branches SET name = 'maim' WHERE name = 'main'", /takes what is for main/],
  ["vote", "UPDATE votes SET h = 2", /list of votes is wrong/],
  ["vote's log", "UPDATE votes SET log = (SELECT log FROM blocks WHERE seq = 3)", /list of votes is wrong/],
  [
    "merge that waits",
    "INSERT INTO waiting SELECT seq, 'main', 9, 0 FROM blocks WHERE kind = 'merge'",
    /list of merges that wait is wrong/,
  ],
  ["run", "UPDATE blocks SET run = 99 WHERE seq = 3", /column run /],
  ["clock", "UPDATE blocks SET c = 99 WHERE seq = 3", /column c /],
  ["number", "UPDATE blocks SET n = 99 WHERE seq = 4", /column n /],
  ["id", "UPDATE blocks SET id = zeroblob(32) WHERE seq = 3", /the body is that of/],
  ["checksum", "UPDATE blocks SET sum = zeroblob(8) WHERE seq = 3", /not as it was taken in/],
  ["log", "UPDATE blocks SET log = 1, n = 7 WHERE seq = 3", /author of its log/],
  ["log's author", "UPDATE logs SET author = zeroblob(32) WHERE id = 2", /author of its log/],
  ["log's incarnation", "UPDATE logs SET l = zeroblob(8) WHERE id = 2", /l of its log/],
  ["log, a number that is gone", "UPDATE blocks SET log = NULL WHERE seq = 3", /held up to 2; 2 blocks are/],
  ["edges, one too few", "DELETE FROM edges", /edges are not its parents/],
  ["edges, one too many", "INSERT INTO edges (parent, child) VALUES (1, 3)", /edges are not its parents/],
  ["state, a value", "UPDATE state SET value = x'6161' WHERE app = 'notes'", /its root is/],
  ["state, a value that is no value", "UPDATE state SET value = x'ff' WHERE app = 'notes'", /not canonical/],
  ["state, a key", "DELETE FROM state WHERE app = 'notes'", /its root is undefined/],
  ["state of a dapp that no merge knows", "INSERT INTO state VALUES (1, 'ghost', 'a', x'01', 1)", /kept is undefined/],
  ["roots", "UPDATE state_roots SET root = zeroblob(32) WHERE app = 'notes'", /kept is 0000/],
  ["node of the state's tree", "UPDATE state_nodes SET node = zeroblob(72)", /nodes kept of its tree/],
  ["node too many", "INSERT INTO state_nodes SELECT id + 7, node FROM state_nodes", /nodes kept/],
  ["head of the branch", "UPDATE branches SET head = NULL", /height 1/],
  ["members", "DELETE FROM members WHERE position = 0", /its merge/],
  ["voids", "DELETE FROM voids", /void/],
];

for (const [title, sql, what] of COLUMNS) {
  test(`ledger: verify finds a changed ${title}`, async (t) => {
    const { path } = await filled(t);
    change(path, sql);
    const { bad } = verify(path);
    t.true(
      bad.some((finding) => what.test(finding.what)),
      JSON.stringify(bad),
    );
  });
}

test("ledger: verify finds a changed definition of a table, which SQLite reads as it did before", async (t) => {
  const { path } = await filled(t);
  const file = readFileSync(path);
  writeFileSync(path, file.toString("latin1").replaceAll("takes TEXT", "taKes TEXT"), "latin1"); // One bit each.
  t.deepEqual(
    verify(path)
      .bad.map(({ what }) => what)
      .slice(0, 1),
    ["its tables are not defined as they were made"],
  );
});

test("ledger: a block that is not as it was stored is not handed out", async (t) => {
  const { path, blocks } = await filled(t);
  const block = blocks[2] as Block;
  const db = LedgerDb.open(path);
  t.teardown(() => db.close());
  const bent = new Uint8Array(block.body);
  bent[bent.length - 20] = (bent[bent.length - 20] ?? 0) ^ 1;
  change(path, "UPDATE blocks SET body = ? WHERE seq = 3", bent);
  t.throws(() => db.block(block.id), { code: "LEDGER_CORRUPT" });
});

test("[L9] a signature that was never checked, and came wrong, is no finding while a later block vouches", async (t) => {
  const path = join(await temporaryFolder(t), "ledger.db");
  const { charter, door } = testOrganisation();
  const blocks = [0, 1, 2].map((n) => door.entry([note(`${n}`)], n === 0 ? [charter] : []));
  const db = LedgerDb.open(path);
  db.ingest([charter]);
  const bent = blocks.map((block, n) => (n === 1 ? { ...block, sig: new Uint8Array(64) } : block));
  const { admitted } = admit(
    bent.map((block) => encodeEnvelope(block)),
    db.admitView(charter.id),
    { signatures: "newest" },
  );
  t.deepEqual(db.ingest(admitted).added.length, 3);
  t.deepEqual(db.verify().bad, []);
  db.close();
  change(path, "UPDATE blocks SET sig = ? WHERE seq = 3", new Uint8Array(64).fill(1));
  t.regex(verify(path).bad[0]?.what ?? "", /not as it was taken in/);
  change(path, "UPDATE blocks SET sig = zeroblob(64), checked = 1 WHERE seq = 3");
  t.regex(verify(path).bad[0]?.what ?? "", /signature is not its author's/);
});

test("ledger: a damaged page is a finding, not the end of the check", async (t) => {
  const { path } = await filled(t);
  new Database(path).pragma("wal_checkpoint(TRUNCATE)");
  const bytes = readFileSync(path);
  let found = 0;
  for (let page = 1; page * 4096 < bytes.length; page += 1) {
    const bent = Buffer.from(bytes);
    bent.fill(0xff, page * 4096, page * 4096 + 512);
    writeFileSync(path, bent);
    found += isFound(path) ? 1 : 0;
  }
  t.is(found, bytes.length / 4096 - 1, "every page but the first, which holds the header");
});

/** A page of the tables' own definitions is noticed at opening. */
function isFound(path: string): boolean {
  try {
    return verify(path).bad.length > 0;
  } catch (error) {
    return (error as { code?: string }).code === "LEDGER_CORRUPT";
  }
}

/** The number of the last row of the blocks' page becomes 1: pages that are read by numbers lead back to the first. */
function turnBack(path: string): void {
  const raw = new Database(path);
  raw.pragma("wal_checkpoint(TRUNCATE)");
  const root = raw.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'blocks'").pluck().get() as number;
  const pageBytes = raw.pragma("page_size", { simple: true }) as number;
  raw.close();
  const bytes = readFileSync(path);
  const page = bytes.subarray((root - 1) * pageBytes, root * pageBytes);
  const cells = page.readUInt16BE(3);
  let at = page.readUInt16BE(8 + 2 * (cells - 1)); // A leaf: its header has 8 bytes, then where its cells are.
  while ((page[at] as number) >= 0x80) at += 1; // Length of the row.
  page[at + 1] = 1;
  writeFileSync(path, bytes);
}

test("ledger: rows that lead back are a finding, and the check ends", async (t) => {
  const { path } = await filled(t);
  turnBack(path);
  const { bad } = verify(path);
  t.true(bad.some(({ id, what }) => id === "file" && /rows are out of order/.test(what)));
  const db = LedgerDb.open(path, { readOnly: true });
  t.throws(() => [...db.contents()], { code: "LEDGER_CORRUPT" });
  db.close();
});
