/** Canonical CBOR: what is taken, what is refused, and that another encoder writes the same. */
import { readFileSync } from "node:fs";
import test from "ava";
import { Encoder } from "cbor-x";
import fc from "fast-check";
import { fromHex, toHex } from "../../lib/base/index.ts";
import { copyCanonical } from "../../lib/codec/canonical.ts";
import {
  type Canonical,
  canonicalFromJson,
  decodeCanonical,
  encodeCanonical,
  jsonFromCanonical,
} from "../../lib/codec/index.ts";

interface AppendixVector {
  readonly hex: string;
  readonly json?: unknown;
  readonly diagnostic?: string;
}

const appendix = JSON.parse(readFileSync("test/fixtures/codec/rfc8949-appendix-a.json", "utf8")) as {
  vectors: AppendixVector[];
};

function bytes(hex: string): Uint8Array {
  const found = fromHex(hex);
  if (found === undefined) throw new RangeError(hex);
  return found;
}

test("[L1] RFC 8949 appendix A: what is within the subset round-trips", (t) => {
  const within = appendix.vectors.filter(({ diagnostic }) => diagnostic === undefined);
  t.is(within.length, 35);
  for (const { hex, json } of within) {
    const value = decodeCanonical(bytes(hex));
    t.deepEqual(jsonFromCanonical(value), json, hex);
    t.is(toHex(encodeCanonical(value)), hex);
    t.is(toHex(encodeCanonical(canonicalFromJson(json))), hex);
  }
});

test("[L1] RFC 8949 appendix A: what is outside the subset is refused", (t) => {
  const outside = appendix.vectors.filter(({ diagnostic }) => diagnostic !== undefined);
  t.is(outside.length, 47);
  for (const { hex, diagnostic } of outside) {
    t.throws(() => decodeCanonical(bytes(hex)), { code: "LEDGER_FORM" }, diagnostic);
  }
});

const REFUSED: readonly (readonly [title: string, hex: string, message: RegExp])[] = [
  ["a float is refused, also one that is whole", "f93c00", /a float at byte 0/],
  ["a double-width float is refused", "fb3ff0000000000000", /a float at byte 0/],
  ["an integer in two bytes that fits one is refused", "1817", /more bytes than it needs at byte 0/],
  ["an integer in three bytes that fits two is refused", "1900ff", /more bytes than it needs/],
  ["an integer in five bytes that fits three is refused", "1a0000ffff", /more bytes than it needs/],
  ["an integer in nine bytes that fits five is refused", "1b00000000ffffffff", /more bytes than it needs/],
  ["a negative integer in nine bytes that fits five is refused", "3b0000000080000000", /more bytes than it needs/],
  ["a length in more bytes than it needs is refused", "780161", /more bytes than it needs/],
  ["a count in more bytes than it needs is refused", "9800", /more bytes than it needs/],
  ["a key twice is refused", "a2616101616102", /the key 6161 twice at byte 4/],
  ["an empty key twice is refused, whatever follows it", "a260006001", /the key 60 twice at byte 3/],
  ["keys out of order are refused", "a2616201616102", /the key 6161 out of order at byte 4/],
  ["a longer key before a shorter one is refused", "a262616101616202", /out of order/],
  ["a key that is not text is refused", "a10102", /a key that is not text at byte 1/],
  ["a key of bytes is refused", "a1416102", /a key that is not text/],
  ["an indefinite array is refused", "9f01ff", /an indefinite length/],
  ["an indefinite map is refused", "bf616101ff", /an indefinite length/],
  ["indefinite text is refused", "7f6161ff", /an indefinite length/],
  ["indefinite text as a key is refused", "a17f6161ff01", /an indefinite length/],
  ["indefinite bytes are refused", "5f4101ff", /an indefinite length/],
  ["a tag is refused", "c11a514b67b0", /a tag at byte 0/],
  ["a big number's tag is refused", "c249010000000000000000", /a tag/],
  ["undefined is refused", "f7", /undefined/],
  ["a simple value is refused", "f0", /a simple value/],
  ["false in two bytes is refused", "f814", /a simple value/],
  ["a break alone is refused", "ff", /a break/],
  ["reserved heads are refused", "1c", /a reserved head/],
  ["bytes after the end are refused", "0000", /bytes after the end at byte 1/],
  ["nothing at all is refused", "", /cut short at byte 0/],
  ["an array cut short is refused", "8201", /cut short/],
  ["text cut short is refused", "6261", /cut short/],
  ["a head cut short is refused", "19ff", /cut short/],
  ["text that is not UTF-8 is refused", "61ff", /not UTF-8/],
  ["overlong UTF-8 is refused", "62c080", /not UTF-8/],
  ["half a surrogate pair is refused", "63eda080", /not UTF-8/],
  ["text that is not NFC is refused", "6365cc88", /normal form C/],
  ["a key that is not NFC is refused", "a16365cc8801", /normal form C/],
  ["an integer below -2^63 is refused", "3b8000000000000000", /below -2\^63/],
];

for (const [title, hex, message] of REFUSED) {
  test(`[L2] ${title}`, (t) => {
    t.throws(() => decodeCanonical(bytes(hex)), { code: "LEDGER_FORM", message });
  });
}

test("[L2] a count beyond what is left is refused before anything is allocated", (t) => {
  for (const hex of [
    "9affffffff",
    "9b00000000ffffffff",
    "baffffffff",
    "5affffffff",
    "7b7fffffffffffffff",
    "9bffffffffffffffff",
  ]) {
    t.throws(() => decodeCanonical(bytes(hex)), { code: "LEDGER_FORM", message: /cut short|more bytes/ }, hex);
  }
});

function nested(depth: number): Uint8Array {
  return Uint8Array.from([...new Array<number>(depth).fill(0x81), 0x00]);
}

test("[L2] sixteen levels are taken, seventeen are refused, a million do no harm", (t) => {
  t.notThrows(() => decodeCanonical(nested(16)));
  t.throws(() => decodeCanonical(nested(17)), { code: "LEDGER_FORM", message: /deeper than 16/ });
  t.throws(() => decodeCanonical(nested(1_000_000)), { code: "LEDGER_FORM", message: /deeper than 16/ });
  t.throws(() => decodeCanonical(nested(3), { depthMax: 2 }), { code: "LEDGER_FORM" });
  t.throws(() => decodeCanonical(nested(17), { depthMax: 100 }), { code: "LEDGER_FORM" });
});

test("[L2] nothing deeper than sixteen levels is written, also not in a circle", (t) => {
  let value: Canonical = 0;
  for (let level = 0; level < 16; level += 1) value = [value];
  t.is(toHex(encodeCanonical(value)), toHex(nested(16)));
  t.throws(() => encodeCanonical([value]), { code: "INPUT_INVALID", message: /deeper than 16/ });
  const circle: Canonical[] = [];
  circle.push(circle);
  t.throws(() => encodeCanonical(circle), { code: "INPUT_INVALID" });
});

test("[L2] the size is checked first", (t) => {
  const long = encodeCanonical(new Uint8Array(100));
  t.throws(() => decodeCanonical(long, { bytesMax: 101 }), {
    code: "LEDGER_FORM",
    message: /102 bytes, more than 101/,
  });
  t.notThrows(() => decodeCanonical(long, { bytesMax: 102 }));
});

const WRITTEN: readonly (readonly [title: string, value: Canonical, hex: string])[] = [
  ["keys are sorted by length, then bytes", { b: 1, aa: 2, a: 3 }, "a361610361620162616102"],
  ["keys like numbers are sorted like text", { 10: 1, 9: 2 }, "a261390262313001"],
  ["keys beyond the BMP are sorted by UTF-8", { "\u{1f511}": 1, "\uffee\u0041": 2 }, "a264efbfae410264f09f949101"],
  ["2^32 - 1 takes five bytes", 2 ** 32 - 1, "1affffffff"],
  ["2^32 is an integer, not a float", 2 ** 32, "1b0000000100000000"],
  ["2^53 - 1 is an integer", Number.MAX_SAFE_INTEGER, "1b001fffffffffffff"],
  ["2^64 - 1 is an integer", 2n ** 64n - 1n, "1bffffffffffffffff"],
  ["-2^63 is an integer", -(2n ** 63n), "3b7fffffffffffffff"],
  ["-2^31 takes five bytes", -(2 ** 31), "3a7fffffff"],
  ["-2^31 - 1 takes five bytes", -(2 ** 31) - 1, "3a80000000"],
  ["-2^32 takes five bytes", -(2 ** 32), "3affffffff"],
  ["-2^32 - 1 takes nine bytes", -(2 ** 32) - 1, "3b0000000100000000"],
  ["a small bigint is written like a number", 1n, "01"],
  ["-0 is 0", -0, "00"],
  ["bytes have no tag", Uint8Array.of(1, 2), "420102"],
  ["a Buffer is bytes", Buffer.from([1, 2]), "420102"],
  ["a view is only what it shows", new Uint8Array([9, 1, 2, 9]).subarray(1, 3), "420102"],
  [
    "bytes that look like an integer stay what they are",
    [Uint8Array.from([0x3b, 0, 0, 0, 0, 1, 2, 3, 4]), -(2 ** 32)],
    "82493b00000000010203043affffffff",
  ],
];

for (const [title, value, hex] of WRITTEN) {
  test(`[L1] ${title}`, (t) => {
    t.is(toHex(encodeCanonical(value)), hex);
    t.is(toHex(encodeCanonical(decodeCanonical(bytes(hex)))), hex);
  });
}

test("[L1] what has no canonical form is not written, and the place is named", (t) => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ a: [1, 1.5] }, /the float 1.5 at a\[1\]/],
    [Number.NaN, /float/],
    [2 ** 53, /not a bigint/],
    [2n ** 64n, /64 bits/],
    [-(2n ** 63n) - 1n, /64 bits/],
    [{ a: undefined }, /undefined at a/],
    [new Array(1), /undefined at \[0\]/],
    ["e\u0308", /normal form C/],
    ["\ud800", /surrogate/],
    [{ "e\u0308": 1 }, /normal form C/],
    [new Date(0), /a Date/],
    [new Map(), /a Map/],
    [() => 1, /function/],
    [Symbol("s"), /symbol/],
    [{ [Symbol("s")]: 1 }, /symbol/],
  ];
  for (const [value, message] of wrong)
    t.throws(() => encodeCanonical(value as Canonical), { code: "INPUT_INVALID", message });
});

test("[L1] a key __proto__ is a key like any other", (t) => {
  const hex = "a1695f5f70726f746f5f5fa1616101";
  const value = decodeCanonical(bytes(hex)) as Record<string, Canonical>;
  t.is(Object.getPrototypeOf(value), null);
  t.deepEqual(Object.keys(value), ["__proto__"]);
  t.is(value["a"], undefined);
  t.is(toHex(encodeCanonical(value)), hex);
  const json = JSON.stringify(jsonFromCanonical(value));
  t.is(json, '{"__proto__":{"a":1}}');
  t.is(toHex(encodeCanonical(canonicalFromJson(JSON.parse(json)))), hex);
  t.is(({} as Record<string, unknown>)["a"], undefined);
});

test("[L1] a byte-order mark is kept, in short and in long text", (t) => {
  for (const text of ["\ufeff", "\ufeffab", `\ufeff${"x".repeat(100)}`, `\ufeff${"é".repeat(100)}`]) {
    t.is(decodeCanonical(encodeCanonical(text)), text);
  }
});

test("[L1] the replacement character is text when it was written so", (t) => {
  t.is(decodeCanonical(bytes("63efbfbd")), "\ufffd");
});

/** As cbor-x must be asked to write canonically: keys in order, as a Map; great integers as BigInt. */
function forOther(value: unknown): unknown {
  if (typeof value === "number" && Math.abs(value) >= 2 ** 31) return BigInt(value);
  if (Array.isArray(value)) return value.map(forOther);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const pairs = Object.entries(value).map(([key, each]) => [Buffer.from(key), key, forOther(each)] as const);
  pairs.sort(([a], [b]) => a.length - b.length || Buffer.compare(a, b));
  return new Map(pairs.map(([, key, each]) => [key, each]));
}

test("[L1] cbor-x writes the same bytes, and what was written is read back", (t) => {
  const other = new Encoder({
    useRecords: false,
    mapsAsObjects: false,
    variableMapSize: true,
    tagUint8Array: false,
  });
  const unit = fc.constantFrom("grapheme", "binary-ascii");
  const text = unit.chain((each) => fc.string({ unit: each, maxLength: 80 })).map((each) => each.normalize("NFC"));
  const number = fc.oneof(
    fc.integer({ min: -300, max: 70_000 }),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.integer({ min: 2 ** 32, max: Number.MAX_SAFE_INTEGER }),
    fc.integer({ min: Number.MIN_SAFE_INTEGER, max: -(2 ** 32) - 1 }),
  );
  const bytes = fc.uint8Array({ maxLength: 300 });
  const { value: any } = fc.letrec<{ value: Canonical }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      ...[number, text, bytes, fc.boolean(), fc.constant(null)],
      fc.array(tie("value"), { maxLength: 30 }),
      fc.dictionary(text, tie("value"), { maxKeys: 30 }),
    ),
  }));
  fc.assert(
    fc.property(any, (value) => {
      const written = encodeCanonical(value);
      t.is(toHex(written), toHex(new Uint8Array(other.encode(forOther(value)))));
      t.is(toHex(encodeCanonical(decodeCanonical(written))), toHex(written));
      t.deepEqual(copyCanonical(value), decodeCanonical(written));
    }),
    { numRuns: 300 },
  );
});

test("[L1] a value that is encoded by its own getter is written like any other", (t) => {
  const value = {
    a: 1,
    get b() {
      return encodeCanonical("x".repeat(300)).length;
    },
  };
  t.is(toHex(encodeCanonical(value)), "a26161016162190 12f".replace(" ", ""));
});
