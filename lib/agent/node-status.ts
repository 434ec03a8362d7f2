/** `gdo status` as data: what this node is, what it holds, whom it sees, what it waits for. */
import { bytesOf } from "../base/index.ts";
import type { CanonicalMap } from "../codec/index.ts";
import { type Author, authorOf, CHARTER_APP, MAIN_BRANCH, parseGenesis, stateRoot } from "../ledger/index.ts";
import type { GdoNode } from "./node.ts";
import type { AgentSide } from "./node-api.ts";

const NOBODY: Pick<Author, "name" | "principal"> = { name: "", principal: "" };

export async function nodeStatus(node: GdoNode, side: AgentSide): Promise<Record<string, unknown>> {
  const { db, charter, config, pair, store } = node.parts;
  const self = authorOf(db.state(CHARTER_APP), pair.publicKey) ?? NOBODY;
  const roots = db.stateRoots();
  const door = side.doors();
  const brokerPort = side.brokerPort();
  return {
    organisation: { id: charter.id, name: parseGenesis(charter.d).name },
    node: { name: config.name, key: pair.publicKey, principal: self.principal },
    ...(brokerPort === undefined ? {} : { brokerPort }),
    connected: side.isConnected(),
    branches: db.branches().map((name) => branchStatus(node, name)),
    entries: db.countEntries(),
    authored: node.countAuthored(),
    pending: db.countPending(MAIN_BRANCH),
    stateRoot: stateRoot(Object.entries(roots).map(([app, root]) => [app, bytesOf(root)] as const)),
    stateRoots: roots,
    merges: db.merges(MAIN_BRANCH),
    voids: db.voids(MAIN_BRANCH).length,
    dapps: [...db.state(CHARTER_APP).scan("dapp/")].map(([key, value]) => ({
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

function branchStatus({ parts: { db } }: GdoNode, name: string): Record<string, unknown> {
  const head = db.head(name);
  const mode = db.branchView(name).policy?.mode ?? "unknown";
  return { name, mode, h: head?.h ?? 0, ...(head === undefined ? {} : { head: head.id }), void: db.voids(name).length };
}

function peerStatus({ parts: { db } }: GdoNode, peer: ReturnType<AgentSide["peers"]>[number]): Record<string, unknown> {
  const { name } = authorOf(db.state(CHARTER_APP), peer.key) ?? NOBODY;
  return {
    key: peer.key,
    name,
    connected: peer.isPresent,
    inStep: peer.isEqual,
    ...(peer.stalled === undefined ? {} : { stalled: peer.stalled }),
  };
}

/** `latest` is the generation that the final state names; `generation` the one that is held whole. */
function policyStatus({ policies: { held, latest } }: GdoNode): Record<string, unknown> {
  if (held === undefined) return {};
  const { generation, issuedMs, softMs, hardMs, credentials } = held.policy;
  return { policy: { generation, latest, id: held.id, issuedMs, softMs, hardMs, credentials: credentials.size } };
}
