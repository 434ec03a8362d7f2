/** A branch whose mergers were all removed before they made the merge that names their successors [L16]. */
import test from "ava";
import { strandedWords } from "../../lib/agent/views/stranded.ts";
import type { Block } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { type Act, branchPolicy, type Genesis, whyNotMerge } from "../../lib/ledger/index.ts";
import { mergePending, note, type TestOrganisation, testKey, testOrganisation } from "../support/ledger-fixtures.ts";

function person(id: string, key: number, role: string): Genesis["principals"][0] {
  return { id, devices: [testKey(key).publicKey], roles: [role], recovery: null };
}

function mergeMain(db: LedgerDb, { charter, door: ana }: TestOrganisation): Block {
  db.ingest([ana.entry([note("one")], [charter])]);
  const { merge, payload, changes } = mergePending(db, ana);
  db.applyMerge("main", merge, payload, changes);
  return merge;
}

test("status: it says that nobody can merge a branch any more, and how to go on", (t) => {
  const at = testOrganisation({
    principals: [person("ana", 2, "member"), person("ben", 3, "member"), person("office", 1, "founder")],
    roles: { member: ["append", "validate"] },
    branches: { main: branchPolicy({ mode: "single", validator: "ana" }) },
  });
  const db = LedgerDb.open(":memory:");
  t.teardown(() => db.close());
  db.ingest([at.charter]);
  const govern = (act: Act): void => {
    db.appendOwn(at.office.entry([act], at.office.blocks.length === 0 ? [at.charter] : [], "charter"));
    const { merge, payload, changes } = mergePending(db, at.office, {}, "charter");
    db.applyMerge("charter", merge, payload, changes);
  };
  const head = ["main", 1, mergeMain(db, at).id];
  t.is(strandedWords(db, "main"), undefined);
  const policy = branchPolicy({ mode: "single", validator: "ben" });
  govern({ type: "branch.set", body: { name: "main", policy } as never });
  t.is(strandedWords(db, "main"), undefined, "ana merges it once more");
  govern({ type: "principal.remove", body: { id: "ana" } });
  t.regex(strandedWords(db, "main") ?? "", /nobody can merge main any more.*devices of ana.*gdo fork main NAME/);
  t.is(strandedWords(db, "charter"), undefined);
  govern({ type: "branch.set", body: { name: "next", policy, from: head } as never });
  t.deepEqual(db.voids("charter"), []);
  t.is(strandedWords(db, "next"), undefined);
  t.is(whyNotMerge(testKey(3).publicKey, "next", db.branchView("next")), undefined);
});
