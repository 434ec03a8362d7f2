import test from "ava";
import { silentLog } from "../../lib/base/index.ts";
import { encodeEnvelope } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { HOPELESS_MAX } from "../../lib/node/chain.ts";
import { Chain } from "../../lib/node/index.ts";
import { mergePending, testOrganisation } from "../support/ledger-fixtures.ts";

test("[S5] chain: of merges that a liar signs so many are remembered, each is counted once, and no more of them wait", async (t) => {
  const { charter, office, door } = testOrganisation();
  const db = LedgerDb.open(":memory:");
  t.teardown(() => db.close());
  db.ingest([charter]);
  let refused = 0;
  const chain = new Chain({
    ledger: db,
    blobs: {
      put: async () => charter.id,
      read: async () => new Uint8Array(),
      has: async () => false,
      holding: (work) => work(),
    },
    organisation: charter.id,
    log: silentLog,
    settled: () => {},
    onMerged: () => {},
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
