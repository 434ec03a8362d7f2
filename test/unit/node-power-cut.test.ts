/** [L7] The power goes before or after any durable write of a validator: its block, its lock, what it remembers. */
import test from "ava";
import { decodeBlock } from "../../lib/codec/index.ts";
import { QuorumNet, type QuorumNode } from "../support/quorum-nodes.ts";

/** Until everybody who is up has this height, or it takes too long. */
async function reach(net: QuorumNet, h: number): Promise<void> {
  for (let round = 0; round < 8; round += 1) {
    await net.work();
    if (net.nodes.every(({ db, isUp }) => !isUp || db.head("main")?.h === h)) return;
    await net.wait(1_000 * 2 ** round);
  }
}

/** Phase/height/round of every vote that a node has cast more than once. */
function doubleVotes(node: QuorumNode): string[] {
  const places = node.votes().map(({ vote }) => `${vote.phase}/${vote.h}/${vote.r}`);
  return places.filter((place, index) => places.indexOf(place) !== index);
}

/** Everything that it had is sent once more: what it made durable and could not say any more. */
function resend(net: QuorumNet, node: QuorumNode): void {
  const envelopes = node.db.range(node.pair.publicKey, node.ownLog.incarnation, 0, 10_000, 1 << 26);
  for (const other of net.nodes) if (other !== node) other.inbox.push(...envelopes);
}

/** One height with a power cut at ben's `cut`th half write; whether there was one. */
async function play(cut: number): Promise<{ wasCut: boolean; twice: string[]; heights: string }> {
  const net = new QuorumNet({ n: 3, fault: "crash" }, decodeBlock);
  const ben = net.node("ben");
  net.node("cleo").isUp = false; // Nothing is final without ben.
  net.node("ana").append("one");
  await net.settle();
  ben.writesLeft = cut / 2;
  await reach(net, 1);
  const wasCut = !ben.isUp;
  ben.writesLeft = Number.POSITIVE_INFINITY;
  ben.isUp = true;
  if (wasCut) ben.boot();
  resend(net, ben);
  await reach(net, 1);
  net.node("cleo").isUp = true;
  await reach(net, 1);
  return { wasCut, twice: doubleVotes(ben), heights: net.heights() };
}

test("[L7] a power cut at each durable write of append, vote, lock and commit: no second vote, and an end", async (t) => {
  let cuts = 0;
  for (let cut = 1; cut < 40; cut += 1) {
    const { wasCut, twice, heights } = await play(cut);
    t.deepEqual(twice, [], `cut ${cut}`);
    t.is(heights, "1 1 1", `cut ${cut}`);
    if (!wasCut) break;
    cuts += 1;
  }
  t.true(cuts >= 8, `${cuts} cuts`); // Proposal or attest, lock, commit, each before and after.
});
