/** [L3] Whether a signature counts: RFC 8032's equation, whichever library and thread answers. */
import { createHash, createPublicKey, verify } from "node:crypto";
import test from "ava";
import fc from "fast-check";
import { bytesOf, concatBytes, fromHex, type PublicKey } from "../../lib/base/index.ts";
import { keyFromSeed, type Signed, verifySignature, verifySignatures } from "../../lib/codec/keys.ts";

const SPKI = fromHex("302a300506032b6570032100") as Uint8Array;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

function byNode({ key, message, signature }: Signed): boolean {
  const object = createPublicKey({ key: Buffer.from(concatBytes([SPKI, bytesOf(key)])), format: "der", type: "spki" });
  return verify(null, message, object, signature);
}

/** A signature, with one bit of it, of the message or of the key turned, or none. */
const claims = fc
  .record({
    seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    message: fc.uint8Array({ minLength: 1, maxLength: 80 }),
    where: fc.constantFrom("nothing", "signature", "message", "signer"),
    bit: fc.nat(511),
  })
  .map(({ seed, message, where, bit }): Signed => {
    const { publicKey, sign } = keyFromSeed(seed);
    const turned = (bytes: Uint8Array, name: string): Uint8Array =>
      bytes.map((byte, index) =>
        where === name && index === (bit >> 3) % bytes.length ? byte ^ (1 << (bit & 7)) : byte,
      );
    const key: PublicKey = where === "signer" ? keyFromSeed(turned(seed, "signer")).publicKey : publicKey;
    return { key, message: turned(message, "message"), signature: turned(sign(message), "signature") };
  });

test("[L3] signatures verified on other threads, one by one, and by node:crypto: the same verdicts", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(claims, { minLength: 1, maxLength: 100 }), async (all) => {
      const verdicts = all.map(byNode);
      t.deepEqual(await verifySignatures(all), verdicts);
      const alone = all.map(({ key, message, signature }) => verifySignature(key, message, signature));
      t.deepEqual(alone, verdicts);
    }),
    { numRuns: 12 },
  );
});

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

function sha512(...parts: readonly Uint8Array[]): Buffer {
  return createHash("sha512").update(concatBytes(parts)).digest();
}

/** By its own key, with the point R that adds nothing: the equation holds, and libsodium refuses it. */
function withZeroR(seed: Uint8Array, message: Uint8Array): Signed {
  const { publicKey } = keyFromSeed(seed);
  const secret = sha512(seed).subarray(0, 32);
  secret[0] = (secret[0] as number) & 248;
  secret[31] = ((secret[31] as number) & 63) | 64;
  const zero = Uint8Array.from({ length: 32 }, (_, index) => Number(index === 0));
  const s = (littleEndian(sha512(zero, bytesOf(publicKey), message)) * littleEndian(secret)) % ORDER;
  const digits = s.toString(16).padStart(64, "0");
  return { key: publicKey, message, signature: concatBytes([zero, Buffer.from(digits, "hex").reverse()]) };
}

test("[L3] an R of small order is refused by neither way: nodes must not differ by their library", async (t) => {
  const claim = withZeroR(new Uint8Array(32).fill(5), Uint8Array.of(1, 2, 3));
  t.true(byNode(claim));
  t.true(verifySignature(claim.key, claim.message, claim.signature));
  t.deepEqual(await verifySignatures([claim]), [true]);
});

test("[L3] on other threads, too: a key of small order, a short signature, no signatures at all", async (t) => {
  const { publicKey, sign } = keyFromSeed(new Uint8Array(32).fill(6));
  const message = Uint8Array.of(9);
  const zeroKey = `01${"00".repeat(31)}` as PublicKey;
  const forAll = concatBytes([bytesOf(zeroKey), new Uint8Array(32)]); // Good for any message, by the equation.
  const claims: Signed[] = [
    { key: zeroKey, message, signature: forAll },
    { key: publicKey, message, signature: sign(message).subarray(0, 63) },
    { key: publicKey, message, signature: sign(message) },
  ];
  t.deepEqual(await verifySignatures(claims), [false, false, true]);
  t.deepEqual(await verifySignatures([]), []);
});
