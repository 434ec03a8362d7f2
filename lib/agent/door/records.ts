/**
 * What a door process keeps and hears: its log, its policy, and the link over which the agent takes
 * the one and brings the other.
 */
import type { Hash, PublicKey } from "../../base/index.ts";
import { SystemRng } from "../../base/index.ts";
import { type Block, type Canonical, keyFromSeed, verifySignature } from "../../codec/index.ts";
import { LedgerDb } from "../../db/index.ts";
import { parseGenesis } from "../../ledger/index.ts";
import { OwnLog } from "../../node/index.ts";
import { MemoryStore, putBlob } from "../../store/index.ts";
import { readSecret } from "../home/home.ts";
import { findPlace } from "../home/place.ts";
import { readCharter } from "../home/setup.ts";
import { turnWords } from "../views/own-words.ts";
import { DoorLinkClient } from "./link.ts";
import { DoorLog } from "./log.ts";
import type { DoorParts } from "./parts.ts";
import { DoorPolicy } from "./policy.ts";

export interface DoorRecords {
  readonly doorLog: DoorLog;
  readonly policy: DoorPolicy;
  /** How many times this door's log has been opened; monotonic stamps are good within one boot. */
  readonly boot: number;
}

const META_GENERATION = "policy.generation";
const RIGHT_POLICY = "policy";

/** Opens log and policy, logs the boot, and begins to look for the agent. */
export async function openRecords(parts: DoorParts): Promise<DoorRecords> {
  const { paths, clock, closers } = parts;
  const charter = readCharter(paths);
  const pair = keyFromSeed(readSecret(paths.doorKey));
  const db = LedgerDb.open(paths.doorDb);
  closers.push(() => db.close());
  db.ingest([charter]); // Parent of the log's first block; changes nothing when it is held.
  const found = findPlace(paths.doorMark, db);
  const own = new OwnLog({
    ...{ db, pair, clock, organisation: charter.id, rng: new SystemRng() },
    ...{ place: found.place, hasRun: found.hasRun },
  });
  own.keepPlace(found.renew());
  const turn = own.turns().at(-1);
  if (own.isFresh && turn !== undefined) parts.log.warn("this door goes on in a new log", { why: turnWords(turn) });
  const doorLog = new DoorLog({ db, own, charter });
  const policy = new DoorPolicy({
    path: paths.doorPolicy,
    issuers: issuersOf(charter),
    verify: verifySignature,
    policyId,
    readGeneration: () => Number(db.meta(META_GENERATION) ?? 0),
    writeGeneration: (generation) => db.setMeta(META_GENERATION, String(generation)),
  });
  const boot = await logBoot(parts, doorLog, policy);
  const link = openLink(parts, { own, doorLog, policy });
  closers.push(() => link.close());
  return { doorLog, policy, boot };
}

/** The devices of the founders who may issue policies. */
function issuersOf(charter: Block): readonly PublicKey[] {
  const { principals, roles } = parseGenesis(charter.d);
  const mayIssue = (role: string): boolean => roles[role]?.includes(RIGHT_POLICY) === true;
  return principals.filter((principal) => principal.roles.some(mayIssue)).flatMap(({ devices }) => devices);
}

/** A policy is named as the store names it, so that its name is enough to find it again. */
async function policyId(bytes: Uint8Array): Promise<Hash> {
  const { id } = await putBlob(new MemoryStore(), bytes);
  return id;
}

async function logBoot({ clock, config, log }: DoorParts, doorLog: DoorLog, policy: DoorPolicy): Promise<number> {
  const loaded = await policy.load();
  if (loaded.type === "refused") log.warn("the policy of the last run is refused", { why: loaded.why });
  const body: Canonical = {
    at: Math.floor(clock.nowMs()),
    quality: config.clock,
    doors: config.doors.map(({ id }) => id),
    policy: policy.inForce?.id ?? null,
  };
  const block = doorLog.append({ type: "boot", body });
  return block.t[2];
}

interface LinkEnds {
  readonly own: OwnLog;
  readonly doorLog: DoorLog;
  readonly policy: DoorPolicy;
}

function openLink(parts: DoorParts, { own, doorLog, policy }: LinkEnds): DoorLinkClient {
  const link = new DoorLinkClient({
    path: parts.paths.doorSocket,
    clock: parts.stopwatch,
    log: parts.log,
    door: parts.name,
    key: own.author,
    logs: () => doorLog.logs(),
    range: (l, from, bytesMax) => doorLog.range(l, from, bytesMax),
    onBehind: (l, n) => {
      const before = own.incarnation;
      own.heard(l, n);
      const turn = own.turns().at(-1);
      if (own.incarnation === before || turn === undefined) return;
      parts.log.warn("this door goes on in a new log", { why: turnWords(turn) });
    },
    onPolicy: (bytes) => void takePolicy(parts, { doorLog, policy }, bytes),
  });
  // Later in the turn: the strike comes before the agent.
  doorLog.onAppended(() => queueMicrotask(() => link.appended()));
  link.start();
  return link;
}

/** A policy that is refused is refused loudly, and the old one stays. */
async function takePolicy({ clock, log }: DoorParts, ends: Omit<LinkEnds, "own">, bytes: Uint8Array): Promise<void> {
  const taken = await ends.policy.take(bytes);
  if (taken.type === "refused") log.warn("a policy is refused; the old one stays", { why: taken.why });
  if (taken.type !== "swapped") return;
  const { id, policy } = taken.inForce;
  log.info("policy taken over", { generation: policy.generation, credentials: policy.credentials.size });
  const body = { policy: id, generation: policy.generation, at: Math.floor(clock.nowMs()) };
  try {
    ends.doorLog.append({ type: "policy.swap", body });
  } catch (cause) {
    log.error("alarm: a policy swap could not be logged", { cause: String(cause) });
  }
}
