import { createHash } from "node:crypto";
import test from "ava";
import { GdoError } from "../../lib/base/index.ts";
import { parseDoorbot } from "../../lib/interop/index.ts";

const hashOf = (card: number): string => createHash("sha224").update(String(card).padStart(10, "0")).digest("hex");
const card = (number: number, fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  tagid: hashOf(number),
  tag_ident: String(number).padStart(10, "0"),
  raw_tag_id: String(number),
  allowed: "allowed",
  warning: "",
  member: `member${number}`,
  nickname: null,
  plan: "pro",
  last_accessed: "2026-01-01T00:00:00",
  level: 0,
  ...fields,
});
const parseText = (text: string) => parseDoorbot(Buffer.from(text));
/** One element a line, the first on line 2. */
const parse = (...cards: unknown[]) => parseText(`[\n${cards.map((each) => JSON.stringify(each)).join(",\n")}\n]\n`);

test("[A1] doorbot JSON: allowed, denied and false mean what the server means by them", (t) => {
  const { rows, problems, format } = parse(
    card(1),
    card(2, { allowed: "denied" }),
    card(3, { allowed: false }),
    card(4, { allowed: "false" }),
  );
  t.is(format, "json-v1");
  t.deepEqual(
    rows.map((row) => row.verdict),
    ["allowed", "denied", "denied", "denied"],
  );
  t.deepEqual(problems, []);
});

for (const allowed of ["disallowed", "Allowed ", "", "true", true, null, undefined]) {
  test(`[A1] doorbot JSON: allowed = ${JSON.stringify(allowed)} denies the card and is reported`, (t) => {
    const { rows, problems } = parse(card(1), card(2, { allowed }));
    t.deepEqual(
      rows.map((row) => row.verdict),
      ["allowed", "denied"],
    );
    t.like(problems, [{ line: 3, effect: "denied" }]);
  });
}

test("doorbot JSON: decides as the CSV does for the same members", (t) => {
  const members = [
    { member: 'A, "b"', level: 0, allowed: "allowed", hash: hashOf(1) },
    { member: "bob", level: 3, allowed: "disallowed", hash: hashOf(2) },
    { member: "bob", level: 1, allowed: "allowed", hash: hashOf(3) },
    { member: "cat", level: 9, allowed: "allowed", hash: hashOf(4) },
    { member: "dan", level: 0, allowed: "allowed", hash: hashOf(5) },
    { member: "dan", level: 0, allowed: "denied", hash: hashOf(5) },
    { member: "eve", level: 0, allowed: "allowed", hash: "cafe" },
  ];
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const csv = members.map(({ member, level, allowed, hash }) => `${quoted(member)},0,${level},${allowed},${hash},x`);
  const fromCsv = parseText(["username,key,value,allowed,hashedCard,lastAccessed", ...csv].join("\n"));
  const fromJson = parse(...members.map(({ hash, ...rest }, index) => card(index, { ...rest, tagid: hash })));
  t.deepEqual(fromJson.rows, fromCsv.rows);
  t.deepEqual(fromJson.problems, fromCsv.problems);
});

test("doorbot JSON: an odd element is reported at the line where it starts", (t) => {
  const text = JSON.stringify([card(1), card(2, { level: 7, endorsements: ['a,{"', { level: 1 }] }), card(3)], null, 2);
  const line = text.slice(0, text.indexOf(hashOf(2))).split("\n").length - 1;
  const { problems, rows } = parseText(text);
  t.like(problems, [{ line, effect: "denied" }]);
  t.is(problems.length, 1);
  t.deepEqual(
    rows.map((row) => row.verdict),
    ["allowed", "denied", "allowed"],
  );
});

test("[A1] doorbot JSON: an element that states a key twice is denied, also when one spelling is escaped", (t) => {
  const twice = JSON.stringify(card(1, { allowed: "denied" }))
    .replace('"allowed":', '"\\u0061llowed":"denied","allowed":')
    .replace('"denied","warning', '"allowed","warning');
  const { rows, problems } = parseText(`[${twice},\n${JSON.stringify(card(2))}]`);
  t.deepEqual(
    rows.map((row) => row.verdict),
    ["denied", "allowed"],
  );
  t.like(problems, [{ line: 1, effect: "denied" }]);
  t.regex(problems[0]?.what ?? "", /twice/);
});

const good = JSON.stringify([card(1), card(2)], null, 1);
const wrongFiles: [name: string, text: string][] = [
  ["truncated", good.slice(0, -20)],
  ["cut inside a string", good.slice(0, good.indexOf("member1") + 3)],
  ["followed by garbage", `${good}]`],
  ["an object", JSON.stringify(card(1))],
  ["an array of strings", '["allowed"]'],
  ["an array with null", `[null,${JSON.stringify(card(1))}]`],
  ["an array of arrays", "[[]]"],
  ["with a number for a hash", JSON.stringify([card(1), card(2, { tagid: 5 })])],
  ["with a text for a level", JSON.stringify([card(1, { level: "0" })])],
  ["with an object for a member", JSON.stringify([card(1, { member: {} })])],
  ["with a number for allowed", JSON.stringify([card(1, { allowed: 1 })])],
];
for (const [name, text] of wrongFiles) {
  test(`doorbot JSON: a file that is ${name} is one clear error and nothing is imported`, (t) => {
    const error = t.throws(() => parseText(text), { instanceOf: GdoError });
    t.is(error.code, "INPUT_INVALID");
    t.regex(error.message, /^not a doorbot access list: /);
    t.notRegex(`${error.message} ${String(error.cause)}`, /[0-9a-f]{20}|[0-9]{10}/, "[A6] shows no card");
  });
}

test("doorbot JSON: an empty array is a list without cards", (t) => {
  t.deepEqual(parseText("\ufeff [ ]\n"), { format: "json-v1", rows: [], problems: [] });
});

test("[A1] doorbot JSON: a missing hash, member or level is reported", (t) => {
  const { rows, problems } = parse(
    card(1, { tagid: null }),
    card(2, { member: null }),
    card(3, { level: null }),
    card(4, { level: 0.5 }),
  );
  t.deepEqual(
    rows.map(({ line, verdict }) => `${line} ${verdict}`),
    ["3 denied", "4 denied", "5 denied"],
  );
  t.deepEqual(
    problems.map(({ line, effect }) => `${line} ${effect}`),
    ["2 ignored", "3 denied", "4 denied", "5 denied"],
  );
});

test("[A1] doorbot JSON: half a character, written as an escape, is no name", (t) => {
  const { rows, problems } = parseText(JSON.stringify([card(1)]).replace("member1", "x\\ud800"));
  t.like(rows, [{ verdict: "denied", member: "" }]);
  t.like(problems, [{ line: 1, effect: "denied" }]);
});

test("[A1] doorbot JSON: a key that doorbot does not write denies the card, and its text is not told [A6]", (t) => {
  const { rows, problems } = parse(card(1), card(2, { "0000000002": 1 }), card(3, { endorsements: [] }));
  t.deepEqual(
    rows.map((row) => row.verdict),
    ["allowed", "denied", "allowed"],
  );
  t.like(problems, [{ line: 3, effect: "denied", what: "the row states a key that doorbot does not write" }]);
  t.false(JSON.stringify(problems).includes("0000000002"));
});

test("[A1] doorbot JSON: a hash that is not that of the row's own number denies the card", (t) => {
  const sha224Of = (bytes: Uint8Array): string => createHash("sha224").update(bytes).digest("hex");
  const list = [card(1), card(2, { tagid: hashOf(9) }), card(3, { tag_ident: null })];
  const { rows, problems } = parseDoorbot(Buffer.from(JSON.stringify(list)), { sha224Of });
  t.deepEqual(
    rows.map((row) => row.verdict),
    ["allowed", "denied", "allowed"],
  );
  t.like(problems, [{ effect: "denied", what: "tagid is not the SHA-224 of tag_ident" }]);
});
