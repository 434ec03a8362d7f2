/** Ed25519: the RFC's vectors, and which keys are refused [L3]. */
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "ava";
import { fromHex, type PublicKey, toHex } from "../../lib/base/index.ts";
import { assertUsableKey, generateKey, keyFromSeed, verifySignature } from "../../lib/codec/index.ts";

interface KeyVector {
  readonly name: string;
  readonly seed: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}

const rfc8032 = JSON.parse(readFileSync("test/fixtures/codec/rfc8032-ed25519.json", "utf8")) as {
  vectors: KeyVector[];
};

function bytes(hex: string): Uint8Array {
  const found = fromHex(hex);
  if (found === undefined) throw new RangeError(hex);
  return found;
}

for (const { name, seed, publicKey, message, signature } of rfc8032.vectors) {
  test(`[L3] RFC 8032 ${name}`, (t) => {
    const pair = keyFromSeed(bytes(seed));
    t.is(pair.publicKey as string, publicKey);
    t.is(toHex(pair.sign(bytes(message))), signature);
    t.true(verifySignature(pair.publicKey, bytes(message), bytes(signature)));
    const bent = bytes(signature);
    bent[40] = (bent[40] ?? 0) ^ 1;
    t.false(verifySignature(pair.publicKey, bytes(message), bent));
    t.false(verifySignature(pair.publicKey, bytes(`${message}00`), bytes(signature)));
  });
}

/** All points whose order divides 8. */
const SMALL_ORDER = [
  `01${"00".repeat(31)}`,
  `ec${"ff".repeat(30)}7f`,
  "00".repeat(32),
  `${"00".repeat(31)}80`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

/** Other encodings of such points: "negative zero" as x. */
const NEGATIVE_ZERO = [`01${"00".repeat(30)}80`, `ec${"ff".repeat(31)}`];

/** Every y from p to 2^255 - 1 has the form (ed to ff) ff … ff 7f; with the other sign, … ff. */
const NOT_CANONICAL = Array.from({ length: 19 }, (_, index) => (0xed + index).toString(16)).flatMap((low) => [
  `${low}${"ff".repeat(30)}7f`,
  `${low}${"ff".repeat(31)}`,
]);

test("[L3] keys of small order are refused, in every encoding", (t) => {
  for (const hex of [...SMALL_ORDER, ...NEGATIVE_ZERO]) {
    t.throws(() => assertUsableKey(bytes(hex)), { code: "KEY_INVALID", message: /small order/ }, hex);
  }
});

test("[L3] keys whose y is p or more are refused", (t) => {
  t.is(NOT_CANONICAL.length, 38);
  for (const hex of NOT_CANONICAL)
    t.throws(() => assertUsableKey(bytes(hex)), { code: "KEY_INVALID", message: /canonical/ }, hex);
});

test("[L3] what is no point of the curve is refused", (t) => {
  t.throws(() => assertUsableKey(bytes(`02${"00".repeat(31)}`)), { code: "KEY_INVALID", message: /not a point/ });
  t.notThrows(() => assertUsableKey(bytes(`03${"00".repeat(31)}`)));
});

test("[L3] a key of another length is refused", (t) => {
  for (const length of [0, 31, 33]) t.throws(() => assertUsableKey(new Uint8Array(length)), { code: "KEY_INVALID" });
  t.throws(() => keyFromSeed(new Uint8Array(31)), { code: "KEY_INVALID" });
});

test("[L3] a signature that fits every message under a small-order key verifies nothing here", (t) => {
  const identity = bytes(SMALL_ORDER[0] as string);
  const signature = new Uint8Array(64);
  signature.set(identity); // R = the identity, S = 0.
  const spki = Buffer.concat([bytes("302a300506032b6570032100"), identity]);
  const object = createPublicKey({ key: spki, format: "der", type: "spki" });
  t.true(verify(null, Buffer.from("any message"), object, signature), "the library takes it: hence the rule");
  t.false(verifySignature(toHex(identity) as PublicKey, Buffer.from("any message"), signature));
});

test("[L3] S that is not reduced is refused", (t) => {
  const pair = keyFromSeed(new Uint8Array(32).fill(7));
  const signature = pair.sign(Uint8Array.of(1));
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${toHex(signature.slice(32).reverse())}`) + order;
  const moved = Uint8Array.from([...signature.slice(0, 32), ...bytes(s.toString(16).padStart(64, "0")).reverse()]);
  t.true(verifySignature(pair.publicKey, Uint8Array.of(1), signature));
  t.false(verifySignature(pair.publicKey, Uint8Array.of(1), moved));
});

test("[L3] a signature of another length verifies nothing", (t) => {
  const { pair } = generateKey();
  t.false(verifySignature(pair.publicKey, Uint8Array.of(1), pair.sign(Uint8Array.of(1)).subarray(0, 63)));
});

test("codec: a fresh key is made again by its seed", (t) => {
  const { pair, seed } = generateKey();
  t.is(keyFromSeed(seed).publicKey, pair.publicKey);
  t.not(generateKey().pair.publicKey, pair.publicKey);
});

test("[L3] a signature that was good before is good again, and for nothing else", (t) => {
  const [one, other] = [keyFromSeed(new Uint8Array(32).fill(41)), keyFromSeed(new Uint8Array(32).fill(42))];
  const message = Uint8Array.of(1, 2, 3);
  const signature = one.sign(message);
  const changed = Uint8Array.from(signature, (byte, index) => (index === 63 ? byte ^ 1 : byte));
  for (let round = 0; round < 2; round += 1) {
    t.true(verifySignature(one.publicKey, message, signature));
    t.false(verifySignature(other.publicKey, message, signature));
    t.false(verifySignature(one.publicKey, Uint8Array.of(1, 2, 4), signature));
    t.false(verifySignature(one.publicKey, message, changed));
  }
});
