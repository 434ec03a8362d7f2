import test from "ava";
import { headsOf } from "../../lib/node/merging/build.ts";
import { note, TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";

test("a merge's heads are the same in whatever order its entries were taken in [L12]", (t) => {
  const { charter } = testOrganisation();
  // More logs than a merge names heads, all with one clock.
  const entries = [...Array(12).keys()].map((each) =>
    new TestLog(testKey(each + 1), charter.id).entry([note(`n${each}`)], [charter]),
  );
  const ids = (blocks: typeof entries): string[] => headsOf(blocks).map(({ id }) => id);
  t.deepEqual(ids(entries.toReversed()), ids(entries));
});
