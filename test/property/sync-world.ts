/** Nodes with toy ledgers on a memory broker under a fake clock: what the sync tests run. One seed, one run. */
import { FakeClock, type Hash, hashOf32, type PublicKey, SeededRng, toHex, utf8 } from "../../lib/base/index.ts";
import {
  type Canonical,
  decodeCanonical,
  deriveHash,
  encodeCanonical,
  type KeyPair,
  keyFromSeed,
} from "../../lib/codec/index.ts";
import {
  decodeFrame,
  helloTopic,
  type LogRange,
  MemoryBroker,
  MemoryTransport,
  type SyncInput,
  type SyncObject,
  type SyncOutput,
  SyncPeer,
} from "../../lib/sync/index.ts";

export const ORG = hashOf32(new Uint8Array(32).fill(7));
const L = "00000000000000aa";

/** A block that is only what sync must not look into: author, number, parents in other logs, filling. */
interface ToyBlock {
  readonly author: PublicKey;
  readonly n: number;
  readonly parents: readonly (readonly [author: PublicKey, n: number])[];
}

function encodeToy(block: ToyBlock, fill: Uint8Array): Uint8Array {
  return encodeCanonical([block.author, block.n, block.parents as Canonical, fill]);
}

function decodeToy(envelope: Uint8Array): ToyBlock {
  const [author, n, parents] = decodeCanonical(envelope) as [PublicKey, number, [PublicKey, number][]];
  return { author, n, parents };
}

/** Takes a block only after its predecessor and all its parents, as a strict ledger does. */
export class ToyLedger {
  readonly logs = new Map<PublicKey, Uint8Array[]>();
  orphans = 0;
  known = 0;

  take(envelope: Uint8Array): boolean {
    const { author, n, parents } = decodeToy(envelope);
    const log = this.logs.get(author) ?? [];
    if (n < log.length) this.known += 1;
    else if (n > log.length || !parents.every(([other, m]) => (this.logs.get(other)?.length ?? 0) > m))
      this.orphans += 1;
    else {
      log.push(envelope);
      this.logs.set(author, log);
      return true;
    }
    return false;
  }

  frontier(): { author: PublicKey; l: string; n: number }[] {
    return [...this.logs].map(([author, log]) => ({ author, l: L, n: log.length - 1 }));
  }

  /** Each range in its log's order, one after the other: the worst order that is allowed. */
  read(ranges: readonly LogRange[], creditBytes: number): Uint8Array[] {
    const envelopes: Uint8Array[] = [];
    let left = creditBytes;
    for (const [author, , from, to] of ranges) {
      for (const envelope of this.logs.get(author)?.slice(from, to + 1) ?? []) {
        if (left < envelope.length && envelopes.length > 0) return envelopes;
        left -= envelope.length;
        envelopes.push(envelope);
      }
    }
    return envelopes;
  }

  /** Enough to see that two differ. */
  count(): number {
    return [...this.logs.values()].reduce((sum, log) => sum + log.length, 0);
  }

  print(): string {
    return [...this.logs]
      .map(([author, log]) => `${author}:${log.map((envelope) => toHex(envelope)).join()}`)
      .sort()
      .join("\n");
  }
}

export interface NodeOptions {
  readonly creditBytes?: number;
  /** Whether its store says how much it has dealt with. */
  readonly isReporting?: boolean;
  /** Time that it takes to store what came. */
  readonly storeMs?: number;
  readonly isKnownNode?: (key: PublicKey) => boolean;
}

export class ToyNode {
  readonly name: string;
  readonly pair: KeyPair;
  readonly ledger = new ToyLedger();
  readonly objects = new Map<Hash, SyncObject>();
  readonly got: SyncObject[] = [];
  readonly refused: string[] = [];
  readonly transport: MemoryTransport;
  readonly #world: World;
  readonly #options: NodeOptions;
  peer: SyncPeer;
  #cancelWake = (): void => {};

  constructor(world: World, name: string, options: NodeOptions) {
    const seed = new Uint8Array(32);
    seed.set(utf8(name).subarray(0, 32));
    this.#world = world;
    this.#options = options;
    this.name = name;
    this.pair = keyFromSeed(seed);
    this.peer = this.#newPeer();
    const presenceTopic = helloTopic(ORG, this.pair.publicKey);
    this.transport = new MemoryTransport(world.broker, world.clock, { name, presenceTopic });
  }

  get key(): PublicKey {
    return this.pair.publicKey;
  }

  start(): void {
    this.transport.start({
      connected: () => this.give({ type: "connected" }),
      disconnected: () => this.give({ type: "disconnected" }),
      message: (topic, bytes) => this.give({ type: "message", topic, bytes, nowMs: this.#world.nowMs }),
    });
    this.#tellLocal(undefined);
  }

  /** A process that died and came back: the ledger is on disk, the peer's memory is gone. */
  restart(): void {
    this.transport.cut();
    this.peer = this.#newPeer();
    this.#tellLocal(undefined);
    this.transport.reconnect();
  }

  append(count: number, fillBytes = 200, parents: ToyBlock["parents"] = []): void {
    const envelopes: Uint8Array[] = [];
    for (let each = 0; each < count; each += 1) {
      const n = this.ledger.logs.get(this.key)?.length ?? 0;
      const envelope = encodeToy({ author: this.key, n, parents }, this.#world.rng.bytes(fillBytes));
      this.ledger.take(envelope);
      envelopes.push(envelope);
    }
    this.give({ type: "appended", envelopes });
    this.#tellLocal(undefined);
  }

  give(input: SyncInput): void {
    this.#do(this.peer.step(input));
  }

  #newPeer(): SyncPeer {
    const { creditBytes, isKnownNode = () => true } = this.#options;
    return new SyncPeer({
      organisation: ORG,
      pair: this.pair,
      rng: this.#world.rng,
      isKnownNode,
      checkObject: (id, _kind, bytes) => deriveHash("gdo v1 blob", bytes) === id,
      ...(creditBytes === undefined ? {} : { creditBytes }),
    });
  }

  #do(outputs: readonly SyncOutput[]): void {
    for (const output of outputs) {
      if (output.type === "publish") this.transport.publish(output.topic, output.bytes, output.retain ?? false);
      if (output.type === "subscribe") this.transport.subscribe(output.topics);
      if (output.type === "ingest") this.#ingest(output.envelopes);
      if (output.type === "refused") this.refused.push(output.why);
      if (output.type === "wake") this.#wake(output.atMs);
      if (output.type === "serve-blocks") {
        this.#do(this.peer.blocksFor(output.to, this.ledger.read(output.ranges, output.creditBytes)));
      }
      if (output.type === "serve-objects") {
        const found = output.ids.map((id) => this.objects.get(id)).filter((object) => object !== undefined);
        const lacking = output.ids.filter((id) => !this.objects.has(id));
        this.#do(this.peer.objectsFor(output.to, found, lacking));
      }
      if (output.type === "object") {
        const { id, kind, bytes } = output;
        this.objects.set(id, { id, kind, bytes });
        this.got.push({ id, kind, bytes });
      }
    }
  }

  #ingest(envelopes: readonly Uint8Array[]): void {
    this.#world.clock.after(this.#options.storeMs ?? 0, () => {
      for (const envelope of envelopes) this.ledger.take(envelope);
      this.#tellLocal(this.#options.isReporting === false ? undefined : 1);
    });
  }

  #tellLocal(ingested: number | undefined): void {
    const local = { type: "local", frontier: this.ledger.frontier(), finals: [] } as const;
    this.give(ingested === undefined ? local : { ...local, ingested });
  }

  #wake(atMs: number): void {
    this.#cancelWake();
    const delayMs = Math.max(0, atMs - this.#world.nowMs);
    this.#cancelWake = this.#world.clock.after(delayMs, () => this.give({ type: "tick", nowMs: this.#world.nowMs }));
  }
}

/** Bytes and frames that went through the broker. */
export interface Cost {
  frames: number;
  bytes: number;
  readonly byType: Record<string, { frames: number; bytes: number }>;
}

export class World {
  readonly clock = new FakeClock();
  readonly rng: SeededRng;
  readonly broker: MemoryBroker;
  readonly nodes: ToyNode[] = [];
  #cost: Cost = newCost();

  constructor(seed: number) {
    this.rng = new SeededRng(seed);
    this.broker = new MemoryBroker(this.clock, this.rng);
    this.broker.onDelivery = ({ bytes, from, to }) => {
      if (from === to) return; // A node hears its own HELLO and live blocks.
      this.#cost.frames += 1;
      this.#cost.bytes += bytes.length;
      const type = bytes.length === 0 ? "gone" : decodeFrame(bytes, 20_000).type;
      const counted = this.#cost.byType[type] ?? { frames: 0, bytes: 0 };
      this.#cost.byType[type] = counted;
      counted.frames += 1;
      counted.bytes += bytes.length;
    };
  }

  get nowMs(): number {
    return Number(this.clock.monoNs()) / 1e6;
  }

  node(name: string, options: NodeOptions = {}): ToyNode {
    const node = new ToyNode(this, name, options);
    this.nodes.push(node);
    return node;
  }

  start(): void {
    for (const node of this.nodes) node.start();
  }

  run(ms: number): void {
    this.clock.advance(ms);
  }

  /** Simulated milliseconds until all nodes hold the same, or undefined. */
  converge(msMax: number, nodes: readonly ToyNode[] = this.nodes): number | undefined {
    for (let ms = 0; ms <= msMax; ms += 50) {
      const isPlausible = new Set(nodes.map((node) => node.ledger.count())).size === 1;
      if (isPlausible && new Set(nodes.map((node) => node.ledger.print())).size === 1) return ms;
      this.run(50);
    }
    return undefined;
  }

  takeCost(): Cost {
    const cost = this.#cost;
    this.#cost = newCost();
    return cost;
  }
}

function newCost(): Cost {
  return { frames: 0, bytes: 0, byType: {} };
}
