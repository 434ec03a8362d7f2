/** Which merge may be a branch's next. */
import test from "ava";
import type { Hash, PublicKey } from "../../lib/base/index.ts";
import { type BranchView, branchPolicy, encodeMerge, judgeMerge, type MergePayload } from "../../lib/ledger/index.ts";
import { testOrganisation } from "../support/ledger-fixtures.ts";

const hash = (digit: string): Hash => digit.repeat(64) as Hash;
const { office, door, charter } = testOrganisation();
const l = "00000000000000a1";

const payload: MergePayload = {
  branch: "main",
  h: 3,
  prev: hash("b"),
  heads: [],
  set: hash("d"),
  included: [{ author: door.pair.publicKey, l, from: 4, to: 9 }],
  entries: 6,
  void: 0,
  state: {},
  changes: null,
  tests: [],
  charter: { h: 0, id: null },
  cert: null,
  from: [],
  frozen: [],
};
const block = office.draft(encodeMerge(payload), [charter], { k: "merge" });

const view: BranchView = {
  policy: branchPolicy({ mode: "single", validator: "office" }),
  head: { h: 2, id: hash("b") },
  principalOf: (author: PublicKey) => (author === office.pair.publicKey ? "office" : undefined),
  next: () => 4,
  newest: () => 9,
};

test("ledger: a merge that follows, by the validator, of what is held, is applied", (t) => {
  t.deepEqual(judgeMerge(block, payload, view), { verdict: "apply" });
});

test("ledger: a merge waits for merges and blocks that are not there", (t) => {
  t.deepEqual(judgeMerge(block, payload, { ...view, head: { h: 1, id: hash("a") } }), { verdict: "wait", missing: [] });
  t.deepEqual(judgeMerge(block, payload, { ...view, newest: () => 6 }), {
    verdict: "wait",
    missing: [{ author: door.pair.publicKey, l, from: 7, to: 9 }],
  });
});

test("[L16] who may merge is what the state before says", (t) => {
  const byDoor = door.draft(encodeMerge(payload), [charter], { k: "merge" });
  const refused = judgeMerge(byDoor, payload, view);
  t.like(refused, { verdict: "refuse", why: "its author is not a device of office, who merges main" });
  t.like(judgeMerge(block, payload, { ...view, principalOf: () => undefined }), { verdict: "refuse" });
  t.like(judgeMerge(block, payload, { ...view, policy: branchPolicy({ mode: "single", validator: "other" }) }), {
    verdict: "refuse",
  });
});

test("ledger: a merge is refused when it does not follow", (t) => {
  const why = (bent: Partial<BranchView>): string => {
    const found = judgeMerge(block, payload, { ...view, ...bent });
    return found.verdict === "refuse" ? found.why : found.verdict;
  };
  t.regex(why({ policy: undefined }), /no branch main/);
  t.regex(why({ head: { h: 3, id: hash("c") } }), /at height 3 already/);
  t.regex(why({ head: { h: 2, id: hash("c") } }), /not the branch's head/);
  t.regex(why({ next: () => 5 }), /does not go on/);
});
