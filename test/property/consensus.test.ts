/** Proof of merge at one height: whatever the network, power cuts and liars do [L7][L10][L15][L16]. */
import test from "ava";
import fc from "fast-check";
import { Consensus } from "../../lib/ledger/index.ts";
import { type Edit, mutantOf } from "../support/mutant.ts";
import { type ConsensusClass, World, type WorldOptions } from "./consensus-world.ts";

type Shape = Omit<WorldOptions, "consensus" | "seed">;

/** A majority where validators only stop, two thirds where some lie. */
const SHAPES: readonly Shape[] = [
  { n: 1, q: 1, liars: 0 },
  { n: 2, q: 2, liars: 0 },
  { n: 3, q: 2, liars: 0 },
  { n: 4, q: 3, liars: 0 },
  { n: 4, q: 3, liars: 1 },
  { n: 5, q: 3, liars: 0, isStormy: true },
  { n: 4, q: 3, liars: 1, isStormy: true },
  { n: 7, q: 5, liars: 2 },
  { n: 4, q: 3, liars: 0, heights: 2 },
];

test("[L7][L10][L15] no two merges are final at one height, nobody votes twice, and a healed network ends", (t) => {
  const worlds = fc.record({
    seed: fc.nat(),
    shape: fc.constantFrom(...SHAPES),
    events: fc.integer({ min: 0, max: 400 }),
  });
  const check = ({ seed, shape, events }: { seed: number; shape: Shape; events: number }): void => {
    const { broken, isDone } = new World({ consensus: Consensus, seed, ...shape, events }).run();
    if (broken !== undefined) throw new Error(broken);
    if (!isDone) throw new Error("it does not end");
  };
  t.notThrows(() => fc.assert(fc.property(worlds, check), { numRuns: 500 }));
});

const STORM: Shape = { n: 4, q: 3, liars: 1, isStormy: true, heals: false, events: 400 };
const TWO_HEIGHTS: Shape = { n: 4, q: 3, liars: 0, heights: 2, heals: false, events: 400 };

interface Mutation {
  readonly what: string;
  /** The first seed that catches it. */
  readonly seed: number;
  readonly shape: Shape;
  readonly edits: readonly Edit[];
}

const edit = (from: string, to: string): Edit => ({ file: "consensus.js", from, to });

/** Each breaks one rule; docs/design/ledger.md lists them. */
const MUTATIONS: readonly Mutation[] = [
  {
    what: "one voting phase only",
    seed: 0,
    shape: STORM,
    edits: [
      edit(
        "= this.#tally.final();",
        "= (({ merge, r, proof: votes } = {}) => merge && { merge, certificate: { r, votes } })(this.#tally.newestCertificate());",
      ),
    ],
  },
  {
    what: "an attest against the lock",
    seed: 425,
    shape: STORM,
    edits: [edit("return this.#lock === undefined;", "return true;")],
  },
  {
    what: "a lock opened by an older certificate",
    seed: 1609,
    shape: STORM,
    edits: [edit("this.#lock.r <= valid", "this.#lock.r >= valid")],
  },
  {
    what: "lock not durable",
    seed: 760,
    shape: STORM,
    edits: [edit("this.#lock = restoredLock(start);", "this.#lock = undefined;")],
  },
  {
    what: "own votes forgotten at a restart",
    seed: 0,
    shape: STORM,
    edits: [edit("for (const vote of start.ownVotes)", "for (const vote of [])")],
  },
  {
    what: "a restart in round 0",
    seed: 34,
    shape: STORM,
    edits: [edit("this.#r = Math.max(0, ", "this.#r = Math.min(0, ")],
  },
  { what: "validator set from the same height", seed: 2084, shape: { ...TWO_HEIGHTS, setFrom: "same" }, edits: [] },
];

for (const { what, seed, shape, edits } of MUTATIONS) {
  test(`[L16] seed ${seed} catches: ${what}`, async (t) => {
    const { Consensus: mutant } = await mutantOf<{ Consensus: ConsensusClass }>(
      t,
      "ledger/consensus",
      "consensus.js",
      edits,
    );
    t.not(new World({ consensus: mutant, seed, ...shape }).run().broken, undefined);
    const right = { ...shape, setFrom: "before" } as const;
    t.is(new World({ consensus: Consensus, seed, ...right }).run().broken, undefined);
  });
}
