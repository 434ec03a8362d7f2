/** A node whose disk fails for a while: what it could not apply it applies when it can. */
import test from "ava";
import { type ErrorCode, GdoError } from "../../lib/base/index.ts";
import { decodeBlock } from "../../lib/codec/index.ts";
import { QuorumNet, type QuorumNode } from "../support/quorum-nodes.ts";

for (const code of ["STORE_FULL", "IO"] as const satisfies readonly ErrorCode[]) {
  test(`[I4] chain: a merge that could not be applied for ${code} waits, and is applied later`, async (t) => {
    const net = new QuorumNet({ n: 3, fault: "crash" }, decodeBlock);
    const [ana, , cleo] = net.nodes as [QuorumNode, QuorumNode, QuorumNode];
    const apply = cleo.db.applyMerge;
    cleo.db.applyMerge = () => {
      throw new GdoError(code, "the disk");
    };
    ana.append("one");
    await net.settle();
    await net.work();
    const [there, here] = [ana, cleo].map(({ db }) => db.head("main")?.h);
    cleo.db.applyMerge = apply;
    await cleo.chain.retry();
    t.deepEqual([there, here, cleo.db.head("main")?.h], [1, undefined, 1]);
    t.deepEqual(net.refusals, []);
  });
}
