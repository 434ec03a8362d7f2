/** [L14] What a validator says of a merge whose proposer lies: each claim is worked out again. */
import test from "ava";
import type { Hash, PublicKey } from "../../lib/base/index.ts";
import { type Block, decodeBlock, encodeEnvelope, jsonFromCanonical, signBlock } from "../../lib/codec/index.ts";
import {
  encodeEvidence,
  encodeMerge,
  encodeVote,
  entryPayload,
  type MergePayload,
  parseMerge,
  type Vote,
} from "../../lib/ledger/index.ts";
import { parseOutputs } from "../../lib/node/index.ts";
import { readBlobBytes } from "../../lib/store/index.ts";
import { QuorumNet, type QuorumNode } from "../support/quorum-nodes.ts";

const THREE = { n: 3, fault: "crash" } as const;
const other = "e".repeat(64) as Hash;

/** A net in which ana has recorded an entry, and somebody another; ben, whose turn it is, does not vote by itself. */
async function begun(author = "ana"): Promise<{ net: QuorumNet; entry: Block }> {
  const net = new QuorumNet(THREE, decodeBlock);
  net.node("ben").boot({ votes: false });
  net.node("ana").append("one");
  const entry = net.node(author).append("two");
  await net.settle();
  return { net, entry };
}

/** What ben would propose. */
async function honest(author?: string): Promise<MergePayload> {
  const { net } = await begun(author);
  const ben = net.node("ben");
  ben.boot();
  await net.settle();
  ben.validator.workDue();
  await net.settle();
  return parseMerge((ben.db.block(ben.db.head("main")?.id as Hash) as Block).d);
}

/** What ana attests of a merge that ben signs and proposes. */
async function attestOf(
  payload: MergePayload,
  { net, entry }: { net: QuorumNet; entry: Block },
): Promise<{ vote: Vote | undefined; why: string }> {
  const [ben, ana] = [net.node("ben"), net.node("ana")];
  const merge = ben.ownLog.append("merge", encodeMerge(payload), [entry]);
  const proposal = { branch: "main", h: 1, r: 0, phase: "propose", merge: merge.id, valid: null, proof: [] } as const;
  const vote = ben.ownLog.append("vote", encodeVote(proposal), [merge]);
  for (const block of [merge, vote]) net.send(ben, block);
  await net.settle();
  const said = ana.votes().find((each) => each.vote.phase === "attest")?.vote;
  const log = said?.phase === "attest" ? said.log : null;
  const outputs = log === null ? {} : parseOutputs(await readBlobBytes(ana.store, log, 1 << 20));
  return { vote: said, why: JSON.stringify(jsonFromCanonical({ ...outputs })) };
}

/** What it says that its tests gave. */
function claimed({ tests }: MergePayload): Record<string, Hash> {
  return Object.fromEntries(tests.map(({ app, output }) => [app, output as Hash]));
}

/** An entry in each of six incarnations of a device's log. */
function sixLogs(node: QuorumNode): Block[] {
  return [...Array(6).keys()].map((each) => {
    const block = node.append(`of log ${each}`);
    node.ownLog.saw({ a: node.pair.publicKey, l: node.ownLog.incarnation, n: 1_000 }, false);
    return block;
  });
}

const lies: readonly (readonly [title: string, lie: (payload: MergePayload) => Partial<MergePayload>, why: RegExp])[] =
  [
    ["another set", () => ({ set: other }), /other entries than its set names/],
    ["another state", () => ({ state: { notes: other } }), /not what its entries lead to/],
    [
      "state of a dapp that has none",
      ({ state }) => ({ state: { ...state, door: other } }),
      /not what its entries lead to/,
    ],
    ["entries void that are not", () => ({ void: 1 }), /voids 1 entries, not 0/],
    ["other changes", () => ({ changes: other }), /changes are not what/],
    ["no heads", () => ({ heads: [] }), /heads/],
    [
      "another image",
      ({ tests }) => ({ tests: tests.map((each) => ({ ...each, image: other })) }),
      /not those of its dapps/,
    ],
    [
      "a range that leaves a gap",
      ({ included }) => ({ included: included.map((range) => ({ ...range, from: range.from + 1 })) }),
      /does not go on/,
    ],
  ];

test("[L14] the truth passes with the outputs that it claims", async (t) => {
  const payload = await honest();
  const { vote } = await attestOf(payload, await begun());
  t.like(vote, { verdict: "PASS", code: null, outputs: claimed(payload), log: null });
});

for (const [title, lie, why] of lies) {
  test(`[L14] a merge with ${title} is FAIL, and the reason is kept`, async (t) => {
    const payload = await honest();
    const attest = await attestOf({ ...payload, ...lie(payload) }, await begun());
    t.like(attest.vote, { verdict: "FAIL", code: "merge", outputs: {} });
    t.regex(attest.why, why);
  });
}

// A row without an output makes the tests look different without changing what votes are compared by.
for (const [title, lie] of lies.filter(([title]) => title !== "another image")) {
  test(`[L14] a merge with ${title} does not pass for a test that claims no output`, async (t) => {
    const payload = await honest();
    const tests = [...payload.tests, { app: "ghost", image: null, verdict: "PASS", output: null } as const];
    const attest = await attestOf({ ...payload, ...lie(payload), tests }, await begun());
    t.like(attest.vote, { verdict: "FAIL", code: "merge", outputs: {} });
  });
}

test("[L6] of one device's logs a merge takes four at once: a fifth waits for the next, and is no reason to pass", async (t) => {
  const net = new QuorumNet(THREE, decodeBlock);
  const ana = net.node("ana");
  const logs = sixLogs(ana);
  await net.settle();
  await net.work();
  const rangesAt = (h: number): number => {
    const { db } = net.node("ben");
    return parseMerge((db.block(db.mergeAt("main", h) as Hash) as Block).d).included.length;
  };
  t.is(net.heights(), "1 1 1");
  await net.work();
  t.deepEqual([net.heights(), rangesAt(1), rangesAt(2)], ["2 2 2", 4, 2]);
  t.is(logs.length, 6);
});

test("[L6] [L14] a merge that takes more logs of one device at once is FAIL", async (t) => {
  const payload = await honest();
  const { net, entry } = await begun();
  const logs = sixLogs(net.node("cleo"));
  await net.settle();
  const more = logs.map(({ a: author, l, n }) => ({ author: author as PublicKey, l, from: 0, to: n }));
  const place = ({ author, l }: MergePayload["included"][number]): string => author + l;
  const included = [...payload.included, ...more].sort((x, y) => (place(x) < place(y) ? -1 : 1));
  const { vote, why } = await attestOf({ ...payload, included }, { net, entry });
  t.like(vote, { verdict: "FAIL", code: "merge" });
  t.regex(why, /too many logs/);
});

test("[L6] [L14] a merge that freezes a log by evidence that is not held waits for it: nothing is attested", async (t) => {
  const payload = await honest();
  const frozen = payload.included.map(({ author, l, to }) => ({ author, l, n: to + 1, evidence: other }));
  const { vote } = await attestOf({ ...payload, frozen }, await begun());
  t.is(vote, undefined);
});

/** Evidence that the author of an entry used its number twice. */
function evidenceAgainst(entry: Block, { net }: { net: QuorumNet }): Block {
  const { v, k, o, a, l, n, b, p, c, t } = entry;
  const d = entryPayload("notes", [{ type: "note", body: "another" }]);
  const twin = signBlock({ v, k, o, a, l, n, b, p, c, t, d }, net.node("cleo").pair);
  const pair = entry.id < twin.id ? [entry, twin] : [twin, entry];
  const blocks = pair.map((block) => ({ envelope: encodeEnvelope(block) }));
  return net.node("ben").ownLog.append("evidence", encodeEvidence({ blocks } as never), [net.charter]);
}

for (const [isCertified, verdict] of [
  [false, "FAIL"],
  [true, "PASS"],
] as const) {
  const when = isCertified ? "once q have passed it no reason any more" : "a reason to refuse";
  test(`[L6] [L14] evidence against what a merge takes is ${when}`, async (t) => {
    const payload = await honest("cleo");
    const start = await begun("cleo");
    const { net, entry } = start;
    const [ben, cleo] = [net.node("ben"), net.node("cleo")];
    cleo.boot({ votes: false });
    const merge = ben.ownLog.append("merge", encodeMerge(payload), [entry]);
    const place = { branch: "main", h: 1, r: 0, merge: merge.id } as const;
    const passed = {
      ...place,
      phase: "attest",
      verdict: "PASS",
      code: null,
      outputs: claimed(payload),
      log: null,
    } as const;
    for (const block of [evidenceAgainst(entry, start), merge]) net.send(ben, block);
    await net.settle();
    for (const node of isCertified ? [ben, cleo] : [])
      net.send(node, node.ownLog.append("vote", encodeVote(passed), [merge]));
    const proposal = { ...place, phase: "propose", valid: null, proof: [] } as const;
    net.send(ben, ben.ownLog.append("vote", encodeVote(proposal), [merge]));
    await net.settle();
    const own = net
      .node("ana")
      .votes()
      .find((each) => each.vote.phase === "attest")?.vote;
    t.like(own, { verdict });
  });
}
