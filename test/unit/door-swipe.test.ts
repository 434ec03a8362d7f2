import test from "ava";
import { parseSwipe } from "../../lib/access/index.ts";
import { handleSwipe, type SwipeContext } from "../../lib/agent/door/swipe.ts";
import { FakeClock, GdoError, silentLog } from "../../lib/base/index.ts";
import type { ReaderFrame } from "../../lib/device/index.ts";
import type { Act } from "../../lib/ledger/index.ts";
import { CARD_ANN, CARD_ANN_LOST, HOUR_MS, inForce, MAC, w26 } from "../support/policy-fixtures.ts";

const frameOf = (bits: string): ReaderFrame => ({
  ...{ reader: "front-door", bits, fault: "none", wallMs: 1001 * HOUR_MS },
  ...{ lastEdgeNs: 5n, lastEdgeStopwatchNs: 0n },
});

function setup(changes: Partial<SwipeContext> = {}) {
  const happened: string[] = [];
  const acts: Act[] = [];
  const errors: string[] = [];
  const stopwatch = new FakeClock();
  stopwatch.advance(12);
  const append = (act: Act) => {
    happened.push("logged");
    acts.push(act);
    return { n: 41 + acts.length } as never;
  };
  const grant = async (unlockMs: number) => {
    happened.push(`unlocked ${unlockMs}`);
    return true;
  };
  const context: SwipeContext = {
    ...{ mac: MAC, doorLog: { append }, boot: 3, clockQuality: "system", stopwatch, onLogFailure: "deny" },
    log: { ...silentLog, error: (message) => void errors.push(message) },
    inForce,
    ...changes,
  };
  const point = { id: "front", latch: { grant }, unlockMs: 5000 };
  return { context, point, happened, acts, errors };
}

const failingLog = {
  append: () => {
    throw new GdoError("IO", "disk full");
  },
};

test("[A3] swipe: the event is kept before the strike is energised", async (t) => {
  const { acts, context, happened, point } = setup();
  const report = await handleSwipe(context, point, frameOf(w26(CARD_ANN)));
  t.deepEqual(happened, ["logged", "unlocked 5000"]);
  t.deepEqual(report, { logged: 42, edgeToStrikeUs: 12_000, decisionUs: 0, reasons: ["granted"] });
  t.like(parseSwipe(acts[0]!.body), { outcome: "grant", latencyUs: 12_000, boot: 3, bits: 26, mono: 5n });
});

test("[A1] swipe: a denial is kept and energises nothing", async (t) => {
  const { context, happened, point } = setup();
  t.deepEqual(await handleSwipe(context, point, frameOf(w26(CARD_ANN_LOST))), {
    logged: 42,
    edgeToStrikeUs: null,
    decisionUs: 0,
    reasons: ["credential_denied"],
  });
  t.deepEqual(happened, ["logged"]);
});

test("[A3] swipe: a grant that cannot be kept opens nothing, with an alarm", async (t) => {
  const { context, errors, happened, point } = setup({ doorLog: failingLog });
  t.deepEqual(await handleSwipe(context, point, frameOf(w26(CARD_ANN))), {
    logged: null,
    edgeToStrikeUs: null,
    decisionUs: 0,
    reasons: ["granted"],
  });
  t.deepEqual(happened, []);
  t.regex(errors[0]!, /alarm/);
});

test("[A3] swipe: on_log_failure open lets the granted in, and only them, with an alarm", async (t) => {
  const { context, errors, happened, point } = setup({ doorLog: failingLog, onLogFailure: "open" });
  const report = await handleSwipe(context, point, frameOf(w26(CARD_ANN)));
  t.is(report.logged, null);
  await handleSwipe(context, point, frameOf(w26(CARD_ANN_LOST)));
  t.deepEqual(happened, ["unlocked 5000"]);
  t.is(errors.length, 2);
});

test("swipe: a strike that fails is said, and the swipe stays logged", async (t) => {
  const { context, errors, point } = setup();
  const grant = () => Promise.reject(new GdoError("LINE_INVALID", "no such line"));
  const report = await handleSwipe(context, { ...point, latch: { grant } }, frameOf(w26(CARD_ANN)));
  t.deepEqual(report, { logged: 42, edgeToStrikeUs: null, decisionUs: 0, reasons: ["granted"] });
  t.is(errors.length, 1);
});
