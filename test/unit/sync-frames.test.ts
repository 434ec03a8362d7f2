import test from "ava";
import { type Hash, hashOf32, type PublicKey } from "../../lib/base/index.ts";
import { type Canonical, decodeCanonical, encodeCanonical, keyFromSeed } from "../../lib/codec/index.ts";
import { decodeFrame, encodeFrame, type Frame } from "../../lib/sync/index.ts";
import { cutPieces, packEnvelopes, signHello, verifyHello } from "../../lib/sync/wire/frames.ts";

const pair = keyFromSeed(new Uint8Array(32).fill(1));
const key = pair.publicKey;
const hash = (byte: number): Hash => hashOf32(new Uint8Array(32).fill(byte));
const ORG = hash(9);
const finals = (count: number) =>
  [...Array(count).keys()].map((h) => ({ branch: `branch-${h}`, h: h * 1000, id: "ab".repeat(8) }));
const helloOf = (count: number) => {
  return signHello(ORG, pair, { digest: hash(2), finals: finals(count), frameBytesMax: 16_384, creditBytes: 2 ** 20 });
};

const frames: Record<string, Frame> = {
  hello: helloOf(2),
  front: {
    type: "front",
    key,
    digest: hash(2),
    window: { from: "0000000000000000", to: "ff00000000000000" },
    tips: [
      ["00000000000000aa", 0],
      ["1111111111111111", 2 ** 40],
    ],
    isAnswer: false,
    creditBytes: 65_536,
  },
  want: { type: "want", key, ranges: [["00000000000000aa", 3, 9]], ids: [hash(1), hash(2)], creditBytes: 0 },
  repair: {
    type: "repair",
    key,
    windows: [
      { from: "0000000000000000", to: "00000000000000aa", print: "1111111111111111" },
      { from: "00000000000000aa", to: "", print: "2222222222222222" },
    ],
    claims: [["00000000000000aa", 2 ** 40, "1111111111111111"]],
    versions: [["00000000000000aa", 0, "1111111111111111"]],
    wants: [["00000000000000aa", 7, "1111111111111111"]],
    isAnswer: true,
    creditBytes: 65_536,
  },
  data: {
    type: "data",
    key,
    envelopes: [new Uint8Array([1, 2]), new Uint8Array()],
    pieces: [{ kind: "tree", id: hash(4), offset: 5, totalBytes: 8, bytes: new Uint8Array([1, 2, 3]) }],
    lacks: [hash(7)],
    end: "objects",
  },
};

for (const [name, frame] of Object.entries(frames)) {
  test(`[S1] ${name}: what is encoded is read back`, (t) => {
    t.deepEqual(decodeFrame(encodeFrame(frame), 16_384), frame);
  });

  test(`[S5] ${name}: one byte more than the limit is refused before decoding`, (t) => {
    const bytes = encodeFrame(frame);
    t.notThrows(() => decodeFrame(bytes, bytes.length));
    t.throws(() => decodeFrame(bytes, bytes.length - 1), { code: "SYNC_FRAME", message: /bytes, more than/ });
  });

  test(`[S5] ${name}: a missing field, a field too many and a field of another type are refused`, (t) => {
    const fields = decodeCanonical(encodeFrame(frame)) as { [key: string]: Canonical };
    const refused = (changed: { [key: string]: Canonical }): void => {
      t.throws(() => decodeFrame(encodeCanonical(changed), 16_384), { code: "SYNC_FRAME" });
    };
    refused({ ...fields, z: 1 });
    for (const field of Object.keys(fields)) {
      const { [field]: _, ...rest } = fields;
      refused(rest);
      refused({ ...fields, [field]: null });
      refused({ ...fields, [field]: "x" });
      refused({ ...fields, [field]: -1 });
    }
  });
}

test("[S5] lists beyond their bounds are refused", (t) => {
  const change = (name: string, fields: { [key: string]: Canonical }): Uint8Array => {
    return encodeCanonical({ ...(decodeCanonical(encodeFrame(frames[name] as Frame)) as object), ...fields });
  };
  const tag = new Uint8Array(8);
  const refused: [string, { [key: string]: Canonical }][] = [
    ["hello", { m: Array(17).fill(["b", 1, tag]) }],
    ["hello", { m: [["b".repeat(33), 1, tag]] }],
    ["hello", { x: 1023 }],
    ["front", { l: [tag] }],
    ["front", { l: [new Uint8Array(8).fill(255), 1] }],
    ["want", { r: [tag, 5, 4] }],
    ["repair", { w: Array(65).fill([tag, tag, tag]).flat() }],
    ["repair", { w: [tag, 1, tag] }],
    ["repair", { r: Array(65).fill([tag, 1, tag]).flat() }],
    ["repair", { v: [tag, 1] }],
    ["repair", { i: [tag, 1, new Uint8Array(9)] }],
    ["want", { r: Array(513).fill([tag, 0, 0]).flat() }],
    ["want", { i: Array(129).fill(new Uint8Array(32)) }],
    ["want", { c: 2 ** 41 }],
    ["data", { b: Array(1025).fill(tag) }],
    ["data", { o: [[5, new Uint8Array(32), 0, 1, tag.subarray(0, 1)]] }],
    ["data", { o: [[1, new Uint8Array(32), 1, 8, tag]] }],
    ["data", { o: [[1, new Uint8Array(32), 0, 2 ** 26, tag]] }],
    ["data", { e: 3 }],
  ];
  for (const [name, fields] of refused) {
    t.throws(
      () => decodeFrame(change(name, fields), 2 ** 20),
      { code: "SYNC_FRAME" },
      JSON.stringify([name, Object.keys(fields)]),
    );
  }
});

test("[S5] HELLO has at most 300 bytes, however many branches there are", (t) => {
  for (const count of [0, 1, 6, 16, 100]) {
    const hello = helloOf(count);
    t.true(encodeFrame(hello).length <= 300);
    t.true(verifyHello(ORG, hello));
    t.deepEqual(hello.finals, finals(count).slice(0, hello.finals.length));
  }
  t.true(helloOf(100).finals.length >= 3);
});

test("[S5] HELLO's signature covers every field, the key and the organisation", (t) => {
  const hello = helloOf(1);
  t.true(verifyHello(ORG, hello));
  t.false(verifyHello(hash(8), hello));
  const other = keyFromSeed(new Uint8Array(32).fill(2)).publicKey;
  const changes: Partial<typeof hello>[] = [
    { digest: hash(3) },
    { key: other },
    { finals: [] },
    { frameBytesMax: 2048 },
    { creditBytes: 1 },
  ];
  for (const change of changes) t.false(verifyHello(ORG, { ...hello, ...change }), JSON.stringify(change));
});

test("[S1] packing keeps order, fits every frame and cuts only what is larger than one", (t) => {
  const sizes = [10, 300, 16_000, 16_384, 5, 60_000, 1, 8000, 8000, 8000];
  const envelopes = sizes.map((size, index) => new Uint8Array(size).fill(index));
  const packed = packEnvelopes(envelopes, () => hash(1));
  const back: Uint8Array[] = [];
  for (const part of packed) {
    const frame: Frame = { type: "data", key: key as PublicKey, lacks: [], end: "blocks", ...part };
    t.true(encodeFrame(frame).length <= 16_384);
    back.push(...part.envelopes, ...part.pieces.map((piece) => piece.bytes));
  }
  t.deepEqual(Buffer.concat(back), Buffer.concat(envelopes));
  t.deepEqual(
    packed.flatMap((part) => part.pieces.map((piece) => piece.totalBytes)),
    [16_384, 16_384, ...Array(4).fill(60_000)],
  );
  t.is(packEnvelopes([], () => hash(1)).length, 0);
});

test("[S1] nothing at all is one piece", (t) => {
  t.deepEqual(
    cutPieces("chunk", hash(1), new Uint8Array()).map((piece) => piece.totalBytes),
    [0],
  );
});
