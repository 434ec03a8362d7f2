/** Nodes with real databases that hold different versions of logs, on a memory broker under a fake clock. */
import { FakeClock, type Hash, type PublicKey, SeededRng } from "../../lib/base/index.ts";
import { type Block, encodeEnvelope, type KeyPair } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { admit } from "../../lib/ledger/index.ts";
import {
  decodeFrame,
  helloTopic,
  MemoryBroker,
  MemoryTransport,
  type SyncOutput,
  SyncPeer,
} from "../../lib/sync/index.ts";

export class ForkNode {
  readonly db = LedgerDb.open(":memory:");
  readonly peer: SyncPeer;
  readonly #world: ForkWorld;
  readonly #transport: MemoryTransport;
  readonly #orphans = new Map<Hash, Block>();
  #cancelWake = (): void => {};

  constructor(world: ForkWorld, name: string, pair: KeyPair) {
    this.#world = world;
    this.db.ingest([world.charter]);
    const { rng, clock, broker } = world;
    const organisation = world.charter.id;
    this.peer = new SyncPeer({ organisation, pair, rng, isKnownNode: () => true, checkObject: () => false });
    const presenceTopic = helloTopic(organisation, pair.publicKey);
    this.#transport = new MemoryTransport(broker, clock, { name, presenceTopic });
  }

  start(): void {
    this.#tell();
    this.#transport.start({
      connected: () => this.#do(this.peer.step({ type: "connected" })),
      disconnected: () => this.#do(this.peer.step({ type: "disconnected" })),
      message: (topic, bytes) => this.#do(this.peer.step({ type: "message", topic, bytes, nowMs: this.#world.nowMs })),
    });
  }

  /** Through admission; what lacks a parent waits for it. */
  take(envelopes: readonly Uint8Array[]): void {
    for (let batch = envelopes; batch.length > 0; ) {
      const needs = new Set([...this.#orphans.values()].flatMap(({ b, p }) => [...(b === null ? [] : [b]), ...p]));
      const view = { ...this.db.admitView(this.#world.charter.id), needs: (id: Hash) => needs.has(id) };
      const { admitted, orphans } = admit(batch, view);
      for (const { block } of orphans) this.#orphans.set(block.id, block);
      const { added } = this.db.ingest(admitted);
      for (const id of added) this.#orphans.delete(id);
      batch = added.length === 0 ? [] : [...this.#orphans.values()].map(encodeEnvelope);
    }
  }

  /** All that is held, whichever version. */
  ids(): string {
    const blocks = this.db
      .frontier()
      .flatMap(({ author, l, n }) => [
        ...this.db.range(author, l, 0, n, 1e9),
        ...this.db.alternates(author, l, 0, n, 1e9),
      ]);
    return blocks
      .map((envelope) => Buffer.from(envelope).toString("base64"))
      .sort()
      .join();
  }

  #tell(ingested?: number): void {
    const local = { type: "local", frontier: this.db.frontier(), finals: [] } as const;
    this.#do(this.peer.step(ingested === undefined ? local : { ...local, ingested }));
  }

  #do(outputs: readonly SyncOutput[]): void {
    for (const output of outputs) {
      if (output.type === "publish") this.#transport.publish(output.topic, output.bytes, output.retain ?? false);
      if (output.type === "subscribe") this.#transport.subscribe(output.topics);
      if (output.type === "serve-repair") this.#do(this.peer.repair(output.frame, this.db.versions));
      if (output.type === "serve-blocks") this.#do(this.peer.blocksFor(output.to, this.#read(output.ranges)));
      if (output.type === "wake") this.#wake(output.atMs);
      if (output.type !== "ingest") continue;
      this.take(output.envelopes);
      this.#tell(1);
    }
  }

  #read(ranges: Extract<SyncOutput, { type: "serve-blocks" }>["ranges"]): Uint8Array[] {
    return ranges.flatMap(([author, l, from, to]) => [
      ...this.db.range(author, l, from, to, 1e6),
      ...this.db.alternates(author, l, from, to, 1e6),
    ]);
  }

  #wake(atMs: number): void {
    this.#cancelWake();
    const { clock, nowMs } = this.#world;
    this.#cancelWake = clock.after(Math.max(0, atMs - nowMs), () =>
      this.#do(this.peer.step({ type: "tick", nowMs: this.#world.nowMs })),
    );
  }
}

export class ForkWorld {
  readonly clock = new FakeClock();
  readonly rng: SeededRng;
  readonly broker: MemoryBroker;
  readonly charter: Block;
  readonly nodes: ForkNode[] = [];
  /** What went over the network, by kind of frame. */
  readonly cost: Record<string, { frames: number; bytes: number }> = {};

  constructor(seed: number, charter: Block) {
    this.rng = new SeededRng(seed);
    this.charter = charter;
    this.broker = new MemoryBroker(this.clock, this.rng);
    this.broker.onDelivery = ({ bytes, from, to }) => {
      if (from === to || bytes.length === 0) return;
      const counted = this.cost[decodeFrame(bytes, 20_000).type] ?? { frames: 0, bytes: 0 };
      this.cost[decodeFrame(bytes, 20_000).type] = { frames: counted.frames + 1, bytes: counted.bytes + bytes.length };
    };
  }

  get nowMs(): number {
    return Number(this.clock.monoNs()) / 1e6;
  }

  node(name: string, pair: KeyPair & { readonly publicKey: PublicKey }): ForkNode {
    const node = new ForkNode(this, name, pair);
    this.nodes.push(node);
    return node;
  }

  /** Simulated milliseconds until all hold the same; undefined when they do not. */
  converge(msMax: number): number | undefined {
    for (let ms = 0; ms <= msMax; ms += 500) {
      const frontiers = new Set(this.nodes.map(({ db }) => JSON.stringify(db.frontier())));
      if (frontiers.size === 1) return ms;
      this.clock.advance(500);
    }
    return undefined;
  }
}
