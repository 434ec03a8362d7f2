/**
 * `gdo agent`: a node with its loops and transports — peers over MQTT, its door processes over a socket,
 * commands over another, merges as they fall due — and their ordered end.
 */
import { type Cancel, GdoError, type Log, SystemClock, SystemRng } from "../base/index.ts";
import { decodeBlock, encodeEnvelope } from "../codec/index.ts";
import { authorOf, CHARTER_BRANCH } from "../ledger/index.ts";
import { mayMergeAlone, meetPeers, mustMeet } from "../node/index.ts";
import { checkObject } from "../store/index.ts";
import { Broker, type Final, helloTopic, inboxTopic, MqttTransport, SyncPeer } from "../sync/index.ts";
import { DoorHub } from "./apps/door-hub.ts";
import { type Api, ControlServer } from "./control.ts";
import { answerRequest } from "./invite/desk.ts";
import { Network, type NetworkHost } from "./network.ts";
import { GdoNode } from "./node.ts";
import { nodeApi } from "./node-api.ts";
import { readObjects } from "./storage/object-access.ts";
import { turnWords } from "./views/own-words.ts";
import { farewellTo, type OwnRevocation, revokedWords } from "./views/revocation.ts";

/** What a running agent tells, one object a line with `--json`. */
export type AgentEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

export interface AgentOptions {
  readonly root: string;
  readonly log: Log;
  readonly onEvent?: (event: AgentEvent) => void;
}

export interface AgentHandle {
  readonly api: Api;
  /** Where the embedded broker listens, if there is one. */
  readonly brokerPort: number | undefined;
  /** Resolves when everything is stopped and closed. */
  close(): Promise<void>;
  /** Resolves when a command asked the agent to stop. */
  readonly stopped: Promise<void>;
}

const RETRY_OBJECTS_MS = 5_000;

/** Runs the node of a home until close(). Errors as GdoNode.open, and IO when a socket cannot be bound. */
export async function runAgent({ root, log, onEvent = () => {} }: AgentOptions): Promise<AgentHandle> {
  const node = await GdoNode.open(root, log);
  const agent = new Agent(node, onEvent);
  try {
    await node.parts.runtime.info(); // What is wrong with the container tool is said now, not at the first dapp.
    await agent.start();
  } catch (error) {
    await agent.close();
    throw error;
  }
  return agent;
}

class Agent implements AgentHandle {
  readonly api: Api;
  readonly stopped: Promise<void>;
  readonly #node: GdoNode;
  readonly #tell: (event: AgentEvent) => void;
  readonly #doors: DoorHub;
  readonly #timers = new SystemClock();
  #network: Network | undefined;
  #peer: SyncPeer | undefined;
  #broker: Broker | undefined;
  #control: ControlServer | undefined;
  #cancelMerge: Cancel = () => {};
  #cancelRetry: Cancel = () => {};
  #closing: Promise<void> | undefined;
  #isWaiting = false;

  constructor(node: GdoNode, tell: (event: AgentEvent) => void) {
    this.#node = node;
    this.#tell = tell;
    this.#doors = new DoorHub(node, (added) => this.#took(added));
    let stop: () => void = () => {};
    this.stopped = new Promise((resolve) => {
      stop = resolve;
    });
    this.api = nodeApi(node, {
      stop,
      doors: () => this.#doors.status(),
      peers: () => (this.#node.isSentAway ? [] : (this.#peer?.peers() ?? [])),
      isConnected: () => this.#network?.isConnected ?? false,
      wanted: () => this.#peer?.wantedCount ?? 0,
      sent: () => this.#network?.sent ?? 0,
      brokerPort: () => this.#broker?.port,
      hello: () => this.#network?.changed(),
    });
  }

  get brokerPort(): number | undefined {
    return this.#broker?.port;
  }

  async start(): Promise<void> {
    const { config, paths } = this.#node.parts;
    this.#node.listener = {
      appended: (blocks) => this.#appended(blocks),
      merged: (payload, merge) => {
        this.#tell({
          type: "merge",
          branch: payload.branch,
          h: payload.h,
          id: merge.id,
          entries: payload.entries,
          void: payload.void,
        });
        this.#network?.changed();
      },
      policyChanged: (generation) => {
        this.#tell({ type: "policy", generation });
        this.#doors.policyChanged();
      },
      reports: (branch) =>
        (this.#peer?.peers() ?? []).flatMap(({ key: author, finals }) =>
          finals.filter((final) => final.branch === branch).map(({ h }) => ({ author, h })),
        ),
      voting: (event) => this.#tell({ ...event }),
      turned: (turn) => {
        this.#network?.step({ type: "meet" }); // Another copy may have decided what this one does not know yet.
        this.#tell({ type: "incarnation", l: turn.l, before: turn.before, why: turnWords(turn) });
      },
      revoked: (revocation) => this.#revoked(revocation),
      alarm: (why) => this.#tell({ type: "alarm", why }),
      request: (objects, near) =>
        this.#network?.step({ type: "want", objects, ...(near === undefined ? {} : { near }) }),
    };
    if (config.embeddedBroker !== undefined) {
      this.#broker = await Broker.start(config.embeddedBroker);
    }
    // Without peers its door goes on by the policy that it has.
    if (!this.#node.isSentAway) this.#startNetwork();
    await this.#meet();
    await this.#doors.listen(paths.doorSocket);
    this.#control = await ControlServer.listen(paths.controlSocket, this.api);
    this.#node.startVoting();
    this.#mergeLater();
    this.#retryLater();
    const port = this.#broker?.port;
    this.#tell({ type: "ready", name: config.name, ...(port === undefined ? {} : { brokerPort: port }) });
  }

  /** [L8] A log that was not begun in this run may go on elsewhere. */
  async #meet(): Promise<void> {
    const { ownLog, db, log } = this.#node.parts;
    const last = ownLog.turns().at(-1);
    if (ownLog.isFresh && last?.l === ownLog.incarnation)
      this.#tell({ type: "incarnation", l: last.l, before: last.before, why: turnWords(last) });
    if (this.#network === undefined || !mustMeet(ownLog, db.charterAt())) return;
    this.#network.step({ type: "meet" });
    const isMet = await meetPeers({
      clock: this.#timers,
      isConnected: () => this.#network?.isConnected ?? false,
      peers: () => this.#peer?.peers() ?? [],
      isOver: () => this.#closing !== undefined || this.#node.isSentAway,
    });
    if (!isMet && !this.#node.isSentAway)
      log.info("no peer says how far this device's log is known: it goes on by what it holds");
  }

  /** [L8] Who decides alone may have decided more than a home that was put back remembers. */
  #mayMergeAlone(): boolean {
    const { ownLog, db, log } = this.#node.parts;
    if (mayMergeAlone(db, ownLog, this.#peer?.peers() ?? [])) return true;
    const why = "this home was put back or copied, and may have merged more than it holds: it waits for a peer";
    if (!this.#isWaiting) {
      log.warn("entries wait", { why });
      this.#tell({ type: "waits", why });
    }
    this.#isWaiting = true;
    return false;
  }

  #startNetwork(): void {
    const { config, charter, pair, log, db, ownLog } = this.#node.parts;
    const url =
      config.broker?.url ?? (this.#broker === undefined ? undefined : `mqtt://127.0.0.1:${this.#broker.port}`);
    if (url === undefined) return;
    this.#peer = new SyncPeer({
      organisation: charter.id,
      pair,
      rng: new SystemRng(),
      isKnownNode: (key) => authorOf(db.charterAt(), key)?.revoked === false,
      isRevokedNode: (key) => authorOf(db.charterAt(), key)?.revoked === true,
      checkObject,
    });
    const transport = new MqttTransport({
      url,
      // A copy of this home must not push it off the broker.
      clientId: `gdo-${pair.publicKey.slice(0, 10)}-${ownLog.incarnation.slice(0, 8)}`,
      presenceTopic: helloTopic(charter.id, pair.publicKey),
      clock: this.#timers,
      rng: new SystemRng(),
      log,
    });
    const inbox = inboxTopic(charter.id, pair.publicKey);
    this.#network = new Network({ inbox, peer: this.#peer, transport, host: this.#host(), clock: this.#timers, log });
    this.#network.start();
  }

  #host(): NetworkHost {
    const { db, store, charter } = this.#node.parts;
    return {
      local: () => ({ type: "local", frontier: db.frontier(), finals: finalsOf(this.#node) }),
      ingest: async (envelopes) => {
        const { added } = await this.#node.chain.take(envelopes);
        if (added > 0) this.#tell({ type: "received", blocks: added });
      },
      readBlocks: (ranges, bytesMax) => readBlocks(this.#node, ranges, bytesMax),
      versions: db.versions,
      readObjects: (ids, bytesMax) => readObjects(store, ids, bytesMax),
      letter: (bytes) => {
        const answer = answerRequest(this.#node, bytes);
        if (answer === undefined) return undefined;
        this.#tell({ type: "join", device: answer.to });
        return { topic: inboxTopic(charter.id, answer.to), pieces: answer.pieces };
      },
      keepObject: (object) => this.#node.fetcher.keep(object),
      farewellTo: (device, finals) => farewellTo(db, device, finals.find(isCharters)?.h ?? 0),
      farewell: (bytes) => this.#node.hearFarewell(bytes),
      refused: (why) => this.#node.countRefusal(`sync_${why}`),
    };
  }

  #appended(blocks: readonly { readonly body: Uint8Array; readonly sig: Uint8Array }[]): void {
    this.#network?.step({ type: "appended", envelopes: blocks.map(encodeEnvelope) });
    this.#network?.changed();
  }

  /** Blocks of an own door process, verified and kept: to everybody at once. */
  #took(envelopes: readonly Uint8Array[]): void {
    this.#network?.step({ type: "appended", envelopes });
    this.#network?.changed();
  }

  /** Where its own ledger says so it may be the one that others have it from: it goes on until they know. */
  #revoked(revocation: OwnRevocation): void {
    const { by, entry, atMs, h, todo } = revocation;
    this.#tell({ type: "revoked", by, entry, atMs, h, why: revokedWords(revocation), todo });
    if (this.#node.isSentAway) void this.#network?.close();
  }

  #mergeLater(): void {
    const { everyMs } = this.#node.parts.config.merge;
    this.#cancelMerge = this.#timers.after(everyMs, () => {
      void this.#mergeIfDue().finally(() => {
        if (this.#closing === undefined) this.#mergeLater();
      });
    });
  }

  /** A merge that cannot be made now (a container fails, a disk is full) is tried again: entries wait. */
  async #mergeIfDue(): Promise<void> {
    if (this.#node.isSentAway) return;
    this.#node.validator.workDue();
    const due = this.#node.validator.due();
    for (const branch of due.length > 0 && this.#mayMergeAlone() ? due : []) {
      try {
        const { h, id, included, void: voids, ms } = await this.#node.merge(branch);
        this.#tell({ type: "merge", branch, h, id, entries: included, void: voids.length, ms });
      } catch (error) {
        if (!(error instanceof GdoError)) throw error;
        this.#node.parts.log.error("entries wait: they cannot be merged", { code: error.code, why: error.message });
        this.#tell({ type: "stalled", branch, code: error.code, why: error.message });
      }
    }
  }

  #retryLater(): void {
    this.#cancelRetry = this.#timers.after(RETRY_OBJECTS_MS, () => {
      void this.#retry().finally(() => {
        if (this.#closing === undefined) this.#retryLater();
      });
    });
  }

  async #retry(): Promise<void> {
    await this.#node.chain.retry();
    await this.#node.fetcher.retry();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Nothing new comes in, then nothing goes out, then what is held is closed. */
  async #close(): Promise<void> {
    this.#cancelMerge();
    this.#cancelRetry();
    await this.#control?.close();
    await this.#doors.close();
    await this.#network?.close();
    await this.#broker?.close();
    await this.#node.close();
  }
}

function isCharters({ branch }: Pick<Final, "branch">): boolean {
  return branch === CHARTER_BRANCH;
}

function finalsOf(node: GdoNode): Final[] {
  const { db } = node.parts;
  return db.branches().flatMap((branch) => {
    const head = db.head(branch);
    return head === undefined ? [] : [{ branch, ...head }];
  });
}

/** Read of one log before the next gets its turn. */
const SLICE_BYTES_MIN = 32 * 1024;

/**
 * Blocks of several logs within one credit, in the order of their clocks: a block's parents in other logs
 * come before it [S6], so that the receiver need not ask for them.
 */
function readBlocks(node: GdoNode, ranges: Parameters<NetworkHost["readBlocks"]>[0], bytesMax: number): Uint8Array[] {
  const sliceBytes = Math.max(SLICE_BYTES_MIN, Math.floor(bytesMax / Math.max(1, ranges.length)));
  const read = ranges.flatMap(([author, l, from, to]) =>
    [
      ...node.parts.db.range(author, l, from, to, sliceBytes),
      ...node.parts.db.alternates(author, l, from, to, sliceBytes),
    ].map((envelope) => ({ envelope, c: decodeBlock(envelope).c })),
  );
  const envelopes: Uint8Array[] = [];
  let left = bytesMax;
  for (const { envelope } of read.sort((x, y) => x.c - y.c)) {
    if (envelope.length > left && envelopes.length > 0) break;
    envelopes.push(envelope);
    left -= envelope.length;
  }
  return envelopes;
}
