import test from "ava";
import { decide, type FrameReason } from "../../lib/access/index.ts";
import {
  CARD_ANN,
  CARD_ANN_LOST,
  CARD_BOB,
  CARD_EVE,
  CARD_FIRE,
  HOUR_MS,
  inForce,
  POLICY_ID,
  refOfCard,
  swipeOf,
} from "../support/policy-fixtures.ts";

const NOBODY = 9999;

test("[A1] decide: a grant names the rule, the snapshot, the card and the person", (t) => {
  t.deepEqual(decide(inForce(), swipeOf(CARD_BOB)), {
    ...{ outcome: "grant", reason: "granted", rule: "level>=0", policy: POLICY_ID },
    ...{ credential: refOfCard(CARD_BOB), person: "bob" },
  });
});

const DENIALS = [
  ["policy_missing", decide(undefined, swipeOf(CARD_ANN))],
  ["policy_expired", decide(inForce(), swipeOf(CARD_ANN, { wallMs: 1336 * HOUR_MS }))],
  ["door_unknown", decide(inForce(), swipeOf(CARD_ANN, { door: "cellar" }))],
  ["unknown_credential", decide(inForce(), swipeOf(NOBODY))],
  ["credential_denied", decide(inForce(), swipeOf(CARD_ANN_LOST))],
  ["person_disabled", decide(inForce(), swipeOf(CARD_EVE))],
  ["level_too_low", decide(inForce(), swipeOf(CARD_BOB, { door: "laser" }))],
] as const;

for (const [reason, decision] of DENIALS) {
  test(`[A1] decide: ${reason} denies and says so`, (t) => {
    t.is(decision.outcome, "deny");
    t.is(decision.reason, reason);
  });
}

for (const reason of ["frame_parity", "frame_length", "frame_fault"] satisfies FrameReason[]) {
  test(`[A1] decide: a frame refused for ${reason} is denied before any card is looked up`, (t) => {
    const looksUp = { ...inForce(), policy: new Proxy(inForce().policy, { get: () => t.fail("looked up") }) };
    t.deepEqual(decide(looksUp, swipeOf(CARD_ANN, { frame: { ok: false, reason } })), {
      ...{ outcome: "deny", reason, rule: "frame", policy: null },
    });
  });
}

test("[A1] decide: the first step that does not pass gives the reason", (t) => {
  const expired = { wallMs: 1336 * HOUR_MS };
  t.is(decide(undefined, swipeOf(CARD_ANN, expired)).reason, "policy_missing");
  t.is(decide(inForce(), swipeOf(NOBODY, { ...expired, door: "cellar" })).reason, "policy_expired");
  t.is(decide(inForce(), swipeOf(NOBODY, { door: "cellar" })).reason, "door_unknown");
  const lostByEve = inForce({ credentials: [{ ref: refOfCard(1), person: "eve", isDenied: true }] });
  t.is(decide(lostByEve, swipeOf(1, { door: "laser" })).reason, "credential_denied");
  const lowEve = inForce({
    people: [{ id: "eve", level: -2, isDisabled: true }],
    credentials: [{ ref: refOfCard(1), person: "eve" }],
  });
  t.is(decide(lowEve, swipeOf(1)).reason, "person_disabled");
});

test("decide: the soft expiry raises an alarm and changes nothing else", (t) => {
  const before = decide(inForce(), swipeOf(CARD_ANN, { wallMs: 1024 * HOUR_MS - 1 }));
  t.is(before.alarm, undefined);
  t.deepEqual(decide(inForce(), swipeOf(CARD_ANN, { wallMs: 1024 * HOUR_MS })), { ...before, alarm: "policy-stale" });
});

test("decide: past the hard expiry only an emergency card opens, with an alarm", (t) => {
  const late = { wallMs: 1336 * HOUR_MS };
  t.like(decide(inForce(), swipeOf(CARD_FIRE, late)), { outcome: "grant", alarm: "policy-expired" });
  t.like(decide(inForce(), swipeOf(CARD_ANN, late)), { outcome: "deny", alarm: "policy-expired" });
  t.like(decide(inForce(), swipeOf(CARD_FIRE)), { outcome: "grant", alarm: undefined });
});

test("decide: a clock that cannot be right lets people in and tells somebody", (t) => {
  t.like(decide(inForce(), swipeOf(CARD_ANN, { wallMs: 0 })), { outcome: "grant", alarm: "clock-suspect" });
  t.like(decide(inForce(), swipeOf(CARD_ANN, { clockQuality: "suspect" })), {
    outcome: "grant",
    alarm: "clock-suspect",
  });
});
