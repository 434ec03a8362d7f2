/** [L20] [I1] [I10] Branches that fork and take from each other at random: everything once, the same everywhere. */
import test from "ava";
import fc from "fast-check";
import { type Hash, SeededRng } from "../../lib/base/index.ts";
import { type Block, decodeBlock } from "../../lib/codec/index.ts";
import { branchPolicy, entryPayload } from "../../lib/ledger/index.ts";
import { QuorumNet, type QuorumNode } from "../support/quorum-nodes.ts";

const NAMES = ["main", "one", "two", "three"];
const policy = (name: string) =>
  branchPolicy({ mode: "single", validator: "ana" }, { mergeFrom: NAMES.filter((other) => other !== name).sort() });

interface Step {
  readonly type: "append" | "merge" | "fork" | "ask";
  readonly branch: string;
  readonly other: string;
}

const name = fc.constantFrom(...NAMES);
const type = fc.constantFrom("append", "append", "merge", "fork", "ask", "ask" as const);
const step: fc.Arbitrary<Step> = fc.record({ type, branch: name, other: name });

const has = ({ db }: QuorumNode, branch: string): boolean => db.branches().includes(branch);

async function fork(ana: QuorumNode, branch: string, other: string): Promise<void> {
  const head = ana.db.head(other);
  const from = head === undefined ? null : [other, head.h, head.id];
  // Those that are not there yet cannot be named: the policy is set once all are.
  const body = { name: branch, policy: branchPolicy({ mode: "single", validator: "ana" }), from };
  ana.ownLog.append("entry", entryPayload("charter", [{ type: "branch.set", body }]), [
    ana.db.block(ana.db.organisation() as Hash) as Block,
  ]);
  await ana.merge("charter");
}

async function play(ana: QuorumNode, steps: readonly Step[]): Promise<void> {
  let count = 0;
  ana.append("first", "counts");
  await ana.merge("main");
  for (const step of steps) {
    const { type, branch } = step;
    if (type === "fork") {
      if (has(ana, step.other) && !has(ana, branch)) await fork(ana, branch, step.other);
    } else if (!has(ana, branch)) continue;
    else if (type === "append") ana.append(`${count++}`, "counts", branch);
    else if (type === "merge") await ana.merge(branch);
    else if (step.other !== branch && has(ana, step.other) && ana.db.head(step.other) !== undefined) {
      const acts = NAMES.filter((each) => has(ana, each)).map((each) => {
        const { mergeFrom, ...rules } = policy(each);
        return {
          type: "branch.set",
          body: { name: each, policy: { ...rules, mergeFrom: mergeFrom.filter((from) => has(ana, from)) } },
        };
      });
      ana.ownLog.append("entry", entryPayload("charter", acts), [ana.db.block(ana.db.organisation() as Hash) as Block]);
      await ana.merge("charter");
      ana.append(`${count++}`, "counts", branch);
      ana.ask(branch, step.other);
      await ana.merge(branch);
    }
  }
}

/** Entries in the branch and in what it was forked at, as often as they are there. */
function standing({ db }: QuorumNode, branch: string): string[] {
  const heights = Array.from({ length: db.merges(branch) }, (_, index) => index + 1);
  const voids = new Set(db.voids(branch).map(({ id }) => id));
  return heights.flatMap((h) => db.members(branch, h)).filter((id) => !voids.has(id));
}

function picture({ db }: QuorumNode): unknown {
  return db.branches().map((branch) => [branch, db.head(branch), db.stateRoots(branch), db.voids(branch)]);
}

test("[L20] [I1] [I10] whatever takes from what, each entry counts once, and who takes in later comes to the same", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), fc.integer({ min: 0 }), async (steps, seed) => {
      const branches = { main: branchPolicy({ mode: "single", validator: "ana" }) };
      const net = new QuorumNet({ n: 2, fault: "crash", branches }, decodeBlock);
      const [ana, ben] = net.nodes as [QuorumNode, QuorumNode];
      await play(ana, steps);
      for (const branch of ana.db.branches().filter((each) => each !== "charter")) {
        const counted = [...ana.db.state("counts", branch).scan("count/")].length;
        t.is(ana.db.state("counts", branch).get("total") ?? 0, counted, `${branch}: each entry once`);
        const own = standing(ana, branch);
        t.is(new Set(own).size, own.length);
      }
      const envelopes = ana.db
        .range(ana.pair.publicKey, ana.ownLog.incarnation, 0, 10_000, 1 << 26)
        .map((bytes) => ({ bytes, at: 0 }));
      const rng = new SeededRng(seed);
      for (const each of envelopes) each.at = rng.next();
      ben.inbox.length = 0;
      const shuffled = envelopes.sort((x, y) => x.at - y.at);
      // What comes more than 64 numbers early is refused, and comes again.
      for (let round = 0; round < 5; round += 1) for (const { bytes } of shuffled) await ben.chain.take([bytes]);
      t.deepEqual(picture(ben), picture(ana));
      t.deepEqual([...ana.db.verify().bad, ...ben.db.verify().bad], []);
    }),
    { numRuns: 25 },
  );
});
