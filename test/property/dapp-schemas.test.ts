/** The schemas of this project's dapps: no stricter than the dapps themselves, and what does not fit is void [D6]. */
import { readFile } from "node:fs/promises";
import test from "ava";
import fc from "fast-check";
import { accountingWith } from "../../images/dapps/accounting/accounting.ts";
import { certification } from "../../images/dapps/certification/certification.ts";
import { door } from "../../images/dapps/door/door.ts";
import { membership } from "../../images/dapps/membership/membership.ts";
import { contractOf } from "../../images/sdk/harness.ts";
import type { Act, Canonical, Dapp } from "../../images/sdk/index.ts";
import { entryOf, Harness, MemoryState } from "../../images/sdk/testing.ts";
import { REASON_CODES } from "../../lib/access/decide.ts";
import { workshopActs } from "../../lib/agent/demo-script/workshop.ts";
import { jsonFromCanonical } from "../../lib/codec/index.ts";
import { parseManifest } from "../../lib/dapp/index.ts";

const folderOf = (name: string): URL => new URL(`../../../images/dapps/${name}/`, import.meta.url);
const NOW = Date.UTC(2026, 5, 1);
const REF = "0123456789abcdef0123456789abcdef";
const ID = "a".repeat(64);
const swipe = {
  ...{ door: "d", reader: "r", at: 1, quality: "system", mono: 5, boot: 1, bits: 26, outcome: "deny" },
  ...{ reason: "membership_missing", rule: "membership", policy: ID, cred: REF, person: "kim", alarm: null },
  ...{ also: [["certificate_missing", "certificate:lathe"]], latencyUs: 9 },
};
const postings = [
  { account: "assets:bank", currency: "EUR", amount: 2500 },
  { account: "income:dues", currency: "EUR", amount: -2500 },
];
const plan = { plan: "monthly", amount: 2500, currency: "EUR", account: "income:dues", months: 1, membership: true };
const signOff = { person: "kim", course: "lathe", on: "2026-06-01", untilMs: NOW * 2 };

interface Subject {
  readonly name: string;
  readonly dapp: Dapp;
  /** One after the other, each is taken. */
  readonly acts: readonly (readonly [type: string, body: Readonly<Record<string, Canonical>>])[];
  /** From these nothing follows, so that the dapp takes any. */
  readonly notes?: readonly string[];
}

const SUBJECTS: readonly Subject[] = [
  {
    name: "membership",
    dapp: membership,
    acts: [
      ["person.put", { id: "kim", name: "Kim", level: -1, status: "active" }],
      ["person.status", { id: "kim", status: "disabled" }],
      ["credential.put", { ref: REF, person: "kim", status: "denied", note: "lost" }],
      ["dues.waive", { id: "kim", untilMs: 5, reason: "cleans" }],
      ["dues.waive.end", { id: "kim" }],
      ["credential.revoke", { ref: REF }],
    ],
  },
  {
    name: "accounting",
    dapp: accountingWith(async () => ({ balances: {} })),
    acts: [
      ["currency.put", { currency: "EUR", digits: 2 }],
      ["account.open", { account: "assets:bank", note: "The current account" }],
      ["account.open", { account: "income:dues" }],
      ["account.open", { account: "equity:Rücklagen 2026" }],
      ["plan.put", plan],
      [
        "transaction.post",
        {
          ...{ id: "t1", date: "2026-06-01", payee: "Kim", note: "June", postings },
          dues: [{ person: "kim", plan: "monthly", amount: 2500 }],
        },
      ],
      ["transaction.post", { id: "t2", date: "2026-06-01", payee: "Kim", postings }],
      ["transaction.reverse", { id: "r1", of: "t1", date: "2026-06-02", note: "bounced" }],
      ["balance.assert", { account: "assets:bank", currency: "EUR", date: "2026-06-02", amount: 2500 }],
      ["period.close", { until: "2026-05-31", into: "equity:Rücklagen 2026" }],
    ],
  },
  {
    name: "certification",
    dapp: certification,
    acts: [
      [
        "course.put",
        {
          ...{ course: "lathe", name: "The lathe", description: "d", criteria: "c\nd", trainers: ["rosa"] },
          ...{ prerequisites: [], validDays: 30, retired: false },
        },
      ],
      ["certificate.sign-off", signOff],
      ["certificate.renew", signOff],
      ["certificate.revoke", { person: "kim", course: "lathe", reason: "burnt the table" }],
    ],
  },
  {
    name: "door",
    dapp: door,
    acts: [
      ["grant.set", { door: "lathe", minLevel: 0, membership: true, graceHours: 24, certificates: ["lathe"] }],
      ["policy.publish", { policy: ID, generation: 1, height: 0, issuer: ID, signature: ID + ID }],
      ["swipe", swipe],
      ["swipe", { ...swipe, mono: 2n ** 60n, policy: null, cred: null, person: null, alarm: "policy-stale" }],
      ["boot", { at: 1, quality: "system", doors: ["lathe"], policy: null }],
      ["policy.swap", { policy: ID, generation: 1, at: 1 }],
      ["alarm", { why: "the case is open" }],
      ["grant.end", { door: "lathe" }],
    ],
    notes: ["boot", "policy.swap", "alarm"],
  },
];

const entry = (acts: readonly Act[]) => entryOf(acts, { author: ID, timeMs: NOW });

/** State before each act of the subject. */
async function statesOf({ name, dapp, acts }: Subject): Promise<MemoryState[]> {
  const states: MemoryState[] = [];
  let state = new MemoryState(name);
  for (const act of acts) {
    states.push(state);
    const input = { height: 1, seed: ID, entries: [entry([act])], events: [] };
    const { outcomes, changes } = await dapp.reduce(input, state);
    if (outcomes[0]?.void !== undefined) throw new Error(`${name}: ${outcomes[0].void}`);
    state = state.copy();
    for (const [key, value] of changes) state.set(key, value);
  }
  return states;
}

const value = fc.constantFrom<Canonical>(
  ...[null, true, 0, -1, 2 ** 53 - 1, -(2 ** 53 - 1), 1e15 + 1, 2n ** 60n, "", " ", "x", "X", "a;b", "2026-02-30", "é"],
  ...[
    "x".repeat(65),
    "x".repeat(500),
    "x".repeat(5000),
    "assets:a:b",
    "EUR",
    "2026-01-01",
    ID,
    [],
    ["x"],
    {},
    { a: 1 },
  ],
);

for (const subject of SUBJECTS) {
  const { name, dapp, acts, notes = [] } = subject;
  test(`[D6] ${name}: each kind of act fits its schema, and no schema refuses what the dapp would take`, async (t) => {
    const contract = await contractOf(folderOf(name));
    const states = await statesOf(subject);
    const wire = (type: string, body: Canonical) => [[type, jsonFromCanonical(body)]] as const;
    for (const [type, body] of acts) t.is(contract.whyVoid(wire(type, body)), undefined, type);
    const bending = fc.nat({ max: acts.length - 1 }).chain((index) => {
      const fields = Object.keys(acts[index]?.[1] ?? {});
      const places = fc.constantFrom(...fields, "strange");
      return fc.tuple(fc.constant(index), places, fc.option(value, { nil: undefined }));
    });
    const isSound = async ([index, field, bent]: [number, string, Canonical | undefined]): Promise<void> => {
      const [type, { [field]: _, ...rest }] = acts[index] as Subject["acts"][number];
      const body = bent === undefined ? rest : { ...rest, [field]: bent };
      const why = contract.whyVoid(wire(type, body));
      if (why === undefined || notes.includes(type)) return;
      const input = { height: 1, seed: ID, entries: [entry([[type, body]])], events: [] };
      const { outcomes } = await dapp.reduce(input, states[index] as MemoryState);
      if (outcomes[0]?.void === undefined) throw new Error(`${type} is taken, but its schema says: ${why}`);
    };
    await fc.assert(fc.asyncProperty(bending, isSound), { numRuns: 400 });
  });

  test(`[D6] ${name}: an act that lacks a field or has one more is void before the dapp sees it, in the host's words`, async (t) => {
    const blind: Dapp = {
      async reduce({ entries }) {
        t.deepEqual(entries, []);
        return { outcomes: [], changes: [] };
      },
    };
    const harness = await Harness.open(blind, folderOf(name));
    for (const [type, body] of acts) {
      if (notes.includes(type)) continue;
      const [field = ""] = Object.keys(body);
      const { [field]: _, ...rest } = body;
      const entries = [rest, { ...body, strange: 1 }].map((bent) => ({
        by: "x",
        acts: [[type, jsonFromCanonical(bent)]] as const,
      }));
      const { voids } = await harness.merge(entries);
      t.deepEqual(voids, { 1: `${type}: ${field} is missing`, 2: `${type}: there is no field strange` });
    }
  });
}

test("[D6] every act that a dapp accepts is tried here, and a door's schema knows every reason", async (t) => {
  for (const { name, acts } of SUBJECTS) {
    const { accepts } = parseManifest(await readFile(new URL("dapp.yaml", folderOf(name)), "utf8"));
    t.deepEqual(Object.keys(accepts).sort(), [...new Set(acts.map(([type]) => type))].sort());
  }
  const contract = await contractOf(folderOf("door"));
  for (const reason of REASON_CODES) t.is(contract.whyVoid([["swipe", { ...swipe, reason }]]), undefined, reason);
});

test("[D6] what the demo's office writes fits", async (t) => {
  const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  for (const { app, acts } of workshopActs(NOW, dateOf)) {
    const contract = await contractOf(folderOf(app));
    t.is(contract.whyVoid(acts.map(({ type, body }) => [type, body] as const)), undefined, app);
  }
});
