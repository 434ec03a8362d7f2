/** The methods by which the command line, over the control socket or in process, uses a node. JSON in and out. */
import { hostname, networkInterfaces } from "node:os";
import { isAbsolute } from "node:path";
import * as z from "zod";
import { GdoError, type Hash, late } from "../base/index.ts";
import { canonicalFromJson, jsonFromCanonical } from "../codec/index.ts";
import { type Act, MAIN_BRANCH } from "../ledger/index.ts";
import type { MergeReport } from "../node/index.ts";
import { putPath, RecentPuts, Refs } from "../store/index.ts";
import type { PeerStatus } from "../sync/index.ts";
import { callCommand } from "./apps/dapp-command.ts";
import type { DoorStatus } from "./apps/door-hub.ts";
import type { Api } from "./control.ts";
import { branchesView, charterView, govern } from "./govern.ts";
import { readSecret } from "./home/home.ts";
import { IMAGE_PARAMS, NodeImages } from "./image/images.ts";
import { addressOfBroker, addressOfUrl, type BrokerAddress } from "./invite/broker-address.ts";
import { invite } from "./invite/desk.ts";
import type { GdoNode } from "./node.ts";
import { SteerableClock } from "./steerable-clock.ts";
import { BACKUP_PARAMS, Backups, FORGET_PARAMS, PROGRESS_PARAMS } from "./storage/backup.ts";
import { GC_PARAMS, Upkeep } from "./storage/upkeep.ts";
import { VERIFY_PARAMS, Verifier } from "./storage/verify-home.ts";
import { askToTake } from "./take.ts";
import { waitsFor } from "./views/branch-standing.ts";
import { eventPage, eventsWithWaiting } from "./views/event-feed.ts";
import { votesOn } from "./views/merge-votes.ts";
import { leftOutOf, nodeStatus } from "./views/node-status.ts";
import { logPage, showBlock } from "./views/node-views.ts";

const signedBadge = late(async () => (await import("./apps/badge.ts")).signedBadge);
const signedStatusList = late(async () => (await import("./apps/badge.ts")).signedStatusList);
const installDapp = late(async () => (await import("./apps/dapp-change.ts")).installDapp);
const removeDapp = late(async () => (await import("./apps/dapp-change.ts")).removeDapp);
const rollBackDapp = late(async () => (await import("./apps/dapp-change.ts")).rollBackDapp);
const importDoorbot = late(async () => (await import("./apps/doorbot-import.ts")).importDoorbot);

/** What only a running agent has. */
export interface AgentSide {
  stop(): void;
  doors(): DoorStatus | undefined;
  peers(): readonly PeerStatus[];
  isConnected(): boolean;
  /** Objects still to come. */
  wanted(): number;
  brokerPort(): number | undefined;
  /** Blocks handed to peers since the start. */
  sent(): number;
  /** Says hello to the peers anew. */
  hello(): void;
}

const OFFLINE: AgentSide = {
  stop: () => {},
  doors: () => undefined,
  peers: () => [],
  isConnected: () => false,
  wanted: () => 0,
  sent: () => 0,
  brokerPort: () => undefined,
  hello: () => {},
};

const nothing = z.strictObject({});
const act = z.strictObject({ type: z.string().min(1).max(64), body: z.unknown() });
const branch = z.string().optional();
const webAddress = z
  .string()
  .max(1000)
  .regex(/^https?:\/\/[!-~]+$/, "is a web address, https://…");
const path = z.string().refine(isAbsolute, "must be an absolute path");

const PARAMS = {
  status: nothing,
  log: z.strictObject({
    branch,
    limit: z.int().min(1).optional(),
    before: z.union([z.int(), z.string().min(1).max(64)]).optional(),
    voidOnly: z.boolean().default(false),
  }),
  events: z.strictObject({
    branch,
    from: z.string().max(64).optional(),
    limit: z.int().min(1).optional(),
    tentative: z.boolean().default(false),
    known: z.string().max(64).optional(),
  }),
  show: z.strictObject({ id: z.string().min(1).max(64) }),
  append: z.strictObject({ app: z.string(), branch, acts: z.array(act).min(1).max(256) }),
  charter: nothing,
  branches: z.strictObject({ name: z.string().optional() }),
  govern: z.strictObject({ acts: z.array(act).min(1).max(256) }),
  invite: z.strictObject({
    principal: z.string(),
    roles: z.array(z.string()).optional(),
    lifeMs: z.int().min(1).default(86_400_000),
    broker: z
      .string()
      .regex(/^mqtts?:\/\//, "must start with mqtt:// or mqtts://")
      .optional(),
  }),
  query: z.strictObject({
    app: z.string(),
    query: z.string(),
    args: z.unknown().default({}),
    tentative: z.boolean().default(false),
  }),
  call: z.strictObject({ app: z.string(), command: z.string(), branch, args: z.unknown().default({}) }),
  merge: z.strictObject({ branch, from: z.string().max(160).optional(), takeOver: z.boolean().default(false) }),
  sync: z.strictObject({ timeoutMs: z.int().min(0).max(600_000).default(10_000) }),
  put: z.strictObject({ path }),
  backup: BACKUP_PARAMS,
  backupProgress: PROGRESS_PARAMS,
  forget: FORGET_PARAMS,
  gc: GC_PARAMS,
  gcProgress: PROGRESS_PARAMS,
  importDoorbot: z.strictObject({ path, expectHash: z.string().optional() }),
  badge: z.strictObject({
    person: z.string().max(256),
    course: z.string().max(256),
    statusList: webAddress.optional(),
  }),
  statusList: z.strictObject({ url: webAddress }),
  verify: VERIFY_PARAMS,
  verifyProgress: PROGRESS_PARAMS,
  installDapp: z.strictObject({ path, isOnlyRehearsed: z.boolean().default(false) }),
  rollBackDapp: z.strictObject({ name: z.string() }),
  removeDapp: z.strictObject({ name: z.string() }),
  ...IMAGE_PARAMS,
  admit: z.strictObject({
    devices: z.array(z.strictObject({ key: z.string(), name: z.string(), principal: z.string() })),
    principals: z.array(z.strictObject({ id: z.string(), roles: z.array(z.string()) })).default([]),
  }),
  steer: z.strictObject({ wallMs: z.number() }),
  metrics: nothing,
  stop: nothing,
};

type Method = keyof typeof PARAMS;
type Params<M extends Method> = z.infer<(typeof PARAMS)[M]>;
type Methods = { readonly [M in Method]: (params: Params<M>, signal?: AbortSignal) => unknown };

/** The node as an Api; `close` closes the node. INPUT_INVALID names the parameter. */
export function nodeApi(node: GdoNode, side: AgentSide = OFFLINE): Api {
  const methods = methodsOf(node, side);
  return {
    async call(method, params = {}, signal = undefined) {
      if (!Object.hasOwn(PARAMS, method)) throw new GdoError("INPUT_INVALID", `the agent has no method ${method}`);
      const checked = PARAMS[method as Method].safeParse(params);
      if (!checked.success) throw new GdoError("INPUT_INVALID", `${method}: ${messageOf(checked.error)}`);
      return (methods[method as Method] as (params: unknown, signal?: AbortSignal) => unknown)(checked.data, signal);
    },
    close: () => node.close(),
  };
}

function messageOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? "not valid" : `${issue.path.join(".")}: ${issue.message}`;
}

function methodsOf(node: GdoNode, side: AgentSide): Methods {
  const { clock, db, store, paths } = node.parts;
  const upkeep = new Upkeep(node.parts, () => node.fetcher.needed());
  const verifier = new Verifier(node);
  const backups = new Backups(node.parts, (tree) => upkeep.spare(tree));
  const images = new NodeImages(node.parts, (tree) => upkeep.spare(tree));
  const puts = new RecentPuts(new Refs(paths.refs));
  return {
    status: () => nodeStatus(node, side),
    log: (query) => logPage(db, query, node.parts.pair.publicKey),
    events: (query) => (query.tentative ? eventsWithWaiting(db, node.tentative, query) : eventPage(db, query)),
    show: ({ id }) => showWithVotes(node, id.toLowerCase()),
    append: ({ app, acts, branch: name }) => {
      const { id, n } = node.append(app, actsOf(acts), name);
      return { id, n };
    },
    charter: () => charterView(node),
    branches: ({ name }) => ({ branches: branchesView(node, name) }),
    govern: ({ acts }) => govern(node, actsOf(acts)),
    invite: (params) => invite(node, { ...params, broker: brokerFor(params.broker, node, side) }),
    query: async ({ app, query, args, tentative }) => ({
      value: jsonFromCanonical(await node.query(app, query, canonicalFromJson(args), tentative)),
    }),
    call: async ({ args, ...call }) => {
      const { block, acts } = await callCommand(node, { ...call, args: canonicalFromJson(args) });
      return {
        id: block.id,
        n: block.n,
        acts: acts.map(({ type, body }) => ({ type, body: jsonFromCanonical(body) })),
      };
    },
    merge: ({ branch: name, from, takeOver }) => {
      if (from !== undefined) askToTake(node, name ?? MAIN_BRANCH, from);
      return mergeBranches(node, from === undefined ? name : (name ?? MAIN_BRANCH), takeOver);
    },
    sync: ({ timeoutMs }) => awaitPeers(node, side, timeoutMs),
    put: ({ path: file }) =>
      store.holding(async () => {
        const { id, kind, sizeBytes } = await putPath(store, file);
        await store.commit();
        await puts.add(id, clock.nowMs());
        return { id, kind, sizeBytes: sizeBytes ?? 0 };
      }),
    backup: (params, signal) => store.holding(() => backups.backup(params, signal)),
    backupProgress: ({ job }) => backups.progress(job),
    forget: (params) => backups.forget(params),
    gc: (params, signal) => upkeep.gc(params, signal),
    gcProgress: ({ job }) => upkeep.progress(job),
    importDoorbot: ({ path: file, expectHash }) =>
      importDoorbot({
        path: file,
        credentialKey: readSecret(paths.credentialKey),
        append: (app, groups) => node.appendAll(app, groups).map(({ id }) => id),
        ...(expectHash === undefined ? {} : { expectHash }),
      }),
    badge: async (params) => ({ badge: await signedBadge(node, params) }),
    statusList: async ({ url }) => ({ list: await signedStatusList(node, url) }),
    verify: (params, signal) => verifier.verify(params, signal),
    verifyProgress: ({ job }) => verifier.progress(job),
    installDapp: ({ path: folder, isOnlyRehearsed }) => store.holding(() => installDapp(node, folder, isOnlyRehearsed)),
    rollBackDapp: ({ name }) => store.holding(() => rollBackDapp(node, name)),
    removeDapp: ({ name }) => removeDapp(node, name),
    imageBuild: (params) => store.holding(() => images.build(params)),
    imageImport: (params, signal) => store.holding(() => images.import(params, signal)),
    imageImportProgress: (params) => images.progress(params),
    imageExport: (params) => images.export(params),
    imageList: () => images.list(),
    imageRemove: (params) => images.remove(params),
    admit: ({ devices, principals }) => admitDevices(node, devices, principals),
    steer: ({ wallMs }) => steer(node, wallMs),
    metrics: () => node.metrics(),
    stop: () => {
      side.stop();
      return {};
    },
  };
}

/** How others reach the broker: as was said, else as this node does; its own by an address that others reach. */
function brokerFor(
  named: string | undefined,
  { parts: { config } }: GdoNode,
  side: AgentSide,
): BrokerAddress | undefined {
  if (named !== undefined) return { url: named };
  const port = side.brokerPort();
  if (config.broker !== undefined) return addressOfUrl(config.broker.url);
  if (port === undefined || config.embeddedBroker === undefined) return undefined;
  return addressOfBroker(config.embeddedBroker.host, port, { interfaces: networkInterfaces(), hostname: hostname() });
}

function actsOf(acts: readonly z.infer<typeof act>[]): Act[] {
  return acts.map(({ type, body }) => ({ type, body: canonicalFromJson(body) }));
}

/** One branch, or whatever waits that this node may merge by itself, the charter first; `main` when nothing does. */
async function mergeBranches(node: GdoNode, branch: string | undefined, takesOver: boolean): Promise<unknown> {
  const merges: (MergeReport & { readonly waits?: string })[] = [];
  const due = branch === undefined ? node.validator.due() : [branch];
  for (const name of due.length === 0 ? [MAIN_BRANCH] : due)
    merges.push(beginRound(node, name) ?? (await node.merge(name, { takesOver })));
  return { merges };
}

/** Where this node votes with others it can only begin: what is missing is said, and comes by itself. */
function beginRound(node: GdoNode, branch: string): (MergeReport & { readonly waits?: string }) | undefined {
  if (node.validator.status(branch)?.isVoter !== true) return undefined;
  node.validator.workDue();
  const { db } = node.parts;
  const standing = node.validator.status(branch);
  const report = { branch, h: db.head(branch)?.h ?? 0, included: 0, void: [], tests: [], ms: 0 };
  const pending = db.countPending(branch);
  if (standing === undefined || pending === 0) return report;
  return { ...report, waits: waitsFor(standing, leftOutOf(node, branch, pending)) };
}

async function showWithVotes(node: GdoNode, prefix: string): Promise<unknown> {
  const shown = showBlock(node.parts.db, prefix, node.parts.pair.publicKey);
  const block = shown["kind"] === "merge" ? node.parts.db.block(shown["id"] as Hash) : undefined;
  const votes = block === undefined ? [] : await votesOn(node, block);
  return votes.length === 0 ? shown : { ...shown, votes };
}

function admitDevices(
  node: GdoNode,
  devices: Params<"admit">["devices"],
  principals: Params<"admit">["principals"],
): unknown {
  const acts = [
    ...principals.map((body) => ({ type: "principal.add", body })),
    ...devices.map((body) => ({ type: "device.add", body })),
  ];
  return { entries: acts.length === 0 ? [] : [govern(node, acts).id] };
}

function steer(node: GdoNode, wallMs: number): unknown {
  const { clock } = node.parts;
  if (!(clock instanceof SteerableClock))
    throw new GdoError("REFUSED", "this node's clock is not steered", { hint: "clock: steered" });
  clock.setWall(wallMs);
  return {};
}

const LOOK_EVERY_MS = 50;

/** Waits until every peer that is there holds what this node holds, or the time is up. */
async function awaitPeers(node: GdoNode, side: AgentSide, timeoutMs: number): Promise<unknown> {
  if (node.isSentAway) node.assertKnown(); // Says who revoked this device, and what to do.
  if (!side.isConnected()) throw new GdoError("SYNC_UNREACHABLE", "no broker is reached", { hint: "gdo agent" });
  const heldBefore = node.parts.db.countEntries();
  const sentBefore = side.sent();
  const endMs = Date.now() + timeoutMs;
  side.hello();
  const isConverged = (): boolean => {
    const peers = side.peers().filter(({ isPresent }) => isPresent);
    return peers.length > 0 && peers.every(({ isEqual }) => isEqual) && side.wanted() === 0;
  };
  while (!isConverged() && Date.now() < endMs && side.isConnected())
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  return {
    converged: isConverged(),
    peers: side.peers().filter(({ isPresent }) => isPresent).length,
    received: node.parts.db.countEntries() - heldBefore,
    sent: side.sent() - sentBefore,
  };
}
