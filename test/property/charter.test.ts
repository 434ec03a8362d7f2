/** What the charter becomes does not depend on the order in which anything arrives. */
import test from "ava";
import fc from "fast-check";
import { type Canonical, encodeEnvelope } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import {
  type Act,
  admit,
  type Genesis,
  initialCharterState,
  OverlayState,
  parseGenesis,
  parseMerge,
  performAct,
  resolveOperation,
  validateOperation,
} from "../../lib/ledger/index.ts";
import { mergePending, TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";

const people = ["ana", "ben", "cleo", "dan"];
const principals: Genesis["principals"] = ["office", ...people].map((id, index) => ({
  id,
  devices: [testKey(index + 1).publicKey],
  roles: id === "office" ? ["founder"] : ["device"],
  recovery: null,
}));
const { charter } = testOrganisation({ principals });

const id = fc.constantFrom("office", ...people, "eve");
const key = fc.integer({ min: 1, max: 12 }).map((byte) => testKey(byte).publicKey as string);
const keys = key.map((each) => [{ key: each, name: "new" }]);
const operation: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ type: fc.constant("principal.add"), body: fc.record({ id, roles: fc.constant(["device"]) }) }),
  fc.record({ type: fc.constant("principal.remove"), body: fc.record({ id }) }),
  fc.record({ type: fc.constant("device.add"), body: fc.record({ key, principal: id, name: fc.constant("x") }) }),
  fc.record({ type: fc.constant("device.revoke"), body: fc.record({ key }) }),
  fc.record({
    type: fc.constantFrom("role.grant", "role.revoke"),
    body: fc.record({ principal: id, role: fc.constantFrom("founder", "device") }),
  }),
  fc.record({
    type: fc.constant("guardians.set"),
    body: fc.record({
      principal: id,
      guardians: fc.constantFrom(["ana", "ben"], ["ben", "cleo", "dan"]) as fc.Arbitrary<Canonical>,
      threshold: fc.integer({ min: 1, max: 2 }),
    }),
  }),
  fc.record({
    type: fc.constantFrom("principal.rotate", "principal.recover"),
    body: fc.record({ principal: id, keys, recovery: fc.constant(null) }) as fc.Arbitrary<Canonical>,
  }),
);

function started(): OverlayState {
  return new OverlayState(undefined, initialCharterState(parseGenesis(charter.d)));
}

test("ledger: resolve depends on the set of ballots, not on their order or repetition", (t) => {
  const check = (acts: Act[], op: Act, ballots: string[], mix: number): void => {
    const state = started();
    for (const each of acts) {
      const done = performAct(each, "office", state);
      if (!("why" in done)) state.apply(done);
    }
    state.apply([["guardians/dan", { guardians: ["ana", "ben", "cleo"], threshold: 2 }]]);
    const valid = validateOperation(op);
    if ("why" in valid) return;
    const turn = mix % Math.max(1, ballots.length);
    const mixed = [...ballots.slice(turn).reverse(), ...ballots, ...ballots.slice(0, turn)];
    t.deepEqual(resolveOperation(valid, mixed, state), resolveOperation(valid, ballots, state));
  };
  const ballots = fc.array(fc.constantFrom("office", ...people), { minLength: 1, maxLength: 5 });
  t.notThrows(() =>
    fc.assert(fc.property(fc.array(operation, { maxLength: 4 }), operation, ballots, fc.nat(), check), {
      numRuns: 300,
    }),
  );
});

interface Step {
  readonly author: number;
  readonly act: Act;
  readonly onTop: number;
}

test("[L12] the charter's state does not depend on the order in which its entries arrive", (t) => {
  const step = fc.record({ author: fc.nat(4), act: operation, onTop: fc.nat(4) });
  const history = fc.array(step, { minLength: 1, maxLength: 12 }).chain((steps) =>
    fc.record({
      steps: fc.constant(steps),
      order: fc.shuffledSubarray([...steps.keys(), ...steps.keys()], { minLength: steps.length * 2 }),
      piece: fc.integer({ min: 1, max: 6 }),
    }),
  );
  const check = ({ steps, order, piece }: { steps: Step[]; order: number[]; piece: number }): void => {
    const logs = principals.map((_, index) => new TestLog(testKey(index + 1), charter.id));
    const blocks = steps.map(({ author, act, onTop }) => {
      const log = logs[author] as TestLog;
      const other = (logs[onTop] as TestLog).blocks.at(-1);
      const parents = [...(log.blocks.length === 0 ? [charter] : []), ...(other === undefined ? [] : [other])];
      return log.entry([act], parents, "charter");
    });
    const [one, two] = [LedgerDb.open(":memory:"), LedgerDb.open(":memory:")];
    for (const db of [one, two]) db.ingest([charter]);
    one.ingest(blocks);
    let waiting: Uint8Array[] = [];
    const envelopes = order.map((index) => encodeEnvelope(blocks[index] as (typeof blocks)[0]));
    for (let at = 0; at < envelopes.length; at += piece) {
      const { admitted, orphans } = admit([...waiting, ...envelopes.slice(at, at + piece)], two.admitView(charter.id));
      two.ingest(admitted);
      waiting = orphans.map(({ block }) => encodeEnvelope(block));
    }
    const made = mergePending(one, new TestLog(testKey(1), charter.id, "00000000000000ff"), {}, "charter");
    one.applyMerge("charter", made.merge, made.payload, made.changes);
    const again = mergePending(two, new TestLog(testKey(1), charter.id, "00000000000000fe"), {}, "charter");
    t.deepEqual(again.changes, made.changes, "worked out from its own order of taking in");
    two.ingest([made.merge]);
    two.applyMerge("charter", made.merge, parseMerge(made.merge.d), again.changes);
    t.deepEqual(two.stateRoots("charter"), one.stateRoots("charter"));
    t.deepEqual(two.voids("charter"), one.voids("charter"));
    one.close();
    two.close();
  };
  t.notThrows(() => fc.assert(fc.property(history, check), { numRuns: 60 }));
});
