import test from "ava";
import {
  contradictionOf,
  decide,
  decodePolicy,
  encodePolicy,
  encodeSwipe,
  type PolicySource,
  parseSwipe,
  swipeEvent,
  type TermRow,
  UNTIL_FOREVER,
  UNTIL_REVOKED,
} from "../../lib/access/index.ts";
import { toHex } from "../../lib/base/index.ts";
import { type Canonical, decodeCanonical, encodeCanonical } from "../../lib/codec/index.ts";
import {
  CARD_ANN,
  CARD_BOB,
  CARD_FIRE,
  HOUR_MS,
  inForce,
  POLICY_ID,
  refOfCard,
  source,
  swipeOf,
} from "../support/policy-fixtures.ts";

/** The lathe asks for dues (an hour of grace) and two courses; the front door for nothing. */
const doors = { lathe: { minLevel: 0, graceMs: HOUR_MS, certificates: ["lathe", "safety"] }, front: { minLevel: 0 } };
const AT = 1001 * HOUR_MS;
const safe: TermRow = { person: "bob", course: "safety", untilMs: UNTIL_FOREVER };
const whole: readonly TermRow[] = [
  { person: "bob", untilMs: AT + 1 },
  { person: "bob", course: "lathe", untilMs: AT + 1 },
  safe,
];
const withTerms = (terms: readonly TermRow[], changes: Partial<PolicySource> = {}) =>
  inForce({ doors, terms, ...changes });
const at = (wallMs: number, card = CARD_BOB) => swipeOf(card, { door: "lathe", wallMs });

test("[A1] decide: who has paid and is certified comes in, until the very moment that either ends", (t) => {
  t.like(decide(withTerms(whole), at(AT)), { outcome: "grant", reason: "granted", alarm: undefined });
  const trained = [{ person: "bob", untilMs: UNTIL_FOREVER }, ...whole.slice(1)];
  t.like(decide(withTerms(trained), at(AT + 1)), {
    outcome: "deny",
    reason: "certificate_expired",
    rule: "certificate:lathe",
    person: "bob",
  });
});

const REFUSED: readonly [reason: string, rule: string, terms: readonly TermRow[]][] = [
  ["membership_missing", "membership", whole.slice(1)],
  ["membership_expired", "membership", [{ person: "bob", untilMs: AT - HOUR_MS }, ...whole.slice(1)]],
  ["certificate_missing", "certificate:lathe", [whole[0]!, safe]],
  ["certificate_expired", "certificate:lathe", [whole[0]!, { person: "bob", course: "lathe", untilMs: AT }, safe]],
  [
    "certificate_revoked",
    "certificate:lathe",
    [whole[0]!, { person: "bob", course: "lathe", untilMs: UNTIL_REVOKED }, safe],
  ],
];

for (const [reason, rule, terms] of REFUSED) {
  test(`[A1] decide: ${reason} denies and says so, at the door that asks for it alone`, (t) => {
    t.like(decide(withTerms(terms), at(AT)), { outcome: "deny", reason, rule, person: "bob", also: undefined });
    t.like(decide(withTerms(terms), { ...at(AT), door: "front" }), { outcome: "grant" });
  });
}

test("[A1] decide: all that stands in the way is named, the first as the reason", (t) => {
  const terms = [
    { person: "bob", untilMs: 5 },
    { person: "bob", course: "lathe", untilMs: 6 },
  ];
  const high = { ...doors, lathe: { ...doors.lathe, minLevel: 2 } };
  t.like(decide(withTerms(terms, { doors: high }), at(AT)), {
    ...{ outcome: "deny", reason: "membership_expired", rule: "membership" },
    also: [
      { reason: "level_too_low", rule: "level>=2" },
      { reason: "certificate_expired", rule: "certificate:lathe" },
      { reason: "certificate_missing", rule: "certificate:safety" },
    ],
  });
});

test("decide: in the time of grace the door opens and somebody is told; then it does not", (t) => {
  const lapsed = [{ person: "bob", untilMs: AT }, { person: "bob", course: "lathe", untilMs: UNTIL_FOREVER }, safe];
  t.like(decide(withTerms(lapsed), at(AT - 1)), { outcome: "grant", alarm: undefined });
  t.like(decide(withTerms(lapsed), at(AT)), { outcome: "grant", alarm: "membership-grace" });
  t.like(decide(withTerms(lapsed), at(AT + HOUR_MS - 1)), { outcome: "grant", alarm: "membership-grace" });
  t.like(decide(withTerms(lapsed), at(AT + HOUR_MS)), { outcome: "deny", reason: "membership_expired" });
});

test("decide: a clock that fell back brings nothing back that had ended when the snapshot was made", (t) => {
  const ended = [whole[0]!, { person: "bob", course: "lathe", untilMs: 1000 * HOUR_MS }, safe];
  t.like(decide(withTerms(ended), at(0)), { outcome: "deny", reason: "certificate_expired", alarm: "clock-suspect" });
  t.like(decide(withTerms(whole), at(0)), { outcome: "grant", alarm: "clock-suspect" });
});

test("decide: an emergency card opens without dues and courses", (t) => {
  t.like(decide(withTerms([]), at(AT, CARD_FIRE)), { outcome: "grant" });
  t.like(decide(withTerms([]), at(AT, CARD_ANN)), { outcome: "deny", reason: "membership_missing" });
});

test("policy: a snapshot of levels alone keeps the bytes that it had before there were terms", (t) => {
  const levels = decodeCanonical(encodePolicy(source({ terms: whole }))) as Record<string, Canonical>;
  t.is(levels["v"], 1);
  t.is(toHex(encodePolicy(source({ terms: whole }))), toHex(encodePolicy(source())));
});

test("policy: what no door asks for is left out, and equal policies have equal bytes", (t) => {
  const idle = [
    { person: "ann", course: "welding", untilMs: 7 },
    { person: "nobody", untilMs: 7 },
  ];
  const bytes = encodePolicy(source({ doors, terms: [...whole, ...idle].reverse() }));
  t.is(toHex(bytes), toHex(encodePolicy(source({ doors, terms: whole }))));
  t.is(decodePolicy(bytes).terms.size, whole.length);
  const coursesAlone = { lathe: { minLevel: 0, certificates: ["lathe", "safety"] } };
  t.is(
    decodePolicy(encodePolicy(source({ doors: coursesAlone, terms: whole }))).terms.size,
    2,
    "no door asks for dues",
  );
  t.throws(() => encodePolicy(source({ doors, terms: [...whole, safe] })), { code: "INPUT_INVALID" });
  t.throws(() => encodePolicy(source({ doors, terms: [{ person: "bob", untilMs: -1 }] })), { code: "INPUT_INVALID" });
});

test("policy: cut short anywhere, or changed so that a look-up would be misled, it is refused", (t) => {
  const bytes = encodePolicy(source({ doors, terms: whole }));
  const refused = { code: "POLICY_INVALID" };
  for (let length = 0; length < bytes.length; length += 1)
    t.throws(() => decodePolicy(bytes.slice(0, length)), refused);
  const map = decodeCanonical(bytes) as Record<string, Canonical>;
  const made = (changes: Record<string, Canonical>) => encodeCanonical({ ...map, ...changes });
  t.notThrows(() => decodePolicy(made({})));
  const terms = map["terms"] as Uint8Array;
  const swapped = new Uint8Array([...terms.slice(12, 24), ...terms.slice(0, 12), ...terms.slice(24)]);
  for (const changes of [
    { v: 1 },
    { v: 3 },
    { courses: ["lathe"] },
    { courses: ["safety", "lathe"] },
    { terms: swapped },
    { terms: terms.slice(1) },
    { terms: terms.map((byte, index) => (index === 5 ? 3 : byte)) },
    { terms: terms.map((byte, index) => (index === 0 ? 1 : byte)) },
    { doors: { front: { minLevel: 0 } } },
    { doors: { lathe: { minLevel: 0, certificates: ["safety", "lathe"] } } },
    { doors: { lathe: { minLevel: 0, certificates: [] } } },
    { doors: { lathe: { minLevel: 0, grace: -1, certificates: ["lathe", "safety"] } } },
  ] as Record<string, Canonical>[])
    t.throws(() => decodePolicy(made(changes)), refused, JSON.stringify(changes));
});

const circumstances = {
  door: "lathe",
  reader: "r",
  at: AT,
  quality: "system",
  mono: 5n,
  boot: 1,
  bits: 26,
  latencyUs: 9,
} as const;

test("[A2] a swipe keeps all that stood in the way, and its replay finds what was left out or added", (t) => {
  const snapshot = withTerms([safe]);
  const event = swipeEvent(circumstances, decide(snapshot, at(AT)));
  t.deepEqual(event.also, [["certificate_missing", "certificate:lathe"]]);
  const read = parseSwipe(encodeSwipe(event));
  t.deepEqual(read, event);
  t.is(contradictionOf(read, snapshot), undefined);
  const { also: _, ...without } = event;
  t.is(contradictionOf(without, snapshot), "also is nothing, but certificate_missing (certificate:lathe) follows");
  const more = { ...event, also: [...event.also!, ["level_too_low", "level>=9"] as const] };
  t.regex(contradictionOf(more, snapshot) ?? "", /^also is .*level_too_low \(level>=9\), but/);
  const body = encodeSwipe(event) as Record<string, Canonical>;
  for (const also of [[], "x", [["granted"]], [["no reason", "r"]], [[1, "r"]], Array(33).fill(["granted", "r"])])
    t.throws(() => parseSwipe({ ...body, also: also as Canonical }), { code: "INPUT_INVALID" });
  t.is(event.policy, POLICY_ID);
  t.is(event.cred, refOfCard(CARD_BOB));
});
