/**
 * The rim of sync: carries the pure step's outputs out (transport, database, store) and the world's
 * inputs in. Decides nothing about blocks: the chain verifies what comes. Rules: docs/design/sync.md.
 */
import type { Cancel, Clock, Hash, Log, PublicKey } from "../base/index.ts";
import type { SyncInput, SyncObject, SyncOutput, SyncPeer, Transport, VersionReader } from "../sync/index.ts";

/** What the network needs of the node's ledger and store. */
export interface NetworkHost {
  local(): Extract<SyncInput, { type: "local" }>;
  /** Verifies and keeps; resolves when done, whatever was refused. */
  ingest(envelopes: readonly Uint8Array[], from: PublicKey): Promise<void>;
  readBlocks(ranges: Extract<SyncOutput, { type: "serve-blocks" }>["ranges"], bytesMax: number): readonly Uint8Array[];
  readObjects(
    ids: readonly Hash[],
    bytesMax: number,
  ): Promise<{ objects: readonly SyncObject[]; lacking: readonly Hash[] }>;
  readonly versions: VersionReader;
  keepObject(object: SyncObject): Promise<void>;
  /** A letter by a device that is no peer yet: what to answer, and where; undefined when it is none. */
  letter(bytes: Uint8Array): { readonly topic: string; readonly pieces: readonly Uint8Array[] } | undefined;
  /** What a revoked device that knows of these final merges may be told; undefined for nothing. */
  farewellTo(
    device: PublicKey,
    finals: Extract<SyncOutput, { type: "serve-farewell" }>["finals"],
  ): Uint8Array | undefined;
  /** A peer says that this device is revoked. */
  farewell(bytes: Uint8Array): void;
  refused(why: string): void;
}

export interface NetworkOptions {
  /** Where letters to this node come. */
  readonly inbox: string;
  readonly peer: SyncPeer;
  readonly transport: Transport;
  readonly host: NetworkHost;
  readonly clock: Clock;
  readonly log: Log;
}

const NS_PER_MS = 1e6;

export class Network {
  readonly #options: NetworkOptions;
  readonly #startNs: bigint;
  #cancelWake: Cancel = () => {};
  /** What comes in is dealt with one at a time: ingest and serve read and write one database. */
  #turn: Promise<void> = Promise.resolve();
  #isConnected = false;
  #sent = 0;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#startNs = options.clock.monoNs();
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Blocks handed to peers since the start. */
  get sent(): number {
    return this.#sent;
  }

  start(): void {
    this.step(this.#options.host.local());
    this.#options.transport.start({
      connected: () => {
        this.#isConnected = true;
        this.step({ type: "connected" });
      },
      disconnected: () => {
        this.#isConnected = false;
        this.step({ type: "disconnected" });
      },
      message: (topic, bytes) => this.#message(topic, bytes),
    });
  }

  #message(topic: string, bytes: Uint8Array): void {
    const { host, transport, inbox } = this.#options;
    const answer = topic === inbox && !this.#isClosed ? host.letter(bytes) : undefined;
    if (answer === undefined) return this.step({ type: "message", topic, bytes, nowMs: this.#nowMs() });
    for (const piece of answer.pieces) transport.publish(answer.topic, piece, false);
  }

  step(input: SyncInput): void {
    if (input.type === "appended") this.#sent += input.envelopes.length;
    if (this.#isClosed) return;
    for (const output of this.#options.peer.step(input)) this.#perform(output);
  }

  /** What this node holds has changed. */
  changed(ingested?: number): void {
    const local = this.#options.host.local();
    this.step(ingested === undefined ? local : { ...local, ingested });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#isConnected = false;
    this.#cancelWake();
    await this.#options.transport.close();
    await this.#turn;
  }

  #nowMs(): number {
    return Number(this.#options.clock.monoNs() - this.#startNs) / NS_PER_MS;
  }

  #perform(output: SyncOutput): void {
    const { transport, host } = this.#options;
    switch (output.type) {
      case "publish":
        return transport.publish(output.topic, output.bytes, output.retain ?? false);
      case "subscribe":
        return transport.subscribe(output.topics);
      case "refused":
        return host.refused(output.why);
      case "wake":
        return this.#wakeAt(output.atMs);
      default:
        this.#inTurn(() => this.#serve(output));
    }
  }

  async #serve(output: Exclude<SyncOutput, { type: "publish" | "subscribe" | "refused" | "wake" }>): Promise<void> {
    const { host, peer } = this.#options;
    switch (output.type) {
      case "ingest":
        try {
          await host.ingest(output.envelopes, output.from);
        } finally {
          this.changed(1); // Also of what failed: sync counts what is under way.
        }
        return;
      case "object":
        await host.keepObject(output);
        return this.step({ type: "have", objects: [output.id] });
      case "serve-blocks": {
        const envelopes = host.readBlocks(output.ranges, output.creditBytes);
        this.#sent += envelopes.length;
        return this.#performAll(peer.blocksFor(output.to, envelopes));
      }
      case "serve-repair":
        return this.#performAll(peer.repair(output.frame, host.versions));
      case "serve-objects":
        return this.#performAll(await this.#objectsFor(output));
      case "serve-farewell": {
        const bytes = host.farewellTo(output.to, output.finals);
        return bytes === undefined ? undefined : this.#performAll(peer.farewellFor(output.to, bytes));
      }
      case "farewell":
        return host.farewell(output.bytes);
    }
  }

  async #objectsFor({ to, ids, creditBytes }: Extract<SyncOutput, { type: "serve-objects" }>): Promise<SyncOutput[]> {
    const { host, peer } = this.#options;
    const { objects, lacking } = await host.readObjects(ids, creditBytes);
    return peer.objectsFor(to, objects, lacking);
  }

  #performAll(outputs: readonly SyncOutput[]): void {
    for (const output of outputs) this.#perform(output);
  }

  #inTurn(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(async () => {
      if (this.#isClosed) return;
      try {
        await work();
      } catch (cause) {
        this.#options.log.warn("a peer's message was not dealt with", { cause: String(cause) });
      }
    });
  }

  #wakeAt(atMs: number): void {
    this.#cancelWake();
    const delayMs = Math.max(0, atMs - this.#nowMs());
    this.#cancelWake = this.#options.clock.after(delayMs, () => this.step({ type: "tick", nowMs: this.#nowMs() }));
  }
}
