/**
 * Votes of validators on one merge at one round, by phases: propose, attest, commit; and `skip`, which is on
 * a round alone. Who may vote and what votes lead to is lib/ledger/consensus' matter; here is what a vote
 * block can say.
 */
import { bytesOf, type Hash, oncePerObject } from "../../base/index.ts";
import type { Block, Canonical, CanonicalMap } from "../../codec/index.ts";
import { parentIds } from "../parents.ts";
import { VALIDATORS_MAX } from "../policy.ts";
import {
  ascendingHashes,
  countOf,
  hashAt,
  hashOrNull,
  isMap,
  mapOf,
  mapWith,
  nameOf,
  refuse,
  textOf,
} from "../shape.ts";

const CODE_CHARACTERS_MAX = 64;
const OUTPUTS_MAX = 64;

export type Verdict = "PASS" | "FAIL" | "ERROR" | "MISSING";

interface VoteAt {
  readonly branch: string;
  readonly h: number;
  /** Round, from 0. */
  readonly r: number;
}

interface VoteOn extends VoteAt {
  /** The merge block; a parent of the vote. */
  readonly merge: Hash;
}

/** By the proposer of the round: here is a merge, new, or one that a certificate of round `valid` stands for. */
export interface ProposeVote extends VoteOn {
  readonly phase: "propose";
  readonly valid: number | null;
  /** The certificate: attest votes of round `valid`, ascending; empty where there is none. */
  readonly proof: readonly Hash[];
}

/** What came out when the validator did the merge's work again [L14]. */
export interface AttestVote extends VoteOn {
  readonly phase: "attest";
  readonly verdict: Verdict;
  /** What failed, in one word; null with PASS. */
  readonly code: string | null;
  /** Hash of each dapp's output. */
  readonly outputs: Readonly<Record<string, Hash>>;
  /** Blob with what the dapps said; null where there is none. */
  readonly log: Hash | null;
}

export interface CommitVote extends VoteOn {
  readonly phase: "commit";
}

/** "This round's time is up for me." It hastens or delays: no rule of safety reads it. */
export interface SkipVote extends VoteAt {
  readonly phase: "skip";
}

export type Vote = ProposeVote | AttestVote | CommitVote | SkipVote;

/** The payload of a vote block. Throws LEDGER_FORM for what parseVote would refuse. */
export function encodeVote(vote: Vote): Canonical {
  const { branch, h, r, phase } = vote;
  const encoded: Canonical = { branch, h, r, phase, ...ownFields(vote) };
  parseVote(encoded);
  return encoded;
}

function ownFields(vote: Vote): CanonicalMap {
  if (vote.phase === "skip") return {};
  const merge = bytesOf(vote.merge);
  if (vote.phase === "propose") return { merge, valid: vote.valid, proof: vote.proof.map(bytesOf) };
  if (vote.phase === "commit") return { merge };
  const outputs = Object.fromEntries(Object.entries(vote.outputs).map(([app, hash]) => [app, bytesOf(hash)]));
  return { merge, verdict: vote.verdict, code: vote.code, outputs, log: vote.log === null ? null : bytesOf(vote.log) };
}

const PLACE_FIELDS = ["branch", "h", "r", "phase"];
const FIELDS = [...PLACE_FIELDS, "merge"];

/** Throws LEDGER_FORM. The payload must not change any more. */
export const parseVote: (payload: Canonical) => Vote = oncePerObject(readVote);

function readVote(payload: Canonical): Vote {
  const phase = isMap(payload) ? payload["phase"] : undefined;
  if (phase === "propose") return parsePropose(mapWith(payload, [...FIELDS, "valid", "proof"], "a proposal"));
  if (phase === "attest")
    return parseAttest(mapWith(payload, [...FIELDS, "verdict", "code", "outputs", "log"], "an attestation"));
  if (phase === "commit") return { ...voteOn(mapWith(payload, FIELDS, "a commit")), phase };
  if (phase === "skip") return { ...voteAt(mapWith(payload, PLACE_FIELDS, "a skip")), phase };
  throw refuse("a vote has a phase that is not known");
}

function voteAt(map: CanonicalMap): VoteAt {
  const h = countOf(map["h"], "h");
  if (h === 0) throw refuse("a vote is on height 1 or more");
  return { branch: nameOf(map["branch"], "branch"), h, r: countOf(map["r"], "r") };
}

function voteOn(map: CanonicalMap): VoteOn {
  return { ...voteAt(map), merge: hashAt(map["merge"], "merge") };
}

function parsePropose(map: CanonicalMap): ProposeVote {
  const on = voteOn(map);
  const valid = map["valid"] === null ? null : countOf(map["valid"], "valid");
  if (valid !== null && valid >= on.r) throw refuse("a proposal's certificate is of a round before its own");
  const proof = ascendingHashes(map["proof"], "proof", VALIDATORS_MAX);
  if ((valid === null) !== (proof.length === 0)) throw refuse("a proposal has a proof exactly when it names a round");
  return { ...on, phase: "propose", valid, proof };
}

function parseAttest(map: CanonicalMap): AttestVote {
  const verdict = verdictOf(map["verdict"]);
  const code = map["code"] === null ? null : textOf(map["code"], "code");
  if (code !== null && (code === "" || code.length > CODE_CHARACTERS_MAX))
    throw refuse(`a code has 1 to ${CODE_CHARACTERS_MAX} characters`);
  if (verdict === "PASS" && code !== null) throw refuse("what passes has no code");
  const outputs = outputsOf(map["outputs"]);
  return { ...voteOn(map), phase: "attest", verdict, code, outputs, log: hashOrNull(map["log"], "log") };
}

/** Of a test or of a validator's whole work [L14]. Throws LEDGER_FORM. */
export function verdictOf(value: Canonical | undefined): Verdict {
  if (value === "PASS" || value === "FAIL" || value === "ERROR" || value === "MISSING") return value;
  throw refuse("a verdict that is not known");
}

function outputsOf(value: Canonical | undefined): Record<string, Hash> {
  const outputs: Record<string, Hash> = {};
  for (const [app, hash] of Object.entries(mapOf(value, "outputs")))
    outputs[nameOf(app, "a dapp")] = hashAt(hash, "an output");
  if (Object.keys(outputs).length > OUTPUTS_MAX) throw refuse(`more than ${OUTPUTS_MAX} outputs`);
  return outputs;
}

/** A vote block's form beside its payload: it builds on the merge that it is about. Throws LEDGER_FORM. */
export function checkVote(block: Block): void {
  const vote = parseVote(block.d);
  if (vote.phase !== "skip" && !parentIds(block).includes(vote.merge))
    throw refuse(`block ${block.id}: a vote builds on its merge`);
}

/** What a vote counts by: a vote block's own id and author beside what it says. */
export interface CastVote {
  readonly id: Hash;
  /** The author's principal where it may vote, else undefined [L10]. */
  readonly principal: string | undefined;
  readonly vote: Vote;
}

/** q commit votes on one merge at one round [L10]: the proof that it is final. */
export interface Certificate {
  readonly r: number;
  /** Ids of the votes, ascending, of one principal each. */
  readonly votes: readonly Hash[];
}

/**
 * The certificate of the earliest round at which q validators commit to the merge, by the least id of each and
 * then the q least; undefined while there is none. Order and repetition of the votes do not matter.
 */
export function certificateOf(
  votes: Iterable<CastVote>,
  merge: Hash,
  { principals, q }: { readonly principals: readonly string[]; readonly q: number },
): Certificate | undefined {
  const rounds = new Map<number, Map<string, Hash>>();
  for (const { id, principal, vote } of votes) {
    if (vote.phase !== "commit" || vote.merge !== merge) continue;
    if (principal === undefined || !principals.includes(principal)) continue;
    const round = rounds.get(vote.r) ?? new Map<string, Hash>();
    const known = round.get(principal);
    if (known === undefined || id < known) round.set(principal, id);
    rounds.set(vote.r, round);
  }
  const reached = [...rounds].filter(([, round]) => round.size >= q).sort(([x], [y]) => x - y);
  const [first] = reached;
  return first === undefined ? undefined : { r: first[0], votes: [...first[1].values()].sort().slice(0, q) };
}
