/** The step machine of proof of merge, one rule at a time. */
import test from "ava";
import type { Hash } from "../../lib/base/index.ts";
import { type CastVote, Consensus, type ConsensusOutput, type Vote } from "../../lib/ledger/index.ts";

const merge = "a".repeat(64) as Hash;
const other = "b".repeat(64) as Hash;
const output = "c".repeat(64) as Hash;
const validators = ["ana", "ben", "cleo", "dan"];
const at = { branch: "main", h: 4 } as const; // Round 0 is ana's to propose.
const outputs = { notes: output };
const pass = { verdict: "PASS", code: null, outputs, log: null } as const;

let made = 0;
function by(principal: string, vote: Vote): CastVote {
  made += 1;
  return { id: made.toString(16).padStart(64, "0") as Hash, principal, vote };
}
const propose = (principal: string, r = 0, id = merge): CastVote =>
  by(principal, { ...at, r, phase: "propose", merge: id, valid: null, proof: [] });
const attest = (principal: string, change: Partial<Extract<Vote, { phase: "attest" }>> = {}): CastVote =>
  by(principal, { ...at, r: 0, phase: "attest", merge, ...pass, ...change });
const commit = (principal: string, r = 0): CastVote => by(principal, { ...at, r, phase: "commit", merge });
const skip = (principal: string, r = 0): CastVote => by(principal, { ...at, r, phase: "skip" });

function machineOf(self: string | null, ownVotes: readonly CastVote[] = []): Consensus {
  const start = { branch: "main", height: 4, validators, q: 3, self, lock: undefined, ownVotes, timeoutMs: 1_000 };
  const machine = new Consensus(start);
  for (const id of [merge, other]) machine.step({ type: "merge-held", merge: id, outputs }, 0);
  return machine;
}

const give = (machine: Consensus, votes: readonly CastVote[], nowMs = 0): ConsensusOutput[] =>
  votes.flatMap((vote) => machine.step({ type: "vote", vote }, nowMs));
const votesOf = (outputs: readonly ConsensusOutput[]): string[] =>
  outputs.flatMap((each) => (each.type === "vote" ? [`${each.vote.phase} ${each.vote.r}`] : []));

test("[L17] who abstains votes for nothing and still learns what is final", (t) => {
  const machine = machineOf(null);
  t.deepEqual(machine.step({ type: "work", isPending: true }, 0), []);
  t.deepEqual(give(machine, [propose("ana"), attest("ana"), attest("ben"), attest("cleo")], 5_000), []);
  const [final] = give(machine, [commit("ana"), commit("ben"), commit("ben"), commit("stranger"), commit("cleo")]);
  t.like(final, { type: "final", merge });
});

test("[L14] an ERROR or another output is no PASS, and the lock comes before the commit", (t) => {
  const machine = machineOf("dan");
  const others = [attest("ana"), attest("ben"), attest("cleo", { verdict: "ERROR", code: "container" })];
  t.deepEqual(votesOf(give(machine, [propose("ana"), ...others])), []);
  t.deepEqual(votesOf(give(machine, [attest("cleo", { outputs: { notes: other } })])), []);
  const outputsOfPass = give(machine, [attest("cleo")]);
  t.deepEqual(
    outputsOfPass.flatMap(({ type }) => (type === "wake" ? [] : [type])),
    ["lock", "vote"],
  );
  t.deepEqual(votesOf(outputsOfPass), ["commit 0"]);
});

test("[L15] no time runs while there is nothing to merge, and rounds double", (t) => {
  const machine = machineOf("dan");
  t.deepEqual(machine.step({ type: "tick" }, 90_000), []);
  t.deepEqual(machine.step({ type: "work", isPending: true }, 90_000), [{ type: "wake", atMs: 91_000 }]);
  t.deepEqual(votesOf(machine.step({ type: "tick" }, 91_000)), ["skip 0"]);
  const next = give(machine, [skip("dan"), skip("ana"), skip("ben")], 91_500);
  t.deepEqual(next, [{ type: "wake", atMs: 93_500 }]);
  t.is(machine.status().r, 1);
});

test("[L10] one liar takes nobody along: a round begins when q ask for it or more than f are there", (t) => {
  const machine = machineOf("dan");
  give(machine, [propose("ben", 9), skip("ben", 99), skip("ben", 100)]);
  t.is(machine.status().r, 0);
  give(machine, [propose("cleo", 6)]);
  t.is(machine.status().r, 6);
});

test("[L7] a vote that is durable is not cast again after a restart", (t) => {
  const proposed = propose("ana");
  const fresh = machineOf("dan");
  t.deepEqual(
    give(fresh, [proposed]).map(({ type }) => type),
    ["judge"],
  );
  t.deepEqual(votesOf(fresh.step({ type: "judged", merge, judgement: pass }, 0)), ["attest 0"]);
  const restarted = machineOf("dan", [attest("dan")]);
  t.false(give(restarted, [proposed]).some(({ type }) => type === "judge" || type === "vote"));
  t.deepEqual(votesOf(restarted.step({ type: "judged", merge, judgement: pass }, 0)), []);
});

test("ledger: n - q + 1 FAILs bury a merge and shorten its round", (t) => {
  const machine = machineOf("dan");
  machine.step({ type: "work", isPending: true }, 0);
  const failed = { verdict: "FAIL", code: "notes", outputs: {} } as const;
  const told = give(machine, [propose("ana"), attest("ben", failed), attest("cleo", failed)]);
  t.true(told.some((each) => each.type === "dead" && each.merge === merge));
  t.deepEqual(votesOf(machine.step({ type: "tick" }, 63)), ["skip 0"]);
});
