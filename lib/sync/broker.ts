/**
 * The embedded broker: aedes behind limits. It is never trusted, and keeps nothing but presence; anybody who
 * reaches its port can read and disturb, not forge, which is why it binds to the loopback address unless told.
 */
import { createServer, type Server, type Socket } from "node:net";
import { Duplex, Transform } from "node:stream";
import type { Aedes } from "aedes";
import { FRAME_BYTES_DEFAULT, GdoError } from "../base/index.ts";
import { HELLO_BYTES_MAX } from "./wire/frames.ts";

export interface BrokerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 lets the system choose; see `port`. */
  readonly port: number;
  readonly clientsMax?: number;
}

export interface BrokerStatus {
  readonly clients: number;
  /** Connections ended, or messages not taken, for breaking a rule. */
  readonly refused: number;
}

/** A frame and its topic. */
const PACKET_BYTES_MAX = FRAME_BYTES_DEFAULT + 1024;
const CLIENTS_MAX = 256;
const CONNECT_MS_MAX = 10_000;
/** A subscriber that reads nothing for so long is dropped: it must not hold up the others. */
const DRAIN_MS_MAX = 5000;
const PRESENT_MAX = 4096;
const TOPIC = /^gdo1\/[0-9a-f]{64}\/(?:live|votes|(?:hello|to)\/[0-9a-f]{64})$/;
const HELLO = /^gdo1\/[0-9a-f]{64}\/hello\//;
const FILTER = /^gdo1\/[0-9a-f]{64}\/(?:#|live|votes|(?:hello|to)\/(?:\+|[0-9a-f]{64}))$/;

export class Broker {
  readonly #server: Server;
  readonly #aedes: Aedes;
  readonly #present: Set<string>;
  #refused = 0;

  private constructor(aedes: Aedes, clientsMax: number) {
    this.#aedes = aedes;
    this.#present = new Set();
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
    this.#server.maxConnections = clientsMax;
    aedes.authorizePublish = (_client, packet, done) => done(this.#publishFault(packet));
    aedes.authorizeSubscribe = (_client, subscription, done) => {
      if (FILTER.test(subscription.topic)) return done(null, subscription);
      this.#refused += 1;
      done(null, null);
    };
    aedes.on("clientError", () => this.#count());
    aedes.on("connectionError", () => this.#count());
  }

  /** Throws GdoError IO when it cannot listen there. */
  static async start(options: BrokerOptions): Promise<Broker> {
    const { Aedes } = await import("aedes"); // Only where a broker runs does it cost memory.
    const limits = { connectTimeout: CONNECT_MS_MAX, drainTimeout: DRAIN_MS_MAX, maxClientsIdLength: 128 };
    const aedes = await Aedes.createBroker(limits);
    const broker = new Broker(aedes, options.clientsMax ?? CLIENTS_MAX);
    const host = options.host ?? "127.0.0.1";
    try {
      await broker.#listen(options.port, host);
    } catch (cause) {
      await broker.close();
      throw new GdoError("IO", `the broker cannot listen on ${host}:${options.port}`, { cause });
    }
    return broker;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  status(): BrokerStatus {
    return { clients: this.#aedes.connectedClients, refused: this.#refused };
  }

  /** Resolves when every connection and the port are closed. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #listen(port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  #serve(socket: Socket): void {
    const guard = new PacketGuard(PACKET_BYTES_MAX);
    const guarded = Duplex.from({ readable: socket.pipe(guard), writable: socket });
    // aedes answers errors of the guarded stream; these two only must not be unheard.
    socket.on("error", () => guarded.destroy());
    guard.on("error", (error) => guarded.destroy(error));
    guarded.once("close", () => socket.destroy());
    this.#aedes.handle(guarded);
  }

  #count(): void {
    this.#refused += 1;
  }

  /** Undefined lets it through; an error ends the connection, as MQTT 3.1.1 has it. */
  #publishFault(packet: { topic: string; payload: string | Buffer; retain: boolean }): Error | null {
    const fault = publishFault(packet, this.#present);
    return fault === undefined ? null : new Error(fault);
  }
}

/** `present` counts retained topics, so that nobody can fill the broker's memory with them. */
function publishFault(
  { topic, payload, retain }: { topic: string; payload: string | Buffer; retain: boolean },
  present: Set<string>,
): string | undefined {
  if (!TOPIC.test(topic)) return "not a topic of gdo";
  if (!retain) return undefined;
  if (!HELLO.test(topic)) return "only presence is retained";
  if (payload.length > HELLO_BYTES_MAX) return "too large for presence";
  if (payload.length === 0) present.delete(topic);
  else if (present.size >= PRESENT_MAX && !present.has(topic)) return "too many nodes";
  else present.add(topic);
  return undefined;
}

/** Follows MQTT's fixed headers and ends the stream at a packet that claims too much, before it is buffered. */
class PacketGuard extends Transform {
  readonly #bytesMax: number;
  #skipBytes = 0;
  #header: "type" | "length" = "type";
  #length = 0;
  #shift = 0;

  constructor(bytesMax: number) {
    super();
    this.#bytesMax = bytesMax;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error?: Error | null, data?: Buffer) => void): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#skipBytes > 0) {
        const step = Math.min(this.#skipBytes, chunk.length - at);
        this.#skipBytes -= step;
        at += step;
        continue;
      }
      if (!this.#headerByte(chunk[at] as number)) return done(new Error(`a packet above ${this.#bytesMax} bytes`));
      at += 1;
    }
    done(null, chunk);
  }

  /** One byte of a fixed header (MQTT 3.1.1 §2.2): type, then the remaining length, 7 bits a byte. */
  #headerByte(byte: number): boolean {
    if (this.#header === "type") {
      this.#header = "length";
      this.#length = 0;
      this.#shift = 0;
      return true;
    }
    this.#length += (byte & 0x7f) * 2 ** this.#shift;
    this.#shift += 7;
    if (this.#length > this.#bytesMax || this.#shift > 28) return false;
    if ((byte & 0x80) !== 0) return true;
    this.#header = "type";
    this.#skipBytes = this.#length;
    return true;
  }
}
