/**
 * One life of a node: from the start of its process to its end. Real ledger, own log, chain, validator, sync; what
 * an agent has around them, sockets and containers, is the simulated world's.
 */
import {
  type Cancel,
  type Clock,
  GdoError,
  type Log,
  OBJECT_BYTES_MAX,
  type PublicKey,
  type Rng,
} from "../../base/index.ts";
import { type Block, decodeBlock, encodeEnvelope } from "../../codec/index.ts";
import { type LedgerDb, PowerCut } from "../../db/index.ts";
import { type Act, authorOf, CHARTER_BRANCH, entryPayload, parseEntryPayload } from "../../ledger/index.ts";
import {
  Chain,
  mayMergeAlone,
  meetPeers,
  mustMeet,
  type NodeApps,
  type NodeBlobs,
  OwnLog,
  Validator,
  Witness,
} from "../../node/index.ts";
import { type ChunkStore, checkObject, putBlob, RootFetcher, readBlobBytes, readObjects } from "../../store/index.ts";
import {
  helloTopic,
  type MemoryBroker,
  MemoryTransport,
  type SyncInput,
  type SyncOutput,
  SyncPeer,
} from "../../sync/index.ts";
import type { NodeClock } from "../time/node-clock.ts";
import type { Member } from "./organisation.ts";

type LocalInput = Extract<SyncInput, { type: "local" }>;
type StoreOutput = Extract<
  SyncOutput,
  { type: "ingest" | "object" | "serve-blocks" | "serve-objects" | "serve-repair" }
>;

const MERGE_AFTER_MS = 2000;
const RETRY_OBJECTS_MS = 15_000;
const VOTE_TIMEOUT_MS = 3000;
const SLICE_BYTES_MIN = 32 * 1024;

/** What others can make a process keep in memory. */
export interface Unfinished {
  /** Blocks that wait for their parents. */
  readonly orphans: number;
  /** Of pieces of blocks and objects. */
  readonly unfinishedBytes: number;
}

/** What a process tells the world. */
export interface ProcessWatch {
  /** Own blocks that leave the process. */
  sent(envelopes: readonly Uint8Array[]): void;
  /** Blocks that came in, before they are judged. */
  received(envelopes: readonly Uint8Array[]): void;
  /** What it keeps in memory of what is not whole; told whenever blocks or pieces have come. */
  keeps(unfinished: Unfinished): void;
  merged(line: string, h: number, merge: Block): void;
  /** An error that no fault explains. */
  broke(error: unknown): void;
  /** Promises have been made; the world waits for all that can go on before time moves. */
  busy(): void;
  refused(why: string): void;
  /** What votes have led to that somebody should know. */
  told(what: string): void;
  /** It waits for an answer that a leap over quiet time would cut short. */
  awake(): void;
  /** [L8] It has asked what others know of its log, and signs from now on. */
  met(): void;
}

export interface ProcessParts {
  readonly member: Member;
  readonly charter: Block;
  readonly db: LedgerDb;
  readonly store: ChunkStore;
  readonly apps: NodeApps;
  readonly clock: NodeClock;
  readonly rng: Rng;
  readonly broker: MemoryBroker;
  readonly watch: ProcessWatch;
  /** What tells a copy from a restart [L8]. */
  readonly place: { readonly disk: string; readonly mark: string };
  /** Whether its votes are all lies, told elsewhere. */
  readonly isLiar: () => boolean;
}

export class Process {
  readonly parts: ProcessParts;
  readonly #ownLog: OwnLog;
  readonly #witness: Witness;
  readonly #chain: Chain;
  readonly #fetcher: RootFetcher;
  readonly #validator: Validator;
  readonly #peer: SyncPeer;
  readonly #transport: MemoryTransport;
  readonly #known = new Map<PublicKey, boolean>();
  #turn: Promise<void> = Promise.resolve();
  #cancelWake: Cancel = () => {};
  #wakeMs: number | undefined;
  #local: LocalInput | undefined;
  #isMergeDue = false;
  #isConnected = false;
  /** [L8] Nothing is signed before. */
  #isReady = false;
  isAlive = true;

  constructor(parts: ProcessParts) {
    this.parts = parts;
    const { member, charter, db, store, clock, rng, broker, watch } = parts;
    const { pair, name } = member;
    const organisation = charter.id;
    const log = logTo(watch);
    if (!db.has(organisation)) db.ingest([charter]);
    this.#ownLog = new OwnLog({ db, pair, organisation, clock, rng, place: parts.place });
    this.#witness = new Witness({ ledger: db, organisation, ownLog: this.#ownLog, log });
    this.#fetcher = new RootFetcher(
      store,
      (objects, near) => this.#step({ type: "want", objects, ...(near === undefined ? {} : { near }) }),
      () => this.#inTurn(() => this.#chain.advance()),
    );
    const blobs = blobsOf(store, this.#fetcher);
    this.#validator = new Validator({
      ...{ ledger: db, blobs, apps: parts.apps, ownLog: this.#ownLog, organisation, log },
      clock: telling(clock, watch),
      timeoutMs: VOTE_TIMEOUT_MS,
      reports: (branch) =>
        this.#peer
          .peers()
          .flatMap(({ key: author, finals }) =>
            finals.filter((final) => final.branch === branch).map(({ h }) => ({ author, h })),
          ),
      publish: (block) => this.#publish([block]),
      advance: () => this.#advance(),
      tell: (event) => watch.told(`${event.type}${"why" in event ? `: ${event.why}` : ""}`),
    });
    this.#chain = new Chain({
      ...{ ledger: db, blobs, organisation, log },
      onMerged: ({ branch, h }, merge) => this.#merged(db.lineOf(branch, merge.a), h, merge),
      refused: (reason) => watch.refused(reason),
      settled: () => this.#settled(),
      saw: (block, isSecond) => this.#saw(block, isSecond),
    });
    const isKnownNode = (key: PublicKey): boolean => this.#isKnown(key);
    this.#peer = new SyncPeer({ organisation, pair, rng, isKnownNode, checkObject });
    const presenceTopic = helloTopic(organisation, pair.publicKey);
    this.#transport = new MemoryTransport(broker, clock, { name, presenceTopic });
  }

  start(): void {
    this.#changed();
    this.#transport.start({
      connected: () => this.#connected(true),
      disconnected: () => this.#connected(false),
      message: (topic, bytes) => this.#step({ type: "message", topic, bytes, nowMs: this.#nowMs() }),
    });
    this.#inTurn(() => this.#chain.advance());
    void this.#begin();
    this.#retryLater();
  }

  /** [L8] As an agent: what others know of its log comes first. */
  async #begin(): Promise<void> {
    const { db, clock, watch, isLiar } = this.parts;
    if (mustMeet(this.#ownLog, db.charterAt())) {
      this.#step({ type: "meet" });
      const isConnected = (): boolean => {
        watch.awake();
        return this.#isConnected;
      };
      const peers = (): ReturnType<SyncPeer["peers"]> => {
        watch.awake();
        return this.#peer.peers();
      };
      await meetPeers({ clock: telling(clock, watch), isConnected, peers, isOver: () => !this.isAlive });
    }
    if (!this.isAlive) return;
    this.#isReady = true;
    watch.met();
    if (!isLiar()) this.#guarded(() => this.#validator.start());
    this.#settled();
  }

  #connected(isConnected: boolean): void {
    this.#isConnected = isConnected;
    this.#step({ type: isConnected ? "connected" : "disconnected" });
  }

  /** [L8] Another copy may have decided what this one does not know yet. */
  #saw(block: Block, isSecond: boolean): void {
    const before = this.#ownLog.incarnation;
    this.#ownLog.saw(block, isSecond);
    if (this.#ownLog.incarnation !== before) this.#step({ type: "meet" });
  }

  /** Says something; undefined when the node cannot now. */
  append(app: string, acts: readonly Act[]): Block | undefined {
    if (!this.#isReady) return undefined;
    const { db, charter } = this.parts;
    return this.#guarded(() => {
      const payload = entryPayload(app, acts);
      const line = db.lineOf(parseEntryPayload(payload).branch, this.#ownLog.author);
      const heads = [db.head(CHARTER_BRANCH), db.head(line)];
      const parents = heads.flatMap((head) => db.block(head?.id ?? charter.id) ?? []);
      const block = this.#ownLog.append("entry", payload, parents);
      this.#publish([block]);
      return block;
    });
  }

  /** For cheats: any bytes under any topic. */
  publishRaw(topic: string, bytes: Uint8Array): void {
    if (this.isAlive) this.#transport.publish(topic, bytes, false);
  }

  reconnect(): void {
    if (this.isAlive) this.#transport.reconnect();
  }

  /** Nothing that it still does is heard of. */
  end(): void {
    this.isAlive = false;
    this.parts.clock.stop();
    this.#transport.cut();
    void this.#transport.close();
    void this.#validator.close();
  }

  /** Asked for every frame: what the charter says is remembered until the next merge. */
  #isKnown(key: PublicKey): boolean {
    const isKnown = this.#known.get(key) ?? authorOf(this.parts.db.charterAt(), key)?.revoked === false;
    this.#known.set(key, isKnown);
    return isKnown;
  }

  /** A process that is gone publishes nothing, whatever its code still runs through. */
  #publish(blocks: readonly Block[]): void {
    if (!this.isAlive) return;
    const envelopes = blocks.map(encodeEnvelope);
    this.parts.watch.sent(envelopes);
    this.#step({ type: "appended", envelopes });
    this.#changed();
  }

  /** [L6] Who sees a number used twice says so. */
  #settled(): void {
    const isSilent = this.parts.isLiar() || !this.#isReady;
    const evidence = isSilent ? [] : (this.#guarded(() => this.#witness.testify()) ?? []);
    if (evidence.length > 0) this.#publish(evidence);
    this.#guarded(() => this.#validator.look());
  }

  #merged(line: string, h: number, merge: Block): void {
    this.#known.clear();
    if (!this.isAlive) return;
    this.parts.watch.merged(line, h, merge);
    this.#changed();
  }

  async #advance(): Promise<void> {
    try {
      await this.#chain.advance();
    } catch (error) {
      this.#failed(error);
    }
  }

  #changed(ingested?: number, isOther = true): void {
    const { db } = this.parts;
    if (isOther || this.#local === undefined) {
      const finals = db.branches().flatMap((branch) => {
        const head = db.head(branch);
        return head === undefined ? [] : [{ branch, ...head }];
      });
      this.#local = { type: "local", frontier: db.frontier(), finals };
    }
    this.#step(ingested === undefined ? this.#local : { ...this.#local, ingested });
    if (isOther) this.#mergeSoon();
  }

  /** As long as anything is pending, as an agent looks every few seconds. */
  #mergeSoon(): void {
    const { db, clock, member } = this.parts;
    if (this.#isMergeDue || !(member.isValidator || member.isDeputy)) return;
    if (!db.branches().some((branch) => db.hasPending(branch))) return;
    this.#isMergeDue = true;
    clock.after(MERGE_AFTER_MS, () => {
      this.#isMergeDue = false;
      this.#inTurn(async () => {
        this.#validator.workDue();
        for (const line of this.#due()) await this.#merge(line);
        this.#mergeSoon();
      });
    });
  }

  #due(): string[] {
    const due = this.#isReady ? this.#validator.due() : [];
    return due.length > 0 && mayMergeAlone(this.parts.db, this.#ownLog, this.#peer.peers()) ? due : [];
  }

  async #merge(line: string): Promise<void> {
    const { db } = this.parts;
    const { id, h } = await this.#validator.merge(line);
    const block = id === undefined || !this.isAlive ? undefined : db.block(id);
    if (block === undefined) return;
    this.#merged(line, h, block);
    this.#publish([block]);
  }

  #retryLater(): void {
    this.parts.clock.after(RETRY_OBJECTS_MS, () => {
      this.#inTurn(() => this.#chain.retry());
      this.#inTurn(() => this.#fetcher.retry());
      this.#retryLater();
    });
  }

  #nowMs(): number {
    return Number(this.parts.clock.monoNs()) / 1e6;
  }

  #step(input: SyncInput): void {
    if (!this.isAlive) return;
    for (const output of this.#peer.step(input)) this.#perform(output);
  }

  #perform(output: SyncOutput): void {
    switch (output.type) {
      case "publish":
        return this.#transport.publish(output.topic, output.bytes, output.retain ?? false);
      case "subscribe":
        return this.#transport.subscribe(output.topics);
      case "refused":
        return this.parts.watch.refused(`sync ${output.why}`);
      case "wake":
        return this.#wakeAt(output.atMs);
      case "farewell":
      case "serve-farewell":
        return; // Nobody is told here: a revoked device plays on, to be refused.
      default:
        this.#inTurn(() => this.#serve(output));
    }
  }

  #wakeAt(atMs: number): void {
    if (this.#wakeMs === atMs) return;
    this.#cancelWake();
    this.#wakeMs = atMs;
    this.#cancelWake = this.parts.clock.after(atMs - this.#nowMs(), () => {
      this.#wakeMs = undefined;
      this.#step({ type: "tick", nowMs: this.#nowMs() });
    });
  }

  async #serve(output: StoreOutput): Promise<void> {
    const { store, watch } = this.parts;
    switch (output.type) {
      case "ingest":
        watch.received(output.envelopes);
        return this.#take(output.envelopes);
      case "object":
        await this.#fetcher.keep(output);
        return this.#step({ type: "have", objects: [output.id] });
      case "serve-blocks":
        return this.#performAll(this.#peer.blocksFor(output.to, this.#read(output.ranges, output.creditBytes)));
      case "serve-repair":
        return this.#performAll(this.#peer.repair(output.frame, this.parts.db.versions));
      case "serve-objects": {
        const { objects, lacking } = await readObjects(store, output.ids, output.creditBytes);
        return this.#performAll(this.#peer.objectsFor(output.to, objects, lacking));
      }
    }
  }

  async #take(envelopes: readonly Uint8Array[]): Promise<void> {
    let isOther = true;
    try {
      const { added } = await this.#chain.take(envelopes);
      isOther = added > 0;
    } finally {
      this.parts.watch.keeps({ orphans: this.#chain.orphanCount, unfinishedBytes: this.#peer.unfinishedBytes });
      if (this.isAlive) this.#changed(1, isOther);
    }
  }

  #performAll(outputs: readonly SyncOutput[]): void {
    if (this.isAlive) for (const output of outputs) this.#perform(output);
  }

  /** In the order of clocks over all ranges, as the agent reads. */
  #read(ranges: Extract<SyncOutput, { type: "serve-blocks" }>["ranges"], bytesMax: number): Uint8Array[] {
    const sliceBytes = Math.max(SLICE_BYTES_MIN, Math.floor(bytesMax / Math.max(1, ranges.length)));
    const { db } = this.parts;
    const read = ranges.flatMap(([author, l, from, to]) => [
      ...db.range(author, l, from, to, sliceBytes),
      ...db.alternates(author, l, from, to, sliceBytes),
    ]);
    const ordered = read.map((envelope) => ({ envelope, c: decodeBlock(envelope).c })).sort((x, y) => x.c - y.c);
    const envelopes: Uint8Array[] = [];
    let left = bytesMax;
    for (const { envelope } of ordered) {
      if (envelope.length > left && envelopes.length > 0) break;
      envelopes.push(envelope);
      left -= envelope.length;
    }
    return envelopes;
  }

  #inTurn(work: () => Promise<void>): void {
    this.parts.watch.busy();
    this.#turn = this.#turn.then(async () => {
      if (!this.isAlive) return;
      try {
        await work();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  #guarded<T>(work: () => T): T | undefined {
    if (!this.isAlive) return undefined;
    this.parts.watch.busy();
    try {
      return work();
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  /** A full disk and a lack of power are faults that it must live with; everything else is a finding. */
  #failed(error: unknown): void {
    if (!this.isAlive || error instanceof PowerCut) return;
    if (error instanceof GdoError && error.code === "STORE_FULL") return this.parts.watch.refused("disk full");
    this.parts.watch.broke(error);
  }
}

function blobsOf(store: ChunkStore, fetcher: RootFetcher): NodeBlobs {
  return {
    put: async (bytes) => {
      const { id } = await putBlob(store, bytes);
      await store.commit();
      return id;
    },
    read: (id) => readBlobBytes(store, id, OBJECT_BYTES_MAX),
    has: (id, near) => fetcher.has(id, near),
    holding: (work) => work(), // Nothing is ever removed here.
  };
}

/** What a timer starts may go on in promises. */
function telling(clock: NodeClock, watch: ProcessWatch): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monoNs: () => clock.monoNs(),
    after: (delayMs, fire) =>
      clock.after(delayMs, () => {
        watch.busy();
        fire();
      }),
  };
}

function logTo(watch: ProcessWatch): Log {
  const ignore = (): void => {};
  return {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (message) => watch.refused(message),
  };
}
