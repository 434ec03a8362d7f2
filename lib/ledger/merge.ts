/**
 * Payload of a merge block, and the blob of changes that it names. What can grow with the entries
 * (state changes, void entries) is in the blob; the block keeps counts, roots and one range per log,
 * so that it stays within 64 KiB and a node sees from the block alone which entries it lacks.
 */
import {
  BLOCK_PARENTS_MAX,
  bytesOf,
  fromHex,
  type Hash,
  OBJECT_BYTES_MAX,
  type PublicKey,
  toHex,
} from "../base/index.ts";
import { type Canonical, decodeCanonical, encodeCanonical } from "../codec/index.ts";
import { arrayOf, countOf, hashAt, hashOrNull, keyAt, mapOf, mapWith, nameOf, refuse, textOf } from "./shape.ts";
import type { StateChange } from "./types.ts";

/** Logs that one merge can take from: more wait for the next merge. 1,000 ranges take about 54 KiB. */
export const MERGE_RANGES_MAX = 1000;
/** Dapps that can have state on one branch. */
const MERGE_APPS_MAX = 64;
const MERGE_TESTS_MAX = 64;
const REASON_CHARACTERS_MAX = 500;

/** Numbers `from` to `to` of one log, both included. Other blocks than entries in it are passed over. */
export interface IncludedRange {
  readonly author: PublicKey;
  readonly l: string;
  readonly from: number;
  readonly to: number;
}

/** What one dapp's test said [L14]. */
export interface MergeTest {
  readonly app: string;
  /** Tree of the dapp that ran; null for what is built in. */
  readonly image: Hash | null;
  readonly verdict: "PASS" | "FAIL" | "ERROR" | "MISSING";
  /** Hash of what it gave, null where there is none. */
  readonly output: Hash | null;
}

export interface MergePayload {
  readonly branch: string;
  /** Height: 1 for a branch's first merge. */
  readonly h: number;
  /** The merge before; null exactly at height 1. */
  readonly prev: Hash | null;
  /** Newest included entries of up to 8 logs; ascending. */
  readonly heads: readonly Hash[];
  /** includedRoot over the entries. */
  readonly set: Hash;
  /** One a log, ascending by (author, l). */
  readonly included: readonly IncludedRange[];
  /** How many entries, and how many of them are void. */
  readonly entries: number;
  readonly void: number;
  /** Root of every dapp that has state, after this merge [L19]. */
  readonly state: Readonly<Record<string, Hash>>;
  /** Id of the blob of MergeChanges. */
  readonly changes: Hash | null;
  readonly tests: readonly MergeTest[];
}

/** What a merge did: state changes per dapp, and which entries are void, why. */
export interface MergeChanges {
  readonly state: Readonly<Record<string, readonly StateChange[]>>;
  readonly voids: readonly { readonly id: Hash; readonly reason: string }[];
}

/** The payload of a merge block. Throws LEDGER_FORM for what parseMerge would refuse. */
export function encodeMerge(payload: MergePayload): Canonical {
  const hash = (id: Hash | null): Uint8Array | null => (id === null ? null : bytesOf(id));
  const encoded: Canonical = {
    branch: payload.branch,
    h: payload.h,
    prev: hash(payload.prev),
    heads: payload.heads.map(bytesOf),
    set: bytesOf(payload.set),
    included: payload.included.map(({ author, l, from, to }) => [bytesOf(author), fromHex(l) ?? null, from, to]),
    entries: payload.entries,
    void: payload.void,
    state: Object.fromEntries(Object.entries(payload.state).map(([app, root]) => [app, bytesOf(root)])),
    changes: hash(payload.changes),
    tests: payload.tests.map(({ app, image, verdict, output }) => [app, hash(image), verdict, hash(output)]),
  };
  parseMerge(encoded);
  return encoded;
}

const FIELDS = ["branch", "h", "prev", "heads", "set", "included", "entries", "void", "state", "changes", "tests"];

/** Throws LEDGER_FORM. */
export function parseMerge(payload: Canonical): MergePayload {
  const map = mapWith(payload, FIELDS, "a merge's payload");
  const h = countOf(map["h"], "h");
  const prev = hashOrNull(map["prev"], "prev");
  if (h === 0 || (prev === null) !== (h === 1)) throw refuse("prev must be null exactly at height 1, the first");
  const entries = countOf(map["entries"], "entries");
  const voided = countOf(map["void"], "void");
  if (voided > entries) throw refuse("more void entries than entries");
  return {
    branch: nameOf(map["branch"], "branch"),
    h,
    prev,
    heads: parseHeads(map["heads"]),
    set: hashAt(map["set"], "set"),
    included: parseIncluded(map["included"]),
    entries,
    void: voided,
    state: parseRoots(map["state"]),
    changes: hashOrNull(map["changes"], "changes"),
    tests: parseTests(map["tests"]),
  };
}

function parseHeads(value: Canonical | undefined): Hash[] {
  const heads = arrayOf(value, "heads").map((head) => hashAt(head, "a head"));
  if (heads.length > BLOCK_PARENTS_MAX) throw refuse(`more than ${BLOCK_PARENTS_MAX} heads`);
  checkAscending(heads, "heads");
  return heads;
}

function parseIncluded(value: Canonical | undefined): IncludedRange[] {
  const items = arrayOf(value, "included");
  if (items.length > MERGE_RANGES_MAX) throw refuse(`more than ${MERGE_RANGES_MAX} ranges`);
  const ranges = items.map(parseRange);
  checkAscending(
    ranges.map(({ author, l }) => author + l),
    "ranges",
  );
  return ranges;
}

function parseRange(value: Canonical): IncludedRange {
  const [author, l, from, to, ...rest] = arrayOf(value, "a range");
  if (rest.length > 0 || !(l instanceof Uint8Array) || l.length !== 8)
    throw refuse("a range is not [author, l, from, to]");
  const range = { author: keyAt(author, "an author"), l: toHex(l), from: countOf(from, "from"), to: countOf(to, "to") };
  if (range.to < range.from) throw refuse("a range ends before it begins");
  return range;
}

function checkAscending(names: readonly string[], what: string): void {
  if (names.some((name, index) => index > 0 && name <= (names[index - 1] as string)))
    throw refuse(`${what} out of order or double`);
}

function parseRoots(value: Canonical | undefined): Record<string, Hash> {
  const roots: Record<string, Hash> = {};
  for (const [app, root] of Object.entries(mapOf(value, "state")))
    roots[nameOf(app, "a dapp")] = hashAt(root, "a state root");
  if (Object.keys(roots).length > MERGE_APPS_MAX) throw refuse(`more than ${MERGE_APPS_MAX} dapps`);
  return roots;
}

function parseTests(value: Canonical | undefined): MergeTest[] {
  const tests = arrayOf(value, "tests");
  if (tests.length > MERGE_TESTS_MAX) throw refuse(`more than ${MERGE_TESTS_MAX} tests`);
  return tests.map(parseTest);
}

function parseTest(value: Canonical): MergeTest {
  const [app, image, verdict, output, ...rest] = arrayOf(value, "a test");
  if (rest.length > 0) throw refuse("a test is not [app, image, verdict, output]");
  if (verdict !== "PASS" && verdict !== "FAIL" && verdict !== "ERROR" && verdict !== "MISSING")
    throw refuse("a verdict that is not known");
  return {
    app: nameOf(app, "a dapp"),
    image: hashOrNull(image, "an image"),
    verdict,
    output: hashOrNull(output, "an output"),
  };
}

/**
 * The blob of changes: canonical {state: {app: [[key, value] or [key], …]}, void: [[id, reason], …]}; a key
 * alone is deleted. Throws INPUT_INVALID for values nested deeper than 12: the blob adds four levels.
 */
export function encodeMergeChanges({ state, voids }: MergeChanges): Uint8Array {
  const apps = Object.entries(state).map(([app, changes]) => [
    app,
    changes.map(([key, value]) => (value === undefined ? [key] : [key, value])),
  ]);
  return encodeCanonical({
    state: Object.fromEntries(apps),
    void: voids.map(({ id, reason }) => [bytesOf(id), voidReason(reason)]),
  });
}

const LONE_SURROGATE = /\p{Surrogate}/gu;

/** A reason as it is kept: dapps and entries have a hand in its text, and none may stand in a merge's way. */
export function voidReason(text: string): string {
  const whole = text.replace(LONE_SURROGATE, "\ufffd").normalize("NFC");
  return whole.slice(0, REASON_CHARACTERS_MAX).replace(LONE_SURROGATE, "\ufffd");
}

/** Throws LEDGER_FORM. */
export function parseMergeChanges(bytes: Uint8Array): MergeChanges {
  const map = mapWith(decodeCanonical(bytes, { bytesMax: OBJECT_BYTES_MAX }), ["state", "void"], "a merge's changes");
  const state: Record<string, StateChange[]> = {};
  for (const [app, changes] of Object.entries(mapOf(map["state"], "state"))) {
    state[nameOf(app, "a dapp")] = arrayOf(changes, "changes").map(parseChange);
  }
  return { state, voids: arrayOf(map["void"], "void").map(parseVoid) };
}

function parseChange(value: Canonical): StateChange {
  const pair = arrayOf(value, "a change");
  if (pair.length !== 1 && pair.length !== 2) throw refuse("a change is not [key] or [key, value]");
  return [textOf(pair[0], "a key"), pair[1]];
}

function parseVoid(value: Canonical): { id: Hash; reason: string } {
  const [id, reason, ...rest] = arrayOf(value, "a void entry");
  if (rest.length > 0) throw refuse("a void entry is not [id, reason]");
  const text = textOf(reason, "a reason");
  if (text.length > REASON_CHARACTERS_MAX) throw refuse(`a reason has more than ${REASON_CHARACTERS_MAX} characters`);
  return { id: hashAt(id, "an id"), reason: text };
}
