import test from "ava";
import {
  contradictionOf,
  decide,
  encodeSwipe,
  parseSwipe,
  type SwipeEvent,
  swipeEvent,
} from "../../lib/access/index.ts";
import { type Canonical, decodeCanonical, encodeCanonical } from "../../lib/codec/index.ts";
import { CARD_ANN, CARD_ANN_LOST, inForce, swipeOf } from "../support/policy-fixtures.ts";

function eventOf(card: number): SwipeEvent {
  const input = swipeOf(card);
  const circumstances = {
    door: "front",
    reader: "front-door",
    at: input.wallMs,
    quality: "system",
    mono: 2n ** 60n,
  } as const;
  return swipeEvent({ ...circumstances, boot: 2, bits: 26, latencyUs: 900 }, decide(inForce(), input));
}

const fields = (event: SwipeEvent): Record<string, Canonical> => ({ ...(encodeSwipe(event) as object) });

test("swipe: an event comes back from its canonical bytes", (t) => {
  for (const event of [eventOf(CARD_ANN), { ...eventOf(CARD_ANN), mono: 5n }]) {
    t.deepEqual(parseSwipe(decodeCanonical(encodeCanonical(encodeSwipe(event)))), event);
  }
});

test("swipe: a refused frame is logged as such, with no card", (t) => {
  const decision = decide(inForce(), swipeOf(CARD_ANN, { frame: { ok: false, reason: "frame_parity" } }));
  const event = swipeEvent({ ...eventOf(CARD_ANN), bits: 26 }, decision);
  t.like(event, { outcome: "frame_error", reason: "frame_parity", cred: null, person: null, policy: null });
  t.is(contradictionOf(event, undefined), undefined);
});

test("[A2] swipe: an honest event follows when decided again", (t) => {
  t.is(contradictionOf(eventOf(CARD_ANN), inForce()), undefined);
  t.is(contradictionOf(eventOf(CARD_ANN_LOST), inForce()), undefined);
});

const LIES: Partial<SwipeEvent>[] = [
  { outcome: "grant", reason: "granted" },
  { reason: "level_too_low" },
  { person: "bob" },
  { rule: "level>=4" },
  { alarm: "policy-stale" },
  { at: 0 },
  { door: "cellar" },
];

for (const lie of LIES) {
  test(`[A2] swipe: an event with ${JSON.stringify(lie)} changed does not follow`, (t) => {
    t.is(typeof contradictionOf({ ...eventOf(CARD_ANN_LOST), ...lie }, inForce()), "string");
  });
}

test("[A2] swipe: an event does not follow from another snapshot", (t) => {
  t.is(typeof contradictionOf(eventOf(CARD_ANN), undefined), "string");
  t.is(typeof contradictionOf(eventOf(CARD_ANN), inForce({ credentials: [] })), "string");
});

test("swipe: a body with a field missing, strange or malformed is refused by name", (t) => {
  for (const key of Object.keys(fields(eventOf(CARD_ANN)))) {
    const { [key]: _, ...rest } = fields(eventOf(CARD_ANN));
    t.throws(() => parseSwipe(rest), { code: "INPUT_INVALID", message: new RegExp(`${key} `) });
    t.throws(() => parseSwipe({ ...rest, [key]: [] }), { code: "INPUT_INVALID" });
  }
  t.throws(() => parseSwipe({ ...fields(eventOf(CARD_ANN)), card: "0004134419" }), { code: "INPUT_INVALID" });
  for (const body of [null, 1, "swipe", []]) t.throws(() => parseSwipe(body), { code: "INPUT_INVALID" });
});
