/** JSON in dag-json's form, to canonical values and back. */
import test from "ava";
import { type Canonical, canonicalFromJson, jsonFromCanonical } from "../../lib/codec/index.ts";

test("codec: bytes and great integers have a form in JSON", (t) => {
  const value: Canonical = [Uint8Array.of(251, 255, 1), 2n ** 63n, -(2n ** 63n), 2 ** 53 - 1];
  const json = [
    { "/": { bytes: "+/8B" } },
    { "/": { int: "9223372036854775808" } },
    { "/": { int: "-9223372036854775808" } },
    9007199254740991,
  ];
  t.deepEqual(jsonFromCanonical(value), json);
  t.deepEqual(canonicalFromJson(json), value);
});

test("[L1] JSON's text is brought to NFC", (t) => {
  t.is(canonicalFromJson("Zoe\u0308"), "Zo\u00eb");
});

test("[L1] JSON that has no canonical form is refused, and the place is named", (t) => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ price: 1.5 }, /the float 1.5 at price/],
    [[0, 2 ** 53], /beyond 2\^53 - 1/],
    [undefined, /undefined/],
    [{ a: { "/": 1 } }, /"\/" .* at a/],
    [{ "/": { bytes: "AQI=" } }, /base64/],
    [{ "/": { bytes: "A" } }, /base64/],
    [{ "/": { bytes: "AR" } }, /base64/],
    [{ "/": { bytes: "A_" } }, /base64/],
    [{ "/": { bytes: "AQ" }, more: 1 }, /neither/],
    [{ "/": { bytes: "AQ", int: "1" } }, /neither/],
    [{ "/": { int: "01" } }, /not decimal/],
    [{ "/": { int: "1e3" } }, /not decimal/],
    [{ "/": { int: "-0" } }, /not decimal/],
    [{ "/": { int: "18446744073709551616" } }, /64 bits/],
    [{ "/": { int: 5 } }, /neither/],
    [{ "\u00e9": 1, "e\u0301": 2 }, /twice/],
  ];
  for (const [value, message] of wrong) t.throws(() => canonicalFromJson(value), { code: "INPUT_INVALID", message });
});

test("codec: a map with the key / cannot be shown as JSON", (t) => {
  t.throws(() => jsonFromCanonical({ a: { "/": 1 } }), { code: "INPUT_INVALID", message: /at a/ });
});

test("codec: deep JSON is refused, not followed", (t) => {
  const deep = JSON.parse("[".repeat(5000) + "]".repeat(5000)) as unknown;
  t.throws(() => canonicalFromJson(deep), { code: "INPUT_INVALID" });
});
