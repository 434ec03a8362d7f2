/** Payloads of entries and merges, and the blob of a merge's changes. */
import test from "ava";
import { bytesOf, fromHex, type Hash, type PublicKey } from "../../lib/base/index.ts";
import { type Canonical, encodeCanonical } from "../../lib/codec/index.ts";
import {
  encodeMerge,
  encodeMergeChanges,
  entryPayload,
  MERGE_RANGES_MAX,
  type MergeChanges,
  type MergePayload,
  parseEntryPayload,
  parseMerge,
  parseMergeChanges,
} from "../../lib/ledger/index.ts";
import { note, testKey, testOrganisation } from "../support/ledger-fixtures.ts";

const hash = (digit: string): Hash => digit.repeat(64) as Hash;

test("ledger: an entry's payload is read as it was written", (t) => {
  const acts = [note("a"), note("b")];
  t.deepEqual(parseEntryPayload(entryPayload("notes", acts)), { app: "notes", branch: "main", acts });
  t.deepEqual(parseEntryPayload(entryPayload("notes", acts, "draft")), { app: "notes", branch: "draft", acts });
  t.deepEqual(parseEntryPayload(entryPayload("charter", acts)), { app: "charter", branch: "charter", acts });
  t.deepEqual(entryPayload("notes", acts, "main"), entryPayload("notes", acts));
});

const WRONG_ENTRIES: readonly (readonly [title: string, payload: Canonical, message: RegExp])[] = [
  ["no acts", { app: "notes", acts: [] }, /1 to 256 acts, not 0/],
  ["257 acts", { app: "notes", acts: new Array<Canonical>(257).fill(["note", null]) }, /not 257/],
  ["a name that is none", { app: "Notes/1", acts: [["note", null]] }, /not a name/],
  ["an act of one part", { app: "notes", acts: [["note"]] }, /\[type, body\]/],
  ["an act of three parts", { app: "notes", acts: [["note", 1, 2]] }, /\[type, body\]/],
  ["a type that is not text", { app: "notes", acts: [[1, 2]] }, /not text/],
  ["an empty type", { app: "notes", acts: [["", 2]] }, /1 to 64/],
  ["a field too many", { app: "notes", acts: [["note", 1]], more: 1 }, /has the keys/],
  ["no map", [], /not a map/],
  ["main by its name", { app: "notes", acts: [["note", 1]], branch: "main" }, /does not name the branch main/],
  ["another app's on charter", { app: "notes", acts: [["note", 1]], branch: "charter" }, /not name the branch charter/],
  ["the charter's elsewhere", { app: "charter", acts: [["x", 1]], branch: "draft" }, /entry of charter does not name/],
  ["a branch that is no name", { app: "notes", acts: [["note", 1]], branch: "a/b" }, /not a name/],
];

for (const [title, payload, message] of WRONG_ENTRIES) {
  test(`ledger: an entry is refused with ${title}`, (t) => {
    t.throws(() => parseEntryPayload(payload), { code: "LEDGER_FORM", message });
  });
}

test("ledger: 256 acts are taken", (t) => {
  t.is(parseEntryPayload({ app: "notes", acts: new Array<Canonical>(256).fill(["note", null]) }).acts.length, 256);
});

const author = testKey(1).publicKey;

const merge: MergePayload = {
  branch: "main",
  h: 2,
  prev: hash("a"),
  heads: [hash("b"), hash("c")],
  set: hash("d"),
  included: [
    { author, l: "00000000000000a1", from: 0, to: 4 },
    { author, l: "00000000000000a2", from: 3, to: 3 },
  ],
  entries: 6,
  void: 1,
  state: { charter: hash("e"), door: hash("f") },
  changes: hash("1"),
  tests: [{ app: "door", image: hash("2"), verdict: "PASS", output: null }],
  charter: { h: 4, id: hash("3") },
  cert: { r: 1, votes: [hash("4"), hash("5")] },
  from: [{ branch: "draft", h: 2, id: hash("6") }],
  frozen: [{ author, l: "00000000000000a3", n: 7, evidence: hash("7") }],
};

test("ledger: a merge's payload is read as it was written", (t) => {
  t.deepEqual(parseMerge(encodeMerge(merge)), merge);
  const first: MergePayload = {
    ...merge,
    h: 1,
    prev: null,
    changes: null,
    heads: [],
    tests: [],
    charter: { h: 0, id: null },
    cert: null,
    from: [],
    frozen: [],
  };
  t.deepEqual(parseMerge(encodeMerge(first)), first);
});

const range = (l: string, from: number, to: number): Canonical => [bytesOf(author), fromHex(l) as Uint8Array, from, to];

const source = (branch: string): Canonical => [branch, 1, bytesOf(hash("8"))];

const WRONG_MERGES: readonly (readonly [title: string, change: Record<string, Canonical>, message: RegExp])[] = [
  ["height 0", { h: 0 }, /height 1, the first/],
  ["nothing before height 2", { prev: null }, /height 1, the first/],
  ["something before height 1", { h: 1 }, /height 1, the first/],
  ["more void than included", { void: 7 }, /more void entries/],
  ["nine heads", { heads: "123456789".split("").map((digit) => bytesOf(hash(digit))) }, /more than 8 heads/],
  ["heads out of order", { heads: [bytesOf(hash("c")), bytesOf(hash("b"))] }, /out of order/],
  [
    "a log twice",
    { included: [range("00000000000000a1", 0, 1), range("00000000000000a1", 2, 3)] },
    /out of order or double/,
  ],
  ["a range that ends first", { included: [range("00000000000000a1", 2, 1)] }, /ends before it begins/],
  [
    "a range of five parts",
    { included: [[...(range("00000000000000a1", 0, 1) as readonly Canonical[]), 1]] },
    /not \[author/,
  ],
  ["a log of 7 bytes", { included: [[bytesOf(author), new Uint8Array(7), 0, 1]] }, /not 8 bytes/],
  ["a root of 31 bytes", { state: { door: new Uint8Array(31) } }, /32 bytes/],
  ["a verdict that is none", { tests: [["door", null, "MAYBE", null]] }, /verdict/],
  ["a field too many", { coin: 1 }, /has the keys/],
  ["a charter position without its merge", { charter: [3, null] }, /a position is/],
  ["a certificate of nothing", { h: 1, prev: null }, /nothing before height 1/],
  ["a certificate without votes", { cert: { r: 0, votes: [] } }, /without votes/],
  ["a source twice", { from: [source("draft"), source("draft")] }, /out of order or double/],
  ["itself as a source", { from: [source("main")] }, /main cannot take from main/],
  ["the charter as a source", { from: [source("charter")] }, /cannot take from charter/],
  ["a charter by another position", { branch: "charter", from: [] }, /by the charter before it/],
  ["a frozen log of three parts", { frozen: [[bytesOf(author), new Uint8Array(8), 1]] }, /32 bytes/],
];

for (const [title, change, message] of WRONG_MERGES) {
  test(`ledger: a merge is refused with ${title}`, (t) => {
    const payload = { ...(encodeMerge(merge) as Record<string, Canonical>), ...change };
    t.throws(() => parseMerge(payload), { code: "LEDGER_FORM", message });
  });
}

test("[L2] a merge that names as much as one may fits a block", (t) => {
  const { office } = testOrganisation();
  const of = (index: number): PublicKey => (index + 1).toString(16).padStart(64, "0") as PublicKey;
  const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
  const l = "ffffffffffffffff";
  const n = 2 ** 31;
  const name = (index: number): string => `${index}`.padStart(63, "a");
  const roots = many(64, (index) => [name(index), hash("a")] as const);
  const greatest: MergePayload = {
    ...merge,
    h: n,
    heads: many(8, (index) => of(index) as string as Hash),
    included: many(MERGE_RANGES_MAX, (index) => ({ author: of(index), l, from: n, to: n + 1 })),
    state: Object.fromEntries(roots),
    tests: many(64, (index) => ({ app: name(index), image: hash("b"), verdict: "MISSING", output: hash("c") })),
    cert: { r: n, votes: many(64, (index) => of(index) as string as Hash) },
    from: many(8, (index) => ({ branch: name(index), h: n, id: hash("d") })),
    frozen: many(64, (index) => ({ author: of(index), l, n, evidence: hash("e") })),
  };
  const p = many(8, (index) => of(index) as string as Hash);
  const { body } = office.draft(encodeMerge(greatest), [], { k: "merge", p });
  t.true(body.length <= 64 * 1024, `${body.length}`);
  const more = [...greatest.included, { author: "f".repeat(64) as PublicKey, l, from: n, to: n }];
  t.throws(() => encodeMerge({ ...greatest, included: more }), { code: "LEDGER_FORM" });
});

test("ledger: a merge's changes are read as they were written; null is a value, deleting is not", (t) => {
  const changes: MergeChanges = {
    state: {
      door: [
        ["a", 1],
        ["b", null],
        ["c", undefined],
      ],
      notes: [],
    },
    voids: [{ id: hash("a"), reason: "it is late" }],
  };
  t.deepEqual(parseMergeChanges(encodeMergeChanges(changes)), changes);
});

test("ledger: a blob that is no merge's changes is refused", (t) => {
  const wrong: readonly Canonical[] = [
    {},
    { state: {}, void: [], more: 1 },
    { state: { door: [[]] }, void: [] },
    { state: { door: [["a", 1, 2]] }, void: [] },
    { state: { door: [[1, 2]] }, void: [] },
    { state: { "../door": [] }, void: [] },
    { state: {}, void: [[bytesOf(hash("a"))]] },
    { state: {}, void: [[bytesOf(hash("a")), "x".repeat(501)]] },
    { state: {}, void: [["a", "b"]] },
  ];
  for (const value of wrong) t.throws(() => parseMergeChanges(encodeCanonical(value)), { code: "LEDGER_FORM" });
});

test("ledger: no reason stands in a merge's way, however long or odd its text", (t) => {
  const odd = [
    "x".repeat(600),
    `${"x".repeat(499)}\u{1f511}`,
    "e\u0308",
    "half \ud800 a pair",
    "\ud800".repeat(600),
    "",
  ];
  const voids = odd.map((reason, index) => ({ id: hash(`${index}`), reason }));
  const kept = parseMergeChanges(encodeMergeChanges({ state: {}, voids })).voids.map(({ reason }) => reason);
  const [cut = "", split = "", composed = "", half = "", many = "", none = "?"] = kept;
  t.deepEqual([cut.length, split.length, many.length], [500, 500, 500]);
  t.deepEqual([composed, half, none], ["\u00eb", "half \ufffd a pair", ""]);
});
