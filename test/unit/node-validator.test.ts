/** Proof of merge between whole nodes in one process: what is merged, what is refused, who is told what. */
import test from "ava";
import { bytesOf, concatBytes, type Hash, type PublicKey, utf8 } from "../../lib/base/index.ts";
import { type Block, decodeBlock, deriveHash, encodeEnvelope } from "../../lib/codec/index.ts";
import {
  branchPolicy,
  encodeMerge,
  encodeVote,
  entryPayload,
  parseMerge,
  parseVote,
  type Vote,
} from "../../lib/ledger/index.ts";
import { QuorumNet, type QuorumNode, type QuorumOptions } from "../support/quorum-nodes.ts";

const netOf = (options: QuorumOptions): QuorumNet => new QuorumNet(options, decodeBlock);
const THREE = { n: 3, fault: "crash" } as const;
const FOUR = { n: 4, fault: "byzantine" } as const;

test("ledger: three validators make one merge final, and everybody has its state", async (t) => {
  const net = netOf(THREE);
  net.node("ana").append("one");
  net.node("cleo").append("two");
  await net.settle();
  await net.work();
  t.is(net.heights(), "1 1 1");
  t.is(net.roots().size, 1);
  t.deepEqual(net.refusals, []);
  net.node("ben").append("three");
  await net.settle();
  await net.work();
  t.is(net.heights(), "2 2 2");
  t.is(net.roots().size, 1);
});

test("[L16] whoever merged a branch before it came to others merges it once more, alone or by votes", async (t) => {
  const alone = branchPolicy({ mode: "single", validator: "ana" });
  const together = branchPolicy({ mode: "quorum", validators: "member", q: null });
  const net = netOf({ ...THREE, branches: { main: alone } });
  const [ana, ben] = net.nodes as [QuorumNode, QuorumNode];
  const setMain = async (policy: typeof alone): Promise<void> => {
    const acts = [{ type: "branch.set", body: { name: "main", policy } }];
    net.send(ana, ana.ownLog.append("entry", entryPayload("charter", acts), []));
    await ana.merge("charter");
    await net.settle();
  };
  const say = async (text: string): Promise<void> => {
    ben.append(text);
    await net.settle();
    await net.work();
  };
  await setMain(together);
  await say("one");
  t.is(net.heights(), "0 0 0", "no quorum may decide what one was to");
  t.deepEqual([ana.validator.due(), ben.validator.due()], [["main"], []]);
  await ana.merge("main");
  await net.settle();
  await say("two");
  t.is(net.heights(), "2 2 2", "by votes from then on");
  await setMain(alone);
  ben.append("three");
  await net.settle();
  t.deepEqual(ana.validator.due(), [], "nor may one what a quorum was to");
  await t.throwsAsync(ana.merge("main"), { code: "REFUSED" });
  await net.work();
  t.is(net.heights(), "3 3 3");
  await say("four");
  t.is(net.heights(), "3 3 3");
  t.deepEqual(ana.validator.due(), ["main"]);
  await ana.merge("main");
  await net.settle();
  t.is(net.heights(), "4 4 4");
  t.is(net.roots().size, 1);
});

test("[D3] a dapp's seed comes from the merge before and its certificate, and is the same wherever it is worked again", async (t) => {
  const net = netOf(THREE);
  const [ana, ben, cleo] = net.nodes as [QuorumNode, QuorumNode, QuorumNode];
  for (const node of [ana, ben]) {
    node.append(node.name, "counts");
    await net.settle();
    await net.work();
  }
  const derived = (context: Parameters<typeof deriveHash>[0], ...parts: Uint8Array[]): Hash =>
    deriveHash(context, concatBytes(parts));
  const ofOrder = derived("gdo v1 seed", ...[net.charter.id].map(bytesOf));
  const second = ana.db.block(ana.db.head("main")?.id as Hash) as Block;
  const { prev, cert } = parseMerge(second.d);
  const ofNext = derived("gdo v1 seed", ...[prev as Hash, ...(cert?.votes ?? [])].map(bytesOf));
  t.true((cert?.votes.length ?? 0) >= 2);
  const seeds = [ofOrder, ofNext].map((seed) => derived("gdo v1 dapp seed", bytesOf(seed), utf8("counts")));
  for (const { db } of [ana, ben, cleo]) {
    const state = db.state("counts");
    t.deepEqual([state.get("seed/1"), state.get("seed/2")], seeds);
  }
  t.deepEqual(
    net.nodes.flatMap(({ events }) => events),
    [],
    "nobody got other outputs",
  );
});

test("ledger: a merge that was overtaken waits no longer, also not after a restart; one for a height to come does", async (t) => {
  const net = netOf(THREE);
  const [ana, ben, cleo] = net.nodes as [QuorumNode, QuorumNode, QuorumNode];
  ana.append("one");
  await net.settle();
  await net.work();
  const final = ana.db.block(ana.db.head("main")?.id as Hash) as Block;
  const payload = parseMerge(final.d);
  ben.ownLog.append("merge", final.d, [final]);
  const later = ben.ownLog.append("merge", encodeMerge({ ...payload, h: 3, prev: final.id }), [final]);
  const { pair, ownLog, db } = ben;
  for (const node of [ana, cleo])
    node.inbox.push(...db.range(pair.publicKey as PublicKey, ownLog.incarnation, 0, 100, 1 << 20));
  await net.settle();
  await ben.chain.advance();
  for (const node of net.nodes) {
    const waiting = (): unknown[] => node.db.waitingMergesOf(pair.publicKey as PublicKey).map(({ id }) => id);
    t.deepEqual([waiting(), node.db.waitingMerges()], [[later.id], []]);
    node.boot();
    await node.chain.advance();
    t.deepEqual([waiting(), node.db.waitingMerges()], [[later.id], []]);
  }
  t.is(net.heights(), "1 1 1");
  t.deepEqual(net.refusals, []);
});

test("ledger: with one of three away nothing changes; with two away nothing is final and appending goes on", async (t) => {
  const net = netOf(THREE);
  const [ana, ben, cleo] = net.nodes as [QuorumNode, QuorumNode, QuorumNode];
  cleo.isUp = false;
  ana.append("one");
  await net.settle();
  for (let round = 0; net.heights() !== "1 1 0" && round < 5; round += 1) {
    await net.work();
    await net.wait(1_000 * 2 ** round);
  }
  t.is(net.heights(), "1 1 0");
  ben.isUp = false;
  for (const text of ["two", "three"]) ana.append(text);
  for (let round = 0; round < 8; round += 1) {
    await net.work();
    await net.wait(5_000);
  }
  t.is(ana.db.head("main")?.h, 1);
  t.is(ana.db.countPending("main"), 2);
  const skips = ana.votes().filter(({ vote }) => vote.h === 2 && vote.phase === "skip");
  t.is(skips.length, 1); // Alone it does not run ahead.
  for (const node of [ben, cleo]) node.isUp = true;
  for (let round = 0; net.heights() !== "2 2 2" && round < 8; round += 1) {
    await net.work();
    await net.wait(1_000 * 2 ** round);
  }
  t.is(net.heights(), "2 2 2");
  t.is(net.roots().size, 1);
});

/** Until all have this height: a few rounds, with their time-outs. */
async function reach(net: QuorumNet, h: number): Promise<void> {
  for (let round = 0; round < 8; round += 1) {
    await net.work();
    if (net.nodes.every(({ db }) => db.head("main")?.h === h)) return;
    await net.wait(1_000 * 2 ** round);
  }
}

test("[L13] entries with which a test fails are void with dapp, entry and reason; the others become final", async (t) => {
  const failing = {
    test: (texts: readonly string[]) =>
      texts.includes("bad") ? { verdict: "FAIL" as const, findings: ["a note is bad"] } : { verdict: "PASS" as const },
  };
  const net = netOf({ ...THREE, behaviours: { ana: failing, ben: failing, cleo: failing } });
  const bad = net.node("ana").append("bad");
  net.node("ben").append("good");
  await net.settle();
  await reach(net, 1);
  t.is(net.heights(), "1 1 1");
  for (const { db } of net.nodes)
    t.deepEqual(db.voids("main"), [{ id: bad.id, app: "notes", reason: "test failed: a note is bad" }]);
});

test("[L13] a dapp that does not repeat itself is named, its entries wait, and the others become final", async (t) => {
  let calls = 0;
  const unsteady = { mark: () => String(calls++) };
  const net = netOf({ ...THREE, behaviours: { ana: unsteady, ben: unsteady, cleo: unsteady } });
  net.node("ana").append("one");
  net.node("ben").append("two", "counts");
  await net.settle();
  await reach(net, 1);
  t.is(net.heights(), "1 1 1");
  t.is(net.node("ana").db.countPending("main"), 1);
  const why = net.nodes.map(({ validator }) => validator.waiting.get("notes")).find((each) => each !== undefined);
  t.regex(
    why ?? "",
    /^notes does not give the same twice: state note\/one is "one\d" once and "one\d" the other time$/,
  );
});

test("[L14] who lacks an image says MISSING, whose container fails says ERROR, and neither counts against the merge", async (t) => {
  const net = netOf({ ...FOUR, behaviours: { dan: { isMissing: () => true } } });
  net.node("ana").append("one");
  await net.settle();
  await reach(net, 1);
  t.is(net.heights(), "1 1 1 1");
  const failing = netOf({ ...FOUR, behaviours: { dan: { fails: () => true } } });
  failing.node("ana").append("one");
  await failing.settle();
  await reach(failing, 1);
  t.is(failing.heights(), "1 1 1 1");
  const said = failing
    .node("dan")
    .votes()
    .find(({ vote }) => vote.phase === "attest")?.vote;
  t.like(said, { verdict: "ERROR", code: "notes", outputs: {} });
});

test("[L14] another output is a mismatch: both are kept, and the one who is alone with it is told of", async (t) => {
  const net = netOf({ ...FOUR, behaviours: { dan: { mark: () => "!" } } });
  for (let h = 1; h <= 4; h += 1) {
    net.node("ana").append(`text ${h}`);
    await net.settle();
    await reach(net, h);
  }
  t.is(net.heights(), "4 4 4 4");
  const { events, db } = net.node("ben");
  const mismatches = events.filter(({ type }) => type === "mismatch");
  t.true(mismatches.length >= 2);
  t.like(mismatches[0], { voter: "dan", apps: ["notes"], branch: "main" });
  t.true(events.some((event) => event.type === "odd" && event.voter === "dan"));
  t.is(net.roots().size, 1);
  t.deepEqual(db.verify().bad, []);
});

test("[L14] a dapp with which no quorum can agree twice is left out until it is another one", async (t) => {
  const behaviours = { ana: { mark: () => "a" }, ben: { mark: () => "b" }, cleo: { mark: () => "c" } };
  const net = netOf({ ...FOUR, behaviours });
  net.node("ana").append("one");
  net.node("ben").append("two", "counts");
  await net.settle();
  await reach(net, 1);
  t.is(net.heights(), "1 1 1 1");
  t.is(net.node("dan").db.countPending("main"), 1);
  t.true(net.nodes.every(({ events }) => events.filter(({ type }) => type === "mismatch").length >= 2));
  t.false(net.nodes.some(({ events }) => events.some(({ type }) => type === "odd")));
});

test("[L10] [L14] what others than the validators say of a merge puts no dapp and nobody to blame", async (t) => {
  const net = netOf({ n: 4, fault: "byzantine", guests: 1 });
  const dan = net.node("dan");
  const isProposed = ({ k, d }: Block): boolean => k === "vote" && parseVote(d).phase === "propose";
  const send = net.send.bind(net);
  net.send = (from, block) => {
    send(from, block);
    if (!isProposed(block)) return;
    // Before any validator has said what it got.
    const { branch, h, r, merge } = parseVote(block.d) as Extract<Vote, { merge: Hash }>;
    const outputs = { notes: "d".repeat(64) as Hash };
    const lie = { branch, h, r, merge, phase: "attest", verdict: "PASS", code: null, outputs, log: null } as const;
    for (const held of [decodeBlock(encodeEnvelope(from.db.block(merge) as Block)), block]) dan.db.ingest([held]);
    send(dan, dan.ownLog.append("vote", encodeVote(lie), [from.db.block(merge) as Block]));
  };
  for (const text of ["one", "two", "three", "four"]) {
    net.node("ana").append(text);
    await net.settle();
    await net.work();
  }
  t.is(net.heights(), "4 4 4 4");
  t.deepEqual(
    net.nodes.flatMap(({ events }) => events),
    [],
  );
});

test("ledger: a merge that a test fails elsewhere is dead with its dapp and entry named, and the rest become final", async (t) => {
  const strict = {
    test: (texts: readonly string[]) =>
      texts.includes("bad") ? { verdict: "FAIL" as const, findings: ["a note is bad"] } : { verdict: "PASS" as const },
  };
  // Round 0 of height 1 is ben's to propose, whose test lets everything pass.
  const net = netOf({ ...FOUR, behaviours: { ana: strict, cleo: strict, dan: strict } });
  const bad = net.node("ana").append("bad");
  net.node("ben").append("good");
  await net.settle();
  await reach(net, 1);
  t.is(net.heights(), "1 1 1 1");
  t.deepEqual(net.node("dan").db.voids("main"), [{ id: bad.id, app: "notes", reason: "test failed: a note is bad" }]);
  t.true(net.nodes.every(({ events }) => events.some(({ type }) => type === "dead")));
  const failed = net
    .node("cleo")
    .votes()
    .find(({ vote }) => vote.phase === "attest" && vote.verdict === "FAIL")?.vote;
  t.like(failed, { code: "notes", r: 0 });
  t.deepEqual(net.refusals, []); // The dead merge is overtaken, and no fault of anybody's.
});

test("[L8] a node that was not told to vote watches and signs nothing, whatever it is asked", async (t) => {
  const net = netOf(THREE);
  const ben = net.node("ben");
  ben.boot({ votes: false });
  net.node("ana").append("one");
  await net.settle();
  await net.work();
  t.is(ben.validator.status("main")?.isVoter, false);
  t.is(ben.votes().length, 0);
  await net.wait(1_000);
  await reach(net, 1);
  t.is(net.heights(), "1 1 1"); // Two of three are enough, and it follows them.
  t.is(ben.votes().length, 0);
});

test("ledger: a dapp that the branch requires is tested by all who vote; without it nothing is merged, and it is said", async (t) => {
  const requiring = (app: string) => branchPolicy({ mode: "quorum", validators: "member", q: null }, { tests: [app] });
  const net = netOf({ ...THREE, branches: { main: requiring("counts") } });
  net.node("ana").append("one");
  await net.settle();
  await net.work();
  const merge = net.node("ana").db.block(net.node("ana").db.head("main")?.id as Hash) as Block;
  t.deepEqual(
    parseMerge(merge.d).tests.map(({ app, verdict }) => [app, verdict]),
    [
      ["notes", "PASS"],
      ["counts", "PASS"],
    ],
  );
  const lacking = netOf({ ...THREE, branches: { main: requiring("absent") } });
  lacking.node("ana").append("one");
  await lacking.settle();
  await lacking.work();
  t.is(lacking.heights(), "0 0 0");
  const why = lacking.nodes.flatMap(({ events }) =>
    events.flatMap((event) => (event.type === "stalled" ? [event.why] : [])),
  );
  t.true(why.includes("main requires the test of absent, which is not installed"));
});
