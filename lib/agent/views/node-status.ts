/** `gdo status` as data: what this node is, what it holds, whom it sees, what it waits for. */
import { bytesOf, type PublicKey } from "../../base/index.ts";
import type { CanonicalMap } from "../../codec/index.ts";
import {
  type Author,
  authorOf,
  CHARTER_BRANCH,
  parseEntryPayload,
  parseGenesis,
  policyOf,
  principalOf,
  stateRoot,
} from "../../ledger/index.ts";
import { policyOfNext } from "../../node/index.ts";
import type { GdoNode } from "../node.ts";
import type { AgentSide } from "../node-api.ts";
import { standingOf, waitsForOne } from "./branch-standing.ts";
import { cutWords, turnWords, twinWords } from "./own-words.ts";
import { revokedWords } from "./revocation.ts";
import { strandedWords } from "./stranded.ts";

/** Entries that are looked at for whose they are. */
const PENDING_LOOKED_AT = 256;

const NOBODY: Pick<Author, "name" | "principal"> = { name: "", principal: "" };

export async function nodeStatus(node: GdoNode, side: AgentSide): Promise<Record<string, unknown>> {
  const { db, charter, config, pair, store } = node.parts;
  const self = authorOf(db.charterAt(), pair.publicKey) ?? NOBODY;
  const roots = { ...db.stateRoots(CHARTER_BRANCH), ...db.stateRoots() };
  const lines = db.branches();
  const total = (count: (line: string) => number): number => lines.reduce((sum, line) => sum + count(line), 0);
  const door = side.doors();
  const brokerPort = side.brokerPort();
  return {
    organisation: { id: charter.id, name: parseGenesis(charter.d).name },
    node: { name: config.name, key: pair.publicKey, principal: self.principal },
    ...revokedStatus(node),
    ...(brokerPort === undefined ? {} : { brokerPort }),
    ...ownStatus(node),
    connected: side.isConnected(),
    branches: lines.map((name) => ({ ...branchStatus(node, name), ...awayStatus(node, name, side) })),
    entries: db.countEntries(),
    authored: node.countAuthored(),
    pending: total((line) => db.countPending(line)),
    stateRoot: stateRoot(Object.entries(roots).map(([app, root]) => [app, bytesOf(root)] as const)),
    stateRoots: roots,
    merges: total((line) => db.merges(line)),
    voids: total((line) => db.countVoids(line)),
    waiting: Object.fromEntries(node.validator.waiting),
    dapps: [...db.charterAt().scan("dapp/")].map(([key, value]) => ({
      name: key.slice("dapp/".length),
      ...(value as CanonicalMap),
    })),
    peers: side.peers().map((peer) => peerStatus(node, peer)),
    wanted: side.wanted(),
    ...(door === undefined ? {} : { door }),
    ...policyStatus(node),
    refused: Object.fromEntries(node.refusals),
    store: { objects: store.objectCount, bytes: await store.sizeBytes() },
    rssBytes: process.memoryUsage.rss(),
  };
}

/** Also by what waits to be merged. */
function revokedStatus(node: GdoNode): Record<string, unknown> {
  const revocation = node.revocation();
  return revocation === undefined ? {} : { revoked: { ...revocation, why: revokedWords(revocation) } };
}

/** What befell this device's own log [L8]. */
function ownStatus({ parts: { ownLog, db } }: GdoNode): Record<string, unknown> {
  const turn = ownLog.turns().at(-1);
  const names = (key: PublicKey): string => authorOf(db.charterAt(), key)?.name ?? "";
  const frozen = db.cuts();
  const alarms = [...ownLog.twins().map(twinWords), ...frozen.map((cut) => cutWords(cut, names(cut.author)))];
  return {
    log: ownLog.incarnation,
    ...(turn === undefined ? {} : { incarnation: { ...turn, why: turnWords(turn) } }),
    ...(frozen.length === 0 ? {} : { frozen }),
    ...(alarms.length === 0 ? {} : { alarms }),
  };
}

function branchStatus(node: GdoNode, name: string): Record<string, unknown> {
  const { db, pair } = node.parts;
  const head = db.head(name);
  const pending = db.countPending(name);
  const standing = node.validator.status(name);
  const policy = policyOf(db.charterAt(), name);
  const mode = policy?.mode ?? "open"; // Only open branches have lines of other names.
  const next = policyOfNext(db, name) ?? policy;
  const stranded = strandedWords(db, name);
  const isOwn = next?.mode === "single" && principalOf(db.charterAt(), pair.publicKey) === next.validator;
  return {
    name,
    mode,
    h: head?.h ?? 0,
    ...(head === undefined ? {} : { head: head.id }),
    void: db.countVoids(name),
    pending,
    ...(standing === undefined ? {} : standingOf(standing, pending, leftOutOf(node, name, pending))),
    ...(next?.mode === "single" && pending > 0 ? { waits: waitsForOne(name, pending, next.validator, isOwn) } : {}),
    ...(stranded === undefined ? {} : { waits: stranded }),
  };
}

/** Dapps whose entries wait, where all that is pending is theirs: nobody proposes a merge of it. */
export function leftOutOf({ parts: { db }, validator: { waiting } }: GdoNode, line: string, pending: number): string[] {
  if (waiting.size === 0 || pending > PENDING_LOOKED_AT) return [];
  const apps = new Set(db.pending(line).map(({ d }) => parseEntryPayload(d).app));
  return [...apps].every((app) => waiting.has(app)) ? [...apps] : [];
}

/** Whom an entry waits for that is not there now, as far as this node sees. */
function awayStatus({ parts: { db, pair }, validator }: GdoNode, name: string, side: AgentSide): { away?: string[] } {
  const standing = side.isConnected() && db.hasPending(name) ? validator.status(name) : undefined;
  if (standing === undefined) return {};
  const keys = [pair.publicKey, ...side.peers().flatMap(({ key, isPresent }) => (isPresent ? [key] : []))];
  const here = keys.map((key) => principalOf(db.charterAt(), key));
  const away = standing.validators.filter((each) => !here.includes(each));
  return away.length === 0 ? {} : { away };
}

function peerStatus({ parts: { db } }: GdoNode, peer: ReturnType<AgentSide["peers"]>[number]): Record<string, unknown> {
  const { name } = authorOf(db.charterAt(), peer.key) ?? NOBODY;
  return {
    key: peer.key,
    name,
    connected: peer.isPresent,
    inStep: peer.isEqual,
    ...(peer.stalled === undefined ? {} : { stalled: peer.stalled }),
  };
}

/** `latest` is the generation that the final state names; `generation` the one that is held whole. */
function policyStatus({ policies: { held, latest, isPublishing } }: GdoNode): Record<string, unknown> {
  if (held === undefined) return {};
  const { generation, issuedMs, softMs, hardMs, credentials } = held.policy;
  return {
    policy: {
      generation,
      latest,
      publishing: isPublishing,
      id: held.id,
      issuedMs,
      softMs,
      hardMs,
      credentials: credentials.size,
    },
  };
}
