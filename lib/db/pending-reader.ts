/**
 * What is pending on a branch, entry by entry in the order of taking in, so that a reader that wants few of many, or
 * none of some logs, reads little more than it wants.
 */
import type { Hash } from "../base/index.ts";
import type { Block } from "../codec/index.ts";

/** Numbers of a log among which a branch may have something to take. */
export interface LogSpan {
  readonly log: number;
  readonly from: number;
  readonly to: number;
}

export interface PendingEntry {
  /** Its place in the order of taking in. */
  readonly seq: number;
  readonly log: number;
  readonly block: Block;
}

/** What is read of a log at a time, in numbers; more where few of them are the branch's entries. */
const PART_MIN = 256;
const PART_MAX = 4096;

type Read = (log: number, from: number, to: number) => PendingEntry[];

/** One log from front to back. */
class LogReader {
  readonly #read: Read;
  readonly #span: LogSpan;
  #part: readonly PendingEntry[] = [];
  #at = 0;
  #next: number;
  #size = PART_MIN;

  constructor(span: LogSpan, read: Read) {
    this.#span = span;
    this.#read = read;
    this.#next = span.from;
  }

  get log(): number {
    return this.#span.log;
  }

  peek(): PendingEntry | undefined {
    const { log, to } = this.#span;
    while (this.#at >= this.#part.length && this.#next <= to) {
      this.#part = this.#read(log, this.#next, Math.min(to, this.#next + this.#size - 1));
      this.#at = 0;
      this.#next += this.#size;
      if (this.#part.length < this.#size / 2) this.#size = Math.min(PART_MAX, 2 * this.#size);
    }
    return this.#part[this.#at];
  }

  advance(): void {
    this.#at += 1;
  }
}

export class PendingReader {
  readonly #spans: ReadonlyMap<number, LogSpan>;
  readonly #placeOf: (entry: Hash) => { readonly log: number; readonly n: number } | undefined;
  #open: LogReader[];
  #held: LogReader[] = [];

  constructor(
    spans: readonly LogSpan[],
    read: Read,
    placeOf: (entry: Hash) => { readonly log: number; readonly n: number } | undefined,
  ) {
    this.#spans = new Map(spans.map((span) => [span.log, span]));
    this.#open = spans.map((span) => new LogReader(span, read));
    this.#placeOf = placeOf;
  }

  /** The first of all logs that are being read. */
  peek(): PendingEntry | undefined {
    let first: PendingEntry | undefined;
    let isDone = false;
    for (const log of this.#open) {
      const entry = log.peek();
      isDone ||= entry === undefined;
      if (entry !== undefined && (first === undefined || entry.seq < first.seq)) first = entry;
    }
    if (isDone) this.#open = this.#open.filter((log) => log.peek() !== undefined);
    return first;
  }

  /** Past the log's first. */
  advance(log: number): void {
    this.#open.find((each) => each.log === log)?.advance();
  }

  /** No more of this log. */
  stop(log: number): void {
    this.#open = this.#open.filter((each) => each.log !== log);
  }

  /** Nothing of this log until `release`. */
  hold(log: number): void {
    this.#held.push(...this.#open.filter((each) => each.log === log));
    this.stop(log);
  }

  isHeld(log: number): boolean {
    return this.#held.some((each) => each.log === log);
  }

  /** Reads on, where they stood, those that were held; false when there are none. */
  release(): boolean {
    const held = this.#held;
    this.#held = [];
    this.#open.push(...held);
    return held.length > 0;
  }

  /** Where an entry that is pending stands in its log; undefined for any other block. */
  place(id: Hash): { readonly log: number; readonly n: number } | undefined {
    const place = this.#placeOf(id);
    const span = place === undefined ? undefined : this.#spans.get(place.log);
    return place !== undefined && span !== undefined && place.n >= span.from && place.n <= span.to ? place : undefined;
  }
}
