import test from "ava";
import fc from "fast-check";
import { decide, parseFrame } from "../../lib/access/index.ts";
import { flip, inForce, swipeOf, w26 } from "../support/policy-fixtures.ts";
import { readerHarness } from "../support/reader-harness.ts";

const bits = fc.array(fc.constantFrom("0", "1"), { minLength: 1, maxLength: 64 }).map((list) => list.join(""));
const intervalMs = fc.integer({ min: 2, max: 200 }).map((tenths) => tenths / 10);

test("reader: any train of edges comes out as the bits that went in, once, when its gap has passed", async (t) => {
  await fc.assert(
    fc.asyncProperty(bits, intervalMs, async (sent, interval) => {
      const { clock, reader, frames, faults, send } = readerHarness();
      send(sent, interval);
      const lastEdgeNs = clock.monoNs();
      clock.advance(30);
      await reader.settled();
      t.deepEqual(
        frames.map((frame) => [frame.bits, frame.fault, frame.lastEdgeNs]),
        [[sent, "none", lastEdgeNs]],
      );
      t.is(faults.length, sent === "111" ? 1 : 0);
    }),
    { numRuns: 50 },
  );
});

test("reader: two frames a gap apart stay two", async (t) => {
  await fc.assert(
    fc.asyncProperty(bits, bits, intervalMs, async (first, second, interval) => {
      const { clock, reader, frames, send } = readerHarness();
      send(first, interval);
      clock.advance(26);
      send(second, interval);
      clock.advance(26);
      await reader.settled();
      t.deepEqual(
        frames.map((frame) => frame.bits),
        [first, second],
      );
    }),
    { numRuns: 50 },
  );
});

test("reader: one flipped bit on the wire never looks up a card", async (t) => {
  const unread = { ...inForce(), policy: new Proxy(inForce().policy, { get: () => t.fail("looked up") }) };
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 24 - 1 }), fc.nat(25), async (card, at) => {
      const { clock, reader, frames, send } = readerHarness();
      send(flip(w26(card), at), 1);
      clock.advance(30);
      await reader.settled();
      const frame = parseFrame(frames[0]!.bits, frames[0]!.fault);
      t.like(decide(unread, swipeOf(card, { frame })), {
        outcome: "deny",
        reason: "frame_parity",
        credential: undefined,
      });
    }),
    { numRuns: 100 },
  );
});
