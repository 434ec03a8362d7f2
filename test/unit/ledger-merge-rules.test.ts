/** Which merge may be a branch's next. */
import test from "ava";
import type { Hash } from "../../lib/base/index.ts";
import type { Block } from "../../lib/codec/index.ts";
import {
  type BranchView,
  branchPolicy,
  castBy,
  encodeMerge,
  type HeldVote,
  initialCharterState,
  judgeMerge,
  type MergePayload,
  OverlayState,
  parseGenesis,
  type StateView,
  type Vote,
  whyNotMerge,
} from "../../lib/ledger/index.ts";
import { TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";

const hash = (digit: string): Hash => digit.repeat(64) as Hash;
const l = "00000000000000a1";
const person = (id: string, byte: number) => ({
  id,
  devices: [testKey(byte).publicKey],
  roles: ["validator"],
  recovery: null,
});

/** The office and the door, and three who validate `club` by a quorum of two. */
const { office, door, charter } = testOrganisation({
  fault: "crash",
  roles: { validator: ["append", "validate"] },
  principals: [
    { id: "office", devices: [testKey(1).publicKey], roles: ["founder"], recovery: null },
    { id: "front-door", devices: [testKey(2).publicKey], roles: ["device"], recovery: null },
    person("ana", 11),
    person("ben", 12),
    person("cleo", 13),
  ],
  branches: {
    club: branchPolicy({ mode: "quorum", validators: "validator", q: null }),
    draft: branchPolicy({ mode: "open" }, { appenders: "founder" }),
  },
});
const state = new OverlayState(undefined, initialCharterState(parseGenesis(charter.d)));
const logs = { ana: 11, ben: 12, cleo: 13 };
const logOf = (name: keyof typeof logs): TestLog => new TestLog(testKey(logs[name]), charter.id);

const payload: MergePayload = {
  branch: "main",
  h: 3,
  prev: hash("b"),
  heads: [],
  set: hash("d"),
  included: [{ author: door.pair.publicKey, l, from: 4, to: 9 }],
  entries: 6,
  void: 0,
  state: {},
  changes: null,
  tests: [],
  charter: { h: 5, id: hash("5") },
  cert: null,
  from: [],
  frozen: [],
};
const mergeBy = (log: TestLog, change: Partial<MergePayload> = {}): Block =>
  log.draft(encodeMerge({ ...payload, ...change }), [charter], { k: "merge" });
const block = mergeBy(office);

const view: BranchView = {
  name: "main",
  origin: undefined,
  isAwaited: false,
  head: { h: 2, id: hash("b") },
  charterFor: () => ({ h: 4, state }),
  charterAt: () => state,
  sources: { place: () => undefined, upTo: () => 0 },
  charterId: (h) => (h <= 5 ? hash(`${h}`) : undefined),
  votes: () => [],
  next: () => 4,
  newest: () => 9,
  frozen: { cuts: () => [], proof: () => undefined, frozenAt: () => undefined, next: () => 4 },
};

function why(bent: Partial<BranchView>, change: Partial<MergePayload> = {}, by: TestLog = office): string {
  const found = judgeMerge(mergeBy(by, change), { ...payload, ...change }, { ...view, ...bent });
  return found.verdict === "apply" ? "apply" : `${found.verdict}: ${found.why}`;
}

test("ledger: a merge that follows, by the validator, of what is held, is applied", (t) => {
  t.deepEqual(judgeMerge(block, payload, view), { verdict: "apply" });
});

test("ledger: a merge waits for merges and blocks that are not there", (t) => {
  t.like(judgeMerge(block, payload, { ...view, head: { h: 1, id: hash("a") } }), { verdict: "wait", missing: [] });
  t.like(judgeMerge(block, payload, { ...view, newest: () => 6 }), {
    verdict: "wait",
    missing: [{ author: door.pair.publicKey, l, from: 7, to: 9 }],
  });
  t.is(why({}, { charter: { h: 6, id: hash("6") } }), "wait: the charter is not at height 6 yet");
});

test("[L16] who may merge is what the charter says that the merge before names", (t) => {
  t.is(why({}, {}, door), "refuse: its author is not a device of office, who merges main");
  const asked: number[] = [];
  const charterFor = (h: number): { h: number; state: StateView } => {
    asked.push(h);
    const policy = branchPolicy({ mode: "single", validator: "front-door" });
    return { h: 4, state: new OverlayState(state, [["branch/main", policy]]) };
  };
  t.is(why({ charterFor }, {}, door), "apply");
  t.true(asked.includes(3));
  t.regex(why({ charterFor }), /not a device of front-door/);
  const revoked = new OverlayState(state, [
    [`device/${testKey(1).publicKey}`, { principal: "office", name: "x", revoked: true }],
  ]);
  t.regex(why({ charterFor: () => ({ h: 4, state: revoked }) }), /not a device of nobody/);
});

test("ledger: a merge is refused when it does not follow", (t) => {
  t.is(why({ charterFor: () => undefined }), "refuse: there is no branch main");
  t.is(why({ charterFor: () => undefined, isAwaited: true }), "wait: what main was forked at is not final here yet");
  const ahead = { charter: { h: 6, id: hash("6") } };
  t.is(why({ charterFor: () => undefined }, ahead), "wait: the charter is not at height 6 yet", "it may begin there");
  t.regex(why({ head: { h: 3, id: hash("c") } }), /at height 3 already/);
  t.regex(why({ head: { h: 2, id: hash("c") } }), /not the branch's head/);
  t.regex(why({ next: () => 5 }), /does not go on/);
});

test("[L16] a merge goes on from the charter that the merge before names, never back", (t) => {
  t.is(why({}, { charter: { h: 4, id: hash("4") } }), "apply");
  t.is(why({}, { charter: { h: 3, id: hash("3") } }), "refuse: it goes back to the charter at height 3 from 4");
  t.is(why({}, { charter: { h: 5, id: hash("9") } }), "refuse: it names another merge of the charter at height 5");
});

test("[L12] a certificate where none is needed would change the order: refused", (t) => {
  t.regex(why({}, { cert: { r: 0, votes: [hash("1")] } }), /where none is needed/);
});

const vote = (digit: string, by: TestLog, change: Partial<Vote>): HeldVote => ({
  id: hash(digit),
  author: by.pair.publicKey,
  vote: { branch: "club", h: 3, r: 1, phase: "commit", merge: hash("0"), ...change } as Vote,
});
const [ana, ben, cleo] = [logOf("ana"), logOf("ben"), logOf("cleo")];

/** The merge before, `b`, is final by Ana and Ben at round 1. */
const certificate = { r: 1, votes: [hash("1"), hash("2")] };
const before = [vote("1", ana, { h: 2, merge: hash("b") }), vote("2", ben, { h: 2, merge: hash("b") })];
const club = { branch: "club", cert: certificate };
const next = mergeBy(cleo, club).id;

function clubWhy(votes: readonly HeldVote[], change: Partial<MergePayload> = {}, by: TestLog = cleo): string {
  const held = (h: number): HeldVote[] => [...before, ...votes].filter((each) => each.vote.h === h);
  return why({ name: "club", votes: held }, { ...club, ...change }, by);
}

test("[L10] in mode quorum a merge is applied when q principals have committed to it at one round", (t) => {
  const by = (digit: string, log: TestLog, change: Partial<Vote> = {}): HeldVote =>
    vote(digit, log, { merge: next, ...change });
  t.is(clubWhy([]), "wait: club at height 3 has not 2 commit votes yet");
  t.is(clubWhy([by("3", ana), by("4", cleo)]), "apply");
  t.regex(clubWhy([by("3", ana), by("4", ana)]), /^wait/);
  t.regex(clubWhy([by("3", ana), by("4", ben, { r: 2 })]), /^wait/);
  t.regex(clubWhy([by("3", ana), by("4", office)]), /^wait/, "the office has not the role");
  t.regex(clubWhy([by("3", ana), by("4", ben, { merge: hash("c") })]), /^wait/);
  t.regex(clubWhy([by("3", ana), by("4", ben, { phase: "attest" })]), /^wait/);
  t.regex(clubWhy([by("3", ana), by("4", cleo)], {}, office), /not a device of ana, ben, cleo/);
});

test("[L10] a merge in mode quorum names the q votes by which the merge before is final", (t) => {
  const final = [vote("3", ana, { merge: next }), vote("4", ben, { merge: next })];
  t.regex(clubWhy(final, { cert: null }), /names no certificate/);
  t.is(
    clubWhy(final, { cert: { r: 1, votes: [hash("1"), hash("e")] } }),
    "wait: votes of its certificate are not held",
  );
  const wrong = /is none for the merge before/;
  t.regex(clubWhy(final, { cert: { r: 0, votes: certificate.votes } }), wrong, "another round");
  t.regex(clubWhy(final, { cert: { r: 1, votes: [hash("1")] } }), wrong, "one vote");
  const third = vote("5", cleo, { h: 2, merge: hash("b") });
  t.regex(clubWhy([...final, third], { cert: { r: 1, votes: [hash("1"), hash("2"), hash("5")] } }), wrong, "too many");
  const twice = vote("6", ana, { h: 2, merge: hash("b") });
  t.regex(clubWhy([...final, twice], { cert: { r: 1, votes: [hash("1"), hash("6")] } }), wrong, "one principal");
});

test("[L20] a merge takes from those that its branch's policy names, from what is final here, and goes on from there", (t) => {
  const from = [{ branch: "draft", h: 2, id: hash("a") }];
  t.regex(why({}, { from }), /^refuse: main does not take from draft/);
  const policy = branchPolicy({ mode: "single", validator: "office" }, { mergeFrom: ["draft"] });
  const charterAt = (): StateView => new OverlayState(state, [["branch/main", policy]]);
  t.regex(why({ charterAt }, { from }), /^wait: draft is not final up to height 2 here yet/);
  const place = (h: number, upTo: number) => ({
    place: () => ({ line: "draft@office", branch: "draft", h }),
    upTo: () => upTo,
  });
  t.is(why({ charterAt, sources: place(2, 1) }, { from }), "apply");
  t.regex(why({ charterAt, sources: place(3, 1) }, { from }), /^refuse: it names no merge of draft at height 2/);
  t.regex(why({ charterAt, sources: place(2, 2) }, { from }), /^refuse: .*up to height 2 already/);
});

test("ledger: in mode open who may append merges for themselves", (t) => {
  const open = { name: "draft@office" };
  t.is(why(open, { branch: "draft" }), "apply");
  t.is(why({ name: "draft@front-door" }, { branch: "draft" }), "refuse: its author may not merge draft@front-door");
  const line = { ...view, name: "draft@front-door" };
  t.is(whyNotMerge(door.pair.publicKey, "draft", line), "its author may not merge draft@front-door", "not a founder");
  t.is(whyNotMerge(office.pair.publicKey, "draft", { ...view, ...open }), undefined);
});

test("[L10] of several devices of a principal one votes and merges: another's votes count for nobody", (t) => {
  const second = testKey(21).publicKey;
  const two = new OverlayState(state, [
    [`device/${second}`, { principal: "ana", name: "tablet" }],
    ["decider/ana", testKey(11).publicKey],
  ]);
  const log = new TestLog(testKey(21), charter.id);
  const cast = (each: TestLog, charterState: StateView) =>
    castBy(charterState, [{ ...vote("7", each, { h: 2, merge: hash("b") }), author: each.pair.publicKey }]).map(
      ({ principal }) => principal,
    );
  t.deepEqual([cast(logOf("ana"), two), cast(log, two)], [["ana"], [undefined]]);
  const handed = new OverlayState(two, [["decider/ana", second]]);
  t.deepEqual([cast(logOf("ana"), handed), cast(log, handed)], [[undefined], ["ana"]]);
  const lost = new OverlayState(handed, [[`device/${second}`, { principal: "ana", name: "tablet", revoked: true }]]);
  t.deepEqual([cast(logOf("ana"), lost), cast(log, lost)], [["ana"], [undefined]]);
  const club = { ...view, name: "club", charterFor: () => ({ h: 4, state: two }) };
  t.is(whyNotMerge(testKey(11).publicKey, "club", club), undefined);
  t.is(whyNotMerge(second, "club", club), "another device of ana decides");
});
