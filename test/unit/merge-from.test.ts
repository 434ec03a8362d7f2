/** [L20] Merging one branch into another: what is taken, by whose word, once, and what does not fit there is void. */
import test from "ava";
import { logPage } from "../../lib/agent/views/node-views.ts";
import type { Hash, PublicKey } from "../../lib/base/index.ts";
import { Lanes } from "../../lib/cli/text/graph.ts";
import { type Block, decodeBlock } from "../../lib/codec/index.ts";
import {
  type BranchPolicy,
  branchPolicy,
  encodeMerge,
  encodeVote,
  includedRoot,
  judgeMerge,
  type MergePayload,
  parseMerge,
} from "../../lib/ledger/index.ts";
import { parseOutputs } from "../../lib/node/index.ts";
import { readBlobBytes } from "../../lib/store/index.ts";
import { QuorumNet, type QuorumNode, type QuorumOptions } from "../support/quorum-nodes.ts";

const trial = branchPolicy({ mode: "single", validator: "ana" });
const taking = (mergeFrom: string[], mode: "quorum" | "single" = "quorum"): BranchPolicy =>
  branchPolicy(mode === "quorum" ? { mode, validators: "member", q: null } : { mode, validator: "ana" }, { mergeFrom });

/** Three validators of main, which takes from trial; ana has merged two notes there. */
async function begun(more: Partial<QuorumOptions> = {}): Promise<{ net: QuorumNet; ana: QuorumNode; ben: QuorumNode }> {
  const branches = { trial, main: taking(["trial"]) };
  const net = new QuorumNet({ n: 3, fault: "crash", branches, ...more }, decodeBlock);
  const [ana, ben] = [net.node("ana"), net.node("ben")];
  for (const text of ["one", "two"]) ana.append(text, "notes", "trial");
  await ana.merge("trial");
  await net.settle();
  return { net, ana, ben };
}

const notes = ({ db }: QuorumNode, branch: string): string[] =>
  [...db.state("notes", branch).scan("note/")].map(([key]) => key.slice(5));

const reasons = ({ db }: QuorumNode, branch: string): string[] => db.voids(branch).map(({ reason }) => reason);

test("[L20] a quorum takes another branch's entries at the word of one who validates; all come to the same", async (t) => {
  const { net, ben } = await begun();
  const mine = ben.append("three");
  ben.ask("main", "trial");
  await net.settle();
  await net.work();
  t.is(net.heights(), "1 1 1");
  t.deepEqual(notes(ben, "main"), ["one", "three", "two"]);
  t.is(net.roots().size, 1);
  const merge = ben.db.block(ben.db.head("main")?.id as Hash) as Block;
  const { from, entries, void: voided } = parseMerge(merge.d);
  t.deepEqual(from, [{ branch: "trial", h: 1, id: ben.db.head("trial")?.id }]);
  t.deepEqual([entries, voided], [4, 0]);
  t.true(ben.db.members("main", 1).includes(mine.id));
  for (const { db } of net.nodes) t.deepEqual(db.verify().bad, []);
  t.deepEqual(net.refusals, []);
});

test("[L20] what was taken is not taken again: only what has come since", async (t) => {
  const { net, ana, ben } = await begun();
  ben.ask("main", "trial");
  await net.settle();
  await net.work();
  ben.ask("main", "trial");
  ana.append("three", "notes", "trial");
  await ana.merge("trial");
  await net.settle();
  await net.work();
  t.deepEqual(reasons(ben, "main"), ["main has taken trial up to height 1 already; there is nothing to do"]);
  ana.ask("main", "trial");
  await net.settle();
  await net.work();
  t.is(net.heights(), "3 3 3");
  t.is(parseMerge((ben.db.block(ben.db.head("main")?.id as Hash) as Block).d).entries, 2);
  t.deepEqual(notes(ben, "main"), ["one", "three", "two"]);
  for (const { db } of net.nodes) t.deepEqual(db.verify().bad, []);
});

test("[L20] an entry that is final on one branch and does not fit on the other is void there, with the reason", async (t) => {
  const behaviour = {
    test: (texts: readonly string[]) =>
      texts.includes("two") && texts.includes("three")
        ? ({ verdict: "FAIL", findings: ["two and three cannot both be"] } as const)
        : ({ verdict: "PASS" } as const),
  };
  const { net, ben } = await begun({ behaviours: { ana: behaviour, ben: behaviour, cleo: behaviour } });
  ben.append("three");
  ben.ask("main", "trial");
  await net.settle();
  await net.work();
  t.is(net.heights(), "1 1 1");
  t.is(notes(ben, "main").length, 2);
  t.deepEqual(reasons(ben, "main"), ["test failed: two and three cannot both be"]);
  t.deepEqual(notes(ben, "trial"), ["one", "two"]);
});

test("[L20] what came by another way is not taken again, nor what is void there; requests stay where they are", async (t) => {
  const single = { mode: "single", validator: "ana" } as const;
  const branches = {
    trial,
    other: branchPolicy(single, { mergeFrom: ["main", "trial"] }),
    main: branchPolicy(single, { mergeFrom: ["other", "trial"] }),
  };
  const { net, ana } = await begun({ branches });
  const steps = [
    ["other", "trial"],
    ["main", "trial"],
    ["main", "other"],
    ["other", "main"],
  ] as const;
  const counts: number[][] = [];
  for (const [branch, source] of steps) {
    ana.append(`${branch} from ${source}`, "counts", branch);
    ana.append("no such dapp", "nothing", branch);
    ana.ask(branch, source);
    const { entries, void: voided } = parseMerge(((await ana.merge(branch)) as Block).d);
    counts.push([entries, voided]);
  }
  // Of its own three each time, one of them void; two of trial; two that are new; of main what is its own.
  t.deepEqual(counts, [
    [5, 1],
    [5, 1],
    [4, 1],
    [5, 1],
  ]);
  for (const branch of ["main", "other"]) t.deepEqual(notes(ana, branch), ["one", "two"]);
  t.is(ana.db.state("counts", "other").get("total"), 4);
  await net.settle();
  for (const { db } of net.nodes) t.deepEqual(db.verify().bad, []);
  t.is(net.roots().size, 1);
});

test("[L20] who does not merge a branch cannot ask it, and a branch takes only from those that its policy names", async (t) => {
  const branches = { trial, other: trial, main: taking(["trial"], "single") };
  const { net, ana, ben } = await begun({ branches });
  ana.append("elsewhere", "notes", "other");
  await ana.merge("other");
  await net.settle();
  ben.ask("main", "trial");
  ana.ask("main", "other");
  ana.ask("main", "trial", { h: 7 });
  await net.settle();
  await ana.merge("main");
  t.deepEqual(reasons(ana, "main").sort(), [
    "ben may not merge main; ask one who may: gdo branch main",
    "it names no merge of trial at height 7; gdo branch trial",
    "main does not take from other; gdo branch main --merge-from other lets it",
  ]);
  t.deepEqual(notes(ana, "main"), []);
});

test("[L20] a request waits until what it names is final here; what comes meanwhile does not", async (t) => {
  const { net, ana, ben } = await begun({ branches: { trial, main: taking(["trial"], "single") } });
  ana.append("three", "notes", "trial");
  const merge = (await ana.merge("trial")) as Block;
  await net.settle();
  ana.ask("main", "trial");
  const view = ben.db.branchView("main");
  const made = (await ana.merge("main")) as Block;
  const bent = { ...view.sources, place: () => undefined };
  t.like(judgeMerge(made, parseMerge(made.d), { ...view, sources: bent, newest: () => 99 }), {
    verdict: "wait",
    why: "trial is not final up to height 2 here yet",
  });
  await net.settle();
  t.deepEqual(notes(ben, "main"), ["one", "three", "two"]);
  t.true(parseMerge(made.d).from.some(({ id }) => id === merge.id));
});

test("[L20] a proposer that takes what nobody asked for, or leaves out what was, gets FAIL", async (t) => {
  for (const isAsked of [false, true]) {
    const net = new QuorumNet({ n: 3, fault: "crash", branches: { trial, main: taking(["trial"]) } }, decodeBlock);
    const [ana, ben] = [net.node("ana"), net.node("ben")];
    ben.boot({ votes: false });
    ana.append("void there, so that no dapp works", "nothing", "trial");
    await ana.merge("trial");
    const head = ana.db.head("trial") as { h: number; id: Hash };
    const { id, a, l, n } = ana.ask("main", "trial", isAsked ? {} : { h: 7 });
    await net.settle();
    const payload: MergePayload = {
      ...{ branch: "main", h: 1, prev: null, heads: [id], set: includedRoot([id]), entries: 1, void: 0, state: {} },
      ...{
        included: [{ author: a as PublicKey, l, from: 0, to: n }],
        changes: null,
        tests: [],
        cert: null,
        frozen: [],
      },
      ...{ charter: { h: 0, id: null }, from: isAsked ? [] : [{ branch: "trial", ...head }] },
    };
    const merge = ben.ownLog.append("merge", encodeMerge(payload), [ana.db.block(id) as Block]);
    const proposal = { branch: "main", h: 1, r: 0, phase: "propose", merge: merge.id, valid: null, proof: [] } as const;
    const vote = ben.ownLog.append("vote", encodeVote(proposal), [merge]);
    for (const block of [merge, vote]) net.send(ben, block);
    await net.settle();
    const said = ana.votes().find((each) => each.vote.phase === "attest")?.vote;
    const log = said?.phase === "attest" ? said.log : null;
    const why = log === null ? "" : JSON.stringify(parseOutputs(await readBlobBytes(ana.store, log, 1 << 20)));
    t.like(said, { verdict: "FAIL" });
    t.regex(why, isAsked ? /ask main to take: trial@1/ : /ask main to take: nothing/);
  }
});

/** The picture of `gdo log BRANCH --graph`: each mark with what it is, and what joins below it. */
function picture({ db }: QuorumNode, branch: string): string[] {
  const lanes = new Lanes();
  return logPage(db, { branch, limit: 5_000 }).rows.flatMap(({ id, edges = [], kind, merge, acts = [], name, n }) => {
    const { node, below } = lanes.take({ id, parents: edges, mark: merge === undefined ? "*" : "M" });
    const what = merge === undefined ? `${acts[0] ?? kind} ${name}:${n}` : `${merge.branch}@${merge.h}`;
    return [`${node}  ${what}`, ...below];
  });
}

/** Whether what a row leads to, and what that leads to, has all of these. */
function leadsTo({ db }: QuorumNode, branch: string, from: Hash, ids: readonly Hash[]): boolean {
  const edges = new Map(logPage(db, { branch, limit: 5_000 }).rows.map((row) => [row.id, row.edges ?? []]));
  const reached = new Set<Hash>();
  for (const open = [from]; open.length > 0; ) {
    for (const id of edges.get(open.pop() as Hash) ?? []) if (!reached.has(id)) open.push(id);
    for (const id of open) reached.add(id);
  }
  return ids.every((id) => reached.has(id));
}

test("[L20] log --graph: merges of the branch that was taken stand between the one that took it and their entries", async (t) => {
  const { net, ana, ben } = await begun({ n: 2, branches: { trial, main: taking(["trial"], "single") } });
  for (const text of ["three", "four"]) ben.append(text, "notes", "trial");
  ana.append("beside", "notes");
  await net.settle();
  await ana.merge("trial");
  ana.append("not taken", "notes", "trial");
  ana.ask("main", "trial");
  await ana.merge("main");
  await ana.merge("trial");
  const drawn = [
    "M  main@1",
    "*  take ana:6",
    "M  trial@2",
    "|\\",
    "| *  note ben:1",
    "| *  note ben:0",
    "* |  note ana:3",
    "|/",
    "M  trial@1",
    "*  note ana:1",
    "*  note ana:0",
    "*  charter ana:0",
  ];
  t.deepEqual(picture(ana, "main"), drawn);
  for (const branch of ["main", "trial"])
    t.true(leadsTo(ana, branch, ana.db.head(branch)?.id as Hash, ana.db.members(branch, ana.db.merges(branch))));
});

test("[L20] what an open line is still to take by itself it does not take from elsewhere, too", async (t) => {
  const branches = {
    main: branchPolicy({ mode: "single", validator: "ana" }, { mergeFrom: ["pad"] }),
    pad: branchPolicy({ mode: "open" }, { mergeFrom: ["main"] }),
  };
  const net = new QuorumNet({ n: 3, fault: "crash", branches }, decodeBlock);
  const [ana, cleo] = [net.node("ana"), net.node("cleo")];
  cleo.append("one", "notes", "pad");
  await net.settle();
  await cleo.merge("pad");
  await net.settle();
  ana.ask("main", "pad@cleo", { branch: "pad" });
  await ana.merge("main");
  ana.ask("pad", "main");
  await ana.merge("pad");
  await net.settle();
  t.deepEqual(
    net.nodes.map(({ db }) => db.head("pad@ana")?.h),
    [1, 1, 1],
  );
});
