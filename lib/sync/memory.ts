/**
 * A broker in memory, with faults from a seed: for tests and simulation. Time is the injected clock's, so
 * under a fake clock a whole network runs in one turn, and the same seed gives the same run.
 */
import type { Clock, Rng } from "../base/index.ts";
import type { Transport, TransportHandlers } from "./types.ts";

export interface MemoryFaults {
  /** Probabilities of a delivery being dropped, or made twice. */
  readonly loss: number;
  readonly duplication: number;
  /** Every delivery takes a time between these; what overlaps is reordered. */
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  /** Deliveries on their way to one client, beyond which a broker drops what comes; default: no bound. */
  readonly queueMax?: number;
}

const NO_FAULTS: MemoryFaults = { loss: 0, duplication: 0, delayMsMin: 0, delayMsMax: 0 };

interface Client {
  readonly handlers: TransportHandlers;
  readonly filters: Set<string>;
  /** Those of `filters` that name more than one topic, by levels. */
  readonly patterns: (readonly string[])[];
  queued: number;
}

/** What went through, for counting costs. */
export interface Delivery {
  readonly from: string | undefined;
  readonly to: string;
  readonly topic: string;
  readonly bytes: Uint8Array;
}

export class MemoryBroker {
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #clients = new Map<MemoryTransport, Client>();
  readonly #retained = new Map<string, Uint8Array>();
  readonly #groups = new Map<string, number>();
  faults: MemoryFaults = NO_FAULTS;
  onDelivery: (delivery: Delivery) => void = () => {};
  /** Whether what `from` sends does not reach `to`, though the other way round it may. */
  isDeaf: (from: string, to: string) => boolean = () => false;
  /** Deliveries that were dropped because a client's queue was full. */
  overflowed = 0;
  #isUp = true;

  constructor(clock: Clock, rng: Rng) {
    this.#clock = clock;
    this.#rng = rng;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Nodes of different groups do not hear each other; what was on its way between them is lost. */
  partition(groups: readonly (readonly string[])[]): void {
    this.#groups.clear();
    for (const [number, names] of groups.entries()) for (const name of names) this.#groups.set(name, number);
  }

  /** Drops all connections and, as a broker without disk does, what it retained. */
  stop(): void {
    this.#isUp = false;
    this.#retained.clear();
    for (const transport of [...this.#clients.keys()]) transport.cut();
  }

  restart(): void {
    this.#isUp = true;
  }

  /** For MemoryTransport only. */
  join(transport: MemoryTransport, handlers: TransportHandlers): void {
    this.#clients.set(transport, { handlers, filters: new Set(), patterns: [], queued: 0 });
  }

  leave(transport: MemoryTransport): void {
    if (!this.#clients.delete(transport)) return;
    const { presenceTopic } = transport;
    if (presenceTopic !== undefined) this.publish(transport, presenceTopic, new Uint8Array(), true); // The last will.
  }

  subscribe(transport: MemoryTransport, filters: readonly string[]): void {
    const client = this.#clients.get(transport);
    if (client === undefined) return;
    for (const filter of filters) {
      if (!client.filters.has(filter) && /[+#]/u.test(filter)) client.patterns.push(filter.split("/"));
      client.filters.add(filter);
    }
    for (const [topic, bytes] of this.#retained) {
      if (filters.some((filter) => matches(filter.split("/"), topic.split("/"))))
        this.#deliver({ from: undefined, to: transport.name, topic, bytes }, transport);
    }
  }

  publish(from: MemoryTransport, topic: string, bytes: Uint8Array, retain: boolean): void {
    if (!this.#isUp) return;
    if (retain && bytes.length === 0) this.#retained.delete(topic);
    else if (retain) this.#retained.set(topic, bytes);
    const levels = topic.split("/");
    for (const [to, { filters, patterns }] of this.#clients) {
      if (filters.has(topic) || patterns.some((pattern) => matches(pattern, levels)))
        this.#deliver({ from: from.name, to: to.name, topic, bytes }, to);
    }
  }

  #deliver(delivery: Delivery, to: MemoryTransport): void {
    if (this.#rng.next() < this.faults.loss) return;
    const copies = this.#rng.next() < this.faults.duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) this.#send(delivery, to);
  }

  #send(delivery: Delivery, to: MemoryTransport): void {
    const { delayMsMin, delayMsMax, queueMax = Number.POSITIVE_INFINITY } = this.faults;
    const client = this.#clients.get(to);
    if (client === undefined) return;
    if (client.queued >= queueMax) {
      this.overflowed += 1;
      return;
    }
    client.queued += 1;
    this.#clock.after(delayMsMin + this.#rng.next() * (delayMsMax - delayMsMin), () => {
      client.queued -= 1;
      if (this.#clients.get(to) !== client || !this.#isReachable(delivery.from, delivery.to)) return;
      this.onDelivery(delivery);
      client.handlers.message(delivery.topic, delivery.bytes);
    });
  }

  #isReachable(from: string | undefined, to: string): boolean {
    return from === undefined || (this.#groups.get(from) === this.#groups.get(to) && !this.isDeaf(from, to));
  }
}

export class MemoryTransport implements Transport {
  readonly name: string;
  /** Topic of the node's retained HELLO, cleared when it leaves. */
  readonly presenceTopic: string | undefined;
  readonly #broker: MemoryBroker;
  readonly #clock: Clock;
  #handlers: TransportHandlers | undefined;
  #isConnected = false;
  #isClosed = false;

  constructor(broker: MemoryBroker, clock: Clock, node: { readonly name: string; readonly presenceTopic?: string }) {
    this.#broker = broker;
    this.#clock = clock;
    this.name = node.name;
    this.presenceTopic = node.presenceTopic;
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#clock.after(0, () => this.reconnect());
  }

  subscribe(topics: readonly string[]): void {
    if (this.#isConnected) this.#broker.subscribe(this, topics);
  }

  publish(topic: string, bytes: Uint8Array, retain: boolean): void {
    if (this.#isConnected) this.#broker.publish(this, topic, bytes.slice(), retain);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isConnected = false;
    this.#broker.leave(this);
  }

  /** Loses the connection until `reconnect`. */
  cut(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#broker.leave(this);
    this.#handlers?.disconnected();
  }

  reconnect(): void {
    if (this.#handlers === undefined || this.#isConnected || this.#isClosed || !this.#broker.isUp) return;
    this.#isConnected = true;
    this.#broker.join(this, this.#handlers);
    this.#handlers.connected();
  }
}

/** MQTT's topic filters: `+` is one level, `#` at the end any number. */
function matches(filter: readonly string[], topic: readonly string[]): boolean {
  const isLevel = (part: string, index: number): boolean => part === "+" || part === topic[index];
  if (filter.at(-1) === "#") return filter.slice(0, -1).every(isLevel);
  return filter.length === topic.length && filter.every(isLevel);
}
