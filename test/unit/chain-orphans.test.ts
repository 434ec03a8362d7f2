import test from "ava";
import { type Block, encodeEnvelope } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { entryPayload } from "../../lib/ledger/index.ts";
import type { Chain } from "../../lib/node/index.ts";
import { note, TestLog, testOrganisation } from "../support/ledger-fixtures.ts";
import { loneChain } from "../support/lone-chain.ts";

/** A chain over a database that counts what admission asks of it. */
function setup(charter: Block, settled = () => {}): { chain: Chain; db: LedgerDb; asked: () => number } {
  const db = LedgerDb.open(":memory:");
  db.ingest([charter]);
  let asked = 0;
  const counting = new Proxy(db, {
    get: (target, key) => {
      const value = Reflect.get(target, key) as unknown;
      if (key !== "admitView") return typeof value === "function" ? value.bind(target) : value;
      return () => {
        const view = target.admitView(charter.id);
        const parent: typeof view.parent = (id) => {
          asked += 1;
          return view.parent(id);
        };
        return { ...view, parent };
      };
    },
  });
  const chain = loneChain(charter, counting, { settled });
  return { chain, db, asked: () => asked };
}

test("[S5] chain: blocks that wait for their parents cost nothing until a parent comes", async (t) => {
  const { charter, office, door } = testOrganisation();
  const { chain, db, asked } = setup(charter);
  const missing = office.entry([note("missing")], [charter]);
  const waiting = [...Array(30).keys()].map((each) => door.entry([note(`waits ${each}`)], each === 0 ? [missing] : []));
  await chain.take(waiting.map(encodeEnvelope));
  t.is(db.countEntries(), 0);
  const before = asked();
  const other = new TestLog(office.pair, charter.id, "00000000000000b2").entry([note("other")], [charter]);
  await chain.take([encodeEnvelope(other)]);
  t.true(asked() - before < 10, `${asked() - before} questions for one block`);
  await chain.take([encodeEnvelope(missing)]);
  t.is(db.countEntries(), 32);
});

test("[S5] chain: what waits already is not judged again, come as often as it may, and once when its last parent is there", async (t) => {
  const { charter, office, door } = testOrganisation();
  const { chain, db, asked } = setup(charter);
  const parents = [...Array(4).keys()].map((each) => office.entry([note(`parent ${each}`)], [charter]));
  const waiting = door.entry([note("waits")], [charter, ...parents]);
  await chain.take([encodeEnvelope(waiting)]);
  const before = asked();
  await chain.take([encodeEnvelope(waiting)]);
  t.is(asked() - before, 1, "whether a parent is still missing");
  for (const [index, parent] of parents.entries()) {
    t.is(chain.orphanCount, 1, `${index} parents are there`);
    await chain.take([encodeEnvelope(parent)]);
  }
  t.is(chain.orphanCount, 0);
  t.is(db.countEntries(), 5);
});

test("[S5] chain: a forged copy that waits does not keep the true block out", async (t) => {
  const { charter, office, door } = testOrganisation();
  const { chain, db } = setup(charter);
  const parent = office.entry([note("parent")], [charter]);
  const waiting = door.entry([note("waits")], [parent]);
  await chain.take([encodeEnvelope({ body: waiting.body, sig: waiting.sig.map((byte) => byte ^ 1) })]);
  await chain.take([encodeEnvelope(waiting)]);
  await chain.take([encodeEnvelope(parent)]);
  t.is(db.countEntries(), 2);
});

test("[L6] chain: the second block of a number is news, though nothing was taken in", async (t) => {
  const { charter, door } = testOrganisation();
  let settled = 0;
  const { chain } = setup(charter, () => {
    settled += 1;
  });
  const [one, other] = ["one", "other"].map((text) => door.draft(entryPayload("notes", [note(text)]), [charter]));
  for (const block of [one, other]) await chain.take([encodeEnvelope(block as Block)]);
  t.is(settled, 2);
});
