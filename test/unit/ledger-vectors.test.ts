/** What is checked in for a second implementation holds here: what is refused, a small graph, and what merges take. */
import { readFileSync } from "node:fs";
import test from "ava";
import { fromHex, type Hash } from "../../lib/base/index.ts";
import {
  assertUsableKey,
  type Block,
  blockFromBody,
  decodeBlock,
  decodeCanonical,
  deriveHash,
  jsonFromCanonical,
} from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import {
  admit,
  authorOf,
  certificateOf,
  judgeProposal,
  orderEntries,
  orderSeed,
  parseEntryPayload,
  parseMerge,
  parseMergeChanges,
  parseVote,
  validatorsOf,
} from "../../lib/ledger/index.ts";

interface Named {
  readonly name: string;
  readonly hex: string;
}

const load = (name: string): unknown => JSON.parse(readFileSync(`test/fixtures/${name}`, "utf8"));
const values = load("codec/refused-values.json") as { values: Named[] };
const keys = load("codec/refused-keys.json") as { keys: { why: string; hex: string }[] };
const refused = load("ledger/refused.json") as { bodies: Named[]; payloads: (Named & { kind: string })[] };
const graph = load("ledger/graph.json") as {
  blocks: string[];
  merges: { id: Hash; certificate: unknown; seed: Hash; order: Hash[]; changes: string; state: { notes: unknown } }[];
};

const taking = load("ledger/taking.json") as {
  blocks: string[];
  merges: { branch: string; id: Hash; seed: Hash; order: Hash[]; taken: Hash[]; changes: string }[];
};

function bytes(hex: string): Uint8Array {
  const found = fromHex(hex);
  if (found === undefined) throw new RangeError(hex);
  return found;
}

const FORM = { code: "LEDGER_FORM" } as const;

test("[L1] [L2] values of the vectors that are not canonical are refused", (t) => {
  for (const { name, hex } of values.values) t.throws(() => decodeCanonical(bytes(hex)), FORM, name);
});

test("[L3] keys of the vectors are refused", (t) => {
  for (const { why, hex } of keys.keys) t.throws(() => assertUsableKey(bytes(hex)), { code: "KEY_INVALID" }, why);
});

test("[L2] bodies of the vectors are refused", (t) => {
  for (const { name, hex } of refused.bodies) {
    t.notThrows(() => decodeCanonical(bytes(hex)), name);
    t.throws(() => blockFromBody(bytes(hex), new Uint8Array(64)), FORM, name);
  }
});

test("ledger: payloads of the vectors are refused", (t) => {
  const parsers = { entry: parseEntryPayload, vote: parseVote, merge: parseMerge };
  for (const { kind, name, hex } of refused.payloads) {
    const payload = decodeCanonical(bytes(hex));
    t.throws(() => parsers[kind as keyof typeof parsers](payload), FORM, `${kind}: ${name}`);
  }
});

test("[L10] [L12] [L19] the graph of the vectors leads to its certificates, orders and states", (t) => {
  const db = LedgerDb.open(":memory:");
  t.teardown(() => db.close());
  const blocks = graph.blocks.map(bytes);
  const [charter] = blocks as [Uint8Array];
  const organisation = blockFromBody(...(decodeCanonical(charter) as [Uint8Array, Uint8Array]));
  db.ingest([organisation]);
  const { admitted, refused: not, orphans } = admit(blocks.slice(1), db.admitView(organisation.id));
  t.deepEqual([not, orphans], [[], []]);
  db.ingest(admitted);
  const { principals, q } = validatorsOf(db.charterAt(), "main") ?? { principals: [], q: 0 };
  for (const { id, certificate, seed, order, changes, state } of graph.merges) {
    const merge = db.block(id);
    if (merge === undefined) throw new RangeError(id);
    const payload = parseMerge(merge.d);
    const votes = db.votes("main", payload.h - 1).map(({ id: vote, author, vote: said }) => {
      return { id: vote, principal: authorOf(db.charterAt(), author)?.principal, vote: said };
    });
    const found = payload.prev === null ? undefined : certificateOf(votes, payload.prev, { principals, q });
    t.deepEqual([found ?? null, payload.cert], [certificate, certificate]);
    t.is(orderSeed(payload.prev ?? organisation.id, payload.cert), seed);
    const from = payload.included.flatMap(({ author, l, from: first, to }) =>
      db.pending("main").filter((block) => block.a === author && block.l === l && first <= block.n && block.n <= to),
    );
    t.deepEqual(orderEntries(from, seed), order);
    t.is(deriveHash("gdo v1 blob", bytes(changes)), payload.changes as Hash);
    db.applyMerge("main", merge, payload, parseMergeChanges(bytes(changes)));
    const after = [...db.state("notes").scan("")].map(([key, value]) => [key, jsonFromCanonical(value)]);
    t.deepEqual(after, state.notes as typeof after);
  }
});

test("[L10] [L16] [L20] merges of the vectors stand by whose votes count, and take from other branches what they say", (t) => {
  const db = LedgerDb.open(":memory:");
  t.teardown(() => db.close());
  const [charter, ...rest] = taking.blocks.map((hex) => decodeBlock(bytes(hex)));
  db.ingest([charter as Block]);
  for (const block of rest) db.ingest([block]);
  for (const { branch, id, order, taken, changes } of taking.merges) {
    const merge = db.block(id) as Block;
    const payload = parseMerge(merge.d);
    t.deepEqual(judgeProposal(merge, payload, db.branchView(branch)), { verdict: "apply" }, `${branch}@${payload.h}`);
    const found = db.takenFrom(branch, payload.from, payload.frozen).map((block) => block.id);
    t.deepEqual(found.sort(), taken);
    db.applyMerge(branch, merge, payload, parseMergeChanges(bytes(changes)));
    t.deepEqual(db.members(branch, payload.h), order);
  }
  t.deepEqual(db.verify().bad, []);
});
