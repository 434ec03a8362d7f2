import test from "ava";
import { WiegandDecoder, type WiegandFrame } from "../../lib/addon.ts";

const US = 1_000n;
const MS = 1_000_000n;
const card = "10110011100011110000111110";

/** Sends the bits, the first at `startNs`; gives the last edge's time and the frames that ended meanwhile. */
function send(decoder: WiegandDecoder, bits: string, startNs: bigint, intervalNs: bigint) {
  const ended: WiegandFrame[] = [];
  for (const [index, bit] of [...bits].entries()) {
    const frame = decoder.edge(bit === "1" ? 1 : 0, startNs + BigInt(index) * intervalNs);
    if (frame !== undefined) ended.push(frame);
  }
  return { lastEdgeNs: startNs + BigInt(bits.length - 1) * intervalNs, ended };
}

test("[N5] wiegand: a frame ends four intervals after its last edge, with its bits as they came", (t) => {
  const decoder = new WiegandDecoder();
  t.is(decoder.deadlineNs(), undefined);
  const { lastEdgeNs } = send(decoder, card, 10n * MS, 2n * MS);
  t.is(decoder.deadlineNs(), lastEdgeNs + 8n * MS);
  t.is(decoder.poll(lastEdgeNs + 8n * MS - 1n), undefined);
  t.deepEqual(decoder.poll(lastEdgeNs + 8n * MS), { bits: card, lastEdgeNs, fault: "none" });
  t.is(decoder.deadlineNs(), undefined);
});

test("[N5] wiegand: the gap is at least 3 ms and at most 25 ms", (t) => {
  for (const [intervalNs, gapNs] of [
    [200n * US, 3n * MS],
    [750n * US, 3n * MS],
    [1n * MS, 4n * MS],
    [20n * MS, 25n * MS],
  ] as const) {
    const decoder = new WiegandDecoder();
    const { lastEdgeNs, ended } = send(decoder, card, 0n, intervalNs);
    t.deepEqual(ended, []);
    t.is(decoder.deadlineNs(), lastEdgeNs + gapNs);
  }
});

test("[N5] wiegand: two cards 30 ms apart are two frames, without a poll between them", (t) => {
  const other = card.replace("11", "00");
  for (const intervalNs of [200n * US, 2n * MS, 20n * MS]) {
    const decoder = new WiegandDecoder();
    const first = send(decoder, card, 0n, intervalNs);
    const second = send(decoder, other, first.lastEdgeNs + 30n * MS, intervalNs);
    t.deepEqual(second.ended, [{ bits: card, lastEdgeNs: first.lastEdgeNs, fault: "none" }]);
    t.is(decoder.poll(second.lastEdgeNs + 25n * MS)?.bits, other);
  }
});

test("[N5] wiegand: half a frame ends on its own and takes nothing from the next card", (t) => {
  const decoder = new WiegandDecoder();
  const half = send(decoder, card.slice(0, 13), 0n, 1n * MS);
  t.is(decoder.poll(half.lastEdgeNs + 4n * MS)?.bits, card.slice(0, 13));
  const whole = send(decoder, card, 100n * MS, 1n * MS);
  t.is(decoder.poll(whole.lastEdgeNs + 4n * MS)?.bits, card);
});

test("[N5] wiegand: a lone edge waits for the slowest reader, then ends as one bit", (t) => {
  const decoder = new WiegandDecoder();
  decoder.edge(1, 0n);
  t.is(decoder.deadlineNs(), 25n * MS);
  t.is(decoder.poll(25n * MS)?.bits, "1");
});

test("[N5] wiegand: edges closer than 100 us are told as a fault, bits kept", (t) => {
  const decoder = new WiegandDecoder();
  const { lastEdgeNs } = send(decoder, card, 0n, 1n * MS);
  decoder.edge(0, lastEdgeNs + 99n * US);
  const frame = decoder.poll(lastEdgeNs + 50n * MS);
  t.is(frame?.fault, "short_interval");
  t.is(frame?.bits, `${card}0`);
});

test("[N5] wiegand: more than 64 bits are an overrun, and the next card is read", (t) => {
  const decoder = new WiegandDecoder();
  const flood = send(decoder, "01".repeat(500), 0n, 1n * MS);
  const frame = decoder.poll(flood.lastEdgeNs + 4n * MS);
  t.is(frame?.fault, "overrun");
  t.is(frame?.bits, "01".repeat(32));
  t.is(frame?.lastEdgeNs, flood.lastEdgeNs);
  const honest = send(decoder, card, flood.lastEdgeNs + 30n * MS, 1n * MS);
  t.deepEqual(decoder.poll(honest.lastEdgeNs + 4n * MS)?.bits, card);
});

test("wiegand: a line that is not there and a time that is none are refused", (t) => {
  const decoder = new WiegandDecoder();
  t.throws(() => decoder.edge(2 as 0, 0n), { instanceOf: RangeError });
  for (const time of [5, -1n, 1n << 63n, undefined] as unknown as bigint[]) {
    t.throws(() => decoder.edge(0, time), { instanceOf: RangeError });
    t.throws(() => decoder.poll(time), { instanceOf: RangeError });
  }
  t.is(decoder.deadlineNs(), undefined);
});
