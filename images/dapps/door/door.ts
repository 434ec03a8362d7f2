/**
 * Doors: who may come in where, what each door did, and the snapshots from which doors decide. People
 * and credentials are membership's. Facts are counted as they are; whether they follow is the test's
 * business, in judge.ts. Rules: docs/design/door.md.
 */
import { decodePolicy, parseSwipe, SWIPE_ACT, type SwipeEvent, standingAt } from "../../../lib/access/index.ts";
import { GdoError } from "../../../lib/base/errors.ts";
import {
  type Canonical,
  commandsOf,
  type Dapp,
  type Draft,
  type Entry,
  fold,
  integer,
  list,
  matching,
  optional,
  Refusal,
  readFields,
  requireRight,
  type State,
  text,
  yesOrNo,
} from "../../sdk/index.ts";
import { compilePolicy } from "./compile.ts";
import { Judge } from "./judge.ts";
import { byName, type Count, countIn, type Grant, latestIn } from "./state.ts";

/** A door opens to any level unless a grant says otherwise: real lists have allowed members below 0. */
const LEVEL_ANY = -128;
const LEVEL_MAX = 127;
const COUNT_MAX = Number.MAX_SAFE_INTEGER;
const MS_PER_HOUR = 3_600_000;
const GRACE_HOURS_MAX = 366 * 24;
const CERTIFICATES_MAX = 16;
const courseId = matching(/^[a-z0-9][a-z0-9-]{0,39}$/, "a course's name of a to z, 0 to 9 and -");
const snapshotId = matching(/^[0-9a-f]{64}$/, "the id of a snapshot, 64 hex digits");
const publicKey = matching(/^[0-9a-f]{64}$/, "a public key, 64 hex digits");
const signatureHex = matching(/^[0-9a-f]{128}$/, "a signature, 128 hex digits");

/** `membership` asks for dues; `graceHours` is how long after they lapse the door still opens, with an alarm. */
async function setGrant(body: Canonical, draft: Draft, entry: Entry): Promise<void> {
  requireRight(entry, "door");
  const {
    door,
    minLevel = LEVEL_ANY,
    membership = false,
    graceHours,
    certificates = [],
  } = readFields(body, {
    door: text(64),
    minLevel: optional(integer(LEVEL_ANY, LEVEL_MAX)),
    membership: optional(yesOrNo),
    graceHours: optional(integer(0, GRACE_HOURS_MAX)),
    certificates: optional(list(courseId, CERTIFICATES_MAX)),
  });
  if (!membership && graceHours !== undefined) throw new Refusal("graceHours is for doors that ask for membership");
  const dues = membership ? { graceMs: (graceHours ?? 0) * MS_PER_HOUR } : {};
  const asked = certificates.length === 0 ? {} : { certificates: [...new Set(certificates)].sort() };
  draft.put(`grant/${door}`, { minLevel, ...dues, ...asked });
}

/** From the next snapshot on the door opens to nobody. */
async function endGrant(body: Canonical, draft: Draft, entry: Entry): Promise<void> {
  requireRight(entry, "door");
  const { door } = readFields(body, { door: text(64) });
  if ((await draft.get(`grant/${door}`)) === undefined) throw new Refusal(`${door} opens to nobody already`);
  draft.delete(`grant/${door}`);
}

async function publishPolicy(body: Canonical, draft: Draft, entry: Entry): Promise<void> {
  requireRight(entry, "policy");
  const checks = {
    policy: snapshotId,
    generation: integer(1, COUNT_MAX),
    height: integer(0, COUNT_MAX),
    issuer: publicKey,
    signature: signatureHex,
  };
  const { policy, generation, height, issuer, signature } = readFields(body, checks);
  if (issuer !== entry.author) throw new Refusal("the issuer is not the author of the entry");
  const latest = await latestIn(draft);
  if (latest !== undefined && generation <= latest.generation) {
    throw new Refusal(`generation ${generation} does not follow ${latest.generation}`);
  }
  draft.put(`policy/${policy}`, { generation, height });
  draft.put("latest", { policy, generation, height, issuer, signature });
}

async function countSwipe(body: Canonical, draft: Draft, entry: Entry): Promise<void> {
  requireRight(entry, "append");
  const swipe = readSwipe(body);
  const count = await countIn(draft, swipe.door);
  draft.put(`count/${swipe.door}`, counted(count, swipe) as unknown as Canonical);
}

function readSwipe(body: Canonical): SwipeEvent {
  try {
    return parseSwipe(body);
  } catch (cause) {
    if (cause instanceof GdoError) throw new Refusal(cause.message);
    throw cause;
  }
}

function counted(count: Count, { outcome, reason }: SwipeEvent): Count {
  const frames = count.frames + 1;
  if (outcome === "grant") return { ...count, frames, granted: count.granted + 1 };
  if (outcome === "frame_error") return { ...count, frames, frameErrors: count.frameErrors + 1 };
  const denied = { ...count.denied, [reason]: (count.denied[reason] ?? 0) + 1 };
  return { ...count, frames, denied };
}

/** What a door says of itself; a fact of its log, from which nothing follows here. */
async function noteOfDoor(_body: Canonical, _draft: Draft, entry: Entry): Promise<void> {
  requireRight(entry, "append");
}

/** What people do; the rest is written by devices. */
const byPeople = { "grant.set": setGrant, "grant.end": endGrant };

const handlers = {
  ...byPeople,
  "policy.publish": publishPolicy,
  [SWIPE_ACT]: countSwipe,
  boot: noteOfDoor,
  "policy.swap": noteOfDoor,
  alarm: noteOfDoor,
};

async function queryPolicy(args: Canonical, state: State): Promise<Canonical> {
  const time = integer(0, COUNT_MAX);
  const checks = { generation: time, height: time, issuedMs: time, softMs: time, hardMs: time };
  return { policy: await compilePolicy(state, readFields(args, checks)) };
}

/** Why a door would not open, decided as the door does. */
async function queryAccess(args: Canonical, state: State): Promise<Canonical> {
  const { person, at } = readFields(args, { person: text(64), at: integer(0, COUNT_MAX) });
  const times = { issuedMs: 0, softMs: COUNT_MAX, hardMs: COUNT_MAX };
  const policy = decodePolicy(await compilePolicy(state, { ...times, generation: 0, height: 0 }, person));
  if (policy.people.size === 0) return null;
  const { isDisabled } = policy.people.at(0);
  const doors = [...policy.doors].map(([door, rule]) => {
    const { objections, isInGrace } = standingAt(policy, rule, 0, at);
    const disabled = isDisabled ? [{ reason: "person_disabled", rule: "person" }] : [];
    const reasons = [...disabled, ...objections].map((each) => [each.reason, each.rule]);
    return [door, { may: reasons.length === 0, reasons, grace: isInGrace && reasons.length === 0 }] as const;
  });
  return Object.fromEntries(doors);
}

const judge = new Judge();

export const door: Dapp = {
  reduce: (input, state) => fold(input, state, handlers),
  test: (input, before, after) => judge.test(input, before, after),
  commands: commandsOf(byPeople),
  queries: {
    access: queryAccess,
    policy: queryPolicy,
    latest: async (_, state) => ((await latestIn(state)) as Canonical | undefined) ?? null,
    summary: async (_, state) => ({ doors: (await byName<Count>(state, "count/")) as unknown as Canonical }),
    grants: async (_, state) => (await byName<Grant>(state, "grant/")) as unknown as Canonical,
  },
};
