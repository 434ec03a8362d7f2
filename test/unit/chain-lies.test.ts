/** What comes of merges that lie, on nodes that only take them in: refused, told, and in nobody's way. */
import test from "ava";
import { type Hash, OBJECT_BYTES_MAX, type PublicKey, utf8 } from "../../lib/base/index.ts";
import { type Block, decodeBlock } from "../../lib/codec/index.ts";
import { branchPolicy, encodeMerge, includedRoot, type MergePayload } from "../../lib/ledger/index.ts";
import { type ObjectKind, putBlob } from "../../lib/store/index.ts";
import { QuorumNet, type QuorumNode } from "../support/quorum-nodes.ts";

const OPEN = { n: 3, fault: "crash", branches: { pad: branchPolicy({ mode: "open" }) } } as const;

/** A merge by cleo, of her own line of `pad` unless said, with these as its changes. */
function ownMerge(cleo: QuorumNode, entry: Block, changes: Hash, branch = "pad"): Block {
  const payload: MergePayload = {
    ...{ branch, h: 1, prev: null, heads: [entry.id], set: includedRoot([entry.id]) },
    included: [{ author: entry.a as PublicKey, l: entry.l, from: 0, to: entry.n }],
    ...{ entries: 1, void: 0, state: {}, changes, tests: [], charter: { h: 0, id: null } },
    ...{ cert: null, from: [], frozen: [] },
  };
  return cleo.ownLog.append("merge", encodeMerge(payload), [entry]);
}

const strange: readonly (readonly [what: string, put: (cleo: QuorumNode) => Promise<Hash>])[] = [
  ["are no changes", async ({ store }) => (await putBlob(store, utf8("no changes at all"))).id],
  ["are no blob", async ({ store }) => store.put("chunk" as ObjectKind, utf8("a lone chunk"))],
  ["are too large", async ({ store }) => (await putBlob(store, new Uint8Array(OBJECT_BYTES_MAX + 1))).id],
];

for (const [what, put] of strange) {
  test(`[L14] chain: a merge whose changes ${what} is refused, and everything else goes on`, async (t) => {
    const net = new QuorumNet(OPEN, decodeBlock);
    const [ana, ben, cleo] = net.nodes as [QuorumNode, QuorumNode, QuorumNode];
    const entry = cleo.append("one", "notes", "pad");
    net.send(cleo, ownMerge(cleo, entry, await put(cleo)));
    await net.settle();
    t.deepEqual(
      net.refusals.filter((each) => each.endsWith("merge")),
      ["ana: merge", "ben: merge"],
    );
    ana.append("two");
    await net.settle();
    await net.work();
    t.deepEqual(
      [ana, ben].map(({ db }) => db.head("main")?.h),
      [1, 1],
    );
  });
}

test("[S5] chain: what a merge names is not fetched for one who may not merge", async (t) => {
  const net = new QuorumNet({ n: 3, fault: "crash", guests: 1 }, decodeBlock);
  const [ana, , cleo] = net.nodes as [QuorumNode, QuorumNode, QuorumNode];
  const { id: junk } = await putBlob(cleo.store, utf8("as much as one likes"));
  const entry = cleo.append("one");
  net.send(cleo, ownMerge(cleo, entry, junk, "main"));
  await net.settle();
  t.false(ana.store.has(junk));
});
