import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "ava";
import { GdoError } from "../../lib/base/index.ts";
import { parseDoorbot } from "../../lib/interop/index.ts";

const HEADER = "username,key,value,allowed,hashedCard,lastAccessed";
const DATE = "2026-01-01T00:00:00";
const hashOf = (card: number): string => createHash("sha224").update(String(card).padStart(10, "0")).digest("hex");
const row = (member: string, level: string, allowed: string, card: number): string =>
  `${member},0,${level},${allowed},${hashOf(card)},${DATE}`;
const parse = (...rows: string[]) => parseDoorbot(Buffer.from(`${[HEADER, ...rows].join("\n")}\n`));
const oddBytes = readFileSync("test/fixtures/doorbot/odd.csv");

test("[A1] doorbot CSV: exactly `allowed` allows, exactly `denied` denies, neither is reported", (t) => {
  const { rows, problems, format } = parse(row("ann", "0", "allowed", 1), row("bob", "-2", "denied", 2));
  t.is(format, "csv-v0");
  t.deepEqual(problems, []);
  t.deepEqual(rows, [
    { line: 2, member: "ann", level: 0, hash: hashOf(1), verdict: "allowed" },
    { line: 3, member: "bob", level: -2, hash: hashOf(2), verdict: "denied" },
  ]);
});

for (const word of [
  "disallowed",
  "Allowed ",
  " allowed",
  "ALLOWED",
  "",
  "false",
  "true",
  "allowed\u00a0",
  "allow",
  "denied ",
]) {
  test(`[A1] doorbot CSV: allowed = ${JSON.stringify(word)} denies the card and is reported`, (t) => {
    const { rows, problems } = parse(row("ann", "0", "allowed", 1), row("bob", "0", word, 2));
    t.deepEqual(
      rows.map((each) => each.verdict),
      ["allowed", "denied"],
    );
    t.deepEqual(
      problems.map(({ line, effect }) => ({ line, effect })),
      [{ line: 3, effect: "denied" }],
    );
  });
}

test("[A1] doorbot CSV: a list with every oddity imports what is right, denies what is doubtful, reports each odd row", (t) => {
  const { rows, problems } = parseDoorbot(oddBytes);
  const allowed = rows.filter((each) => each.verdict === "allowed");
  t.deepEqual(
    allowed.map(({ line, member, level, hash }) => [line, member, level, hash]),
    [
      [2, "ann", 0, hashOf(1)],
      [3, `O'Hara, Pat "Red"`, 2, hashOf(2)],
      [16, "two\r\nlines", 1, hashOf(13)],
      [19, "max", 1, hashOf(15)],
      [20, "max", 1, hashOf(16)],
      [22, "nia", -1, hashOf(17)],
    ],
  );
  const denied = [4, 5, 6, 7, 8, 9, 11, 12, 14, 15, 18];
  t.deepEqual(
    rows.filter((each) => each.verdict === "denied").map((each) => each.line),
    denied,
  );
  t.deepEqual(
    problems.map(({ line, effect }) => `${line} ${effect}`),
    [
      "4 denied",
      "5 denied",
      "6 denied",
      "7 denied",
      "8 denied",
      "9 denied",
      "10 ignored",
      "11 denied",
      "13 ignored",
      "14 denied",
      "15 denied",
      "18 denied",
      "19 lowered",
      "21 ignored",
    ],
  );
});

test("[A1] doorbot CSV: rows of 5 and 7 columns say how many columns they have", (t) => {
  const { problems } = parseDoorbot(oddBytes);
  const about = (line: number): string => problems.find((each) => each.line === line)?.what ?? "";
  t.regex(about(8), /5 columns/);
  t.regex(about(9), /7 columns/);
  t.regex(about(10), /5 columns/);
});

test("[A1] doorbot CSV: a duplicate with another verdict denies the card and names all its lines", (t) => {
  const { rows, problems } = parse(
    row("a", "0", "allowed", 1),
    row("b", "0", "allowed", 2),
    row("a", "0", "denied", 1),
    row("a", "0", "allowed", 1),
  );
  t.deepEqual(
    rows.map((each) => each.verdict),
    ["denied", "allowed", "denied", "denied"],
  );
  t.deepEqual(
    problems.map((each) => each.line),
    [2, 4, 5],
  );
  for (const { what, effect } of problems) {
    t.regex(what, /lines 2, 4, 5 /);
    t.is(effect, "denied");
  }
});

test("[A1] doorbot CSV: an odd row of a card that another row allows denies the card", (t) => {
  const { rows } = parse(row("a", "0", "allowed", 1), `a,0,allowed,${hashOf(1)},${DATE}`);
  t.deepEqual(
    rows.map((each) => each.verdict),
    ["denied", "denied"],
  );
});

test("[A1] doorbot CSV: one card of two members is denied", (t) => {
  const { rows, problems } = parse(row("a", "0", "allowed", 1), row("b", "0", "allowed", 1));
  t.deepEqual(
    rows.map((each) => each.verdict),
    ["denied", "denied"],
  );
  t.deepEqual(
    problems.map((each) => each.line),
    [2, 3],
  );
});

for (const [name, hash] of [
  ["short", hashOf(1).slice(1)],
  ["long", `${hashOf(1)}0`],
  ["not hex", hashOf(1).replace(/^./, "g")],
  ["empty", ""],
] as const) {
  test(`[A1] doorbot CSV: a hash that is ${name} is reported and names no card`, (t) => {
    const { rows, problems } = parse(`ann,0,0,allowed,${hash},${DATE}`, row("bob", "0", "allowed", 2));
    t.deepEqual(
      rows.map((each) => each.line),
      [3],
    );
    t.like(problems, [{ line: 2, effect: "ignored" }]);
    t.regex(problems[0]?.what ?? "", /56/);
  });
}

test("[A1] doorbot CSV: a hash in capitals, which doorbot never matched, is denied under its real name", (t) => {
  const { rows, problems } = parse(`ann,0,0,allowed,${hashOf(1).toUpperCase()},${DATE}`);
  t.like(rows, [{ hash: hashOf(1), verdict: "denied" }]);
  t.like(problems, [{ line: 2, effect: "denied" }]);
});

for (const level of ["-3", "5", "1.0", "", "x", "1e0", "+1", "01"]) {
  test(`[A1] doorbot CSV: level ${JSON.stringify(level)} is reported and the card denied`, (t) => {
    const { rows, problems } = parse(row("ann", level, "allowed", 1));
    t.like(rows, [{ verdict: "denied", level: undefined }]);
    t.regex(problems[0]?.what ?? "", /level/);
  });
}

test("doorbot CSV: levels -2 to 4 are known", (t) => {
  const levels = [-2, -1, 0, 1, 2, 3, 4];
  const { rows, problems } = parse(...levels.map((level) => row(`m${level}`, String(level), "allowed", level + 10)));
  t.deepEqual(
    rows.map((each) => each.level),
    levels,
  );
  t.deepEqual(problems, []);
});

test("[A1] doorbot CSV: one member with two levels gets the lower one, on every card, and it is reported", (t) => {
  const { rows, problems } = parse(row("zoe\u0301", "3", "allowed", 1), row("zo\u00e9", "1", "denied", 2));
  t.deepEqual(
    rows.map(({ member, level }) => ({ member, level })),
    [
      { member: "zo\u00e9", level: 1 },
      { member: "zo\u00e9", level: 1 },
    ],
  );
  t.like(problems, [{ line: 2, effect: "lowered" }]);
});

test("doorbot CSV: LF, CRLF, BOM and a missing final newline change no decision", (t) => {
  const lines = [HEADER, row("ann", "0", "allowed", 1), row("bob", "1", "denied", 2)];
  const expected = parseDoorbot(Buffer.from(lines.join("\n")));
  t.is(expected.rows.length, 2);
  for (const text of [
    `${lines.join("\n")}\n`,
    lines.join("\r\n"),
    `${lines.join("\r\n")}\r\n`,
    `\ufeff${lines.join("\n")}`,
  ]) {
    t.deepEqual(parseDoorbot(Buffer.from(text)), expected);
  }
});

test("doorbot CSV: a quoted row with doubled quotes is not lost", (t) => {
  const { rows, problems } = parse(`"Al ""the"" Lathe, Jr",0,0,"allowed","${hashOf(1)}",""`);
  t.like(rows, [{ member: 'Al "the" Lathe, Jr', verdict: "allowed" }]);
  t.deepEqual(problems, []);
});

for (const [name, line, what] of [
  ["a quote that never closes", `"ann,0,0,allowed,${hashOf(1)},${DATE}`, /does not close|closing quote/],
  ["text after a closing quote", `"ann"x,0,0,allowed,${hashOf(1)},${DATE}`, /closing quote/],
  ["a quote inside an unquoted field", `a"nn,0,0,allowed,${hashOf(1)},${DATE}`, /unquoted/],
  ["a lone carriage return", `a\rnn,0,0,allowed,${hashOf(1)},${DATE}`, /carriage return/],
] as const) {
  test(`[A1] doorbot CSV: ${name} denies its own row and spoils no other`, (t) => {
    const { rows, problems } = parse(
      row("zed", "0", "allowed", 9),
      line,
      row("bob", "0", "allowed", 2),
      row("cat", "0", "allowed", 3),
    );
    t.deepEqual(
      rows.map((each) => `${each.line} ${each.verdict}`),
      ["2 allowed", "3 denied", "4 allowed", "5 allowed"],
    );
    t.like(problems, [{ line: 3, effect: "denied" }]);
    t.regex(problems[0]?.what ?? "", what);
  });
}

test("[A1] doorbot CSV: an empty line and an empty name are reported", (t) => {
  const { rows, problems } = parse("", row("", "0", "allowed", 1));
  t.like(rows, [{ line: 3, verdict: "denied" }]);
  t.deepEqual(
    problems.map(({ line, effect }) => `${line} ${effect}`),
    ["2 ignored", "3 denied"],
  );
});

test("[A1] doorbot CSV: a name longer than a person's id may be is denied and reported", (t) => {
  const longest = "€".repeat(21);
  const { rows, problems } = parse(row(`${longest}x`, "0", "allowed", 1), row(`${longest}xy`, "0", "allowed", 2));
  t.deepEqual(
    rows.map((each) => each.verdict),
    ["allowed", "denied"],
  );
  t.like(problems, [{ line: 3, effect: "denied" }]);
});

test("[A1] doorbot CSV: a name that is not UTF-8 is denied, the rest is imported", (t) => {
  const bytes = Buffer.concat([
    Buffer.from(`${HEADER}\nzo`),
    Buffer.from([0xe9]),
    Buffer.from(`${row("", "0", "allowed", 1)}\n${row("bob", "0", "allowed", 2)}`),
  ]);
  const { rows, problems } = parseDoorbot(bytes);
  t.deepEqual(
    rows.map((each) => each.verdict),
    ["denied", "allowed"],
  );
  t.like(problems, [{ line: 2, effect: "denied" }]);
});

for (const [name, text] of [
  ["empty file", ""],
  ["no header", row("ann", "0", "allowed", 1)],
  ["other columns", "username,value,key,allowed,hashedCard,lastAccessed\n"],
  ["header in other case", HEADER.toLowerCase()],
  ["a page of HTML", "<html><body>401 Unauthorized</body></html>"],
] as const) {
  test(`doorbot CSV: ${name} is one clear error and nothing is imported`, (t) => {
    const error = t.throws(() => parseDoorbot(Buffer.from(text)), { instanceOf: GdoError });
    t.is(error.code, "INPUT_INVALID");
    t.regex(error.message, /line 1 is not the header/);
  });
}

test("[A6] doorbot CSV: no problem shows a card's hash or number, whatever column it slipped into", (t) => {
  const slipped = [
    `ann,0,${hashOf(1)},allowed,0,x`,
    `ann,0,0,${hashOf(2)},allowed,x`,
    "ann,0,0000000003,allowed,x,x",
    "ann,0,0,0000000004,x,x",
    `x"${hashOf(5)}`,
  ];
  const shown = JSON.stringify(parse(...slipped).problems) + JSON.stringify(parseDoorbot(oddBytes).problems);
  t.notRegex(shown, /[0-9a-f]{20}|[0-9]{10}/i);
  t.is(parse(...slipped).problems.length, slipped.length);
});

test("doorbot: X-Hash-SHA224 must fit the body, if it is given", (t) => {
  const sha224Of = (bytes: Uint8Array): string => createHash("sha224").update(bytes).digest("hex");
  const expected = { sha224: sha224Of(oddBytes).toUpperCase(), sha224Of };
  t.deepEqual(parseDoorbot(oddBytes, { expected }), parseDoorbot(oddBytes));
  t.throws(() => parseDoorbot(oddBytes.subarray(1), { expected }), { code: "INPUT_INVALID" });
});

test("doorbot: a file above 64 MiB and a list above the rows' bound are refused", (t) => {
  t.throws(() => parseDoorbot(new Uint8Array(64 * 1024 * 1024 + 1)), { code: "INPUT_INVALID" });
  t.throws(() => parseDoorbot(Buffer.from(`${HEADER}\n${"x\n".repeat(300_001)}`)), { code: "INPUT_INVALID" });
});
