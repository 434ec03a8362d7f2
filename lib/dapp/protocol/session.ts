/**
 * One container that answers calls: JSON-RPC 2.0, one object a line, one call at a time. Whatever the
 * program does wrong — silence, noise, death, a limit — ends the container and rejects the call with a
 * GdoError that names it [D2]. Rules: docs/design/dapps.md.
 */
import { type Clock, GdoError, type Log } from "../../base/index.ts";
import type { DappLimits } from "../manifest.ts";
import { formatBytes, formatMs } from "../quantity.ts";
import type { ContainerEnd, ContainerListener, ContainerProcess } from "../runtime.ts";
import { LineSplitter } from "./lines.ts";
import { mapOf } from "./wire.ts";

/** Longest line that a dapp may write: its answer carries at most one object of this size. */
export const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
/** All that a dapp may write during one call. */
const CALL_OUTPUT_BYTES_MAX = 2 * ANSWER_BYTES_MAX;
const LOG_LINE_BYTES_MAX = 4096;
const LOG_LINES_KEPT = 50;
/** What one call may log; the rest is dropped, so that a chatty dapp cannot fill the disk. */
const LOG_LINES_PER_CALL_MAX = 200;

/** Answers what a dapp asks of the host during a call. What it throws as GdoError is told to the dapp. */
export type HostCalls = (method: string, params: Readonly<Record<string, unknown>>) => Promise<unknown>;

interface OpenCall {
  readonly id: number;
  readonly calls: HostCalls;
  readonly settle: (outcome: { result: unknown } | { failure: GdoError }) => void;
}

export interface SessionOptions {
  readonly dapp: string;
  readonly limits: DappLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes each line of its log, and why it failed. */
  readonly tell?: (text: string) => void;
}

export class DappSession {
  readonly #options: SessionOptions;
  readonly #output = new LineSplitter(ANSWER_BYTES_MAX);
  readonly #logLines = new LineSplitter(LOG_LINE_BYTES_MAX);
  readonly #lastLog: string[] = [];
  #process: ContainerProcess | undefined;
  #open: OpenCall | undefined;
  #nextId = 1;
  #outputBytes = 0;
  #loggedLines = 0;
  #replies: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** Set once, when it is over; settles when its container is gone. */
  #failure: Promise<GdoError> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Give this to the runtime with which the container is started, then `attach` it. */
  readonly listener: ContainerListener = {
    output: (bytes) => this.#takeOutput(bytes),
    log: (bytes) => this.#takeLog(bytes),
  };

  attach(container: ContainerProcess): void {
    this.#process = container;
    void container.ended.then((end) => this.#finish(Promise.resolve(this.#describeEnd(end))));
  }

  /** True once it has failed or was closed: it answers no more calls. */
  get isOver(): boolean {
    return this.#failure !== undefined;
  }

  /** The last lines of its log, oldest first. */
  get lastLog(): readonly string[] {
    return this.#lastLog;
  }

  /** One call at a time; DAPP_LIMIT or DAPP_ERROR ends the session. */
  async call(method: string, params: unknown, calls: HostCalls): Promise<unknown> {
    const { limits, clock } = this.#options;
    if (this.#open !== undefined) throw new RangeError("one call at a time");
    if (this.#failure !== undefined) throw await this.#failure;
    this.#outputBytes = 0;
    this.#loggedLines = 0;
    const id = this.#nextId++;
    const answer = new Promise<{ result: unknown } | { failure: GdoError }>((settle) => {
      this.#open = { id, calls, settle };
    });
    const cancel = clock.after(limits.wallMs, () =>
      this.#fail("DAPP_LIMIT", `hit its wall limit of ${formatMs(limits.wallMs)}`),
    );
    void this.#send({ jsonrpc: "2.0", id, method, params });
    const outcome = await answer;
    cancel();
    if ("failure" in outcome) throw outcome.failure;
    return outcome.result;
  }

  /** Ends the container; a call under way is rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#finish(Promise.resolve(new GdoError("DAPP_ERROR", `${this.#options.dapp} was stopped`)));
    await this.#process?.kill();
  }

  async #send(message: unknown): Promise<void> {
    await this.#process?.write(`${JSON.stringify(message)}\n`);
  }

  #takeOutput(bytes: Uint8Array): void {
    if (this.isOver) return;
    this.#outputBytes += bytes.length;
    if (this.#open === undefined) return this.#fail("DAPP_ERROR", "wrote without being asked");
    if (this.#outputBytes > CALL_OUTPUT_BYTES_MAX) {
      return this.#fail("DAPP_LIMIT", `hit its output limit of ${formatBytes(CALL_OUTPUT_BYTES_MAX)} a call`);
    }
    const lines = this.#output.push(bytes);
    if (lines === "too-long") {
      return this.#fail("DAPP_LIMIT", `hit its line limit of ${formatBytes(ANSWER_BYTES_MAX)}`);
    }
    for (const line of lines) this.#takeLine(line);
  }

  #takeLine(line: Uint8Array): void {
    if (this.isOver) return;
    if (this.#open === undefined) return this.#fail("DAPP_ERROR", "wrote without being asked");
    const message = parseMessage(line);
    if (message === undefined) return this.#fail("DAPP_ERROR", "wrote a line that is no JSON-RPC 2.0 message");
    if (typeof message.method === "string") return this.#answerHostCall(this.#open, message);
    this.#takeAnswer(this.#open, message);
  }

  #takeAnswer(open: OpenCall, message: Readonly<Record<string, unknown>>): void {
    if (message.id !== open.id) return this.#fail("DAPP_ERROR", "answered a call that is not open");
    if (Object.hasOwn(message, "error")) {
      return this.#fail("DAPP_ERROR", `answered with an error: ${errorText(message.error)}`);
    }
    if (!Object.hasOwn(message, "result")) return this.#fail("DAPP_ERROR", "answered with neither result nor error");
    this.#open = undefined;
    open.settle({ result: message.result });
  }

  /**
   * One after the other, each when the answer before it has been taken: a dapp that asks much and reads
   * nothing fills its own pipe, not the host's memory.
   */
  #answerHostCall(open: OpenCall, { id, method, params }: Readonly<Record<string, unknown>>): void {
    const answer = async (): Promise<object> => {
      try {
        return { result: await open.calls(String(method), mapOf(params ?? {}, "params of a host call")) };
      } catch (cause) {
        if (!(cause instanceof GdoError)) throw cause;
        return { error: { code: -32000, message: cause.message } };
      }
    };
    this.#replies = this.#replies
      .then(async () => {
        if (this.#open === open) await this.#send({ jsonrpc: "2.0", id: id ?? null, ...(await answer()) });
      })
      // A host that cannot answer (disk, bug) is no fault of the dapp, but the call cannot go on.
      .catch((cause: unknown) => this.#fail("DAPP_ERROR", `could not be answered by its host: ${errorText(cause)}`));
  }

  #takeLog(bytes: Uint8Array): void {
    const lines = this.#logLines.push(bytes);
    for (const line of lines === "too-long" ? [this.#logLines.rest()] : lines) {
      this.#keepLog(line);
    }
  }

  #keepLog(line: Uint8Array): void {
    const text = Buffer.from(line).toString("utf8").trimEnd();
    if (text === "" || ++this.#loggedLines > LOG_LINES_PER_CALL_MAX + 1) return;
    if (this.#loggedLines > LOG_LINES_PER_CALL_MAX)
      return this.#options.tell?.("(what more it says is dropped until the next call)");
    this.#lastLog.push(text);
    if (this.#lastLog.length > LOG_LINES_KEPT) this.#lastLog.shift();
    this.#options.tell?.(text);
  }

  /** Ends the container first, so that what its control group saw can be named too. */
  #fail(code: "DAPP_ERROR" | "DAPP_LIMIT", what: string): void {
    if (this.isOver) return;
    const ending = this.#process?.kill() ?? Promise.resolve<ContainerEnd>({ status: 0, limits: [] });
    this.#finish(
      ending.then((end) => {
        const hits = end.limits.map((limit) => this.#describeLimit(limit));
        const text = [`${this.#options.dapp} ${what}`, ...hits].join("; ");
        return new GdoError(hits.length > 0 ? "DAPP_LIMIT" : code, text);
      }),
    );
  }

  #finish(failure: Promise<GdoError>): void {
    if (this.isOver) return;
    this.#failure = failure;
    void failure.then((error) => this.#settleFailure(error));
  }

  #settleFailure(failure: GdoError): void {
    const { dapp, log } = this.#options;
    const open = this.#open;
    this.#open = undefined;
    if (!this.#isClosed) this.#options.tell?.(`(${failure.message})`);
    if (!this.#isClosed) log.warn("dapp failed", { dapp, why: failure.message, last: this.#lastLog.at(-1) ?? null });
    open?.settle({ failure });
  }

  #describeLimit(limit: "memory" | "pids"): string {
    const { limits } = this.#options;
    return limit === "memory"
      ? `hit its memory limit of ${formatBytes(limits.memoryBytes)}`
      : `hit its pids limit of ${limits.pids}`;
  }

  #describeEnd(end: ContainerEnd): GdoError {
    const { dapp } = this.#options;
    this.#keepLog(this.#logLines.rest());
    if (end.startFailure !== undefined)
      return new GdoError("CONTAINER", `${dapp} could not be started: ${end.startFailure}`);
    const hits = end.limits.map((limit) => this.#describeLimit(limit));
    // A stack trace ends a log more often than the line that says what happened.
    const last = this.#lastLog.findLast((line) => /\b(?:error|fatal)\b/i.test(line)) ?? this.#lastLog.at(-1);
    const said = last === undefined ? "" : `; its last words: ${last.slice(0, 200)}`;
    if (hits.length > 0) return new GdoError("DAPP_LIMIT", `${dapp} ${hits.join("; ")}${said}`);
    return new GdoError("DAPP_ERROR", `${dapp} ended with status ${end.status} before it answered${said}`);
  }
}

function parseMessage(line: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const message: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
    const isMessage =
      typeof message === "object" && message !== null && "jsonrpc" in message && message.jsonrpc === "2.0";
    return isMessage ? (message as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined; // Neither JSON nor UTF-8: for the caller both are noise.
  }
}

function errorText(error: unknown): string {
  const message = typeof error === "object" && error !== null && "message" in error ? error.message : error;
  return String(message).slice(0, 500);
}
