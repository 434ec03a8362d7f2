import { createHash } from "node:crypto";
import test from "ava";
import fc from "fast-check";
import { GdoError } from "../../lib/base/index.ts";
import { parseDoorbot } from "../../lib/interop/index.ts";

const HEADER = "username,key,value,allowed,hashedCard,lastAccessed";
const hashOf = (card: number): string => createHash("sha224").update(String(card).padStart(10, "0")).digest("hex");
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const member = fc
  .string({ minLength: 1, maxLength: 20, unit: "grapheme" })
  .filter((name) => Buffer.byteLength(name.normalize("NFC")) <= 64 && !name.includes("\uFFFD"));
const cards = fc.uniqueArray(fc.tuple(member, fc.nat({ max: 2 ** 24 }), fc.boolean()), {
  selector: ([, card]) => card,
  maxLength: 20,
});

// Goal: what is written as RFC 4180 says is read back, whatever characters the names hold, on the right lines.
test("doorbot CSV: every quoted name comes back, on its line, in both line endings", (t) => {
  const check = (list: [string, number, boolean][], newline: string): void => {
    const rows = list.map(([name, card, ok]) => `${quoted(name)},0,0,${ok ? "allowed" : "denied"},${hashOf(card)},x`);
    const parsed = parseDoorbot(Buffer.from([HEADER, ...rows].join(newline)));
    let line = 2;
    const expected = list.map(([name, card, ok]) => {
      const row = { line, member: name.normalize("NFC"), level: 0, hash: hashOf(card) };
      line += name.split("\n").length;
      return { ...row, verdict: ok ? ("allowed" as const) : ("denied" as const) };
    });
    t.deepEqual(parsed, { format: "csv-v0", rows: expected, problems: [] });
  };
  fc.assert(fc.property(cards, fc.constantFrom("\n", "\r\n"), check), { numRuns: 200 });
});

// Goal: damage can take a card away, never give one: no edit within a row allows a card that the sound row did not.
// What is cut is too short to take one row's verdict whole and join the rest to the next row: that
// leaves a sound row, which nobody can tell from a meant one; against it stands the server's X-Hash-SHA224.
test("[A1] doorbot: damaged bytes never allow a card that the sound list denies", (t) => {
  const list = [...Array(6).keys()].map((card) => [`m${card}`, card, card % 2 === 0] as const);
  const allowedHashes = new Set(list.filter(([, , ok]) => ok).map(([, card]) => hashOf(card)));
  const csv = [
    HEADER,
    ...list.map(([name, card, ok]) => `${name},0,0,${ok ? "allowed" : "denied"},${hashOf(card)},x`),
  ].join("\r\n");
  const json = JSON.stringify(
    list.map(([name, card, ok]) => ({
      tagid: hashOf(card),
      allowed: ok ? "allowed" : "denied",
      member: name,
      level: 0,
    })),
  );
  const check = (text: string, at: number, cut: number, insert: Uint8Array): void => {
    const bytes = Buffer.from(text);
    const from = at % bytes.length;
    const damaged = Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + cut)]);
    try {
      const { rows, problems } = parseDoorbot(damaged);
      t.true(problems.every(({ line }) => line >= 1));
      // A hash made by the damage itself is another card; none of the six may change sides.
      const denied = list.filter(([, card]) => !allowedHashes.has(hashOf(card))).map(([, card]) => hashOf(card));
      t.false(rows.some((row) => row.verdict === "allowed" && denied.includes(row.hash)));
    } catch (error) {
      t.true(error instanceof GdoError && error.code === "INPUT_INVALID", String(error));
    }
  };
  const insert = fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc.constantFrom('"', ",", "\n", "\r", "{", "]").map((text) => Buffer.from(text)),
  );
  fc.assert(fc.property(fc.constantFrom(csv, json), fc.nat(), fc.nat({ max: 40 }), insert, check), { numRuns: 1500 });
});

test("doorbot: random bytes are refused with INPUT_INVALID or read, never anything else", (t) => {
  const check = (bytes: Uint8Array, opening: string): void => {
    try {
      parseDoorbot(Buffer.concat([Buffer.from(opening), bytes]));
    } catch (error) {
      t.true(error instanceof GdoError && error.code === "INPUT_INVALID", String(error));
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.constantFrom("", "[", '[{"tagid":', `${HEADER}\n`), check),
  );
  t.pass();
});
