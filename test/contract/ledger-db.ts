/** What every LedgerDb keeps, on disk or in memory. */
import test, { type ExecutionContext } from "ava";
import { type Hash, toHex, utf8 } from "../../lib/base/index.ts";
import { type Block, decodeBlock, deriveHash, encodeCanonical, encodeEnvelope } from "../../lib/codec/index.ts";
import type { LedgerDb } from "../../lib/db/index.ts";
import {
  admit,
  includedRoot,
  judgeMerge,
  type MergePayload,
  parseMerge,
  statePaths,
  stateRoot,
} from "../../lib/ledger/index.ts";
import {
  mergePending,
  note,
  TestLog,
  type TestOrganisation,
  testKey,
  testOrganisation,
} from "../support/ledger-fixtures.ts";

export type Open = (t: ExecutionContext) => Promise<LedgerDb>;

const L = "00000000000000a1";

export interface Setup extends TestOrganisation {
  readonly db: LedgerDb;
}

export async function setup(t: ExecutionContext, open: Open): Promise<Setup> {
  const db = await open(t);
  t.teardown(() => db.close());
  const organisation = testOrganisation();
  db.ingest([organisation.charter]);
  return { db, ...organisation };
}

/** `count` notes at the door, taken in. */
export function swipes({ db, door, charter }: Setup, count: number): Block[] {
  const blocks = Array.from({ length: count }, (_, index) =>
    door.entry([note(`swipe ${index}`)], door.blocks.length === 0 ? [charter] : []),
  );
  db.ingest(blocks);
  return blocks;
}

const idsOf = (blocks: readonly { readonly id: Hash }[]): Hash[] => blocks.map(({ id }) => id);

/** The suite; each implementation's test file is one call. */
export function ledgerDbContract(name: string, open: Open): void {
  blockTests(name, open);
  refusalTests(name, open);
  mergeTests(name, open);
  mergeRefusalTests(name, open);
}

function blockTests(name: string, open: Open): void {
  test(`${name}: what was taken in is there, field for field`, async (t) => {
    const at = await setup(t, open);
    const blocks = swipes(at, 3);
    for (const block of [at.charter, ...blocks]) {
      t.deepEqual(at.db.block(block.id), block);
      t.true(at.db.has(block.id));
    }
    t.is(at.db.countEntries(), 3);
    t.is(at.db.organisation(), at.charter.id);
    t.is(at.db.block("0".repeat(64) as Hash), undefined);
    t.false(at.db.has("0".repeat(64) as Hash));
  });

  test(`${name}: taking in again changes nothing`, async (t) => {
    const at = await setup(t, open);
    const blocks = swipes(at, 3);
    t.deepEqual(at.db.ingest([at.charter, ...blocks]), { added: [], known: 4 });
    t.is(at.db.countEntries(), 3);
    t.deepEqual(at.db.verify().bad, []);
  });

  test(`${name}: the frontier is the newest number of each log`, async (t) => {
    const at = await setup(t, open);
    swipes(at, 3);
    at.db.appendOwn(at.office.entry([note("hello")], [at.charter]));
    const expected = [
      { author: at.office.pair.publicKey, l: "0000000000000000", n: 0 },
      { author: at.office.pair.publicKey, l: L, n: 0 },
      { author: at.door.pair.publicKey, l: L, n: 2 },
    ].sort((a, b) => (a.author + a.l < b.author + b.l ? -1 : 1));
    const frontier = at.db.frontier();
    t.deepEqual(
      frontier.map(({ author, l, n }) => ({ author, l, n })),
      expected,
    );
    const tip = at.db.lastOf(at.door.pair.publicKey, L)?.id.slice(0, 16);
    t.is(frontier.find(({ author }) => author === at.door.pair.publicKey)?.print, tip);
    t.deepEqual(at.db.logsOf(at.office.pair.publicKey), ["0000000000000000", L]);
    t.deepEqual(at.db.lastOf(at.door.pair.publicKey, L), at.door.blocks[2]);
    t.is(at.db.lastOf(at.door.pair.publicKey, "ffffffffffffffff"), undefined);
    t.deepEqual(at.db.logsOf(testKey(9).publicKey), []);
  });

  test(`${name}: a range gives envelopes that fit, and one at least`, async (t) => {
    const at = await setup(t, open);
    const blocks = swipes(at, 200);
    const key = at.door.pair.publicKey;
    const all = at.db.range(key, L, 0, 199, 1_000_000);
    t.deepEqual(
      all.map((envelope) => decodeBlock(envelope)),
      blocks,
    );
    t.deepEqual(
      all.map((envelope) => envelope.length),
      blocks.map((block) => encodeEnvelope(block).length),
    );
    t.is(at.db.range(key, L, 5, 9, 1_000_000).length, 5);
    const size = all[0]?.length ?? 0;
    t.is(at.db.range(key, L, 0, 199, 2 * size).length, 2);
    t.is(at.db.range(key, L, 0, 199, 1).length, 1);
    t.deepEqual(at.db.range(key, L, 200, 300, 1_000_000), []);
    t.deepEqual(at.db.range(testKey(9).publicKey, L, 0, 9, 1_000_000), []);
  });

  test(`${name}: children, heads and beginnings of ids`, async (t) => {
    const at = await setup(t, open);
    const [first, second] = swipes(at, 2);
    const other = at.office.entry([note("x")], [at.charter]);
    at.db.appendOwn(other);
    t.deepEqual(at.db.children(at.charter.id), idsOf([first as Block, other]));
    t.deepEqual(at.db.heads(), [
      { id: second?.id as Hash, c: second?.c as number },
      { id: other.id, c: other.c },
    ]);
    const joined = at.office.entry([note("y")], [second as Block]);
    at.db.appendOwn(joined);
    t.deepEqual(at.db.heads(), [{ id: joined.id, c: joined.c }]);
    t.deepEqual(at.db.resolvePrefix(other.id.slice(0, 9)), [other.id]);
    t.deepEqual(at.db.resolvePrefix(other.id), [other.id]);
    t.is(at.db.resolvePrefix("").length, 5);
    t.throws(() => at.db.resolvePrefix("xyz"), { code: "INPUT_INVALID" });
    t.throws(() => at.db.resolvePrefix(`${other.id}00`), { code: "INPUT_INVALID" });
  });

  test(`${name}: a page is newest first and goes on where the last one ended`, async (t) => {
    const at = await setup(t, open);
    const blocks = swipes(at, 5);
    const first = at.db.list({ limit: 2 }).rows;
    t.deepEqual(
      first.map(({ block }) => block.id),
      idsOf(blocks.slice(3).reverse()),
    );
    const rest = at.db.list({ limit: 10, before: first[1]?.cursor as number });
    t.is(rest.next, undefined);
    t.deepEqual(
      rest.rows.map(({ block }) => block.id),
      idsOf([at.charter, ...blocks.slice(0, 3)].reverse()),
    );
  });

  test(`${name}: what a device remembers`, async (t) => {
    const { db } = await setup(t, open);
    t.is(db.meta("boot"), undefined);
    db.setMeta("boot", "1");
    db.setMeta("boot", "2");
    t.is(db.meta("boot"), "2");
  });
}

function refusalTests(name: string, open: Open): void {
  test(`[L6] ${name}: an own number is used once`, async (t) => {
    const at = await setup(t, open);
    const own = at.office.entry([note("one")], [at.charter]);
    const twin = new TestLog(at.office.pair, at.charter.id).entry([note("two")], [at.charter]);
    at.db.appendOwn(own);
    t.throws(() => at.db.appendOwn(twin), { code: "LEDGER_FORKED", message: new RegExp(`${own.id}.*${twin.id}`) });
    t.notThrows(() => at.db.appendOwn(own));
    t.false(at.db.has(twin.id));
    t.deepEqual(at.db.lastOf(at.office.pair.publicKey, L), own);
  });

  test(`${name}: a block whose parents are not held is not kept, nor what came with it`, async (t) => {
    const at = await setup(t, open);
    const [first, second, third] = [0, 1, 2].map((n) => at.door.entry([note(`${n}`)], n === 0 ? [at.charter] : [])) as [
      Block,
      Block,
      Block,
    ];
    t.throws(() => at.db.ingest([first, third]), { code: "LEDGER_ORPHAN" });
    t.false(at.db.has(first.id), "all or none");
    t.deepEqual(at.db.frontier().length, 1);
    const stray = at.office.draft({ app: "notes", acts: [["note", 1]] }, [], { p: ["e".repeat(64) as Hash], c: 2 });
    t.throws(() => at.db.appendOwn(stray), { code: "LEDGER_ORPHAN" });
    t.is(at.db.ingest([first, second, third]).added.length, 3);
    t.deepEqual(at.db.verify().bad, []);
  });

  test(`${name}: a second charter is refused`, async (t) => {
    const at = await setup(t, open);
    const { k, o, n, b, p, c, d } = at.charter;
    const other = new TestLog(testKey(3), at.charter.id).draft(d, [], { k, o, n, b, p, c });
    t.throws(() => at.db.ingest([other]), { code: "LEDGER_FORM", message: /second charter/ });
    t.is(at.db.organisation(), at.charter.id);
  });

  test(`${name}: blocks of unknown authors do not get past admission, so they are never kept`, async (t) => {
    const at = await setup(t, open);
    const strange = new TestLog(testKey(9), at.charter.id).entry([note("let me in")], [at.charter]);
    const known = at.door.entry([note("hello")], [at.charter]);
    const result = admit(
      [strange, known].map((block) => encodeEnvelope(block)),
      at.db.admitView(at.charter.id),
    );
    t.deepEqual(
      result.refused.map(({ reason }) => reason),
      ["unknown_author"],
    );
    at.db.ingest(result.admitted);
    t.false(at.db.has(strange.id));
    t.true(at.db.has(known.id));
  });

  test(`${name}: before the charter is held nobody is known, and there is no branch`, async (t) => {
    const db = await open(t);
    t.teardown(() => db.close());
    const { charter, door } = testOrganisation();
    const view = db.admitView(charter.id);
    const first = door.entry([note("x")], [charter]);
    t.deepEqual(
      admit([encodeEnvelope(first)], view).refused.map(({ reason }) => reason),
      ["unknown_author"],
    );
    t.is(db.organisation(), undefined);
    t.is(db.head("main"), undefined);
    t.throws(() => db.pending("main"), { code: "NOT_FOUND" });
    db.ingest(admit([encodeEnvelope(charter)], view).admitted);
    t.is(admit([encodeEnvelope(first)], db.admitView(charter.id)).admitted.length, 1);
  });
}

function mergeTests(name: string, open: Open): void {
  test(`${name}: entries are pending until merged, in the order of taking in`, async (t) => {
    const at = await setup(t, open);
    const blocks = swipes(at, 3);
    const own = at.office.entry([note("own")], [at.charter]);
    at.db.appendOwn(own);
    t.deepEqual(idsOf(at.db.pending("main")), idsOf([...blocks, own]));
    t.deepEqual(idsOf(at.db.pending("main", 2)), idsOf(blocks.slice(0, 2)));
    const { merge, payload, changes } = mergePending(at.db, at.office);
    t.deepEqual(idsOf(at.db.waitingMerges()), [merge.id]);
    t.deepEqual(judgeMerge(merge, payload, at.db.branchView("main")), { verdict: "apply" });
    at.db.applyMerge("main", merge, payload, changes);
    t.deepEqual(at.db.pending("main"), []);
    t.deepEqual([at.db.countPending("main"), at.db.hasPending("main")], [0, false]);
    t.deepEqual(at.db.waitingMerges(), []);
    t.deepEqual(at.db.head("main"), { h: 1, id: merge.id });
    t.is(at.db.merges("main"), 1);
    const later = swipes(at, 2);
    t.deepEqual(idsOf(at.db.pending("main")), idsOf(later));
    t.deepEqual([at.db.countPending("main"), at.db.hasPending("main")], [2, true]);
  });

  test(`[L12] ${name}: members stand in the order of the rule, not of taking in`, async (t) => {
    const at = await setup(t, open);
    const door = swipes(at, 4);
    const office = Array.from({ length: 4 }, (_, n) => at.office.entry([note(`o ${n}`)], n === 0 ? [at.charter] : []));
    at.db.ingest(office);
    const { merge, payload, changes } = mergePending(at.db, at.office);
    at.db.applyMerge("main", merge, payload, changes);
    const members = at.db.members("main", 1);
    const clock = new Map([...door, ...office].map(({ id, c }) => [id, c]));
    const clocks = members.map((id) => clock.get(id) as number);
    t.deepEqual(
      clocks,
      clocks.toSorted((a, b) => a - b),
    );
    t.is(members.length, 8);
  });

  test(`[L19] ${name}: a merge leads to its state, roots, voids; again it changes nothing`, async (t) => {
    const at = await setup(t, open);
    const [first] = swipes(at, 1);
    const bad = at.door.entry([note("bad one")]);
    at.db.ingest([bad]);
    const { merge, payload, changes } = mergePending(at.db, at.office);
    at.db.applyMerge("main", merge, payload, changes);
    at.db.applyMerge("main", merge, payload, changes);
    t.deepEqual(at.db.voids("main"), [{ id: bad.id, app: "notes", reason: "the note is bad" }]);
    t.deepEqual(
      [...at.db.state("notes").scan("")].map(([key]) => key),
      [`note/${first?.id}`],
    );
    const pairs = [...at.db.state("notes").scan("")];
    const bytes = pairs.reduce((sum, [key, value]) => sum + utf8(key).length + encodeCanonical(value).length, 0);
    t.is(at.db.state("notes").bytes?.() ?? bytes, bytes);
    t.deepEqual(at.db.stateRoots(), payload.state);
    t.deepEqual(parseMerge(merge.d), payload);
    const rows = at.db.list({ limit: 9 }).rows;
    t.deepEqual(
      rows.map(({ h }) => h),
      [1, 1, 1, undefined],
    );
    t.deepEqual(
      rows.map((row) => row.void),
      [undefined, "the note is bad", undefined, undefined],
    );
    t.deepEqual(
      at.db.list({ limit: 9, voidOnly: true }).rows.map(({ block }) => block.id),
      [bad.id],
    );
    t.deepEqual(at.db.verify().bad, []);
  });

  test(`${name}: state is read by key and by beginning, in the bytewise order of keys, over many pages`, async (t) => {
    const at = await setup(t, open);
    swipes(at, 1);
    const keys = Array.from({ length: 700 }, (_, index) => `k/${index}`);
    const state = {
      notes: [
        ["a", 1],
        ["k0", 1],
        ["k/\u{1f511}", 2],
        ["k/\uffee", 3],
        ...keys.map((key) => [key, key] as const),
      ] as const,
    };
    const { merge, payload } = mergePending(at.db, at.office, { state: at.db.previewRoots("main", state) });
    at.db.applyMerge("main", merge, payload, { state, voids: [] });
    const view = at.db.state("notes");
    t.is(view.get("k/5"), "k/5");
    t.is(view.get("k/"), undefined);
    const found = [...view.scan("k/")].map(([key]) => key);
    t.deepEqual(found, [...keys.sort(), "k/\uffee", "k/\u{1f511}"]);
    t.is([...view.scan("")].length, 704);
    t.deepEqual([...at.db.state("other").scan("")], []);
    t.deepEqual(at.db.verify().bad, []);
  });

  test(`[L19] ${name}: deleting all of a dapp's keys takes its root away`, async (t) => {
    const at = await setup(t, open);
    swipes(at, 1);
    const one = mergePending(at.db, at.office);
    at.db.applyMerge("main", one.merge, one.payload, one.changes);
    swipes(at, 1);
    const drop = { notes: (one.changes.state["notes"] ?? []).map(([key]) => [key, undefined] as const) };
    const two = mergePending(at.db, at.office, { state: at.db.previewRoots("main", drop) });
    at.db.applyMerge("main", two.merge, two.payload, { state: drop, voids: [] });
    t.deepEqual(at.db.stateRoots(), {});
  });

  test(`[L19] ${name}: a tree may be deeper than any that chance makes`, async (t) => {
    const at = await setup(t, open);
    const near = ["k21111", "k55625"] as const; // Their paths begin with the same seven digits.
    const [one, other] = statePaths(near).map((path) => toHex(path));
    t.is(one?.slice(0, 8), other?.slice(0, 8));
    const deep = (a: number | undefined, b: number | undefined) => ({
      notes: [[near[0], a] as const, [near[1], b] as const, ["far", 1] as const],
    });
    for (const state of [deep(1, 1), deep(1, 2), deep(undefined, 2), deep(3, 4), deep(undefined, undefined)]) {
      swipes(at, 1);
      const { merge, payload } = mergePending(at.db, at.office, { state: at.db.previewRoots("main", state) });
      at.db.applyMerge("main", merge, payload, { state, voids: [] });
      const pairs = state.notes.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
      t.is(at.db.stateRoots()["notes"], stateRoot(pairs));
      t.deepEqual(at.db.verify().bad, []);
    }
  });

  test(`[L19] ${name}: what was worked out for a merge that did not come counts for no later one`, async (t) => {
    const at = await setup(t, open);
    swipes(at, 1);
    const state = { notes: [["k", 1]] as const };
    at.db.previewRoots("main", state);
    const one = mergePending(at.db, at.office);
    at.db.applyMerge("main", one.merge, one.payload, one.changes);
    swipes(at, 1);
    const roots = at.db.previewRoots("main", { notes: [...state.notes] });
    const two = mergePending(at.db, at.office, { state: roots });
    at.db.applyMerge("main", two.merge, two.payload, { state, voids: [] });
    t.deepEqual(at.db.stateRoots(), roots);
    t.deepEqual(at.db.verify().bad, []);
  });
}

function mergeRefusalTests(name: string, open: Open): void {
  const id = (digit: string): Hash => digit.repeat(64) as Hash;
  const wrong: readonly (readonly [title: string, bend: Partial<MergePayload>, code: string])[] = [
    ["does not follow the head", { h: 2, prev: id("a") }, "LEDGER_FORKED"],
    ["names another set", { set: id("b") }, "LEDGER_FORM"],
    ["counts other entries", { entries: 3 }, "LEDGER_FORM"],
    ["counts other void entries", { void: 1 }, "LEDGER_FORM"],
    ["names another root", { state: { notes: id("c") } }, "LEDGER_CORRUPT"],
    ["is of another branch", { branch: "draft" }, "LEDGER_FORM"],
    [
      "includes what is not held",
      { included: [{ author: testKey(2).publicKey, l: L, from: 0, to: 99 }] },
      "LEDGER_ORPHAN",
    ],
    [
      "includes a log that is not there",
      { included: [{ author: testKey(9).publicKey, l: L, from: 0, to: 0 }] },
      "LEDGER_ORPHAN",
    ],
    [
      "leaves out the beginning of a log",
      { included: [{ author: testKey(2).publicKey, l: L, from: 1, to: 1 }] },
      "LEDGER_FORM",
    ],
  ];
  for (const [title, bend, code] of wrong) {
    test(`[L19] ${name}: a merge that ${title} is refused and leaves no trace`, async (t) => {
      const at = await setup(t, open);
      swipes(at, 2);
      const roots = at.db.stateRoots();
      const { merge, payload, changes } = mergePending(at.db, at.office, bend);
      t.throws(() => at.db.applyMerge("main", merge, payload, changes), { code });
      t.is(at.db.head("main"), undefined);
      t.is(at.db.countPending("main"), 2);
      t.deepEqual(at.db.stateRoots(), roots);
      t.deepEqual([...at.db.state("notes").scan("")], []);
      t.deepEqual(at.db.voids("main"), []);
      t.deepEqual(at.db.verify().bad, []);
    });
  }

  test(`${name}: a merge that voids what it does not include is refused`, async (t) => {
    const at = await setup(t, open);
    swipes(at, 1);
    const { merge, payload, changes } = mergePending(at.db, at.office, { void: 1 });
    const ghost = deriveHash("gdo v1 block", encodeCanonical("ghost"));
    const bent = { ...changes, voids: [{ id: ghost, reason: "x" }] };
    t.throws(() => at.db.applyMerge("main", merge, payload, bent), {
      code: "LEDGER_FORM",
      message: /does not include/,
    });
  });

  test(`${name}: a merge that is not causally closed is refused`, async (t) => {
    const at = await setup(t, open);
    const [swipe] = swipes(at, 1);
    at.db.ingest([at.office.entry([note("on top")], [swipe as Block])]);
    const top = at.office.blocks[0] as Block;
    const bend = { included: [{ author: top.a, l: L, from: 0, to: 0 }], entries: 1, set: includedRoot([top.id]) };
    const { merge, payload, changes } = mergePending(at.db, at.office, bend);
    t.throws(() => at.db.applyMerge("main", merge, payload, changes), { code: "LEDGER_FORM", message: /builds on/ });
  });

  test(`${name}: a merge that is not held is refused`, async (t) => {
    const at = await setup(t, open);
    swipes(at, 1);
    const { payload, changes } = mergePending(at.db, at.office);
    const other = at.door.draft({ x: 1 }, [], { k: "merge" });
    t.throws(() => at.db.applyMerge("main", other, payload, changes), { code: "LEDGER_ORPHAN" });
    t.throws(() => at.db.applyMerge("none", other, payload, changes), { code: "NOT_FOUND" });
  });
}
