import test from "ava";
import { encodeEnvelope } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { HOPELESS_MAX } from "../../lib/node/chain.ts";
import { mergePending, testOrganisation } from "../support/ledger-fixtures.ts";
import { loneChain } from "../support/lone-chain.ts";

test("[S5] chain: of merges that a liar signs so many are remembered, each is counted once, and no more of them wait", async (t) => {
  const { charter, office, door } = testOrganisation();
  const db = LedgerDb.open(":memory:");
  t.teardown(() => db.close());
  db.ingest([charter]);
  let refused = 0;
  const chain = loneChain(charter, db, {
    refused: () => {
      refused += 1;
    },
  });
  const { merge } = mergePending(db, office);
  const lies = [...Array(HOPELESS_MAX + 50).keys()].map(() =>
    encodeEnvelope(door.add(merge.d, [charter], { k: "merge" })),
  );
  await chain.take(lies);
  t.is(refused, lies.length);
  t.is(db.waitingMerges().length, HOPELESS_MAX + 1, "the office's own is still to come");
  await chain.advance();
  t.is(refused, lies.length, "none is judged again");
});
