/**
 * Frames over any MQTT 3.1.1 broker: QoS 1, clean sessions, a last will that clears presence. Every
 * connection is a fresh client with nothing queued: what was on its way when the last one broke is old by
 * now, and a hint channel may lose it. The library is loaded at the first start, not with this module.
 */
import type { MqttClient } from "mqtt";
import type { Clock, Log, Rng } from "../base/index.ts";
import type { Transport, TransportHandlers } from "./types.ts";

export interface MqttOptions {
  /** mqtt://host:port or mqtts://host:port. */
  readonly url: string;
  /** Unique at the broker: a second one with the same id throws the first one out. */
  readonly clientId: string;
  /** Where this node's HELLO is retained; emptied when it leaves, by itself or by its last will. */
  readonly presenceTopic?: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

const RETRY_MS_MIN = 250;
/** A door that is back must be heard within seconds; an attempt costs a packet. */
const RETRY_MS_MAX = 2000;
const KEEPALIVE_S = 20;
const CONNECT_MS_MAX = 10_000;
const CLOSE_MS_MAX = 2000;
/** Published and not acknowledged; beyond it, frames are dropped, and asked for again by whoever needs them. */
const UNACKNOWLEDGED_BYTES_MAX = 32 * 1024 * 1024;

export class MqttTransport implements Transport {
  readonly #options: MqttOptions;
  #handlers: TransportHandlers | undefined;
  #client: MqttClient | undefined;
  #isConnected = false;
  #isClosed = false;
  #cancelRetry = (): void => {};
  #failures = 0;
  #unacknowledgedBytes = 0;
  #dropped = 0;

  constructor(options: MqttOptions) {
    this.#options = options;
  }

  /** Frames that the link was too slow for. */
  get dropped(): number {
    return this.#dropped;
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#open().catch((cause: unknown) => this.#lost(String(cause)));
  }

  subscribe(topics: readonly string[]): void {
    if (!this.#isConnected) return;
    this.#client?.subscribe([...topics], { qos: 1 }, (error) => {
      if (error) this.#options.log.warn("sync: the broker refused a subscription", { error: error.message });
    });
  }

  publish(topic: string, bytes: Uint8Array, retain: boolean): void {
    const client = this.#client;
    if (client === undefined || !this.#isConnected) return;
    if (this.#unacknowledgedBytes + bytes.length > UNACKNOWLEDGED_BYTES_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#unacknowledgedBytes += bytes.length;
    client.publish(topic, asBuffer(bytes), { qos: 1, retain }, () => {
      if (this.#client === client) this.#unacknowledgedBytes -= bytes.length;
    });
  }

  async close(): Promise<void> {
    const client = this.#client;
    const { presenceTopic } = this.#options;
    this.#isClosed = true;
    this.#cancelRetry();
    if (client === undefined) return;
    const wasConnected = this.#isConnected;
    this.#isConnected = false;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(CLOSE_MS_MAX, () => void client.end(true, () => resolve()));
      const end = (): void => {
        cancel();
        client.end(!wasConnected, () => resolve());
      };
      if (wasConnected && presenceTopic !== undefined) client.publish(presenceTopic, "", { qos: 1, retain: true }, end);
      else end();
    });
  }

  async #open(): Promise<void> {
    const { connect } = await import("mqtt");
    if (this.#isClosed) return;
    const { url, clientId, presenceTopic } = this.#options;
    const will = { topic: presenceTopic ?? "", payload: Buffer.alloc(0), qos: 1 as const, retain: true };
    const client = connect(url, {
      protocolVersion: 4,
      clientId,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_MS_MAX,
      reconnectPeriod: 0, // We open anew ourselves, with growing pauses.
      resubscribe: false,
      ...(presenceTopic === undefined ? {} : { will }),
    });
    this.#client = client;
    let why = "closed";
    client.on("error", (error) => {
      why = error.message === "" && "code" in error ? String(error.code) : error.message;
    });
    client.on("connect", () => this.#connected());
    client.on("message", (topic, payload) => this.#isConnected && this.#handlers?.message(topic, payload));
    client.once("close", () => this.#lost(why));
  }

  #connected(): void {
    if (this.#isClosed) return;
    this.#failures = 0;
    this.#unacknowledgedBytes = 0;
    this.#isConnected = true;
    this.#handlers?.connected();
  }

  #lost(why: string): void {
    const client = this.#client;
    this.#client = undefined;
    if (this.#isClosed) return;
    client?.end(true);
    if (this.#isConnected) {
      this.#isConnected = false;
      this.#handlers?.disconnected();
    }
    const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#failures) * (0.5 + this.#options.rng.next());
    this.#failures += 1;
    this.#options.log.info("sync: no connection to the broker", {
      url: withoutSecret(this.#options.url),
      why,
      waitMs: Math.round(waitMs),
    });
    this.#cancelRetry = this.#options.clock.after(waitMs, () => {
      this.#open().catch((cause: unknown) => this.#lost(String(cause)));
    });
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A broker's password may stand in its URL. */
function withoutSecret(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//");
}
