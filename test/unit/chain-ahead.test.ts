/** [L3] Signatures that other threads verify ahead: what is taken in is what would be without, in the order of the calls. */
import test from "ava";
import type { PublicKey } from "../../lib/base/index.ts";
import { type Block, encodeEnvelope, verifyBlocks } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import type { Chain, ChainOptions } from "../../lib/node/chain.ts";
import { note, TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";
import { loneChain } from "../support/lone-chain.ts";

type Verify = NonNullable<ChainOptions["verifyBlocks"]>;

function setup(charter: Block, verify?: Verify): { chain: Chain; db: LedgerDb; refused: string[] } {
  const db = LedgerDb.open(":memory:");
  db.ingest([charter]);
  const refused: string[] = [];
  const chain = loneChain(charter, db, {
    refused: (reason) => refused.push(reason),
    ...(verify === undefined ? {} : { verifyBlocks: verify }),
  });
  return { chain, db, refused };
}

function forged(block: Block): Block {
  return { ...block, sig: block.sig.map((byte, index) => (index === 3 ? byte ^ 1 : byte)) };
}

const envelopes = (blocks: readonly Block[]): Uint8Array[] => blocks.map(encodeEnvelope);

/** Two logs in turns; of the office's one signature is wrong, so nothing after it has its parent. */
function logs(count: number, wrong: number): { charter: Block; blocks: Block[] } {
  const { charter, office, door } = testOrganisation();
  const blocks: Block[] = [];
  for (let n = 0; n < count; n += 1) {
    const parents = n === 0 ? [charter] : [];
    const own = office.entry([note(`office ${n}`)], parents);
    blocks.push(n === wrong ? forged(own) : own, door.entry([note(`door ${n}`)], parents));
  }
  return { charter, blocks };
}

test("[L3] chain: one bad signature among many is named, and all else is as without threads", async (t) => {
  const { charter, blocks } = logs(300, 260);
  const [ahead, plain] = [setup(charter, verifyBlocks), setup(charter)];
  const results = [await ahead.chain.take(envelopes(blocks)), await plain.chain.take(envelopes(blocks))];
  t.deepEqual(results[0], results[1]);
  t.deepEqual(ahead.refused, plain.refused);
  t.deepEqual(ahead.refused, ["signature"]);
  t.deepEqual(ahead.db.frontier(), plain.db.frontier());
  t.is(ahead.db.lastOf(blocks[0]?.a as PublicKey, blocks[0]?.l as string)?.n, 259);
  t.is(ahead.db.countEntries(), 560);
});

test("[L3] chain: nothing is verified for strangers, nor what is held", async (t) => {
  const { charter, blocks } = logs(20, -1);
  const stranger = new TestLog(testKey(9), charter.id);
  const theirs = [...Array(20).keys()].map((n) => stranger.entry([note(`${n}`)], n === 0 ? [charter] : []));
  const asked: Block[][] = [];
  const { chain, refused } = setup(charter, (all) => {
    asked.push([...all]);
    return verifyBlocks(all);
  });
  await chain.take(envelopes([...theirs, ...blocks]));
  await chain.take(envelopes(blocks));
  t.deepEqual(
    asked.map(({ length }) => length),
    [40, 0],
  );
  t.deepEqual(refused, Array(20).fill("unknown_author"));
});

test("[L3] chain: what comes while threads verify waits its turn, and needs no second fetch", async (t) => {
  const { charter, blocks } = logs(40, -1);
  const gates: (() => void)[] = [];
  const { chain, db, refused } = setup(charter, async (all) => {
    await new Promise<void>((open) => gates.push(open));
    return verifyBlocks(all);
  });
  const calls = [blocks.slice(0, 30), blocks.slice(30, 78), blocks.slice(78)].map((part) =>
    chain.take(envelopes(part)),
  );
  t.is(gates.length, 2); // The last is too short for a thread.
  gates[1]?.(); // The second part is verified first.
  await new Promise((resolve) => setImmediate(resolve));
  t.is(db.countEntries(), 0);
  gates[0]?.();
  const taken = await Promise.all(calls);
  t.deepEqual(
    taken.map(({ added }) => added),
    [30, 48, 2],
  );
  t.deepEqual(refused, []);
});

test("[L7] chain: what threads verify while the node closes is not taken in any more", async (t) => {
  const { charter, blocks } = logs(20, -1);
  const { chain, db } = setup(charter, verifyBlocks);
  const taking = chain.take(envelopes(blocks));
  await chain.close();
  t.deepEqual(await taking, { added: 0, refused: 0 });
  t.is(db.countEntries(), 0);
});

test("[L3] chain: threads that fail take nothing in, and do not stop what comes after", async (t) => {
  const { charter, blocks } = logs(20, -1);
  let calls = 0;
  const { chain, db } = setup(charter, (all) => {
    calls += 1;
    return calls === 1 ? Promise.reject(new Error("no thread")) : verifyBlocks(all);
  });
  const [first, second] = [chain.take(envelopes(blocks)), chain.take(envelopes(blocks))];
  await t.throwsAsync(first, { message: "no thread" });
  t.is((await second).added, 40);
  t.is(db.countEntries(), 40);
});
