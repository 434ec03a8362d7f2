/** What every LedgerDb keeps of the charter, of branches and of votes. */
import test, { type ExecutionContext } from "ava";
import type { Hash } from "../../lib/base/index.ts";
import type { Block } from "../../lib/codec/index.ts";
import type { LedgerDb } from "../../lib/db/index.ts";
import { branchPolicy, encodeVote, judgeMerge, principalOf } from "../../lib/ledger/index.ts";
import {
  mergePending,
  note,
  type TestLog,
  type TestOrganisation,
  testKey,
  testOrganisation,
} from "../support/ledger-fixtures.ts";
import { type Open, setup, swipes } from "./ledger-db.ts";

const idsOf = (blocks: readonly { readonly id: Hash }[]): Hash[] => blocks.map(({ id }) => id);

/** A merge of `main`, on which the office alone votes. */
async function voted(t: ExecutionContext, open: Open): Promise<TestOrganisation & { db: LedgerDb; merge: Block }> {
  const db = await open(t);
  t.teardown(() => db.close());
  const main = branchPolicy({ mode: "quorum", validators: "founder", q: null });
  const at = testOrganisation({ branches: { main } });
  db.ingest([at.charter]);
  return { ...at, db, merge: mergePending(db, at.office).merge };
}

/** The suite; each implementation's test file is one call. */
export function ledgerBranchesContract(name: string, open: Open): void {
  test(`[L16] ${name}: who is who comes from the charter's state, now and at any height before`, async (t) => {
    const at = await setup(t, open);
    const { db, office, door, charter } = at;
    const admitted = { key: testKey(3).publicKey, principal: "office", name: "tablet" };
    const acts = [{ type: "device.add", body: admitted }];
    db.appendOwn(office.entry(acts, [charter], "charter"));
    t.is(db.countPending("main"), 0, "entries of the charter are none of main's");
    t.is(db.countPending("charter"), 1);
    const added = mergePending(db, office, {}, "charter");
    t.deepEqual(judgeMerge(added.merge, added.payload, db.branchView("charter")), { verdict: "apply" });
    db.applyMerge("charter", added.merge, added.payload, added.changes);
    db.appendOwn(office.entry([{ type: "device.revoke", body: { key: door.pair.publicKey } }], [], "charter"));
    const revoked = mergePending(db, office, {}, "charter");
    db.applyMerge("charter", revoked.merge, revoked.payload, revoked.changes);
    const who = (h?: number): unknown[] =>
      [testKey(3).publicKey, door.pair.publicKey].map((key) => principalOf(db.charterAt(h), key));
    t.deepEqual(
      [who(0), who(1), who(2), who()],
      [
        [undefined, "front-door"],
        ["office", "front-door"],
        ["office", undefined],
        ["office", undefined],
      ],
    );
    t.is([...db.charterAt(0).scan("device/")].length, 2);
    t.is([...db.charterAt(1).scan("device/")].length, 3);
    t.throws(() => db.charterAt(3), { code: "NOT_FOUND" });
    t.is(db.branchView("none").charterFor(1), undefined);
    t.deepEqual(db.verify().bad, []);
  });

  test(`[L16] ${name}: a merge is judged by the charter that the merge before it names`, async (t) => {
    const at = await setup(t, open);
    const { db, office } = at;
    swipes(at, 1);
    db.appendOwn(office.entry([{ type: "principal.add", body: { id: "ana", roles: [] } }], [at.charter], "charter"));
    const charter = mergePending(db, office, {}, "charter");
    db.applyMerge("charter", charter.merge, charter.payload, charter.changes);
    const one = mergePending(db, office);
    t.deepEqual(one.payload.charter, { h: 1, id: charter.merge.id });
    t.is(db.branchView("main").charterFor(1)?.h, 0);
    db.applyMerge("main", one.merge, one.payload, one.changes);
    t.is(db.branchView("main").charterFor(2)?.h, 1);
    t.is(db.branchView("main").charterFor(1)?.h, 0);
    swipes(at, 1);
    const back = mergePending(db, office, { charter: { h: 0, id: null } });
    t.like(judgeMerge(back.merge, back.payload, db.branchView("main")), { verdict: "refuse" });
  });

  test(`[L14] ${name}: votes are found by branch and height`, async (t) => {
    const { db, office, merge } = await voted(t, open);
    const vote = { branch: "main", h: 1, r: 0, phase: "commit", merge: merge.id } as const;
    const block = office.add(encodeVote(vote), [merge], { k: "vote" });
    db.ingest([block]);
    t.deepEqual(db.votes("main", 1), [{ id: block.id, author: block.a, vote }]);
    t.deepEqual(db.branchView("main").votes(1), db.votes("main", 1));
    t.deepEqual([db.votes("main", 2), db.votes("charter", 1), db.votes("none", 1)], [[], [], []]);
    t.deepEqual(db.verify().bad, []);
  });

  test(`[L10] ${name}: votes by whoever does not vote are kept, and not among those that are looked at`, async (t) => {
    const { db, office, door, merge } = await voted(t, open);
    const cast = (log: TestLog, r: number): Block => {
      const vote = { branch: "main", h: 1, r, phase: "commit", merge: merge.id } as const;
      return log.add(encodeVote(vote), [merge], { k: "vote" });
    };
    const [one, strange] = [cast(office, 0), cast(door, 0)];
    db.ingest([one, strange]);
    t.deepEqual(idsOf(db.votes("main", 1)), [one.id]);
    const [two, stranger] = [cast(office, 1), cast(door, 1)];
    db.ingest([stranger, two]);
    t.deepEqual(idsOf(db.votes("main", 1)), [one.id, two.id], "nor once they were asked for");
    t.true(db.has(stranger.id));
    t.deepEqual(db.verify().bad, []);
  });

  test(`${name}: of merges that wait those are looked at that a branch comes to next`, async (t) => {
    const at = await setup(t, open);
    const { db, office, charter } = at;
    swipes(at, 1);
    const next = mergePending(db, office);
    const far = mergePending(db, office, { h: 3, prev: next.merge.id });
    const second = mergePending(db, office, { h: 2, prev: next.merge.id });
    const early = mergePending(db, office, { charter: { h: 7, id: charter.id } });
    const nowhere = mergePending(db, office, { branch: "nowhere" });
    t.deepEqual(idsOf(db.waitingMerges()), [next.merge.id]);
    t.deepEqual(idsOf(db.waitingMergesLater(64)), [second.merge.id, far.merge.id]);
    t.deepEqual(idsOf(db.waitingMergesLater(1)), [second.merge.id]);
    const all = [next, far, second, early, nowhere].map(({ merge }) => merge.id);
    t.deepEqual(idsOf(db.waitingMergesOf(office.pair.publicKey)), all);
    t.deepEqual(db.waitingMergesOf(at.door.pair.publicKey), []);
    db.applyMerge("main", next.merge, next.payload, next.changes);
    t.deepEqual(idsOf(db.waitingMerges()), [second.merge.id]);
    db.passOver(second.merge.id);
    t.deepEqual(db.waitingMerges(), []);
    t.deepEqual(db.verify().bad, []);
  });

  test(`${name}: in mode open each principal has a line of its own`, async (t) => {
    const db = await open(t);
    t.teardown(() => db.close());
    const at = testOrganisation({ branches: { draft: branchPolicy({ mode: "open" }) } });
    db.ingest([at.charter]);
    t.deepEqual(db.branches(), ["charter", "draft@front-door", "draft@office", "main"]);
    db.appendOwn(at.office.entry([note("a draft")], [at.charter], "notes", "draft"));
    t.deepEqual(
      [db.countPending("main"), db.countPending("draft@office"), db.countPending("draft@front-door")],
      [0, 1, 1],
    );
    const line = db.lineOf("draft", at.office.pair.publicKey);
    const mine = mergePending(db, at.office, {}, line);
    t.deepEqual(judgeMerge(mine.merge, mine.payload, db.branchView(line)), { verdict: "apply" });
    t.like(judgeMerge(mine.merge, mine.payload, db.branchView("draft@front-door")), { verdict: "refuse" });
    db.applyMerge(line, mine.merge, mine.payload, mine.changes);
    t.deepEqual([db.head(line)?.h, db.head("draft@front-door")], [1, undefined]);
    const theirs = mergePending(db, at.door, {}, "draft@front-door");
    db.applyMerge("draft@front-door", theirs.merge, theirs.payload, theirs.changes);
    t.deepEqual(db.stateRoots("draft@front-door"), db.stateRoots(line));
    t.deepEqual(db.verify().bad, []);
  });

  test(`${name}: the past of a state is what it was, for keys that were changed, deleted, set again`, async (t) => {
    const at = await setup(t, open);
    const steps: [string, number | undefined][][] = [
      [
        ["a", 1],
        ["b", 1],
      ],
      [
        ["a", 2],
        ["b", undefined],
        ["c", 3],
        ["c", 4],
      ],
      [
        ["b", 5],
        ["a", undefined],
      ],
      [
        ["a", 6],
        ["c", undefined],
      ],
    ];
    const seen: unknown[] = [[]];
    for (const notes of steps) {
      swipes(at, 1);
      const { merge, payload } = mergePending(at.db, at.office, { state: at.db.previewRoots("main", { notes }) });
      at.db.applyMerge("main", merge, payload, { state: { notes }, voids: [] });
      seen.push([...at.db.state("notes").scan("")]);
    }
    for (const [h, expected] of seen.entries()) {
      const view = at.db.stateAt("notes", "main", h);
      t.deepEqual([...view.scan("")], expected, `height ${h}`);
      const keys = ["a", "b", "c"].flatMap((key) => (view.get(key) === undefined ? [] : [[key, view.get(key)]]));
      t.deepEqual(keys, expected, `height ${h}, by key`);
    }
  });

  test(`[L16] ${name}: a fork begins with the state of the merge that it was forked at, whichever comes first`, async (t) => {
    const at = await setup(t, open);
    const { db, office } = at;
    const policy = branchPolicy({ mode: "single", validator: "office" });
    const notes = (value: number): { notes: [string, number][] } => ({ notes: [["a", value]] });
    const mergeNotes = (value: number): string => {
      swipes(at, 1);
      const state = notes(value);
      const made = mergePending(db, office, { state: db.previewRoots("main", state) });
      db.applyMerge("main", made.merge, made.payload, { state, voids: [] });
      return made.merge.id;
    };
    const ids = [mergeNotes(1), mergeNotes(2), mergeNotes(3)];
    const fork = (branch: string, h: number, id: string): void => {
      const body = { name: branch, policy, from: ["main", h, id] };
      db.appendOwn(office.entry([{ type: "branch.set", body }], [at.charter], "charter"));
      const made = mergePending(db, office, {}, "charter");
      db.applyMerge("charter", made.merge, made.payload, made.changes);
    };
    fork("second", 2, ids[1] as string);
    t.is(db.state("notes", "second").get("a"), 2);
    t.deepEqual(db.stateRoots("second"), db.previewRoots("second", notes(2)));
    t.is(db.branchView("second").charterFor(1)?.h, 1, "judged by the charter that made it");
    fork("never", 2, "ab".repeat(32));
    t.true(db.branchView("never").isAwaited);
    t.deepEqual(db.branches(), ["charter", "main", "second"]);
    db.appendOwn(office.entry([note("there")], [], "notes", "second"));
    const made = mergePending(db, office, {}, "second");
    t.deepEqual(judgeMerge(made.merge, made.payload, db.branchView("second")), { verdict: "apply" });
    db.applyMerge("second", made.merge, made.payload, made.changes);
    t.is(db.state("notes", "main").get("a"), 3);
    t.is([...db.state("notes", "second").scan("")].length, 2);
    t.deepEqual(db.verify().bad, []);
  });
}
