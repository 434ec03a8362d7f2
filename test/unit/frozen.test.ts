/** Frozen logs: what evidence cuts off, what merges name, and what is still taken [L6]. */
import test from "ava";
import { SeededRng, SystemClock, silentLog } from "../../lib/base/index.ts";
import { type Block, decodeBlock, encodeEnvelope } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import {
  admit,
  branchPolicy,
  encodeEvidence,
  entryPayload,
  type FrozenView,
  frozenBy,
  type IncludedRange,
  judgeFrozen,
  type MergePayload,
  parseEvidence,
  whyBeyondCut,
} from "../../lib/ledger/index.ts";
import { OwnLog, Witness } from "../../lib/node/index.ts";
import { putBlob } from "../../lib/store/index.ts";
import { mergePending, note, TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";
import { QuorumNet } from "../support/quorum-nodes.ts";

const runs = <T>(work: () => Promise<T>): Promise<T> => work();

/** A door that said 0, 1, and two different things with number 2; the first of them is held, with number 3 on it. */
function forked() {
  const { charter, office, door } = testOrganisation();
  const db = LedgerDb.open(":memory:");
  const said = ["zero", "one"].map((text, n) => door.entry([note(text)], n === 0 ? [charter] : []));
  const other = door.draft(entryPayload("notes", [note("two, to somebody else")]));
  said.push(door.entry([note("two")]), door.entry([note("three")]));
  db.ingest([charter, ...said]);
  return { db, charter, office, door, said, other };
}

function evidenceOf(office: TestLog, x: Block, y: Block, charter: Block): Block {
  const pair = x.id < y.id ? [x, y] : [y, x];
  const blocks = pair.map((block) => ({ envelope: encodeEnvelope(block) })) as never;
  return office.add(encodeEvidence({ blocks }), [charter], { k: "evidence" });
}

test("[L6] evidence cuts a log off at its last common block; what came before stands", (t) => {
  const { db, charter, office, said, other } = forked();
  t.is(db.countPending("main"), 4);
  const evidence = evidenceOf(office, said[2] as Block, other, charter);
  db.ingest([evidence]);
  t.deepEqual(db.cuts(), [{ author: other.a, l: other.l, n: 2, evidence: evidence.id }]);
  t.deepEqual(
    db.pending("main").map(({ id }) => id),
    said.slice(0, 2).map(({ id }) => id),
  );
});

test("[L6] evidence against a key that is nobody's cuts nothing off: a merge has room for what does", (t) => {
  const { db, charter, office, said, other } = forked();
  const liar = evidenceOf(office, said[2] as Block, other, charter);
  const strangers = [...Array(70).keys()].map((each) => {
    const log = new TestLog(testKey(100 + each), charter.id);
    const [x, y] = ["x", "y"].map((text) => log.draft(entryPayload("notes", [note(text)]), [charter]));
    return evidenceOf(office, x as Block, y as Block, charter);
  });
  const { admitted, refused } = admit([liar, ...strangers].map(encodeEnvelope), db.admitView(charter.id));
  t.deepEqual([admitted.length, refused.length], [71, 0]);
  db.ingest(admitted);
  t.deepEqual(db.cuts(), [{ author: other.a, l: other.l, n: 2, evidence: liar.id }]);
});

test("[L6] evidence with a signature that is not its author's is refused, and freezes nothing", (t) => {
  const { db, charter, office, said, other } = forked();
  const two = said[2] as Block;
  const forged = { ...other, sig: two.sig };
  const { refused, admitted } = admit(
    [encodeEnvelope(evidenceOf(office, two, forged, charter))],
    db.admitView(charter.id),
  );
  t.deepEqual([refused.map(({ reason }) => reason), admitted.length], [["form"], 0]);
});

test("[L6] who sees a number used twice says so, once", (t) => {
  const { db, charter, said, other } = forked();
  const { admitted, forks } = admit([encodeEnvelope(other)], db.admitView(charter.id));
  t.deepEqual([forks[0]?.block.id, forks[0]?.held], [other.id, said[2]?.id]);
  db.ingest(admitted);
  const pair = testKey(1);
  const ownLog = new OwnLog({ db, pair, organisation: charter.id, clock: new SystemClock(), rng: new SeededRng(1) });
  const options = { ledger: db, organisation: charter.id, ownLog, log: silentLog };
  // Another one, as after a restart: what was seen before it is told.
  const [evidence, ...more] = new Witness(options).testify();
  t.deepEqual([evidence?.k, more.length], ["evidence", 0]);
  t.is(parseEvidence((evidence as Block).d).blocks.length, 2);
  t.deepEqual((evidence as Block).p, [charter.id], "who holds one of the two only can take it in");
  t.deepEqual(new Witness(options).testify(), []);
  t.is(db.cuts()[0]?.n, 2);
});

test("[L6] a merge names what it freezes, and an entry that builds on a frozen one is taken without it", (t) => {
  const { db, charter, office, said, other } = forked();
  const more = new TestLog(testKey(1), charter.id, "00000000000000c3").entry([note("I saw two")], [said[2] as Block]);
  db.ingest([more, evidenceOf(office, said[2] as Block, other, charter)]);
  t.throws(
    () => {
      const { merge, payload, changes } = mergePending(db, office);
      db.applyMerge("main", merge, payload, changes);
    },
    { message: /builds on one that is not in/ },
  );
  const view = db.branchView("main");
  const ranges = { included: [{ author: other.a, l: other.l, from: 0, to: 1 }] };
  const frozen = frozenBy(ranges, view.frozen, 64);
  t.deepEqual(frozen, [{ author: other.a, l: other.l, n: 2, evidence: db.cuts()[0]?.evidence as never }]);
  const { merge, payload, changes } = mergePending(db, office, { frozen });
  db.applyMerge("main", merge, payload, changes);
  t.is(db.countPending("main"), 0);
  t.deepEqual(frozenBy({ included: [] }, db.branchView("main").frozen, 64), []);
  t.deepEqual(db.verify().bad, []);
});

const { door } = testOrganisation();
const author = door.pair.publicKey;
const [l, evidence] = ["00000000000000a1", "e".repeat(64) as never];

function view(bent: Partial<FrozenView> = {}): FrozenView {
  return {
    cuts: () => [{ author, l, n: 5, evidence }],
    proof: (id) => (id === evidence ? { author, l, n: 5 } : undefined),
    frozenAt: () => undefined,
    next: () => 3,
    ...bent,
  };
}

function judge(frozen: MergePayload["frozen"], to: number | undefined, bent: Partial<FrozenView> = {}): string {
  const included: IncludedRange[] = to === undefined ? [] : [{ author, l, from: 3, to }];
  const found = judgeFrozen({ included, frozen }, view(bent));
  if (found === undefined) return "apply";
  return found.missing ? "wait" : "refuse";
}

test("[L6] what is frozen begins where the evidence says, or after what the branch has taken", (t) => {
  t.is(judge([{ author, l, n: 5, evidence }], 4), "apply");
  t.is(judge([{ author, l, n: 4, evidence }], undefined), "refuse");
  t.is(judge([{ author, l, n: 6, evidence }], undefined), "refuse");
  t.is(judge([{ author, l, n: 8, evidence }], undefined, { next: () => 8 }), "apply");
  t.is(judge([{ author, l, n: 8, evidence }], 7), "apply", "final by others, who had no evidence yet");
  t.is(judge([{ author, l, n: 5, evidence: "f".repeat(64) as never }], undefined), "wait");
  t.is(judge([{ author, l, n: 5, evidence }], undefined, { frozenAt: () => 5 }), "refuse", "it is frozen already");
  t.is(judge([{ author, l: "00000000000000a2", n: 5, evidence }], undefined), "refuse");
});

test("[L6] nothing is taken of a log that a merge has frozen; before that, a validator refuses", (t) => {
  t.is(judge([], 5, { frozenAt: () => 5 }), "refuse");
  t.is(judge([], 4, { frozenAt: () => 5 }), "apply");
  t.is(judge([], 5), "apply");
  t.regex(whyBeyondCut({ included: [{ author, l, from: 3, to: 5 }] }, view()) ?? "", /number 5 .* two are known/);
  t.is(whyBeyondCut({ included: [{ author, l, from: 3, to: 4 }] }, view()), undefined);
});

/** Two entries of cleo's with number 0, each too large to stand with the other in one block. */
function largeFork({ charter }: QuorumNet): [Block, Block] {
  const log = new TestLog(testKey(3), charter.id, "00000000000000c9");
  const [one, other] = ["one", "other"].map((text) =>
    log.draft(entryPayload("notes", [note(text.repeat(12_000))]), [charter]),
  );
  return [one as Block, other as Block];
}

test("[L6] evidence of blocks that do not fit is in blobs: nothing is proven before they are read, then all is cut off", async (t) => {
  const branches = { main: branchPolicy({ mode: "single", validator: "ana" }) };
  const net = new QuorumNet({ n: 3, fault: "crash", branches }, decodeBlock);
  const [ana, ben] = [net.node("ana"), net.node("ben")];
  const pair = largeFork(net);
  await ana.chain.take(pair.map(encodeEnvelope));
  const witness = new Witness({ ledger: ana.db, organisation: net.charter.id, ownLog: ana.ownLog, log: silentLog });
  const blobs = { put: async (bytes: Uint8Array) => (await putBlob(ana.store, bytes)).id, holding: runs };
  t.deepEqual(witness.testify(), []);
  const [evidence, ...more] = await witness.testifyByBlobs(blobs);
  t.deepEqual([evidence?.k, more.length, ana.db.unreadEvidence().length], ["evidence", 0, 0]);
  t.deepEqual(await witness.testifyByBlobs(blobs), [], "once");
  t.deepEqual(ana.db.cuts(), [{ author: pair[0].a, l: pair[0].l, n: 0, evidence: (evidence as Block).id }]);
  // Ben holds neither of the two, and nobody gives him the blobs yet.
  ana.isUp = false;
  await ben.chain.take([encodeEnvelope(evidence as Block)]);
  t.deepEqual([ben.db.cuts(), ben.db.unreadEvidence().length], [[], 1]);
  ana.isUp = true;
  net.send(ana, evidence as Block);
  ana.append("mine");
  await ana.merge("main");
  await net.settle();
  t.deepEqual(ben.db.cuts(), ana.db.cuts());
  t.is(net.heights(), "1 1 1", "a merge that freezes the log waits for the blobs, and no longer");
  for (const { db } of net.nodes) t.deepEqual([db.unreadEvidence(), db.verify().bad], [[], []]);
});

test("[L6] blobs that are no two blocks of one number freeze nothing", async (t) => {
  const net = new QuorumNet({ n: 2, fault: "crash" }, decodeBlock);
  const [ana, ben] = [net.node("ana"), net.node("ben")];
  const [one, other] = largeFork(net);
  const [x = "", y = ""] = [one.id, other.id].sort();
  const ofId = (id: string): Uint8Array => encodeEnvelope(id === one.id ? one : other);
  const forged = { ...(x === one.id ? one : other), sig: (y === one.id ? one : other).sig };
  for (const sides of [
    [new Uint8Array(9), ofId(y)],
    [ofId(y), ofId(x)],
    [encodeEnvelope(forged), ofId(y)],
  ]) {
    const ids = await Promise.all(sides.map(async (bytes) => ({ blob: (await putBlob(ana.store, bytes)).id })));
    const payload = encodeEvidence({ blocks: [ids[0], ids[1]] as never });
    await ben.chain.take([encodeEnvelope(ana.ownLog.append("evidence", payload, [net.charter]))]);
    t.deepEqual([ben.db.cuts(), ben.db.unreadEvidence()], [[], []]);
  }
});
