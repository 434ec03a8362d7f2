/**
 * A simulated board: holds the levels of its outputs and plays frames to the door processes that are
 * connected. It outlives them, and like a real output a level stays when the process dies: only a
 * write or the guardian's "safe" brings it down.
 */
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { type Cancel, type Clock, GdoError, SystemClock } from "../base/index.ts";
import { type JsonObject, readJsonLines, writeJsonLine } from "./json-lines.ts";
import {
  type FrameReport,
  type HelloMessage,
  LINE_MESSAGE_BYTES_MAX,
  parseDone,
  parseHello,
  parseLevel,
  type TrainEdge,
} from "./line-protocol.ts";

/** A level as the board saw it written. */
export interface LevelChange {
  readonly line: string;
  readonly high: boolean;
  readonly by: "door" | "safe";
  /** Wall time by the door's clock; by the board's own for "safe". */
  readonly wallMs: number;
  /** When the board saw it, on the board's monotonic clock. */
  readonly seenNs: bigint;
}

interface Waiting {
  resolve(report: FrameReport): void;
  reject(error: Error): void;
}

interface Connection {
  readonly socket: Socket;
  hello: HelloMessage | undefined;
  readonly waiting: Map<number, Waiting>;
}

export class LineBoard {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #connections = new Set<Connection>();
  readonly #levels = new Map<string, boolean>();
  readonly #levelListeners = new Set<(change: LevelChange) => void>();
  readonly #helloListeners = new Set<() => void>();
  #nextSeq = 1;
  #garbage = 0;
  #safes = 0;

  private constructor(server: Server, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    server.on("connection", (socket) => this.#accept(socket));
  }

  /** Binds the socket, replacing the file of a board that is gone. */
  static async listen(path: string, clock: Clock = new SystemClock()): Promise<LineBoard> {
    rmSync(path, { force: true });
    const server = createServer();
    const board = new LineBoard(server, clock);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    return board;
  }

  /** Lines and their levels; a line is known once a door has named it. */
  get levels(): ReadonlyMap<string, boolean> {
    return this.#levels;
  }

  /** Connections closed for talking nonsense. */
  get garbage(): number {
    return this.#garbage;
  }

  /** How often the lines were made safe. */
  get safes(): number {
    return this.#safes;
  }

  onLevel(listener: (change: LevelChange) => void): Cancel {
    this.#levelListeners.add(listener);
    return () => void this.#levelListeners.delete(listener);
  }

  /** Resolves when a door process has this reader open. */
  async connected(reader: string): Promise<void> {
    while (this.#doorOf(reader) === undefined) {
      await new Promise<void>((resolve) => {
        const once = (): void => {
          this.#helloListeners.delete(once);
          resolve();
        };
        this.#helloListeners.add(once);
      });
    }
  }

  /** Moves the clocks of all doors forward to a wall time, once they have dealt with what was played before. */
  advance(wallMs: number): void {
    for (const { socket } of this.#connections) writeJsonLine(socket, { type: "advance", wallMs });
  }

  /**
   * Plays one frame; resolves when its door has dealt with it. LINE_INVALID when no door has the reader
   * open, or the door goes away first: then nobody knows whether the frame was logged.
   */
  play(reader: string, edges: readonly TrainEdge[]): Promise<FrameReport> {
    const door = this.#doorOf(reader);
    if (door === undefined)
      return Promise.reject(new GdoError("LINE_INVALID", `no door has the reader ${reader} open`));
    const seq = this.#nextSeq++;
    return new Promise((resolve, reject) => {
      door.waiting.set(seq, { resolve, reject });
      writeJsonLine(door.socket, { type: "frame", seq, reader, edges });
    });
  }

  #doorOf(reader: string): Connection | undefined {
    return [...this.#connections].find(({ socket, hello }) => socket.writable && hello?.readers.includes(reader));
  }

  #accept(socket: Socket): void {
    const connection: Connection = { socket, hello: undefined, waiting: new Map() };
    this.#connections.add(connection);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#drop(connection));
    readJsonLines(socket, {
      lineBytesMax: LINE_MESSAGE_BYTES_MAX,
      onObject: (message) => {
        if (!this.#take(connection, message)) this.#refuse(connection);
      },
      onGarbage: () => this.#refuse(connection),
    });
  }

  #refuse({ socket }: Connection): void {
    this.#garbage += 1;
    socket.destroy();
  }

  #drop(connection: Connection): void {
    this.#connections.delete(connection);
    const gone = new GdoError("LINE_INVALID", "the door went away before the frame was dealt with");
    for (const { reject } of connection.waiting.values()) reject(gone);
    connection.waiting.clear();
  }

  /** False on a message that is not understood. */
  #take(connection: Connection, message: JsonObject): boolean {
    switch (message.type) {
      case "hello":
        return this.#greet(connection, parseHello(message));
      case "level":
        return this.#drive(connection, message);
      case "done":
        return this.#finish(connection, message);
      case "safe":
        this.#makeSafe(connection);
        return true;
      default:
        return false;
    }
  }

  #greet(connection: Connection, hello: HelloMessage | undefined): boolean {
    if (hello === undefined) return false;
    connection.hello = hello;
    for (const line of hello.outputs) this.#levels.set(line, this.#levels.get(line) ?? false);
    for (const listener of [...this.#helloListeners]) listener();
    return true;
  }

  #drive({ hello }: Connection, message: JsonObject): boolean {
    const level = parseLevel(message);
    if (level === undefined || hello?.outputs.includes(level.line) !== true) return false;
    this.#set({ line: level.line, high: level.high, by: "door", wallMs: level.wallMs, seenNs: this.#clock.monoNs() });
    return true;
  }

  #finish({ waiting }: Connection, message: JsonObject): boolean {
    const done = parseDone(message);
    const waiter = done === undefined ? undefined : waiting.get(done.seq);
    if (done === undefined || waiter === undefined) return false;
    waiting.delete(done.seq);
    const { seq: _, ...report } = done;
    waiter.resolve(report);
    return true;
  }

  /**
   * Brings all outputs down [A4]. What doors had written before must not take effect after it, so their
   * connections are cut: bytes of a dead process may still lie in its socket. A living door comes back.
   */
  #makeSafe(sender: Connection): void {
    this.#safes += 1;
    for (const connection of this.#connections) {
      if (connection !== sender) connection.socket.destroy();
    }
    const now = { wallMs: this.#clock.nowMs(), seenNs: this.#clock.monoNs() };
    for (const line of this.#levels.keys()) this.#set({ line, high: false, by: "safe", ...now });
  }

  #set(change: LevelChange): void {
    if (this.#levels.get(change.line) === change.high) return;
    this.#levels.set(change.line, change.high);
    for (const listener of [...this.#levelListeners]) listener(change);
  }

  /** Cuts all doors off, as a loose cable does; levels stay. */
  disconnect(): void {
    for (const { socket } of this.#connections) socket.destroy();
  }

  async close(): Promise<void> {
    this.disconnect();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
