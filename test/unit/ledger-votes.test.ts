/** Votes and evidence: what they may say, and what makes a certificate. */
import { readFileSync } from "node:fs";
import test from "ava";
import fc from "fast-check";
import { bytesOf, type Hash } from "../../lib/base/index.ts";
import { type Block, type Canonical, encodeEnvelope } from "../../lib/codec/index.ts";
import {
  admit,
  type CastVote,
  certificateOf,
  encodeEvidence,
  encodeVote,
  entryPayload,
  equivocationOf,
  fitsEvidence,
  orderSeed,
  parseEvidence,
  parseVote,
  type Vote,
} from "../../lib/ledger/index.ts";
import { note, TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";

const hash = (digit: string): Hash => digit.repeat(64) as Hash;
const merge = hash("a");
const on = { branch: "main", h: 3, r: 2, merge };

const VOTES: readonly Vote[] = [
  { ...on, phase: "propose", valid: null, proof: [] },
  { ...on, phase: "propose", valid: 1, proof: [hash("1"), hash("2")] },
  { ...on, phase: "attest", verdict: "PASS", code: null, outputs: { door: hash("d") }, log: null },
  { ...on, phase: "attest", verdict: "FAIL", code: "door", outputs: {}, log: hash("f") },
  { ...on, phase: "commit" },
  { branch: "main", h: 3, r: 2, phase: "skip" },
];

test("[L14] a vote is read as it was written", (t) => {
  for (const vote of VOTES) t.deepEqual(parseVote(encodeVote(vote)), vote);
});

const [plain, proven, passed, , commit] = VOTES.map((vote) => encodeVote(vote) as Record<string, Canonical>);
const ids = (text: string): Canonical => text.split("").map((digit) => bytesOf(hash(digit)));

const WRONG: readonly (readonly [title: string, vote: Canonical, message: RegExp])[] = [
  ["no phase", { ...commit, phase: "shout" }, /phase that is not known/],
  ["a skip of a merge", { ...commit, phase: "skip" }, /has the keys/],
  ["height 0", { ...commit, h: 0 }, /height 1 or more/],
  ["a field too many", { ...commit, valid: null }, /has the keys/],
  ["a certificate of its own round", { ...proven, valid: 2 }, /a round before its own/],
  ["a round and no proof", { ...proven, proof: [] }, /exactly when/],
  ["a proof and no round", { ...plain, proof: ids("1") }, /exactly when/],
  ["a proof out of order", { ...proven, proof: ids("21") }, /out of order/],
  ["a verdict that is none", { ...passed, verdict: "MAYBE" }, /verdict/],
  ["a code although it passes", { ...passed, code: "door" }, /has no code/],
  ["an output that is no hash", { ...passed, outputs: { door: 1 } }, /32 bytes/],
];

for (const [title, vote, message] of WRONG) {
  test(`[L14] a vote is refused with ${title}`, (t) => {
    t.throws(() => parseVote(vote), { code: "LEDGER_FORM", message });
  });
}

function admitted(blocks: readonly Block[], next: Block): readonly string[] {
  const held = new Map(blocks.map((block) => [block.id, block]));
  const view = {
    organisation: (blocks[0] as Block).id,
    knows: () => true,
    parent: (id: Hash) => held.get(id),
    at: () => undefined,
    newest: () => 99,
  };
  const { admitted: good, refused } = admit([encodeEnvelope(next)], view);
  return good.length === 1 ? ["admitted"] : refused.map(({ why }) => why);
}

test("ledger: a vote is taken in when it builds on its merge, by whichever parent", (t) => {
  const { charter, office, door } = testOrganisation();
  const one = office.entry([note("stands for a merge")], [charter]);
  const vote = encodeVote({ ...on, merge: one.id, phase: "commit" });
  t.deepEqual(admitted([charter, one], door.draft(vote, [charter, one], { k: "vote" })), ["admitted"]);
  t.deepEqual(admitted([charter, one], office.draft(vote, [], { k: "vote" })), ["admitted"]);
  t.regex(admitted([charter, one], door.draft(vote, [charter], { k: "vote" }))[0] ?? "", /builds on its merge/);
  const skip = encodeVote({ branch: "main", h: 3, r: 2, phase: "skip" });
  t.deepEqual(admitted([charter, one], door.draft(skip, [charter], { k: "vote" })), ["admitted"]);
});

const cast = (digit: string, principal: string | undefined, change: Partial<Vote> = {}): CastVote => ({
  id: hash(digit),
  principal,
  vote: { ...on, phase: "commit", ...change } as Vote,
});
const three = { principals: ["ana", "ben", "cleo"], q: 2 };

test("[L10] a certificate counts principals, not devices, and one round", (t) => {
  t.is(certificateOf([cast("1", "ana"), cast("2", "ana")], merge, three), undefined);
  t.is(certificateOf([cast("1", "ana"), cast("2", "ben", { r: 1 })], merge, three), undefined);
  t.is(certificateOf([cast("1", "ana"), cast("2", "dan")], merge, three), undefined);
  t.is(certificateOf([cast("1", "ana"), cast("2", undefined)], merge, three), undefined);
  t.is(certificateOf([cast("1", "ana"), cast("2", "ben", { merge: hash("b") })], merge, three), undefined);
  t.is(certificateOf([cast("1", "ana"), { ...cast("2", "ben"), vote: VOTES[2] as Vote }], merge, three), undefined);
  const votes = [cast("9", "ben"), cast("2", "ana"), cast("3", "ana")];
  t.deepEqual(certificateOf(votes, merge, three), { r: 2, votes: [hash("2"), hash("9")] });
});

test("[L10] a certificate does not depend on the order or repetition of votes", (t) => {
  const votes = fc.array(fc.record({ digit: fc.integer({ min: 1, max: 15 }), who: fc.nat(3), r: fc.nat(1) }), {
    maxLength: 12,
  });
  const check = (list: { digit: number; who: number; r: number }[], mix: number): void => {
    const of = ({ digit, who, r }: (typeof list)[0]): CastVote =>
      cast(digit.toString(16), [...three.principals, undefined][who], { r });
    const all = list.map(of);
    const turn = mix % Math.max(1, all.length);
    const mixed = [...all.slice(turn), ...all.slice(0, turn).reverse(), ...all];
    t.deepEqual(certificateOf(mixed, merge, three), certificateOf(all, merge, three));
  };
  t.notThrows(() => fc.assert(fc.property(votes, fc.nat(), check), { numRuns: 300 }));
});

const { seeds } = JSON.parse(readFileSync("test/fixtures/ledger/seeds.json", "utf8")) as {
  seeds: { base: Hash; votes: Hash[]; seed: Hash }[];
};

test("[L12] vectors of the order's seed: the votes that made the merge before final are in it", (t) => {
  for (const { base, votes, seed } of seeds) t.is(orderSeed(base, { votes }), seed);
  t.is(orderSeed(hash("a"), null), orderSeed(hash("a"), { votes: [] }));
  t.is(new Set(seeds.map(({ seed }) => seed)).size, seeds.length);
});

function twins(): [Block, Block] {
  const { charter, door } = testOrganisation();
  const pair = ["this", "that"].map((text) => door.draft(entryPayload("notes", [note(text)]), [charter]));
  return pair.sort((x, y) => (x.id < y.id ? -1 : 1)) as [Block, Block];
}

test("[L6] two blocks with one number of one log prove the equivocation", (t) => {
  const [x, y] = twins();
  const payload = { blocks: [{ envelope: encodeEnvelope(x) }, { envelope: encodeEnvelope(y) }] } as const;
  t.deepEqual(parseEvidence(encodeEvidence(payload)), payload);
  t.deepEqual(equivocationOf(encodeEnvelope(x), encodeEnvelope(y)), { author: x.a, l: x.l, n: 0, ids: [x.id, y.id] });
  const blobs = { blocks: [{ blob: hash("b") }, { blob: hash("a") }] } as const;
  t.deepEqual(parseEvidence(encodeEvidence(blobs)), blobs);
  t.true(fitsEvidence(x, y));
  const large = { body: new Uint8Array(31 * 1024), sig: x.sig };
  t.false(fitsEvidence(large, large));
});

test("[L6] what proves nothing is no evidence", (t) => {
  const [x, y] = twins();
  const [one, other] = [encodeEnvelope(x), encodeEnvelope(y)];
  const strange = new TestLog(testKey(3), x.o as Hash).draft(x.d, [], { p: x.p, c: x.c });
  const wrong: readonly (readonly [Canonical, RegExp])[] = [
    [[one, one], /order of their ids/],
    [[other, one], /order of their ids/],
    [[one], /holds no block/],
    [[one, other, one], /two blocks/],
    [[one, bytesOf(hash("a"))], /both in blobs/],
    [[bytesOf(hash("a")), bytesOf(hash("a"))], /one blob twice/],
    [[one, encodeEnvelope(strange)], /one number of one log/],
    [[one, one.slice(1)], /./],
  ];
  for (const [blocks, message] of wrong) t.throws(() => parseEvidence({ blocks }), { code: "LEDGER_FORM", message });
  const forged = encodeEnvelope({ body: y.body, sig: x.sig });
  t.throws(() => equivocationOf(one, forged), { code: "LEDGER_FORM", message: /not its author's/ });
});
