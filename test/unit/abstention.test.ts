/** [L17] How long a validator abstains whose log had to begin anew. */
import test from "ava";
import { decodeBlock, encodeEnvelope } from "../../lib/codec/index.ts";
import { parseVote } from "../../lib/ledger/index.ts";
import { mustAbstain } from "../../lib/node/merging/abstention.ts";
import { QuorumNet } from "../support/quorum-nodes.ts";

const memoryOf = (): Parameters<typeof mustAbstain>[0] & { readonly kept: Map<string, string> } => {
  const kept = new Map<string, string>();
  return {
    kept,
    appendOwn: () => {},
    lastOf: () => undefined,
    meta: (key: string) => kept.get(key),
    setMeta: (key: string, value: string) => void kept.set(key, value),
  } as never;
};

const three = { branch: "main", n: 3, q: 2, height: 4 } as const;

test("[L17] it abstains until q others have reported, for the height after what they report, and one more", (t) => {
  const memory = memoryOf();
  const ask = (h: number, reports: readonly number[], turn = "aa"): boolean =>
    mustAbstain(memory, turn, { ...three, h, reports });
  t.true(ask(5, []));
  t.true(ask(5, [6]));
  t.true(ask(5, [6, 7]));
  t.true(ask(9, []));
  t.false(ask(10, []));
  t.true(ask(9, [9], "bb")); // Another turn, another question.
});

test("[L17] a validator can have voted two heights beyond what all others say is final: it abstains there", async (t) => {
  const net = new QuorumNet({ n: 4, fault: "byzantine" }, decodeBlock);
  const cleo = net.node("cleo"); // Whose turn it is to propose at height 2.
  const send = net.send.bind(net);
  net.send = (from, block) => {
    const isCommit = block.k === "vote" && parseVote(block.d).phase === "commit";
    if (isCommit && from !== cleo)
      cleo.inbox.push(encodeEnvelope(block)); // To her alone; hers are lost.
    else if (!isCommit && from !== cleo) send(from, block);
    else if (!isCommit && block.k === "vote" && parseVote(block.d).h === 1) send(from, block);
  };
  for (const text of ["one", "two"]) {
    net.node("ana").append(text);
    await net.settle();
    await net.work();
  }
  t.is(net.heights(), "0 0 1 0");
  const voted = Math.max(...cleo.votes().map(({ vote }) => vote.h));
  t.is(voted, 2);
  const reports = net.nodes.filter((node) => node !== cleo).map(({ db }) => db.head("main")?.h ?? 0);
  t.true(mustAbstain(memoryOf(), "aa", { branch: "main", n: 4, q: 3, height: 0, h: voted, reports }));
});

test("[L17] a log that goes on votes, and so does everybody where nobody can be spared", (t) => {
  const memory = memoryOf();
  t.false(mustAbstain(memory, undefined, { ...three, h: 5, reports: [] }));
  t.false(mustAbstain(memory, "aa", { ...three, q: 3, h: 5, reports: [] }));
  t.is(memory.kept.size, 0);
});

test("[L8] [L17] a validator whose log turns while it runs abstains from then on, also at the height that it is at", async (t) => {
  const net = new QuorumNet({ n: 4, fault: "byzantine" }, decodeBlock);
  const ana = net.node("ana");
  net.node("ben").append("one");
  await net.settle();
  await net.work();
  t.true(ana.votes().length > 0);
  ana.ownLog.saw({ a: ana.pair.publicKey, l: ana.ownLog.incarnation, n: 1_000 }, false);
  net.node("ben").append("two");
  await net.settle();
  await net.work();
  t.is(net.heights(), "2 2 2 2");
  t.deepEqual(ana.votes(), [], "in its new incarnation");
});
