/**
 * The agent's end of the link to its door processes: takes their logs in and hands them policies. It
 * believes nothing: blocks are verified by who takes them in, policies by the door.
 */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { type Cancel, GdoError, type PublicKey } from "../../base/index.ts";
import {
  DOOR_FRAME_BYTES_MAX,
  encodeLinkFrame,
  type FrontFrame,
  type LinkFrame,
  LinkFrameReader,
} from "./link-frames.ts";

/** What the link needs of the agent. */
export interface DoorLinkHost {
  /** Number of the newest block held of a log; undefined when none is. */
  frontOf(key: PublicKey, incarnation: string): number | undefined;
  /** Verifies and keeps envelopes; a rejection closes the link. */
  ingest(envelopes: readonly Uint8Array[]): Promise<void> | void;
  /** The newest signed policy. */
  policy(): Uint8Array | undefined;
  onPolicyChange(listener: () => void): Cancel;
}

export class DoorLinkServer {
  readonly #host: DoorLinkHost;
  readonly #streams = new Set<Duplex>();
  #listener: Server | undefined;
  #refused = 0;

  constructor(host: DoorLinkHost) {
    this.#host = host;
  }

  /** Links that were closed for garbage, for blocks that were not taken, or for bringing nothing new. */
  get refused(): number {
    return this.#refused;
  }

  /** Serves a unix socket, mode 0600; the file of a dead agent is replaced (the caller holds the home's lock). */
  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    const listener = createServer((socket) => this.serve(socket));
    this.#listener = listener;
    await new Promise<void>((resolve, reject) => {
      listener.once("error", reject);
      listener.listen(path, resolve);
    });
    chmodSync(path, 0o600);
  }

  /** Serves one door over any stream. */
  serve(stream: Duplex): void {
    const session = new DoorSession(stream, this.#host, () => {
      this.#refused += 1;
    });
    this.#streams.add(stream);
    stream.on("error", () => stream.destroy());
    stream.on("close", () => {
      this.#streams.delete(stream);
      session.end();
    });
  }

  async close(): Promise<void> {
    for (const stream of this.#streams) stream.destroy();
    const listener = this.#listener;
    if (listener !== undefined) await new Promise<void>((resolve) => listener.close(() => resolve()));
  }
}

class DoorSession {
  readonly #stream: Duplex;
  readonly #host: DoorLinkHost;
  readonly #onRefused: () => void;
  readonly #reader = new LinkFrameReader(DOOR_FRAME_BYTES_MAX);
  #front: FrontFrame | undefined;
  /** What was asked for last; each data frame must bring the log beyond it. */
  #asked = 0;
  #work: Promise<void> = Promise.resolve();
  #forget: Cancel = () => {};

  constructor(stream: Duplex, host: DoorLinkHost, onRefused: () => void) {
    this.#stream = stream;
    this.#host = host;
    this.#onRefused = onRefused;
    stream.on("data", (chunk: Uint8Array) => {
      this.#work = this.#work.then(() => this.#read(chunk));
    });
  }

  async #read(chunk: Uint8Array): Promise<void> {
    try {
      for (const frame of this.#stream.destroyed ? [] : this.#reader.take(chunk)) await this.#take(frame);
    } catch (cause) {
      if (!(cause instanceof GdoError)) throw cause;
      this.#onRefused();
      this.#stream.destroy();
    }
  }

  async #take(frame: LinkFrame): Promise<void> {
    if (frame.f === "door-front" && this.#front === undefined) {
      this.#begin(frame);
    } else if (frame.f === "data" && this.#front !== undefined) {
      await this.#host.ingest(frame.blocks);
      this.#ask(this.#front, this.#asked + 1);
    } else {
      throw new GdoError("SYNC_FRAME", `a door does not send ${frame.f} now`);
    }
  }

  #begin(front: FrontFrame): void {
    this.#front = front;
    this.#forget = this.#host.onPolicyChange(() => this.#sendPolicy());
    this.#sendPolicy();
    this.#ask(front, 0);
  }

  /** Asks for what comes after what is held; SYNC_FRAME when that has not grown to `least`: it never would. */
  #ask({ key, l }: FrontFrame, least: number): void {
    this.#asked = (this.#host.frontOf(key, l) ?? -1) + 1;
    if (this.#asked < least) throw new GdoError("SYNC_FRAME", "the door's blocks brought nothing new");
    this.#send({ f: "want", from: this.#asked });
  }

  #sendPolicy(): void {
    const bytes = this.#host.policy();
    if (bytes !== undefined) this.#send({ f: "policy", bytes });
  }

  #send(frame: LinkFrame): void {
    if (!this.#stream.destroyed) this.#stream.write(encodeLinkFrame(frame));
  }

  end(): void {
    this.#forget();
  }
}
