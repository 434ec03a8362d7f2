/**
 * The control socket: commands from the command line to the running agent of the same home, JSON a
 * line each way: {id, method, params} is answered by {id, result} or {id, error}; {id, cancel: true} ends
 * a call early, which then is answered by its error. Whoever may open the socket file (mode 0600) may command the node.
 */
import { chmodSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { ERROR_CODES, type ErrorCode, GdoError } from "../base/index.ts";
import { readLines } from "./json-lines.ts";

const LINE_BYTES_MAX = 16 * 1024 * 1024;

/** What both the running agent and the offline node offer. */
export interface Api {
  /**
   * The signal ends work that lasts, `backup`, `gc`, `verify`: once it has ended, the call rejects with the
   * signal's reason. Over a socket its closing ends the work too.
   */
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
    const running: Running = new Map();
    socket.on("close", () => {
      this.#sockets.delete(socket);
      for (const { stop } of running.values()) stop.abort(new GdoError("IO", "whoever asked for it went away"));
    });
    socket.on("error", () => socket.destroy());
    const onLine = (line: string): void => void answer(socket, line, api, running);
    readLines(socket, { lineBytesMax: LINE_BYTES_MAX, onLine, onTooLong: () => socket.destroy() });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.end();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Calls under way on one connection, each by a key of its own. */
type Running = Map<symbol, { readonly id: unknown; readonly stop: AbortController }>;

interface Request {
  readonly id: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
  readonly cancel?: unknown;
}

async function answer(socket: Socket, line: string, api: Pick<Api, "call">, running: Running): Promise<void> {
  const key = Symbol();
  let id: unknown = null;
  try {
    const request = parseRequest(line);
    id = request.id;
    if (request.cancel === true) return cancel(running, id);
    if (typeof request.method !== "string") throw new GdoError("INPUT_INVALID", "a control request names its method");
    const stop = new AbortController();
    running.set(key, { id, stop });
    if (socket.destroyed) stop.abort();
    const result = await api.call(request.method, request.params, stop.signal);
    socket.write(`${JSON.stringify({ id, result: result ?? null })}\n`);
  } catch (error) {
    if (!socket.destroyed) socket.write(`${JSON.stringify({ id, error: toWire(error) })}\n`);
  } finally {
    running.delete(key);
  }
}

/** INPUT_INVALID unless it is an object in JSON. */
function parseRequest(line: string): Request {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch {
    request = undefined;
  }
  if (typeof request === "object" && request !== null) return { id: null, ...request };
  throw new GdoError("INPUT_INVALID", "a control request is one JSON object a line");
}

function cancel(running: Running, id: unknown): void {
  for (const call of running.values()) {
    if (call.id === id) call.stop.abort(new GdoError("IO", "whoever asked for it wants it no more"));
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
  async call(method: string, params?: unknown, signal?: AbortSignal): Promise<any> {
    signal?.throwIfAborted();
    const id = this.#nextId++;
    const cancel = (): void => void this.#socket.write(`${JSON.stringify({ id, cancel: true })}\n`);
    signal?.addEventListener("abort", cancel);
    try {
      return await this.#ask(id, method, params);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  #ask(id: number, method: string, params: unknown): Promise<unknown> {
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
