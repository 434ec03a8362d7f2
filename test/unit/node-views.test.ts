/** What `gdo log` and `gdo show` give of a ledger, and how far each block has come. */
import test, { type ExecutionContext } from "ava";
import { eventPage } from "../../lib/agent/views/event-feed.ts";
import { logPage, showBlock } from "../../lib/agent/views/node-views.ts";
import { type Explained, explain } from "../../lib/cli/text/explain.ts";
import { type Block, type Canonical, deriveHash, encodeCanonical, encodeEnvelope } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import {
  branchPolicy,
  encodeEvidence,
  encodeVote,
  entryPayload,
  type Genesis,
  type Vote,
} from "../../lib/ledger/index.ts";
import {
  mergePending,
  note,
  TestLog,
  type TestOrganisation,
  testKey,
  testOrganisation,
} from "../support/ledger-fixtures.ts";

interface Setup extends TestOrganisation {
  readonly db: LedgerDb;
}

function setup(t: ExecutionContext, more: Partial<Genesis> = {}): Setup {
  const db = LedgerDb.open(":memory:");
  t.teardown(() => db.close());
  const organisation = testOrganisation(more);
  db.ingest([organisation.charter]);
  return { db, ...organisation };
}

const validator = (id: string, key: number): Genesis["principals"][number] => ({
  id,
  devices: [testKey(key).publicKey],
  roles: ["validator"],
  recovery: null,
});

/** Three validate `main`, and two must agree. */
function quorumSetup(t: ExecutionContext): Setup & { readonly voters: readonly TestLog[] } {
  const [office, door] = [testKey(1).publicKey, testKey(2).publicKey];
  const at = setup(t, {
    fault: "crash",
    roles: { validator: ["append", "validate"] },
    principals: [
      { id: "office", devices: [office], roles: ["founder"], recovery: null },
      { id: "front-door", devices: [door], roles: ["device"], recovery: null },
      ...["ana", "ben", "cleo"].map((id, index) => validator(id, 11 + index)),
    ],
    branches: { main: branchPolicy({ mode: "quorum", validators: "validator", q: null }) },
  });
  return { ...at, voters: [11, 12, 13].map((key) => new TestLog(testKey(key), at.charter.id)) };
}

function standings(at: Setup, self?: TestLog): Record<string, unknown>[] {
  const { rows } = logPage(at.db, { limit: 100 }, self?.pair.publicKey);
  return rows.map(({ status, seenBy, attested }) => ({
    status,
    ...(seenBy === undefined ? {} : { seenBy }),
    ...(attested === undefined ? {} : { attested }),
  }));
}

function take(db: LedgerDb, block: Block): Block {
  db.ingest([block]);
  return block;
}

test("log: an entry is local until a block of another principal builds on it", (t) => {
  const at = setup(t);
  const one = take(at.db, at.door.entry([note("one")], [at.charter]));
  take(at.db, at.door.entry([note("two")]));
  t.deepEqual(standings(at, at.door), [{ status: "local" }, { status: "local" }, { status: "final" }]);
  t.is(logPage(at.db, { limit: 1 }, at.office.pair.publicKey).rows[0]?.seenBy, 1, "who holds it has seen it");
  take(at.db, at.office.entry([note("reply")], [one]));
  t.deepEqual(standings(at, at.door).slice(1, 3), [{ status: "local" }, { status: "seen", seenBy: 1 }]);
});

test("log: [L10] a merge and its entries show how many principals passed it, of how many that must", (t) => {
  const { voters, ...at } = quorumSetup(t);
  take(at.db, at.door.entry([note("one")], [at.charter]));
  const ana = voters[0] as TestLog;
  const { merge } = mergePending(at.db, ana);
  t.deepEqual(standings(at), [
    { status: "waits", attested: { count: 0, q: 2 } },
    { status: "merged", attested: { count: 0, q: 2 } },
    { status: "final" },
  ]);
  const attest = (verdict: "PASS" | "FAIL"): Vote => {
    const [code, log] = [verdict === "PASS" ? null : "notes", null];
    return { branch: "main", h: 1, r: 0, phase: "attest", merge: merge.id, verdict, code, outputs: {}, log };
  };
  const cast = (log: TestLog, vote: Vote): Block =>
    take(at.db, log.add(encodeVote(vote) as Canonical, [merge], { k: "vote" }));
  cast(ana, attest("PASS"));
  cast(voters[1] as TestLog, attest("FAIL"));
  cast(at.office, attest("PASS")); // No validator.
  t.deepEqual(standings(at).slice(0, 5), [
    ...Array.from({ length: 3 }, () => ({ status: "held" })),
    { status: "attested", attested: { count: 1, q: 2 } },
    { status: "attested", attested: { count: 1, q: 2 } },
  ]);
});

test("log: what a merge took is final or void; another merge of that height is passed over", (t) => {
  const at = setup(t);
  take(at.db, at.door.entry([note("bad")], [at.charter]));
  const rival = mergePending(at.db, at.office);
  const { merge, payload, changes } = mergePending(at.db, at.office, { entries: 1 });
  at.db.applyMerge("main", merge, payload, changes);
  t.not(merge.id, rival.merge.id);
  t.deepEqual(
    standings(at).map(({ status }) => status),
    ["final", "passed-over", "void", "final"],
  );
  const voids = logPage(at.db, { voidOnly: true }).rows;
  t.deepEqual(
    voids.map(({ app, reason, logs }) => ({ app, reason, logs })),
    [{ app: "notes", reason: "the note is bad", logs: [] }],
  );
});

test("log: of one branch are its entries, merges and votes; edges lead only to what is listed, over what is not", (t) => {
  const at = setup(t, { branches: { draft: branchPolicy({ mode: "single", validator: "office" }) } });
  const main = take(at.db, at.door.entry([note("one")], [at.charter]));
  const draft = take(at.db, at.door.entry([note("two")], [], "notes", "draft"));
  const { merge } = mergePending(at.db, at.office, {}, "draft");
  const rows = logPage(at.db, { branch: "draft" }).rows;
  t.deepEqual(
    rows.map(({ id, edges }) => [id, edges]),
    [
      [merge.id, [at.charter.id]],
      [draft.id, []],
      [at.charter.id, []],
    ],
  );
  t.deepEqual(
    logPage(at.db, { branch: "main" }).rows.map(({ id }) => id),
    [main.id, at.charter.id],
  );
});

test("log: pages go on where the last one ended, also after a block that is named", (t) => {
  const at = setup(t);
  const blocks = [1, 2, 3].map((index) =>
    take(at.db, at.door.entry([note(`${index}`)], index === 1 ? [at.charter] : [])),
  );
  const first = logPage(at.db, { limit: 2 });
  const rest = logPage(at.db, { limit: 2, before: first.next as number });
  t.deepEqual(
    [...first.rows, ...rest.rows].map(({ id }) => id),
    [...blocks.toReversed(), at.charter].map(({ id }) => id),
  );
  const named = logPage(at.db, { before: blocks[1]?.id.slice(0, 20) as string });
  t.deepEqual(
    named.rows.map(({ id }) => id),
    [blocks[0]?.id, at.charter.id],
  );
  t.is(named.next, undefined);
  t.throws(() => logPage(at.db, { before: "00ff" }), { code: "NOT_FOUND" });
});

test("log: a picture has one edge of a log to what several of its blocks name; a merge that comes early waits", (t) => {
  const at = setup(t);
  const one = take(at.db, at.door.entry([note("one")], [at.charter]));
  const two = take(at.db, at.office.entry([note("two")], [one]));
  const three = take(at.db, at.office.entry([note("three")], [one]));
  const early = mergePending(at.db, at.office, { h: 3, prev: one.id });
  const rows = logPage(at.db, { limit: 9 }).rows;
  t.deepEqual(
    rows.map(({ id, edges }) => [id, edges]),
    [
      [early.merge.id, [three.id]],
      [three.id, [two.id]],
      [two.id, [one.id]],
      [one.id, [at.charter.id]],
      [at.charter.id, []],
    ],
  );
  t.is(rows[0]?.status, "waits");
});

function words(db: LedgerDb, { id }: Block): string {
  return explain(showBlock(db, id) as unknown as Explained).join(" ");
}

test("show: each kind of block is told in words, with what stands on it", (t) => {
  const { voters, ...at } = quorumSetup(t);
  const entry = take(at.db, at.door.entry([note("one")], [at.charter]));
  const [ana, ben] = voters as [TestLog, TestLog];
  t.regex(words(at.db, entry), /^An entry of notes for the branch main: note, .* Nothing builds on it yet\.$/);
  const output = deriveHash("gdo v1 block", encodeCanonical("ana's"));
  const tests = [{ app: "notes", image: null, verdict: "PASS" as const, output }];
  const { merge } = mergePending(at.db, ana, { tests });
  const on = { branch: "main", h: 1, r: 0, merge: merge.id };
  const cast = (log: TestLog, vote: Vote): Block => take(at.db, log.add(encodeVote(vote), [merge], { k: "vote" }));
  const outputs = { notes: deriveHash("gdo v1 block", encodeCanonical("ben's")) };
  const proposal = cast(ana, { ...on, phase: "propose", valid: null, proof: [] });
  const other = cast(ben, { ...on, phase: "attest", verdict: "PASS", code: null, outputs, log: null });
  const failed = cast(ben, { ...on, phase: "attest", verdict: "FAIL", code: "notes", outputs: {}, log: output });
  const tired = cast(ben, { ...on, phase: "attest", verdict: "MISSING", code: "image", outputs: {}, log: null });
  const commit = cast(ana, { ...on, phase: "commit" });
  t.regex(words(at.db, at.charter), /It names 5 principals, and the branches main \(quorum\), charter \(single\)/);
  t.regex(words(at.db, merge), /^Merge 1 of the branch main.* Tests: notes PASS\. It is final once 2 validators/);
  t.regex(words(at.db, merge), /On it builds: vote [0-9a-f]{12}/);
  t.regex(words(at.db, proposal), /A vote \(propose\) on height 1 of main, round 0.*It proposes the new merge/);
  const sides = new RegExp(`the merge says ${output.slice(0, 12)}, the voter ${outputs.notes.slice(0, 12)}`);
  t.regex(words(at.db, other), sides);
  t.regex(words(at.db, failed), new RegExp(`says FAIL \\(notes\\)\\. What the dapps said: gdo cat ${output}`));
  t.regex(words(at.db, tired), /says MISSING \(image\)\. That is no vote against it/);
  t.regex(words(at.db, commit), /It commits to the merge/);
});

test("show: [L6] evidence names the log, the number and what that means; a void entry its reason", (t) => {
  const at = setup(t);
  const bad = take(at.db, at.door.entry([note("bad")], [at.charter]));
  const twins = ["this", "that"].map((text) => at.door.draft(entryPayload("notes", [note(text)])));
  const [one, other] = twins
    .sort((x, y) => (x.id < y.id ? -1 : 1))
    .map((block) => ({ envelope: encodeEnvelope(block) }));
  const payload = encodeEvidence({ blocks: [one as { envelope: Uint8Array }, other as { envelope: Uint8Array }] });
  const evidence = take(at.db, at.office.add(payload, [bad], { k: "evidence" }));
  t.regex(words(at.db, evidence), /^Evidence against .*two blocks, both signed, with number 1 of one log/);
  const { merge, payload: merged, changes } = mergePending(at.db, at.office);
  at.db.applyMerge("main", merge, merged, changes);
  t.regex(words(at.db, bad), /It is void, taken by main@1: the note is bad\. It stays in the ledger/);
  t.regex(words(at.db, merge), /It is final: nothing that comes later can undo it/);
});

test("events: [L12] each final entry comes once, in the branch's order, whatever the pages", (t) => {
  const at = setup(t);
  const merged = (): void => {
    const { merge, payload, changes } = mergePending(at.db, at.office);
    at.db.applyMerge("main", merge, payload, changes);
  };
  take(at.db, at.door.entry([note("one")], [at.charter]));
  take(at.db, at.office.entry([note("bad")], [at.charter]));
  merged();
  const first = eventPage(at.db, {});
  take(at.db, at.door.entry([note("three")]));
  take(at.db, at.door.entry([note("four")]));
  t.deepEqual(eventPage(at.db, { from: first.cursor }).events, [], "what waits is in no order yet");
  merged();
  const order = [...at.db.members("main", 1), ...at.db.members("main", 2)];
  const found: string[] = [];
  let [from, isMore]: [string | undefined, boolean] = [undefined, true];
  while (isMore) {
    const page: ReturnType<typeof eventPage> = eventPage(at.db, { from, limit: 1 });
    found.push(...page.events.map(({ id }) => id));
    ({ cursor: from, isMore } = page);
  }
  t.deepEqual(found, order);
  const ids = eventPage(at.db, { from: first.cursor }).events.map(({ id }) => id);
  t.deepEqual(ids, at.db.members("main", 2));
  t.deepEqual(first.events.map(({ reason }) => reason).filter(Boolean), ["the note is bad"]);
  t.throws(() => eventPage(at.db, { from: "latest" }), { code: "INPUT_INVALID" });
  t.throws(() => eventPage(at.db, { branch: "nowhere" }), { code: "NOT_FOUND" });
});
