/** Breaking one rule in a copy of the compiled code must break an invariant: docs/design/simulate.md, "Mutations". */
import test from "ava";
import type * as Simulate from "../../lib/simulate/index.ts";
import { simulate as original } from "../../lib/simulate/index.ts";
import { gustsOf } from "../support/gusts.ts";
import { type Edit, mutantOf } from "../support/mutant.ts";

interface Mutation {
  readonly what: string;
  readonly seed: number;
  readonly options?: Partial<Simulate.SimulationOptions>;
  /** Which invariant says so. */
  readonly caught: Simulate.SimulationResult["findings"][number]["invariant"];
  readonly edits: readonly Edit[];
}

const MUTATIONS: readonly Mutation[] = [
  {
    what: "[L7] own block sent before it is durable",
    seed: 3,
    options: { faults: ["power", "loss"] },
    caught: "I5",
    edits: [{ file: "node/own-log.js", from: "db.appendOwn(block);", to: "db.ingest([{ block, isChecked: true }]);" }],
  },
  {
    what: "[L6] a reused number accepted",
    seed: 1,
    options: { faults: ["power"] },
    caught: "I5",
    edits: [
      {
        file: "node/own-log.js",
        from: "this.#last = db.lastOf(pair.publicKey, this.#l);",
        to: "const newest = db.lastOf(pair.publicKey, this.#l); this.#last = newest?.b ? db.block(newest.b) : newest;",
      },
      { file: "db/tables/blocks.js", from: "throw forked(block, id);", to: "return true;" },
    ],
  },
  {
    what: "[L8] signs before it has met others",
    seed: 1,
    options: { faults: ["rewound"] },
    caught: "I5",
    edits: [
      { file: "node/meeting.js", from: "return !isNew && hasOthers(charter, ownLog.author);", to: "return false;" },
    ],
  },
  {
    what: "[L12] tie-break by raw id",
    seed: 2,
    options: { days: 1 },
    caught: "I7",
    edits: [{ file: "ledger/merge/order.js", from: "const tie = ties[index];", to: "const tie = bytesOf(id);" }],
  },
  {
    what: "[L13] tests run once",
    seed: 1,
    options: { nodes: 11, days: 1, cheats: 1 },
    caught: "L13",
    edits: [
      {
        file: "node/merging/work.js",
        from: 'const again = await workOnce(collected, options, { conditions: "fresh" });',
        to: "const again = outcome;",
      },
    ],
  },
  {
    what: "[L16] validator set from the same height",
    seed: 1,
    options: { nodes: 8, days: 1, faults: ["deputy"] },
    caught: "I4",
    edits: [
      {
        file: "db/views.js",
        from: "tables.branches.mergeAt(id, h - 1)?.charter",
        to: "(tables.branches.mergeAt(id, h)?.charter ?? tables.branches.find(CHARTER_BRANCH)?.h ?? 0)",
      },
    ],
  },
  {
    what: "[L7] lock not durable",
    seed: 42,
    options: { nodes: 5, validators: 4, days: 1, faults: ["blackout"], cheats: 1 },
    caught: "I2",
    edits: [
      {
        file: "ledger/consensus/consensus.js",
        from: "this.#lock = restoredLock(start);",
        to: "this.#lock = undefined;",
      },
    ],
  },
  {
    what: "a charter that nobody can act by is accepted",
    seed: 2,
    options: { nodes: 5, days: 7, cheats: 1 },
    caught: "charter",
    edits: [
      {
        file: "ledger/charter/apply.js",
        from: "whyUnsound(new OverlayState(state, outcome)) ?? outcome",
        to: "outcome",
      },
    ],
  },
];

/** The commit is the only vote: said of what was attested, locks nothing. */
const ONE_PHASE: readonly Edit[] = [
  [
    "const certificate = this.#tally.certificate(this.#r);",
    "const certificate = this.#proposals().map(({ vote }) => vote).find(({ merge }) => this.#said.has('attest/' + this.#r) && this.#judged.get(merge)?.verdict === 'PASS');",
  ],
  ["this.#lock = { r: this.#r, merge: certificate.merge };", ""],
  ['this.#outputs.push({ type: "lock", lock: this.#lock });', ""],
  ["this.#lock = restoredLock(start);", "this.#lock = undefined;"],
].map(([from = "", to = ""]) => ({ file: "ledger/consensus/consensus.js", from, to }));

test("one voting phase only: seed 3 finds I2, in gusts that the two phases stand", async (t) => {
  const { simulate } = await mutantOf<typeof Simulate>(t, ".", "simulate/index.js", ONE_PHASE);
  const options = { seed: 3, nodes: 8, days: 3, faults: [], cheats: 0 };
  const gusts = gustsOf(options);
  t.is((await simulate(options, gusts)).findings[0]?.invariant, "I2");
  t.deepEqual((await original(options, gusts)).findings, []);
});

for (const { what, seed, options, caught, edits } of MUTATIONS) {
  test(`${what}: seed ${seed} finds ${caught}`, async (t) => {
    const { simulate } = await mutantOf<typeof Simulate>(t, ".", "simulate/index.js", edits);
    const { findings } = await simulate({ seed, nodes: 2, days: 2, faults: [], cheats: 0, ...options });
    t.true(
      findings.some(({ invariant }) => invariant === caught),
      findings[0]?.what,
    );
  });
}

/** Blocks whose parents nobody has, each in a log of its own: in two floods more than a node may keep. */
const GREAT_FLOOD: readonly Edit[] = [
  { file: "simulate/cheats/cheat.js", from: "FLOOD_ORPHANS = 10", to: "FLOOD_ORPHANS = 600" },
  { file: "simulate/cheats/cheat.js", from: "const strayLog = this.#newLog();", to: "" },
  {
    file: "simulate/cheats/cheat.js",
    from: "const orphan = strayLog.draft({",
    to: "const strayLog = this.#newLog(); const orphan = strayLog.draft({",
  },
];

test("[S5] a great flood of blocks without parents: a bound on those that wait keeps I9, and without it I9 is found broken", async (t) => {
  const unbounded = { file: "node/orphans.js", from: "this.#waiting.size >= ORPHANS_MAX", to: "false" };
  for (const [edits, caught] of [
    [GREAT_FLOOD, undefined],
    [[...GREAT_FLOOD, unbounded], "I9"],
  ] as const) {
    const { simulate } = await mutantOf<typeof Simulate>(t, ".", "simulate/index.js", edits);
    const floods = [1, 2].map(
      (h) => ({ kind: "flood", atMs: h * 3_600_000, forMs: 0, nodes: ["door-2"], amount: 0 }) as const,
    );
    const { findings } = await simulate({ seed: 1, nodes: 3, days: 1, faults: [], cheats: 1 }, floods);
    t.is(findings[0]?.invariant, caught, findings[0]?.what);
  }
});
