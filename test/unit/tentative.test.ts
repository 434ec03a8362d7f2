/** What waits, reduced over the last final merge before anybody has merged it. */
import test, { type ExecutionContext } from "ava";
import { eventsWithWaiting } from "../../lib/agent/views/event-feed.ts";
import { GdoError } from "../../lib/base/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import type { MergeApp } from "../../lib/ledger/index.ts";
import { type NodeApps, TentativeStates } from "../../lib/node/index.ts";
import {
  mergePending,
  note,
  reduceNotes,
  type TestOrganisation,
  testOrganisation,
} from "../support/ledger-fixtures.ts";

interface Setup extends TestOrganisation {
  readonly db: LedgerDb;
  readonly states: TentativeStates;
  /** How often the dapp has reduced. */
  readonly count: () => number;
  readonly fail: (isFailing: boolean) => void;
}

function setup(t: ExecutionContext): Setup {
  const organisation = testOrganisation();
  const db = LedgerDb.open(":memory:");
  t.teardown(() => db.close());
  db.ingest([organisation.charter]);
  let [reduced, isFailing] = [0, false];
  const notes: MergeApp = {
    name: "notes",
    image: null,
    reads: [],
    reduce: async ({ entries }) => {
      if (isFailing) throw new GdoError("CONTAINER", "it does not start");
      reduced += 1;
      const { state, voids } = reduceNotes(entries.flatMap(({ id }) => db.block(id) ?? []));
      const reasons = new Map(voids.map(({ id, reason }) => [id, reason]));
      const outcomes = entries.map(({ id }) => {
        const reason = reasons.get(id);
        return { id, events: [], ...(reason === undefined ? {} : { void: reason }) };
      });
      return { outcomes, changes: state["notes"] ?? [] };
    },
    test: async () => {
      throw new Error("nothing tests what is not merged");
    },
  };
  const apps: NodeApps = { open: async () => ({ apps: [notes], missing: [], close: async () => {} }) };
  const states = new TentativeStates({
    ledger: db,
    apps,
    organisation: organisation.charter.id,
    author: organisation.office.pair.publicKey,
  });
  const fail = (fails: boolean): void => {
    isFailing = fails;
  };
  return { ...organisation, db, states, count: () => reduced, fail };
}

function merge({ db, office }: Setup): void {
  const { merge: block, payload, changes } = mergePending(db, office);
  db.applyMerge("main", block, payload, changes);
}

test("tentative: what waits shows over the final state, and is thrown away with the next merge", async (t) => {
  const at = setup(t);
  const [one, bad] = [at.door.entry([note("one")], [at.charter]), at.office.entry([note("bad")], [at.charter])];
  at.db.ingest([one, bad]);
  const first = await at.states.at("main");
  t.truthy(first.state("notes").get(`note/${one.id}`));
  t.is(at.db.state("notes").get(`note/${one.id}`), undefined, "the final state is as it was");
  t.deepEqual(Object.fromEntries(first.entries.map(({ block, reason }) => [block.id, reason])), {
    [one.id]: undefined,
    [bad.id]: "the note is bad",
  });
  t.is((await at.states.at("main")).key, first.key);
  t.is(at.count(), 1, "reduced once for all who ask");
  merge(at);
  const order = at.db.members("main", 1);
  t.deepEqual(
    first.entries.map(({ block }) => block.id),
    order,
    "[L12] in the order in which they came",
  );
  const two = at.door.entry([note("two")]);
  at.db.ingest([two]);
  const second = await at.states.at("main");
  t.not(second.key, first.key);
  t.deepEqual(
    second.entries.map(({ block }) => block.id),
    [two.id],
  );
  t.deepEqual(
    [...second.state("notes").scan("note/")].map(([key]) => key).sort(),
    [`note/${one.id}`, `note/${two.id}`].sort(),
  );
});

test("tentative: entries of a dapp that fails are listed, and the next time tried again", async (t) => {
  const at = setup(t);
  const one = at.door.entry([note("one")], [at.charter]);
  at.db.ingest([one]);
  at.fail(true);
  const failed = await at.states.at("main");
  t.deepEqual([...failed.without], ["notes"]);
  t.deepEqual(
    failed.entries.map(({ block }) => block.id),
    [one.id],
  );
  t.is(failed.state("notes").get(`note/${one.id}`), undefined);
  at.fail(false);
  at.db.ingest([at.door.entry([note("two")])]);
  const { without, state } = await at.states.at("main");
  t.is(without.size, 0);
  t.truthy(state("notes").get(`note/${one.id}`));
  await t.throwsAsync(at.states.at("main@ana"), { code: "REFUSED" });
});

test("events: what waits comes after all that is final, and only when it has changed", async (t) => {
  const at = setup(t);
  at.db.ingest([at.door.entry([note("one")], [at.charter])]);
  merge(at);
  const bad = at.door.entry([note("bad")]);
  at.db.ingest([bad]);
  const page = await eventsWithWaiting(at.db, at.states, {});
  t.deepEqual(
    page.events.map(({ id }) => id),
    at.db.members("main", 1),
  );
  t.deepEqual(
    page.tentative?.map(({ id, reason }) => [id, reason]),
    [[bad.id, "the note is bad"]],
  );
  const { cursor: from, known } = page;
  t.is((await eventsWithWaiting(at.db, at.states, { from, known })).tentative, undefined);
  merge(at);
  const after = await eventsWithWaiting(at.db, at.states, { from, known });
  t.deepEqual([after.events.map(({ id }) => id), after.tentative], [[bad.id], []]);
});
