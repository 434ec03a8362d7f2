/**
 * The simulated way of lines: a door process's end of a line board. Stamps the edges of played frames
 * as a kernel would, carries levels out, and lets the board steer the clock. When the board is lost it
 * keeps trying; levels are asserted low when it is back.
 */
import { createConnection, type Socket } from "node:net";
import { type Cancel, type Clock, GdoError, type Log } from "../base/index.ts";
import { type JsonObject, readJsonLines, writeJsonLine } from "./json-lines.ts";
import type { EdgeSink, OutputLine } from "./line.ts";
import { type FrameMessage, type FrameReport, LINE_MESSAGE_BYTES_MAX, parseFrameMessage } from "./line-protocol.ts";

export interface SimulatedLinesOptions {
  /** The board's unix socket. */
  readonly path: string;
  readonly clock: Clock;
  /** The board moves the wall time; absent when the clock is not to be steered. */
  readonly onAdvance?: (wallMs: number) => void;
  readonly log: Log;
}

const NS_PER_MS = 1e6;
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 2000;
/** Between two frames of one reader: longer than the longest gap that ends a frame. */
const BETWEEN_FRAMES_NS = 26_000_000n;
const NO_REPORT: FrameReport = { logged: null, edgeToStrikeUs: null, decisionUs: null };

interface Reader {
  readonly sink: EdgeSink<FrameReport>;
  lastEdgeNs: bigint;
  /** Ends when the reader's last frame has been dealt with. */
  busy: Promise<void>;
}

export class SimulatedLines {
  readonly #options: SimulatedLinesOptions;
  readonly #outputs = new Set<string>();
  readonly #readers = new Map<string, Reader>();
  #socket: Socket | undefined;
  #cancelRetry: Cancel = () => {};
  #isClosed = false;
  /** Ends when the clock stands where the board last put it. */
  #steered: Promise<void> = Promise.resolve();

  constructor(options: SimulatedLinesOptions) {
    this.#options = options;
  }

  /** An output of the board. Name all before open(). */
  output(name: string): OutputLine {
    this.#outputs.add(name);
    let isClosed = false;
    const write = async (high: boolean): Promise<void> => {
      if (isClosed) throw new GdoError("LINE_INVALID", `line ${name} is closed`);
      await this.#write(name, high);
    };
    const close = async (): Promise<void> => {
      isClosed = true;
      await this.#write(name, false).catch(() => {});
    };
    return { name, write, close };
  }

  /** Connects; LINE_INVALID when no board listens. A board that is lost later is looked for until close(). */
  async open(): Promise<void> {
    try {
      this.#adopt(await connect(this.#options.path));
    } catch (cause) {
      throw new GdoError("LINE_INVALID", `no line board listens at ${this.#options.path}`, { cause });
    }
  }

  /** Opens a reader: from now on the board's frames for it go to the sink. */
  attach(name: string, sink: EdgeSink<FrameReport>): void {
    this.#readers.set(name, { sink, lastEdgeNs: 0n, busy: Promise.resolve() });
    this.#hello();
  }

  #hello(): void {
    this.#send({ type: "hello", outputs: [...this.#outputs], readers: [...this.#readers.keys()] });
  }

  #send(message: JsonObject): void {
    if (this.#socket !== undefined) writeJsonLine(this.#socket, message);
  }

  #write(line: string, high: boolean): Promise<void> {
    const socket = this.#socket;
    if (!socket?.writable) return Promise.reject(new GdoError("LINE_INVALID", `line ${line}: the line board is gone`));
    const { clock } = this.#options;
    const level = { type: "level", line, high, monoNs: String(clock.monoNs()), wallMs: Math.floor(clock.nowMs()) };
    return new Promise((resolve, reject) => {
      socket.write(`${JSON.stringify(level)}\n`, (cause) => {
        if (cause) reject(new GdoError("LINE_INVALID", `line ${line}: the level could not be written`, { cause }));
        else resolve();
      });
    });
  }

  #adopt(socket: Socket): void {
    this.#socket = socket;
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#lost());
    readJsonLines(socket, {
      lineBytesMax: LINE_MESSAGE_BYTES_MAX,
      onObject: (message) => this.#take(message),
      onGarbage: () => this.#options.log.warn("the line board talks nonsense"),
    });
    this.#hello();
    for (const line of this.#outputs) this.#write(line, false).catch(() => {}); // [A4] A new board starts safe.
  }

  #lost(): void {
    this.#socket = undefined;
    if (this.#isClosed) return;
    this.#options.log.warn("the line board is gone; looking for it");
    this.#retry(RECONNECT_MS_MIN);
  }

  #retry(delayMs: number): void {
    this.#cancelRetry = this.#options.clock.after(delayMs, () => {
      connect(this.#options.path).then(
        (socket) => (this.#isClosed ? void socket.destroy() : this.#adopt(socket)),
        () => this.#isClosed || this.#retry(Math.min(delayMs * 2, RECONNECT_MS_MAX)),
      );
    });
  }

  #take(message: JsonObject): void {
    const frame = message.type === "frame" ? parseFrameMessage(message) : undefined;
    const { wallMs } = message;
    if (frame !== undefined) this.#queue(frame);
    else if (message.type === "advance" && Number.isFinite(wallMs)) this.#steer(wallMs as number);
    else this.#options.log.warn("the line board sent what is not understood");
  }

  /** The clock never jumps across a swipe: what was played before is dealt with first. */
  #steer(wallMs: number): void {
    const before = [this.#steered, ...[...this.#readers.values()].map(({ busy }) => busy)];
    this.#steered = Promise.all(before).then(() => this.#options.onAdvance?.(wallMs));
  }

  #queue(frame: FrameMessage): void {
    const reader = this.#readers.get(frame.reader);
    if (reader === undefined) {
      this.#send({ type: "done", seq: frame.seq, ...NO_REPORT });
      return;
    }
    reader.busy = Promise.all([this.#steered, reader.busy]).then(async () => {
      const report = (await this.#play(reader, frame)) ?? NO_REPORT;
      this.#send({ type: "done", seq: frame.seq, ...report });
    });
  }

  async #play(reader: Reader, { edges }: FrameMessage): Promise<FrameReport | undefined> {
    const first = edges[0];
    if (first === undefined) return undefined;
    const lastNs = await this.#lastEdgeAfter(reader, BigInt(first[1]));
    reader.lastEdgeNs = lastNs;
    for (const [line, beforeNs] of edges) reader.sink.edge(line, lastNs - BigInt(beforeNs));
    return reader.sink.settled();
  }

  /** The last edge comes now, or later when the frame before it has only just ended. */
  async #lastEdgeAfter(reader: Reader, durationNs: bigint): Promise<bigint> {
    const { clock } = this.#options;
    const earliestNs = reader.lastEdgeNs === 0n ? 0n : reader.lastEdgeNs + BETWEEN_FRAMES_NS + durationNs;
    const waitMs = Number(earliestNs - clock.monoNs()) / NS_PER_MS;
    if (waitMs > 0) await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    const nowNs = clock.monoNs();
    return nowNs > earliestNs ? nowNs : earliestNs;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry();
    const socket = this.#socket;
    if (socket === undefined) return;
    await new Promise<void>((resolve) => {
      socket.once("close", resolve);
      socket.end(() => socket.destroy());
    });
  }
}

function connect(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.removeListener("error", reject);
      resolve(socket);
    });
  });
}
