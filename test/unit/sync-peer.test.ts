import test from "ava";
import { type Hash, hashOf32, type PublicKey, SeededRng } from "../../lib/base/index.ts";
import { deriveHash, type KeyPair, keyFromSeed } from "../../lib/codec/index.ts";
import {
  encodeFrame,
  type Frame,
  helloTopic,
  inboxTopic,
  liveTopic,
  type SyncOutput,
  SyncPeer,
} from "../../lib/sync/index.ts";
import { signHello } from "../../lib/sync/wire/frames.ts";
import { tryDecodeFrame } from "../../lib/sync/wire/parse.ts";

const hash = (byte: number): Hash => hashOf32(new Uint8Array(32).fill(byte));
const ORG = hash(9);
const pairOf = (byte: number): KeyPair => keyFromSeed(new Uint8Array(32).fill(byte));
const self = pairOf(1);
const other = pairOf(2);
const stranger = pairOf(3);
const ANY_TIPS = { window: { from: "0000000000000000", to: "" }, tips: [] } as const;

function setup(known: PublicKey[] = [other.publicKey], revoked: PublicKey[] = []) {
  const peer = new SyncPeer({
    organisation: ORG,
    pair: self,
    rng: new SeededRng(1),
    isKnownNode: (key) => known.includes(key),
    isRevokedNode: (key) => revoked.includes(key),
    checkObject: (id, _kind, bytes) => deriveHash("gdo v1 blob", bytes) === id,
  });
  peer.step({ type: "connected" });
  peer.step({ type: "tick", nowMs: 0 });
  const send = (topic: string, frame: Frame | Uint8Array, nowMs = 0): SyncOutput[] => {
    const bytes = frame instanceof Uint8Array ? frame : encodeFrame(frame);
    return peer.step({ type: "message", topic, bytes, nowMs });
  };
  const toInbox = (frame: Frame | Uint8Array, nowMs = 0): SyncOutput[] =>
    send(inboxTopic(ORG, self.publicKey), frame, nowMs);
  return { peer, known, send, toInbox };
}

const refusals = (outputs: readonly SyncOutput[]): string[] =>
  outputs.flatMap((output) => (output.type === "refused" ? [output.why] : []));
const doings = (outputs: readonly SyncOutput[]): string[] =>
  outputs.map((output) => output.type).filter((type) => type !== "wake");
const hello = (pair: KeyPair, digest = hash(5)) => {
  return signHello(ORG, pair, {
    digest,
    finals: [{ branch: "main", h: 7, id: "ab".repeat(8) }],
    frameBytesMax: 16_384,
    creditBytes: 1,
  });
};
const data = (pair: KeyPair, fields: Partial<Extract<Frame, { type: "data" }>> = {}): Frame => {
  return {
    type: "data",
    key: pair.publicKey,
    envelopes: [new Uint8Array([1])],
    pieces: [],
    lacks: [],
    end: "none",
    ...fields,
  };
};

test("[S5] a stranger's HELLO is ignored and counted, not verified", (t) => {
  const { peer, send } = setup();
  const forged = { ...hello(stranger), signature: new Uint8Array(64) };
  for (const frame of [hello(stranger), forged]) {
    t.deepEqual(refusals(send(helloTopic(ORG, stranger.publicKey), frame)), ["stranger"]);
  }
  t.deepEqual(peer.peers(), []);
});

test("[S5] a stranger who becomes known is greeted by the HELLO that it left", (t) => {
  const { peer, send, known } = setup();
  send(helloTopic(ORG, stranger.publicKey), hello(stranger));
  known.push(stranger.publicKey);
  peer.step({ type: "local", frontier: [{ author: self.publicKey, l: "00".repeat(8), n: 0 }], finals: [] });
  t.like(peer.peers(), [{ key: stranger.publicKey, isPresent: true, finals: [{ branch: "main", h: 7 }] }]);
});

test("[S5] a stranger's question, blocks and objects are refused", (t) => {
  const { toInbox, send } = setup();
  const frames: Frame[] = [
    data(stranger),
    { type: "want", key: stranger.publicKey, ranges: [], ids: [hash(1)], creditBytes: 1000 },
    { type: "front", key: stranger.publicKey, digest: hash(1), ...ANY_TIPS, isAnswer: false, creditBytes: 1000 },
  ];
  for (const frame of frames) t.deepEqual(doings(toInbox(frame)), ["refused"]);
  t.deepEqual(refusals(send(liveTopic(ORG), data(stranger))), ["stranger"]);
});

test("[S7] a revoked device's HELLO leads to one farewell in ten minutes; all else it sends is refused", (t) => {
  const { peer, send, toInbox } = setup([other.publicKey], [stranger.publicKey]);
  const topic = helloTopic(ORG, stranger.publicKey);
  const forged = { ...hello(stranger), signature: new Uint8Array(64) };
  t.deepEqual(doings(send(topic, forged, 0)), ["refused"], "nobody is told for somebody else's HELLO");
  t.deepEqual(doings(send(topic, hello(stranger), 500)), ["refused"], "nor is each one verified");
  const outputs = send(topic, hello(stranger), 1_500);
  t.deepEqual(refusals(outputs), ["revoked"]);
  t.deepEqual(
    outputs.find(({ type }) => type === "serve-farewell"),
    { type: "serve-farewell", to: stranger.publicKey, finals: [{ branch: "main", h: 7, id: "ab".repeat(8) }] },
  );
  t.deepEqual(
    doings(send(topic, hello(stranger), 600_000)).filter((type) => type !== "publish"),
    ["refused"],
  );
  t.true(doings(send(topic, hello(stranger), 602_000)).includes("serve-farewell"), "it may have been lost");
  const want: Frame = { type: "want", key: stranger.publicKey, ranges: [], ids: [hash(1)], creditBytes: 1000 };
  t.deepEqual(refusals(toInbox(want, 602_000)), ["revoked"]);
  t.deepEqual(doings(toInbox(data(stranger), 602_000)), ["refused"]);
  t.deepEqual(peer.peers(), []);
});

test("[S7] a farewell comes in pieces, from a known peer, and is no longer than one may be", (t) => {
  const { toInbox } = setup();
  const bytes = new Uint8Array(40_000).fill(7);
  const giver = new SyncPeer({
    ...{ organisation: ORG, pair: other, rng: new SeededRng(1), isKnownNode: () => true, checkObject: () => false },
  });
  const frames = giver
    .farewellFor(self.publicKey, bytes)
    .flatMap((output) => (output.type === "publish" ? [output.bytes] : []));
  t.is(frames.length, 3);
  const outputs = frames.flatMap((frame) => toInbox(frame));
  t.deepEqual(
    outputs.filter(({ type }) => type !== "wake"),
    [{ type: "farewell", from: other.publicKey, bytes }],
  );
  const piece = {
    kind: "farewell",
    id: hash(1),
    offset: 0,
    totalBytes: 1024 * 1024 + 1,
    bytes: new Uint8Array(9),
  } as const;
  t.deepEqual(refusals(toInbox(data(other, { envelopes: [], pieces: [piece] }))), ["piece"]);
  const other9 = { ...piece, totalBytes: 9 };
  t.deepEqual(refusals(toInbox(data(other, { envelopes: [], pieces: [other9] }))), ["piece"], "not what it is named");
  const again = [...Array(10).keys()].flatMap(() => frames.flatMap((frame) => refusals(toInbox(frame))));
  t.true(again.includes("rate"), "each costs its receiver much");
});

test("[S5] a HELLO with a wrong signature, in another organisation or on another's topic is refused", (t) => {
  const { peer, send } = setup();
  const good = hello(other);
  const topic = helloTopic(ORG, other.publicKey);
  t.deepEqual(refusals(send(topic, { ...good, digest: hash(6) })), ["signature"]);
  t.deepEqual(refusals(send(helloTopic(ORG, stranger.publicKey), good)), ["topic"]);
  t.deepEqual(refusals(send(helloTopic(hash(8), other.publicKey), good)), ["topic"]);
  t.deepEqual(
    peer.peers().filter(({ isPresent }) => isPresent),
    [],
  );
  t.deepEqual(refusals(send(topic, good)), []);
  t.like(peer.peers(), [{ isPresent: true, isEqual: false }]);
});

test("[S5] what is longer than its topic allows is refused for its length, before anything reads it", (t) => {
  const { send, toInbox } = setup();
  const topic = helloTopic(ORG, other.publicKey);
  t.deepEqual(refusals(send(topic, new Uint8Array(300))), ["form"]);
  t.deepEqual(refusals(send(topic, new Uint8Array(301))), ["length"]);
  t.deepEqual(refusals(toInbox(new Uint8Array(16_384))), ["form"]);
  t.deepEqual(refusals(toInbox(new Uint8Array(16_385))), ["length"]);
});

test("[S5] frames on topics where they do not belong are refused", (t) => {
  const { toInbox, send } = setup();
  const want: Frame = { type: "want", key: other.publicKey, ranges: [], ids: [hash(1)], creditBytes: 1 };
  t.deepEqual(refusals(send(liveTopic(ORG), want)), ["topic"]);
  t.deepEqual(refusals(toInbox(hello(other))), ["topic"]);
  t.deepEqual(refusals(send(inboxTopic(ORG, other.publicKey), want)), ["topic"]);
  for (const topic of [
    "",
    "x",
    "gdo1",
    `${liveTopic(ORG)}/x`,
    `gdo1/${ORG}/hello`,
    `gdo1/${ORG}/to/zz`,
    `gdo1/${ORG}/votes`,
  ]) {
    t.deepEqual(refusals(send(topic, data(other))), ["topic"], topic);
  }
});

test("[S5] a flood of one sender is refused above its rate, and that of another still heard", (t) => {
  const { send, known } = setup();
  known.push(stranger.publicKey);
  const refused = [...Array(1500).keys()].flatMap(() => refusals(send(liveTopic(ORG), data(other), 10)));
  t.true(refused.length >= 490 && refused.every((why) => why === "rate"), String(refused.length));
  t.deepEqual(doings(send(liveTopic(ORG), data(stranger), 10)), ["ingest"]);
  t.deepEqual(doings(send(liveTopic(ORG), data(other), 1010)), ["ingest"], "the bucket fills again");
});

test("[S5] objects nobody asked for are refused", (t) => {
  const { toInbox } = setup();
  const bytes = new Uint8Array([1, 2, 3]);
  const piece = { kind: "chunk", id: deriveHash("gdo v1 blob", bytes), offset: 0, totalBytes: 3, bytes } as const;
  t.deepEqual(refusals(toInbox(data(other, { envelopes: [], pieces: [piece] }))), ["unasked"]);
});

test("[S5] a block in pieces that claims more than a block can have, or another hash, is refused", (t) => {
  const { toInbox } = setup();
  const piece = { kind: "block", id: hash(1), offset: 0, totalBytes: 70_000, bytes: new Uint8Array(10) } as const;
  t.deepEqual(refusals(toInbox(data(other, { envelopes: [], pieces: [piece] }))), ["piece"]);
  const whole = { ...piece, totalBytes: 10 };
  t.deepEqual(doings(toInbox(data(other, { envelopes: [], pieces: [whole] }))), ["refused"]);
});

test("[S1] serving needs no memory of the asker: a question alone is enough", (t) => {
  const { peer, toInbox } = setup();
  peer.step({ type: "local", frontier: [{ author: self.publicKey, l: "00".repeat(8), n: 4 }], finals: [] });
  const front: Frame = {
    type: "front",
    key: other.publicKey,
    digest: hash(1),
    ...ANY_TIPS,
    isAnswer: false,
    creditBytes: 5000,
  };
  for (const _ of [1, 2]) {
    const serve = toInbox(front).find((output) => output.type === "serve-blocks");
    t.deepEqual(serve, {
      type: "serve-blocks",
      to: other.publicKey,
      ranges: [[self.publicKey, "00".repeat(8), 0, 4]],
      creditBytes: 5000,
    });
  }
});

test("[S5] no credit is larger than what one answer may be", (t) => {
  const { peer, toInbox } = setup();
  peer.step({ type: "local", frontier: [{ author: self.publicKey, l: "00".repeat(8), n: 4 }], finals: [] });
  const front: Frame = {
    type: "front",
    key: other.publicKey,
    digest: hash(1),
    ...ANY_TIPS,
    isAnswer: false,
    creditBytes: 2 ** 40,
  };
  t.like(
    toInbox(front).find((output) => output.type === "serve-blocks"),
    { creditBytes: 2 ** 20 },
  );
});

test("[S6] a last will that clears our own HELLO makes us say it again", (t) => {
  const { send, peer } = setup();
  send(helloTopic(ORG, self.publicKey), new Uint8Array(), 100);
  const outputs = peer.step({ type: "tick", nowMs: 1100 });
  t.like(
    outputs.find((output) => output.type === "publish"),
    { topic: helloTopic(ORG, self.publicKey), retain: true },
  );
});

test("[S3] the same seed and the same inputs give the same outputs", (t) => {
  const run = (): SyncOutput[] => {
    const { peer, send, toInbox } = setup();
    return [
      ...peer.step({ type: "local", frontier: [{ author: self.publicKey, l: "00".repeat(8), n: 4 }], finals: [] }),
      ...send(helloTopic(ORG, other.publicKey), hello(other), 10),
      ...peer.step({ type: "want", objects: [hash(1), hash(2)] }),
      ...peer.step({ type: "tick", nowMs: 1500 }),
      ...toInbox(data(other), 1600),
      ...peer.step({ type: "tick", nowMs: 9000 }),
    ];
  };
  t.deepEqual(run(), run());
  t.true(
    run().some((output) => output.type === "publish" && !output.retain),
    "it asked something",
  );
});

test("[S6] a clock that runs back does no harm", (t) => {
  const { peer, send } = setup();
  send(helloTopic(ORG, other.publicKey), hello(other), 10_000);
  t.notThrows(() => peer.step({ type: "tick", nowMs: 5 }));
  t.true(peer.peers().every(({ heardMs }) => heardMs === 10_000));
});

const published = (outputs: readonly SyncOutput[]): Frame[] =>
  outputs.flatMap((output) => (output.type === "publish" ? (tryDecodeFrame(output.bytes, 16_384) ?? []) : []));

test("[L8] who wants to meet peers asks them, though an old HELLO says that they hold no more", (t) => {
  const { peer, send, toInbox } = setup();
  const tip = { author: self.publicKey, l: "00".repeat(8), n: 1 };
  peer.step({ type: "local", frontier: [tip], finals: [] });
  peer.step({ type: "tick", nowMs: 1000 });
  const [own] = published(peer.step({ type: "tick", nowMs: 3000 }));
  send(helloTopic(ORG, other.publicKey), hello(other, (own as { digest: Hash }).digest), 3000);
  t.deepEqual(published(peer.step({ type: "tick", nowMs: 4000 })), [], "equal digests: silence");
  peer.step({ type: "meet" });
  const front = published(peer.step({ type: "tick", nowMs: 4001 })).find(({ type }) => type === "front");
  t.true(front?.type === "front" && !front.isAnswer);
  const [tag] = (front as Extract<Frame, { type: "front" }>).tips[0] ?? [""];
  const answer = { ...ANY_TIPS, type: "front", key: other.publicKey, digest: hash(7), isAnswer: true } as const;
  toInbox({ ...answer, tips: [[tag, 3]], creditBytes: 0 }, 4100);
  t.like(peer.peers(), [{ isMet: false }], "it holds more of our log than we do");
  peer.step({ type: "local", frontier: [{ ...tip, n: 3 }], finals: [], ingested: 1 });
  peer.step({ type: "tick", nowMs: 4200 });
  t.like(peer.peers(), [{ isMet: true }]);
  t.false(
    published(peer.step({ type: "tick", nowMs: 4201 })).some(({ type }) => type === "front"),
    "met once is met",
  );
  peer.step({ type: "meet" });
  t.like(peer.peers(), [{ isMet: false }]);
});
