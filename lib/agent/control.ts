/**
 * The control socket: commands from the command line to the running agent of the same home, JSON a
 * line each way. Whoever may open the socket file (mode 0600) may command the node.
 */
import { chmodSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { ERROR_CODES, type ErrorCode, GdoError } from "../base/index.ts";
import { readLines } from "./json-lines.ts";

const LINE_BYTES_MAX = 16 * 1024 * 1024;

/** What both the running agent and the offline node offer. */
export interface Api {
  /** The signal ends work that lasts: `backup`, `gc`, `verify`. Over a socket its closing does the same. */
  // biome-ignore lint/suspicious/noExplicitAny: results are JSON; the caller knows the method's shape.
  call(method: string, params?: unknown, signal?: AbortSignal): Promise<any>;
  close(): Promise<void>;
}

interface WireError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

function toWire(error: unknown): WireError {
  if (error instanceof GdoError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: "BUG", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

function fromWire(error: WireError): Error {
  if (!(error.code in ERROR_CODES)) return new Error(error.message);
  return new GdoError(error.code as ErrorCode, error.message, error.hint === undefined ? {} : { hint: error.hint });
}

export class ControlServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Binds the socket; the file of a dead agent is replaced (the caller holds the home's lock). */
  static async listen(path: string, api: Pick<Api, "call">): Promise<ControlServer> {
    rmSync(path, { force: true });
    const server = createServer();
    const control = new ControlServer(server);
    server.on("connection", (socket) => control.#serve(socket, api));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
    return control;
  }

  #serve(socket: Socket, api: Pick<Api, "call">): void {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on("close", () => {
      this.#sockets.delete(socket);
      gone.abort(new GdoError("IO", "whoever asked for it went away"));
    });
    socket.on("error", () => socket.destroy());
    const onLine = (line: string): void => void answer(socket, line, api, gone.signal);
    readLines(socket, { lineBytesMax: LINE_BYTES_MAX, onLine, onTooLong: () => socket.destroy() });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.end();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

async function answer(socket: Socket, line: string, api: Pick<Api, "call">, gone: AbortSignal): Promise<void> {
  let id: unknown = null;
  try {
    const request = JSON.parse(line) as { id?: unknown; method?: unknown; params?: unknown };
    id = request.id ?? null;
    if (typeof request.method !== "string") throw new GdoError("INPUT_INVALID", "a control request names its method");
    const result = await api.call(request.method, request.params, gone);
    socket.write(`${JSON.stringify({ id, result: result ?? null })}\n`);
  } catch (error) {
    const wire =
      error instanceof SyntaxError
        ? { code: "INPUT_INVALID", message: "a control request is one JSON object a line" }
        : toWire(error);
    if (!socket.destroyed) socket.write(`${JSON.stringify({ id, error: wire })}\n`);
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Calls the agent that runs on a home. */
export class ControlClient implements Api {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const onTooLong = (): void => void socket.destroy();
    readLines(socket, { lineBytesMax: LINE_BYTES_MAX, onLine: (line) => this.#settle(line), onTooLong });
    socket.on("close", () => this.#failAll());
    socket.on("error", () => socket.destroy());
  }

  /** undefined when nothing listens there. */
  static connect(path: string): Promise<ControlClient | undefined> {
    return new Promise((resolve) => {
      const socket = createConnection(path);
      socket.once("error", () => resolve(undefined));
      socket.once("connect", () => resolve(new ControlClient(socket)));
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: see Api.
  call(method: string, params?: unknown): Promise<any> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return void reject(gone());
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(`${JSON.stringify({ id, method, params: params ?? {} })}\n`);
    });
  }

  #settle(line: string): void {
    const message = JSON.parse(line) as { id: number; result?: unknown; error?: WireError };
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error === undefined) waiting?.resolve(message.result);
    else waiting?.reject(fromWire(message.error));
  }

  #failAll(): void {
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    this.#socket.end();
    this.#socket.unref();
  }
}

function gone(): GdoError {
  return new GdoError("AGENT_UNREACHABLE", "the agent went away before it answered", { hint: "gdo status" });
}
