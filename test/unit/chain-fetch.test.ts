/** What a node asks for while it follows: changes of merges to come, beside those of the next. */
import test from "ava";
import type { Hash } from "../../lib/base/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { mergePending, testOrganisation } from "../support/ledger-fixtures.ts";
import { loneChain } from "../support/lone-chain.ts";

const hash = (digit: string): Hash => digit.repeat(64) as Hash;

test("chain: the changes of merges to come are asked for at once, and of those only who may merge names", async (t) => {
  const { charter, office, door } = testOrganisation();
  const db = LedgerDb.open(":memory:");
  t.teardown(() => db.close());
  db.ingest([charter]);
  const asked: Hash[] = [];
  const has = async (id: Hash): Promise<boolean> => {
    asked.push(id);
    return false;
  };
  const blobs = {
    put: async () => charter.id,
    read: async () => new Uint8Array(),
    has,
    holding: <T>(work: () => T) => work(),
  };
  const chain = loneChain(charter, db, { blobs });
  const next = mergePending(db, office, { changes: hash("1") });
  for (const h of [2, 3]) mergePending(db, office, { h, prev: next.merge.id, changes: hash(String(h)) });
  mergePending(db, door, { h: 2, prev: next.merge.id, changes: hash("9") });
  await chain.advance();
  t.deepEqual([...new Set(asked)], [hash("1"), hash("2"), hash("3")]);
});
