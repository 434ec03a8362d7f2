import test from "ava";
import { credentialRef, parseFrame, tagRef } from "../../lib/access/index.ts";
import { credentialMac } from "../../lib/agent/apps/credential-mac.ts";
import { fromHex, toHex } from "../../lib/base/index.ts";
import { flip, MAC, w26 } from "../support/policy-fixtures.ts";

const VECTORS = [
  {
    card: 4_134_419,
    bits: "10011111100010110000100110",
    tag: "a941044f6af52e22e6a73d60dbf2e20bc549ef13348e822c3f9cec30",
  },
  {
    card: 1_258_648,
    bits: "10001001100110100100110001",
    tag: "01bb474ebd65971a692675165fe5f5389f34c186bae91eb15adeaf38",
  },
];

const frameOf = (bits: string) => {
  const frame = parseFrame(bits);
  if (!frame.ok) throw new Error(`refused: ${frame.reason}`);
  return frame.credential;
};

for (const { card, bits, tag } of VECTORS) {
  test(`frame: the 26 bits of card ${card} give its number and its tag`, (t) => {
    const credential = frameOf(bits);
    t.is(credential.value, BigInt(card));
    t.is(credential.bits, 26);
    t.is(w26(card), bits);
    t.is(toHex(MAC.sha224(Buffer.from(String(card).padStart(10, "0")))), tag);
  });

  test(`[A6] credential: card ${card} swiped and its tag in a list give one reference, of 128 bits`, (t) => {
    const ref = credentialRef(MAC, frameOf(bits));
    t.is(ref, tagRef(MAC, fromHex(tag) as Uint8Array));
    t.regex(ref, /^[0-9a-f]{32}$/);
  });

  test(`frame: any one flipped bit of card ${card} is refused for its parity`, (t) => {
    for (let at = 0; at < bits.length; at += 1) {
      t.deepEqual(parseFrame(flip(bits, at)), { ok: false, reason: "frame_parity" }, `bit ${at}`);
    }
  });
}

test("frame: no other length becomes a credential", (t) => {
  for (let length = 0; length <= 64; length += 1) {
    if (length !== 26) t.deepEqual(parseFrame("01".repeat(32).slice(0, length)), { ok: false, reason: "frame_length" });
  }
  t.deepEqual(parseFrame("1001111110001011000010011x"), { ok: false, reason: "frame_length" });
});

test("frame: a frame that the decoder complains of is refused, whatever its bits", (t) => {
  t.deepEqual(parseFrame("10011111100010110000100110", "short_interval"), { ok: false, reason: "frame_fault" });
});

test("[A6] credential: the reference depends on the organisation's key", (t) => {
  const other = credentialMac(new Uint8Array(32).fill(8));
  const credential = frameOf(w26(4_134_419));
  t.not(credentialRef(MAC, credential), credentialRef(other, credential));
  t.throws(() => credentialMac(new Uint8Array(31)), { code: "KEY_INVALID" });
  t.throws(() => tagRef(MAC, new Uint8Array(27)), { instanceOf: RangeError });
});
