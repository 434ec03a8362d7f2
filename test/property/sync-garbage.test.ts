import test from "ava";
import fc from "fast-check";
import { type Hash, hashOf32, SeededRng } from "../../lib/base/index.ts";
import { keyFromSeed } from "../../lib/codec/index.ts";
import { encodeFrame, type Frame, helloTopic, inboxTopic, liveTopic, SyncPeer } from "../../lib/sync/index.ts";
import { signHello } from "../../lib/sync/wire/frames.ts";

const hash = (byte: number): Hash => hashOf32(new Uint8Array(32).fill(byte));
const ORG = hash(9);
const self = keyFromSeed(new Uint8Array(32).fill(1));
const other = keyFromSeed(new Uint8Array(32).fill(2));
const topics = [
  liveTopic(ORG),
  inboxTopic(ORG, self.publicKey),
  helloTopic(ORG, other.publicKey),
  helloTopic(ORG, self.publicKey),
  "gdo1/x/live",
  "",
];

function newPeer(): SyncPeer {
  const peer = new SyncPeer({
    organisation: ORG,
    pair: self,
    rng: new SeededRng(1),
    isKnownNode: () => true,
    checkObject: () => false,
  });
  peer.step({ type: "connected" });
  peer.step({ type: "local", frontier: [{ author: self.publicKey, l: "00".repeat(8), n: 9 }], finals: [] });
  peer.step({ type: "tick", nowMs: 0 });
  return peer;
}

/** Random bytes of any length up to 70 KiB, from a seed: fast-check alone would hardly ever make long ones. */
const garbage = fc.tuple(fc.nat(), fc.oneof(fc.nat({ max: 400 }), fc.nat({ max: 70 * 1024 }))).map(([seed, length]) => {
  return new SeededRng(seed).bytes(length);
});

test("[S5] garbage of any length on any topic is refused, counted and harmless", (t) => {
  const peer = newPeer();
  let counted = 0;
  const check = (bytes: Uint8Array, topic: string): void => {
    const outputs = peer.step({ type: "message", topic, bytes, nowMs: 1 });
    const isWill = bytes.length === 0 && topic.includes("/hello/");
    const refused = outputs.filter((output) => output.type === "refused").length;
    t.is(refused, isWill ? 0 : 1);
    t.deepEqual(
      outputs.filter(({ type }) => type !== "refused" && type !== "wake"),
      [],
    );
    counted += refused;
  };
  fc.assert(fc.property(garbage, fc.constantFrom(...topics), check), { numRuns: 1000 });
  t.true(counted > 900);
  t.true(peer.peers().every(({ isPresent }) => !isPresent));
});

const key = other.publicKey;
const frames: Frame[] = [
  signHello(ORG, other, { digest: hash(5), finals: [], frameBytesMax: 16_384, creditBytes: 1 }),
  {
    type: "front",
    key,
    digest: hash(1),
    window: { from: "0000000000000000", to: "" },
    tips: [["1111111111111111", 3]],
    isAnswer: false,
    creditBytes: 9000,
  },
  {
    type: "repair",
    key,
    windows: [{ from: "1111111111111111", to: "", print: "2222222222222222" }],
    claims: [["1111111111111111", 3, "2222222222222222"]],
    versions: [["1111111111111111", 3, "2222222222222222"]],
    wants: [["1111111111111111", 3, "2222222222222222"]],
    isAnswer: false,
    creditBytes: 9000,
  },
  { type: "want", key, ranges: [["1111111111111111", 0, 3]], ids: [hash(1)], creditBytes: 9000 },
  {
    type: "data",
    key,
    envelopes: [new Uint8Array(40)],
    pieces: [{ kind: "block", id: hash(1), offset: 0, totalBytes: 100, bytes: new Uint8Array(30) }],
    lacks: [hash(3)],
    end: "blocks",
  },
];

test("[S5] a frame with changed bytes never makes the step throw, and never spoils what follows", (t) => {
  const peer = newPeer();
  const check = (frame: Frame, edits: [number, number][], topic: string): void => {
    const bytes = encodeFrame(frame);
    for (const [at, value] of edits) bytes[at % bytes.length] = value;
    t.notThrows(() => peer.step({ type: "message", topic, bytes, nowMs: 1 }));
  };
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(fc.constantFrom(...frames), edits, fc.constantFrom(...topics), check), { numRuns: 3000 });
  const hello = encodeFrame(frames[0] as Frame);
  peer.step({ type: "message", topic: helloTopic(ORG, key), bytes: hello, nowMs: 1_000_000 });
  t.true(peer.peers().some((status) => status.key === key && status.isPresent));
});
