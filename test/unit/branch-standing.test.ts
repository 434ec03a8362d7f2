/** How `status` says where a vote stands. */
import test from "ava";
import { standingOf } from "../../lib/agent/views/branch-standing.ts";
import type { Hash } from "../../lib/base/index.ts";
import type { BranchConsensus } from "../../lib/node/index.ts";

const merge = "a".repeat(64) as Hash;

const begun: BranchConsensus = {
  h: 3,
  r: 0,
  q: 2,
  validators: ["ana", "ben", "cleo"],
  proposer: "ana",
  merge: undefined,
  attests: [],
  passed: [],
  commits: [],
  skips: [],
  lock: undefined,
  fault: "crash",
  isVoter: true,
};

test("status: it says who is missing for an entry to be final, and what may go wrong", (t) => {
  t.like(standingOf(begun, 1), {
    tolerates: "1 of 3 may be away, none may lie",
    waits: "ana is to propose a merge (round 0)",
  });
  t.like(standingOf({ ...begun, merge, passed: ["ana"] }, 1), {
    waits: "its tests need 1 more of ben, cleo (round 0)",
  });
  t.like(standingOf({ ...begun, merge, passed: ["ana", "cleo"], commits: ["cleo"] }, 1), {
    waits: "final needs 1 more of ana, ben (round 0)",
  });
  t.false("waits" in standingOf(begun, 0));
  t.like(standingOf(begun, 2, ["till", "counts"]), { waits: "only entries of till, counts are left, which wait" });
  t.like(standingOf({ ...begun, merge, passed: ["ana"] }, 2, ["till"]), {
    waits: "its tests need 1 more of ben, cleo (round 0)",
  });
  const four = { ...begun, fault: "byzantine", q: 3, validators: ["ana", "ben", "cleo", "dan"] } as const;
  t.like(standingOf(four, 0), { tolerates: "1 of 4 may lie or be away", votes: true });
});
