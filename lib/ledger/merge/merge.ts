/**
 * Payload of a merge block. What can grow with the entries (state changes, void entries) is in the blob of
 * changes that it names; the block keeps counts, roots and one range per log,
 * so that it stays within 64 KiB and a node sees from the block alone which entries it lacks.
 */
import {
  BLOCK_PARENTS_MAX,
  bytesOf,
  fromHex,
  type Hash,
  oncePerObject,
  type PublicKey,
  toHex,
} from "../../base/index.ts";
import type { Canonical } from "../../codec/index.ts";
import { CHARTER_BRANCH, VALIDATORS_MAX } from "../policy.ts";
import {
  arrayOf,
  ascendingHashes,
  checkAscending,
  countOf,
  hashAt,
  hashOrNull,
  keyAt,
  mapOf,
  mapWith,
  nameOf,
  refuse,
} from "../shape.ts";
import { type Certificate, type Verdict, verdictOf } from "./vote.ts";

/** Logs that one merge can take from: more wait for the next merge. All at their most fit a block. */
export const MERGE_RANGES_MAX = 700;
/** Branches that one merge can take from, and logs that it can freeze. */
const MERGE_SOURCES_MAX = 8;
export const MERGE_FROZEN_MAX = 64;
/** Dapps that can have state on one branch. */
const MERGE_APPS_MAX = 64;
const MERGE_TESTS_MAX = 64;

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
  readonly verdict: Verdict;
  /** Hash of what it gave, null where there is none. */
  readonly output: Hash | null;
}

/** A position of a branch: after its merge of that height; id null before the first. */
export interface Position {
  readonly h: number;
  readonly id: Hash | null;
}

/** Everything in another branch, up to one of its merges, is taken too. */
export interface MergeSource {
  readonly branch: string;
  readonly h: number;
  readonly id: Hash;
}

/** A log of which numbers from `n` on count for nothing any more, and the evidence against it. */
export interface FrozenLog {
  readonly author: PublicKey;
  readonly l: string;
  readonly n: number;
  readonly evidence: Hash;
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
  /** Position of the branch `charter` by which authors and validators are judged [L16]; never falls. */
  readonly charter: Position;
  /** Proof that `prev` is final, in mode quorum. */
  readonly cert: Certificate | null;
  /** Ascending by branch. */
  readonly from: readonly MergeSource[];
  /** Frozen as of this merge; ascending by (author, l). */
  readonly frozen: readonly FrozenLog[];
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
    charter: [payload.charter.h, hash(payload.charter.id)],
    cert: payload.cert === null ? null : { r: payload.cert.r, votes: payload.cert.votes.map(bytesOf) },
    from: payload.from.map(({ branch, h, id }) => [branch, h, bytesOf(id)]),
    frozen: payload.frozen.map(({ author, l, n, evidence }) => [
      bytesOf(author),
      fromHex(l) ?? null,
      n,
      bytesOf(evidence),
    ]),
  };
  parseMerge(encoded);
  return encoded;
}

const FIELDS = [
  ...["branch", "h", "prev", "heads", "set", "included", "entries", "void", "state", "changes", "tests"],
  ...["charter", "cert", "from", "frozen"],
];

/** Throws LEDGER_FORM. The payload must not change any more. */
export const parseMerge: (payload: Canonical) => MergePayload = oncePerObject(readMerge);

function readMerge(payload: Canonical): MergePayload {
  const map = mapWith(payload, FIELDS, "a merge's payload");
  const h = countOf(map["h"], "h");
  const prev = hashOrNull(map["prev"], "prev");
  if (h === 0 || (prev === null) !== (h === 1)) throw refuse("prev must be null exactly at height 1, the first");
  const entries = countOf(map["entries"], "entries");
  const voided = countOf(map["void"], "void");
  if (voided > entries) throw refuse("more void entries than entries");
  const branch = nameOf(map["branch"], "branch");
  const charter = parsePosition(map["charter"]);
  if (branch === CHARTER_BRANCH && (charter.h !== h - 1 || charter.id !== prev))
    throw refuse("the charter is judged by the charter before it");
  const cert = parseCertificate(map["cert"]);
  if (cert !== null && prev === null) throw refuse("there is nothing before height 1 to certify");
  return {
    branch,
    h,
    prev,
    heads: ascendingHashes(map["heads"], "heads", BLOCK_PARENTS_MAX),
    set: hashAt(map["set"], "set"),
    included: parseIncluded(map["included"]),
    entries,
    void: voided,
    state: parseRoots(map["state"]),
    changes: hashOrNull(map["changes"], "changes"),
    tests: parseTests(map["tests"]),
    charter,
    cert,
    from: parseSources(map["from"], branch),
    frozen: parseFrozen(map["frozen"]),
  };
}

function parsePosition(value: Canonical | undefined): Position {
  const [at, name, ...rest] = arrayOf(value, "charter");
  const [h, id] = [countOf(at, "charter's height"), hashOrNull(name, "charter's merge")];
  if (rest.length > 0 || (id === null) !== (h === 0)) throw refuse("a position is [height, merge], [0, null] at first");
  return { h, id };
}

function parseCertificate(value: Canonical | undefined): Certificate | null {
  if (value === null) return null;
  const map = mapWith(value, ["r", "votes"], "a certificate");
  const votes = ascendingHashes(map["votes"], "votes", VALIDATORS_MAX);
  if (votes.length === 0) throw refuse("a certificate without votes");
  return { r: countOf(map["r"], "r"), votes };
}

function parseSources(value: Canonical | undefined, into: string): MergeSource[] {
  const sources = arrayOf(value, "from").map((item): MergeSource => {
    const [branch, at, id, ...rest] = arrayOf(item, "a source");
    const source = { branch: nameOf(branch, "a branch"), h: countOf(at, "h"), id: hashAt(id, "a merge") };
    if (rest.length > 0 || source.h === 0) throw refuse("a source is [branch, height, merge]");
    if (source.branch === into || source.branch === CHARTER_BRANCH || into === CHARTER_BRANCH)
      throw refuse(`${into} cannot take from ${source.branch}`);
    return source;
  });
  if (sources.length > MERGE_SOURCES_MAX) throw refuse(`more than ${MERGE_SOURCES_MAX} sources`);
  checkAscending(
    sources.map(({ branch }) => branch),
    "sources",
  );
  return sources;
}

function parseFrozen(value: Canonical | undefined): FrozenLog[] {
  const frozen = arrayOf(value, "frozen").map((item): FrozenLog => {
    const [author, l, n, evidence, ...rest] = arrayOf(item, "a frozen log");
    if (rest.length > 0) throw refuse("a frozen log is [author, l, n, evidence]");
    return {
      author: keyAt(author, "an author"),
      l: logAt(l),
      n: countOf(n, "n"),
      evidence: hashAt(evidence, "evidence"),
    };
  });
  if (frozen.length > MERGE_FROZEN_MAX) throw refuse(`more than ${MERGE_FROZEN_MAX} frozen logs`);
  checkAscending(
    frozen.map(({ author, l }) => author + l),
    "frozen logs",
  );
  return frozen;
}

function logAt(value: Canonical | undefined): string {
  if (!(value instanceof Uint8Array) || value.length !== LOG_BYTES) throw refuse("a log is not 8 bytes");
  return toHex(value);
}

const LOG_BYTES = 8;

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
  if (rest.length > 0) throw refuse("a range is not [author, l, from, to]");
  const range = { author: keyAt(author, "an author"), l: logAt(l), from: countOf(from, "from"), to: countOf(to, "to") };
  if (range.to < range.from) throw refuse("a range ends before it begins");
  return range;
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
  return {
    app: nameOf(app, "a dapp"),
    image: hashOrNull(image, "an image"),
    verdict: verdictOf(verdict),
    output: hashOrNull(output, "an output"),
  };
}
