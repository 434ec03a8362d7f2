/**
 * A Wiegand reader: edges in, frames out. The decoder finds the bits and the end of a frame by its
 * gap; this adds the timer that ends a frame when no more edges come, and hands frames over one at a
 * time. Rules: docs/design/door.md.
 */
import { WiegandDecoder, type WiegandFrame } from "../addon.ts";
import type { Cancel, Clock } from "../base/index.ts";
import type { DataLine, EdgeSink } from "./line.ts";

export interface ReaderFrame {
  readonly reader: string;
  readonly bits: string;
  readonly fault: WiegandFrame["fault"];
  readonly lastEdgeNs: bigint;
  /** Wall time when the frame was seen to have ended. */
  readonly wallMs: number;
  /** The last edge on the stopwatch, for measuring: a steered clock may jump within a swipe. */
  readonly lastEdgeStopwatchNs: bigint;
}

export interface ReaderOptions<Report> {
  readonly name: string;
  /** The clock that stamps the edges and runs the timers. */
  readonly clock: Clock;
  /** A clock that nothing steers. */
  readonly stopwatch: Clock;
  onFrame(frame: ReaderFrame): Promise<Report>;
  /** onFrame rejected; the reader goes on. */
  onFault(cause: unknown): void;
}

const NS_PER_MS = 1e6;

export class WiegandReader<Report> implements EdgeSink<Report> {
  readonly #options: ReaderOptions<Report>;
  readonly #decoder = new WiegandDecoder();
  #timer: { readonly dueNs: bigint; readonly cancel: Cancel } | undefined;
  #lastEdgeStopwatchNs = 0n;
  /** Frames are handled in the order in which they ended. */
  #handled: Promise<Report | undefined> = Promise.resolve(undefined);
  #waiting: (() => void)[] = [];

  constructor(options: ReaderOptions<Report>) {
    this.#options = options;
  }

  edge(line: DataLine, stampNs: bigint): void {
    const ended = this.#decoder.edge(line, stampNs);
    if (ended !== undefined) this.#handOver(ended);
    const { clock, stopwatch } = this.#options;
    this.#lastEdgeStopwatchNs = stopwatch.monoNs() - (clock.monoNs() - stampNs);
    this.#arm();
  }

  /** Keeps a timer at or before the open frame's end: edges mostly move the end later, the second one earlier. */
  #arm(): void {
    const deadlineNs = this.#decoder.deadlineNs();
    if (deadlineNs !== undefined && this.#timer !== undefined && this.#timer.dueNs <= deadlineNs) return;
    this.#disarm();
    if (deadlineNs === undefined) return;
    const waitMs = Number(deadlineNs - this.#options.clock.monoNs()) / NS_PER_MS;
    const cancel = this.#options.clock.after(Math.max(0, waitMs), () => this.#due());
    this.#timer = { dueNs: deadlineNs, cancel };
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #due(): void {
    this.#timer = undefined;
    const ended = this.#decoder.poll(this.#options.clock.monoNs());
    if (ended !== undefined) this.#handOver(ended);
    this.#arm(); // A timer may fire a little early, or for a deadline that has moved.
    if (this.#timer === undefined) this.#settle();
  }

  #handOver({ bits, fault, lastEdgeNs }: WiegandFrame): void {
    const { name: reader, clock, onFrame, onFault } = this.#options;
    const wallMs = Math.floor(clock.nowMs());
    const frame = { reader, bits, fault, lastEdgeNs, wallMs, lastEdgeStopwatchNs: this.#lastEdgeStopwatchNs };
    const handle = async (): Promise<Report | undefined> => {
      try {
        return await onFrame(frame);
      } catch (cause) {
        onFault(cause);
        return undefined;
      }
    };
    this.#handled = this.#handled.then(handle);
  }

  #settle(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  async settled(): Promise<Report | undefined> {
    if (this.#decoder.deadlineNs() !== undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#handled;
  }

  /** Drops what is open; nothing is handed over any more by the timer. */
  close(): void {
    this.#disarm();
    this.#settle();
  }
}
