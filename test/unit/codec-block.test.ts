/** Block envelopes: ids, signatures, and what no block may have. */
import { readFileSync } from "node:fs";
import test from "ava";
import { blake3DeriveKey } from "../../lib/addon.ts";
import { bytesOf, fromHex, type Hash, toHex } from "../../lib/base/index.ts";
import {
  type Block,
  type BlockFields,
  blockFromBody,
  type Canonical,
  canonicalFromJson,
  decodeBlock,
  decodeCanonical,
  encodeCanonical,
  encodeEnvelope,
  signBlock,
  signBlocks,
  signedMessage,
  unsignedBlock,
  verifyBlock,
} from "../../lib/codec/index.ts";
import { testKey } from "../support/ledger-fixtures.ts";

const pair = testKey(1);
const id = (digit: string): Hash => digit.repeat(64) as Hash;

const fields: BlockFields = {
  v: 1,
  k: "entry",
  o: id("a"),
  a: pair.publicKey,
  l: "00000000000000a1",
  n: 1,
  b: id("b"),
  p: [id("c"), id("d")],
  c: 7,
  t: [1_764_000_000_000, 20, 3],
  d: { app: "notes", acts: [["note", "x"]] },
};

/** The body of `fields` with some keys replaced, as bytes that nobody checked. */
function bodyWith(change: Readonly<Record<string, Canonical | undefined>>): Uint8Array {
  const body = { ...(decodeCanonical(signBlock(fields, pair).body) as Record<string, Canonical>) };
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) delete body[key];
    else body[key] = value;
  }
  return encodeCanonical(body);
}

test("[L3] the id is BLAKE3 under its own context over the body without the signature", (t) => {
  const block = signBlock(fields, pair);
  t.is(block.id as string, toHex(blake3DeriveKey("gdo v1 block", block.body)));
  t.is(blockFromBody(block.body, new Uint8Array(64)).id, block.id);
});

test("[L3] the signature is over gdo/1/, kind, a zero byte and the id", (t) => {
  const block = signBlock(fields, pair);
  t.is(toHex(signedMessage("entry", block.id)), `${toHex(Buffer.from("gdo/1/entry"))}00${block.id}`);
  t.is(toHex(block.sig), toHex(pair.sign(signedMessage("entry", block.id))));
  t.true(verifyBlock(block));
  t.false(verifyBlock({ ...block, k: "merge" }), "a signature is for one kind");
  t.false(verifyBlock({ ...block, id: id("e") }));
});

test("[L2] an envelope is taken apart and put together to the same bytes", (t) => {
  const block = signBlock(fields, pair);
  const envelope = encodeEnvelope(block);
  t.deepEqual(decodeBlock(envelope), block);
  t.is(toHex(encodeEnvelope(decodeBlock(envelope))), toHex(envelope));
});

test("[L3] signing for another key is a bug", (t) => {
  t.throws(() => signBlock({ ...fields, a: testKey(2).publicKey }, pair), { instanceOf: RangeError });
});

const WRONG_BODIES: readonly (readonly [
  title: string,
  change: Readonly<Record<string, Canonical | undefined>>,
  message: RegExp,
])[] = [
  ["another version", { v: 2 }, /v is not 1/],
  ["an unknown kind", { k: "coin" }, /unknown kind/],
  ["a field too many", { z: 1 }, /its keys are/],
  ["a field too few", { t: undefined }, /its keys are/],
  ["an organisation of 31 bytes", { o: new Uint8Array(31) }, /o is not 32 bytes/],
  ["no organisation", { o: null }, /o is null outside a charter/],
  ["a charter of an organisation", { k: "charter" }, /names an organisation/],
  ["an author as text", { a: "x" }, /a is not 32 bytes/],
  ["a log of 7 bytes", { l: new Uint8Array(7) }, /l is not 8 bytes/],
  ["a negative number", { n: -1 }, /n is not a count/],
  ["a number beyond 2^53", { n: 2n ** 60n }, /n is not a count/],
  ["number 0 after a block", { n: 0 }, /b must be null exactly when n is 0/],
  ["number 1 after nothing", { b: null }, /b must be null exactly when n is 0/],
  ["no parents at all", { n: 0, b: null, p: [] }, /only a charter has no parents/],
  ["parents out of order", { p: [bytesOf(id("d")), bytesOf(id("c"))] }, /out of order or double/],
  ["a parent twice", { p: [bytesOf(id("c")), bytesOf(id("c"))] }, /out of order or double/],
  ["b among the parents", { p: [bytesOf(id("b"))] }, /repeats b/],
  ["clock 0", { c: 0 }, /c is 0/],
  ["a time of two parts", { t: [1, null] }, /t is not/],
  ["a time as text", { t: ["now", null, 1] }, /not in milliseconds/],
  ["a negative uncertainty", { t: [1, -1, 1] }, /±ms is not a count/],
];

for (const [title, change, message] of WRONG_BODIES) {
  test(`[L2] a body is refused with ${title}`, (t) => {
    t.throws(() => blockFromBody(bodyWith(change), new Uint8Array(64)), { code: "LEDGER_FORM", message });
  });
}

const WRONG_FIELDS: readonly (readonly [title: string, change: object, message: RegExp])[] = [
  ["an unknown kind", { k: "coin" }, /unknown kind/],
  ["an organisation of 31 bytes", { o: "aa".repeat(31) }, /not 32 bytes/],
  ["no organisation", { o: null }, /o is null outside a charter/],
  ["a charter of an organisation", { k: "charter" }, /names an organisation/],
  ["a log of 7 bytes", { l: "00".repeat(7) }, /not 8 bytes/],
  ["a log that is not hex", { l: "x".repeat(16) }, /not 8 bytes/],
  ["a negative number", { n: -1 }, /n is not a count/],
  ["number 0 after a block", { n: 0 }, /b must be null exactly when n is 0/],
  ["number 1 after nothing", { b: null }, /b must be null exactly when n is 0/],
  ["no parents at all", { n: 0, b: null, p: [] }, /only a charter has no parents/],
  ["parents out of order", { p: [id("d"), id("c")] }, /out of order or double/],
  ["a parent twice", { p: [id("c"), id("c")] }, /out of order or double/],
  ["b among the parents", { p: [id("b")] }, /repeats b/],
  ["nine parents", { p: [..."123456789"].map(id) }, /9 parents/],
  ["clock 0", { c: 0 }, /c is 0/],
  ["a time of two parts", { t: [1, null] }, /t is not/],
  ["a negative uncertainty", { t: [1, -1, 1] }, /±ms is not a count/],
  ["64 KiB of payload", { d: new Uint8Array(65_536) }, /bytes, more than 65536/],
];

for (const [title, change, message] of WRONG_FIELDS) {
  test(`[L2] nothing is signed with ${title}`, (t) => {
    t.throws(() => signBlock({ ...fields, ...change }, pair), { code: "LEDGER_FORM", message });
  });
}

test("[L2] what is signed is what others read, and nobody else's", (t) => {
  const acts = [["note", { zz: -0, a: [1n, 2n ** 60n, -(2n ** 60n)], bytes: Uint8Array.of(1, 2) }]];
  const mine = { ...fields, p: [...fields.p], d: { app: "notes", acts } as Canonical };
  const block = signBlock(mine, pair);
  const read = decodeBlock(encodeEnvelope(block));
  t.deepEqual(block, read);
  acts.length = 0;
  mine.p.length = 0;
  t.deepEqual(block, read);
});

test("[L5] a time before 1970 is taken: a clock may be wrong", (t) => {
  t.is(blockFromBody(bodyWith({ t: [-5, null, 0] }), new Uint8Array(64)).t[0], -5);
});

test("[L2] nine parents are refused, eight are taken", (t) => {
  const parents = Array.from({ length: 9 }, (_, index) => new Uint8Array(32).fill(index + 1));
  t.throws(() => blockFromBody(bodyWith({ p: parents }), new Uint8Array(64)), {
    code: "LEDGER_FORM",
    message: /9 parents/,
  });
  t.is(blockFromBody(bodyWith({ p: parents.slice(1) }), new Uint8Array(64)).p.length, 8);
});

test("[L2] a body of 64 KiB is taken, one byte more is refused", (t) => {
  const base = bodyWith({ d: new Uint8Array(60_000) }).length - 60_000;
  const full = bodyWith({ d: new Uint8Array(65_536 - base) });
  t.is(full.length, 65_536);
  const block = blockFromBody(full, new Uint8Array(64));
  t.is(decodeBlock(encodeEnvelope(block)).id, block.id);
  const over = bodyWith({ d: new Uint8Array(65_537 - base) });
  t.throws(() => blockFromBody(over, new Uint8Array(64)), {
    code: "LEDGER_FORM",
    message: /65537 bytes, more than 65536/,
  });
  t.throws(() => decodeBlock(encodeCanonical([over, new Uint8Array(64)])), { code: "LEDGER_FORM" });
});

test("[L2] payloads nest up to the body's sixteen levels", (t) => {
  let payload: Canonical = 1;
  for (let level = 1; level < 16; level += 1) payload = [payload];
  const block = signBlock({ ...fields, d: payload }, pair);
  t.is(decodeBlock(encodeEnvelope(block)).id, block.id);
  t.throws(() => signBlock({ ...fields, d: [payload] }, pair), { code: "INPUT_INVALID" });
});

test("[L2] what is no envelope is refused", (t) => {
  const { body, sig } = signBlock(fields, pair);
  const wrong: readonly Canonical[] = [
    null,
    [],
    [body],
    [body, sig, 1],
    [body, "sig"],
    [1, sig],
    { body, sig },
    [body, sig.subarray(1)],
  ];
  for (const value of wrong) t.throws(() => decodeBlock(encodeCanonical(value)), { code: "LEDGER_FORM" });
  t.throws(() => decodeBlock(new Uint8Array(0)), { code: "LEDGER_FORM" });
  t.throws(() => decodeBlock(new Uint8Array(70_000)), { code: "LEDGER_FORM", message: /more than/ });
});

test("[L2] every flipped bit of an envelope is refused or breaks the signature", (t) => {
  const envelope = encodeEnvelope(signBlock(fields, pair));
  const passed: number[] = [];
  for (let bit = 0; bit < envelope.length * 8; bit += 1) {
    const bent = new Uint8Array(envelope);
    bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (isGood(bent)) passed.push(bit);
  }
  t.deepEqual(passed, []);
});

function isGood(envelope: Uint8Array): boolean {
  let block: Block;
  try {
    block = decodeBlock(envelope);
  } catch {
    return false;
  }
  return verifyBlock(block);
}

interface BlockVector {
  readonly name: string;
  readonly seed: string;
  readonly payload: unknown;
  readonly body: string;
  readonly id: string;
  readonly signature: string;
  readonly envelope: string;
}

const vectors = JSON.parse(readFileSync("test/fixtures/ledger/blocks.json", "utf8")) as { blocks: BlockVector[] };

for (const vector of vectors.blocks) {
  test(`[L3] the block vector "${vector.name}" comes out byte for byte`, (t) => {
    const body = fromHex(vector.body) as Uint8Array;
    const block = blockFromBody(body, fromHex(vector.signature) as Uint8Array);
    t.is(block.id as string, vector.id);
    t.true(verifyBlock(block));
    t.is(toHex(encodeEnvelope(block)), vector.envelope);
    t.deepEqual(block.d, decodeCanonical(encodeCanonical(canonicalFromJson(vector.payload))));
    const byte = (fromHex(vector.seed) as Uint8Array)[0] ?? 0;
    const { v, k, o, a, l, n, b, p, c, t: time, d } = block;
    const again = signBlock({ v, k, o, a, l, n, b, p, c, t: time, d }, testKey(byte));
    t.is(toHex(again.body), vector.body);
    t.is(toHex(again.sig), vector.signature);
  });
}

test("[L3] blocks that are signed side by side are those that are signed one by one, in their order", (t) => {
  for (const count of [0, 1, 63, 64, 65, 200]) {
    const all = Array.from(
      { length: count },
      (_, n) => ({ ...fields, n: n + 1, k: n % 3 ? fields.k : "vote" }) as const,
    );
    const parts = [...signBlocks(all.map(unsignedBlock), pair)];
    t.deepEqual(
      parts.flat(),
      all.map((each) => signBlock(each, pair)),
    );
    t.true(parts.every((part) => part.length <= 64));
  }
  t.throws(() => [...signBlocks([unsignedBlock(fields)], testKey(2))], { instanceOf: RangeError });
});
