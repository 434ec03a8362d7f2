import test from "ava";
import fc from "fast-check";
import {
  credentialRef,
  type DecisionInput,
  DOOR_INIT,
  type DoorInput,
  type DoorState,
  decide,
  decodePolicy,
  encodePolicy,
  parseFrame,
  REASON_CODES,
  stepDoor,
} from "../../lib/access/index.ts";
import { flip, HOUR_MS, inForce, MAC, POLICY_ID, refOfCard, source, w26 } from "../support/policy-fixtures.ts";

const card = fc.integer({ min: 0, max: 2 ** 24 - 1 });

test("frame: for every card one flipped bit, anywhere, is refused", (t) => {
  fc.assert(fc.property(card, fc.nat(25), (number, at) => !parseFrame(flip(w26(number), at)).ok));
  t.pass();
});

test("[A6] credential: a swiped card and its row in a list meet in one reference, two cards never", (t) => {
  const swiped = (number: number): string => {
    const frame = parseFrame(w26(number));
    return frame.ok ? credentialRef(MAC, frame.credential) : "";
  };
  fc.assert(fc.property(card, card, (a, b) => swiped(a) === refOfCard(a) && (a === b || swiped(a) !== swiped(b))));
  t.pass();
});

test("policy: a look-up finds what is there and nothing else", (t) => {
  const refs = fc.uniqueArray(fc.integer({ min: 0, max: 400 }).map((n) => n.toString(16).padStart(32, "0")));
  const finds = (present: string[], asked: string[]): boolean => {
    const credentials = present.map((ref, index) => ({
      ref,
      person: index % 2 === 0 ? "ann" : "bob",
      isDenied: index % 3 === 0,
    }));
    const policy = decodePolicy(encodePolicy(source({ credentials })));
    return asked.concat(present).every((ref) => {
      const row = credentials.find((candidate) => candidate.ref === ref);
      const found = policy.credentials.find(ref);
      if (row === undefined || found === undefined) return row === found;
      return policy.people.at(found.personIndex).id === row.person && found.isDenied === row.isDenied;
    });
  };
  fc.assert(fc.property(refs, refs, finds));
  t.pass();
});

const reference = fc.oneof(
  card.map(refOfCard),
  fc.constantFrom(...source().credentials.map(({ ref }) => ref)),
  fc.string(),
);
const input: fc.Arbitrary<DecisionInput> = fc.record(
  {
    frame: fc.constantFrom({ ok: true } as const, { ok: false, reason: "frame_parity" } as const),
    ref: reference,
    door: fc.constantFrom("front", "laser", "cellar", "__proto__", ""),
    wallMs: fc.integer({ min: 0, max: 1500 * HOUR_MS }),
    clockQuality: fc.constantFrom("system", "steered", "suspect"),
  },
  { requiredKeys: ["frame", "door", "wallMs", "clockQuality"] },
);

test("[A2] decide: the same input gives the same decision, from the same snapshot read twice", (t) => {
  const bytes = encodePolicy(source());
  const read = () => ({ id: POLICY_ID, policy: decodePolicy(bytes) });
  const first = read();
  fc.assert(
    fc.property(input, (swipe) => {
      const before = JSON.stringify(swipe);
      const decision = decide(first, swipe);
      t.deepEqual(decide(first, swipe), decision);
      t.deepEqual(decide(read(), swipe), decision);
      t.is(JSON.stringify(swipe), before);
    }),
  );
});

test("[A1] decide: every decision has a known reason, and only `granted` grants", (t) => {
  const policies = fc.constantFrom(undefined, inForce());
  fc.assert(
    fc.property(policies, input, (policy, swipe) => {
      const { outcome, reason, rule } = decide(policy, swipe);
      return REASON_CODES.includes(reason) && rule.length > 0 && (outcome === "grant") === (reason === "granted");
    }),
  );
  t.pass();
});

const doorInput: fc.Arbitrary<DoorInput> = fc.oneof(
  fc.record({
    type: fc.constant("granted" as const),
    nowNs: fc.bigInt(0n, 10n ** 12n),
    unlockMs: fc.integer({ min: 1, max: 240_000 }),
  }),
  fc.constantFrom({ type: "elapsed" } as const, { type: "released" } as const, { type: "lock" } as const),
);

test("[A4] door machine: only a grant energises, for 240 s at most, and elapsed then released always ends locked", (t) => {
  fc.assert(
    fc.property(fc.array(doorInput), (inputs) => {
      let state: DoorState = DOOR_INIT;
      let nowNs = 0n;
      for (const given of inputs) {
        nowNs += given.type === "granted" ? given.nowNs : 0n; // The monotonic clock never goes back.
        const step = stepDoor(state, given.type === "granted" ? { ...given, nowNs } : given);
        const energises = step.outputs.filter((output) => output.type === "energise");
        if (energises.length > 0 && (given.type !== "granted" || state.name === "init")) return false;
        if (energises.some(({ forMs }) => !(forMs > 0 && forMs <= 240_000))) return false;
        state = step.state;
      }
      return stepDoor(stepDoor(state, { type: "elapsed" }).state, { type: "released" }).state.name === "locked";
    }),
  );
  t.pass();
});
