import test, { type ExecutionContext } from "ava";
import { farewellTo, hearFarewell, ownRevocation } from "../../lib/agent/views/revocation.ts";
import type { Hash } from "../../lib/base/index.ts";
import { type Block, type Canonical, decodeCanonical, encodeCanonical, encodeEnvelope } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { branchPolicy, encodeVote } from "../../lib/ledger/index.ts";
import { mergePending, note, TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";

const lost = testKey(7).publicKey;
const ADD_LOST = [{ type: "device.add", body: { key: lost, principal: "front-door", name: "lost" } }];
const REVOKE_LOST = [{ type: "device.revoke", body: { key: lost } }];
const ROLE = [{ type: "role.set", body: { role: "guest", rights: [] } }];

/** The office's ledger, and that of a device that went away when the charter was at height 1. */
function setup(t: ExecutionContext) {
  const { charter, office, door } = testOrganisation();
  const [here, away] = [LedgerDb.open(":memory:"), LedgerDb.open(":memory:")];
  t.teardown(() => here.close());
  t.teardown(() => away.close());
  for (const db of [here, away]) db.ingest([charter]);
  const govern = (acts: Parameters<TestLog["entry"]>[0], dbs: readonly LedgerDb[] = [here]): Block => {
    const entry = office.entry(acts, [charter], "charter");
    here.appendOwn(entry);
    const { merge, payload, changes } = mergePending(here, office, {}, "charter");
    here.applyMerge("charter", merge, payload, changes);
    if (dbs.includes(away)) {
      away.ingest([entry, merge]);
      away.applyMerge("charter", merge, payload, changes);
    }
    return entry;
  };
  govern(ADD_LOST, [here, away]);
  const ids = { organisation: charter.id, device: lost };
  return { charter, office, door, here, away, govern, ids };
}

/** A farewell with one of its parts changed. */
function bent(farewell: Uint8Array, change: (steps: Canonical[][]) => Canonical[][]): Uint8Array {
  return encodeCanonical(change(decodeCanonical(farewell, { bytesMax: 2 ** 20 }) as Canonical[][]));
}

test("[S7] farewell: a device that was away learns by whom and when it was revoked, and keeps that", (t) => {
  const { office, here, away, govern, ids } = setup(t);
  t.is(farewellTo(here, lost, 1), undefined, "nobody is told who is not revoked");
  govern(ROLE);
  const entry = govern(REVOKE_LOST);
  govern([{ type: "role.set", body: { role: "later", rights: [] } }]);
  here.appendOwn(office.entry([note("secret")]));
  const farewell = farewellTo(here, lost, 1);
  if (farewell === undefined) return t.fail();
  const steps = decodeCanonical(farewell, { bytesMax: 2 ** 20 }) as Canonical[];
  t.is(steps.length, 2, "up to its revocation, and nothing else");
  t.is(ownRevocation(away, lost), undefined);
  const known = { by: "office", entry: entry.id, atMs: entry.t[0], h: 3 };
  t.like(hearFarewell(away, farewell, ids), known);
  t.like(ownRevocation(away, lost), known);
  t.like(ownRevocation(here, lost), known, "as who holds the charter says");
  t.regex(ownRevocation(away, lost)?.todo ?? "", /ask office .*gdo invite front-door.*gdo --home NEW join TOKEN/);
  t.is(farewellTo(here, lost, 3), undefined, "who knows it is not told");
});

test("[S7] farewell: what does not follow from the charter that is held proves nothing", (t) => {
  const { office, door, charter, here, away, govern, ids } = setup(t);
  govern(ROLE);
  const entry = govern(REVOKE_LOST);
  const farewell = farewellTo(here, lost, 1) as Uint8Array;
  const broken = { ...entry, sig: new Uint8Array(64) };
  const foreign = new TestLog(office.pair, testOrganisation({ name: "Other" }).charter.id).entry(REVOKE_LOST, [
    charter,
  ]);
  const second = here.block(here.mergeAt("charter", 2) as Hash);
  const lie = door.draft(second?.d as Canonical, [charter], { k: "merge" });
  const wrong: [string, Uint8Array, string][] = [
    ["a step left out", bent(farewell, (steps) => steps.slice(1)), "LEDGER_FORM"],
    ["an entry left out", bent(farewell, ([one, two]) => [one ?? [], [two?.[0] ?? null, [], []]]), "LEDGER_FORM"],
    [
      "a signature that is not its author's",
      bent(farewell, ([one, two]) => [one ?? [], [two?.[0] ?? null, [encodeEnvelope(broken)], []]]),
      "LEDGER_SIGNATURE",
    ],
    [
      "an entry that the merge has not",
      bent(farewell, ([one, two]) => [
        one ?? [],
        [two?.[0] ?? null, [encodeEnvelope(entry), encodeEnvelope(door.draft(entry.d, [charter]))], []],
      ]),
      "LEDGER_FORM",
    ],
    [
      "another organisation's entry",
      bent(farewell, ([one, two]) => [one ?? [], [two?.[0] ?? null, [encodeEnvelope(foreign)], []]]),
      "LEDGER_FORM",
    ],
    ["a merge by who may not", bent(farewell, ([one]) => [[encodeEnvelope(lie), one?.[1] ?? [], []]]), "LEDGER_FORM"],
    ["noise", new Uint8Array([1, 2, 3]), "LEDGER_FORM"],
  ];
  for (const [name, bytes, code] of wrong) t.throws(() => hearFarewell(away, bytes, ids), { code }, name);
  t.is(ownRevocation(away, lost), undefined);
  t.is(hearFarewell(away, farewell, { ...ids, device: door.pair.publicKey }), undefined, "another device's");
});

test("[L16] farewell: where a quorum decides, the votes that make it final are part of it", (t) => {
  const names = ["ana", "ben", "cleo"];
  const pairs = names.map((_, index) => testKey(11 + index));
  const principals = names.map((id, index) => ({
    ...{ id, devices: [(pairs[index] as (typeof pairs)[0]).publicKey], roles: ["founder"], recovery: null },
  }));
  const { charter } = testOrganisation({
    principals: [...principals, { id: "door", devices: [lost], roles: ["device"], recovery: null }],
    branches: {
      charter: branchPolicy({ mode: "quorum", validators: "founder", q: null }, { fork: "deny" }),
      main: branchPolicy({ mode: "single", validator: "ana" }),
    },
  });
  const logs = pairs.map((pair) => new TestLog(pair, charter.id));
  const [ana] = logs as [TestLog];
  const [here, away] = [LedgerDb.open(":memory:"), LedgerDb.open(":memory:")];
  for (const db of [here, away]) db.ingest([charter]);
  here.appendOwn(ana.entry(REVOKE_LOST, [charter], "charter"));
  const { merge, payload, changes } = mergePending(here, ana, {}, "charter");
  const vote = encodeVote({ branch: "charter", h: 1, r: 0, phase: "commit", merge: merge.id });
  for (const log of logs) here.ingest([{ block: log.add(vote, [merge], { k: "vote" }), isChecked: true }]);
  here.applyMerge("charter", merge, payload, changes);
  const farewell = farewellTo(here, lost, 0) as Uint8Array;
  const ids = { organisation: charter.id, device: lost };
  const tooFew = bent(farewell, ([step]) => [
    [...(step ?? []).slice(0, 2), (step?.[2] as Canonical[] | undefined)?.slice(1) ?? []],
  ]);
  t.throws(() => hearFarewell(away, tooFew, ids), { code: "LEDGER_FORM" });
  t.like(hearFarewell(away, farewell, ids), { by: "ana", h: 1 });
  for (const db of [here, away]) db.close();
});
