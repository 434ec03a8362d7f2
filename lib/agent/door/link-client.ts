/**
 * The door's end of its link to the agent. The door needs nothing from it: while the agent is away the
 * door decides and logs, and looks for the agent again, ever less often up to a bound.
 */
import { createConnection, type Socket } from "node:net";
import type { Cancel, Clock, Log, PublicKey } from "../../base/index.ts";
import { AGENT_FRAME_BYTES_MAX, DATA_BYTES, encodeLinkFrame, type LinkFrame, LinkFrameReader } from "./link-frames.ts";

export interface DoorLinkClientOptions {
  /** The agent's unix socket. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly door: string;
  readonly key: PublicKey;
  /** The incarnations of the door's log in the order in which they began, and their newest numbers; -1 for none. */
  logs(): readonly { readonly l: string; readonly last: number }[];
  /** Envelopes of one of them from this number on, as many as fit, at least one. */
  range(l: string, from: number, bytesMax: number): Uint8Array[];
  /** The agent holds this number of an incarnation, which the door does not. */
  onBehind(l: string, n: number): void;
  onPolicy(bytes: Uint8Array): void;
}

const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1000;

export class DoorLinkClient {
  readonly #options: DoorLinkClientOptions;
  #socket: Socket | undefined;
  #cancelRetry: Cancel = () => {};
  #retryMs = RETRY_MS_MIN;
  /** The agent waits for blocks from this number on. */
  #wanted: number | undefined;
  /** How far the agent has ever got with the log of this connection. */
  #known = 0;
  /** Place among the logs of the one that this connection is about: older ones first, blocks name them [L8]. */
  #at = 0;
  #isClosed = false;
  #garbage = 0;

  constructor(options: DoorLinkClientOptions) {
    this.#options = options;
  }

  /** Connections that were closed because the agent talked nonsense. */
  get garbage(): number {
    return this.#garbage;
  }

  /** Begins to look for the agent. */
  start(): void {
    const socket = createConnection(this.#options.path);
    this.#socket = socket;
    this.#wanted = undefined;
    const reader = new LinkFrameReader(AGENT_FRAME_BYTES_MAX);
    socket.on("connect", () => this.#greet());
    socket.on("data", (chunk) => this.#read(reader, chunk));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#retry());
  }

  #greet(): void {
    const { door, key } = this.#options;
    const { l, last } = this.#log();
    this.#send({ f: "door-front", door, key, l, n: last });
  }

  #log(): { readonly l: string; readonly last: number } {
    const logs = this.#options.logs();
    this.#at = Math.min(this.#at, logs.length - 1);
    return logs[this.#at] as { l: string; last: number };
  }

  /** The agent has all of this log: on to the next, over a connection of its own. */
  #next(): void {
    this.#at += 1;
    this.#known = 0;
    this.#retryMs = RETRY_MS_MIN;
    this.#socket?.destroy();
  }

  #send(frame: LinkFrame): void {
    this.#socket?.write(encodeLinkFrame(frame));
  }

  #read(reader: LinkFrameReader, chunk: Uint8Array): void {
    try {
      for (const frame of reader.take(chunk)) this.#take(frame);
    } catch (cause) {
      this.#garbage += 1;
      this.#options.log.warn("the agent's link talks nonsense", { cause: String(cause) });
      this.#socket?.destroy();
    }
  }

  #take(frame: LinkFrame): void {
    if (frame.f === "policy") this.#options.onPolicy(frame.bytes);
    if (frame.f !== "want") return;
    const { l, last } = this.#log();
    if (frame.from > last + 1) this.#options.onBehind(l, frame.from - 1);
    if (frame.from > last && this.#at < this.#options.logs().length - 1) return this.#next();
    // An agent that does not take what it is sent (it may not know this door yet) is asked ever less often.
    if (frame.from > this.#known || frame.from > last) this.#retryMs = RETRY_MS_MIN;
    this.#known = Math.max(this.#known, frame.from);
    this.#wanted = frame.from;
    this.appended();
  }

  /** Sends what the agent waits for, if there is any; to be called after each append. */
  appended(): void {
    const from = this.#wanted;
    if (from === undefined) return;
    const { l, last } = this.#log();
    const isOld = this.#at < this.#options.logs().length - 1;
    if (from > last) return isOld ? this.#next() : undefined;
    this.#wanted = undefined; // One data frame at a time: the agent's next want is its credit.
    this.#send({ f: "data", blocks: this.#options.range(l, from, DATA_BYTES) });
  }

  #retry(): void {
    this.#socket = undefined;
    if (this.#isClosed) return;
    this.#cancelRetry = this.#options.clock.after(this.#retryMs, () => this.start());
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry();
    const socket = this.#socket;
    if (socket === undefined) return;
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.end(() => socket.destroy());
      if (socket.connecting) socket.destroy();
    });
  }
}
