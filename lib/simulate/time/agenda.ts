/** What is to happen in the simulated world, in the order of its time; ties in the order of their making. */
import type { Cancel } from "../../base/index.ts";

interface Item {
  dueMs: number;
  readonly order: number;
  /** Undefined once it is cancelled. */
  fire: (() => void) | undefined;
}

/** What was due while the world leapt happens within so much time after it. */
const AFTER_LEAP_MS = 1000;

export class Agenda {
  #heap: Item[] = [];
  #made = 0;
  #nowMs = 0;

  /** Since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** When something happens next; Infinity for never. */
  get nextMs(): number {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.fire !== undefined) return first.dueMs;
      this.#pop();
    }
    return Number.POSITIVE_INFINITY;
  }

  after(delayMs: number, fire: () => void): Cancel {
    return this.at(this.#nowMs + Math.max(0, delayMs), fire);
  }

  at(dueMs: number, fire: () => void): Cancel {
    const item: Item = { dueMs: Math.max(this.#nowMs, dueMs), order: this.#made++, fire };
    this.#push(item);
    return () => {
      item.fire = undefined;
    };
  }

  /** Moves on to the next thing and does it. */
  step(): void {
    if (this.nextMs === Number.POSITIVE_INFINITY) return;
    const { dueMs, fire } = this.#pop() as Item;
    this.#nowMs = dueMs;
    fire?.();
  }

  /** Nothing happens until then. */
  rest(untilMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** As if every machine had slept: what was due meanwhile happens in its order within the second after. */
  leap(toMs: number): void {
    const fromMs = this.#nowMs;
    const items = this.#heap.filter(({ fire }) => fire !== undefined);
    const late = (dueMs: number): number =>
      dueMs >= toMs ? dueMs : toMs + ((dueMs - fromMs) / (toMs - fromMs)) * AFTER_LEAP_MS;
    this.#heap = [];
    this.#nowMs = toMs;
    for (const item of items) {
      item.dueMs = late(item.dueMs); // The same item, so that it can still be cancelled.
      this.#push(item);
    }
  }

  #push(item: Item): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Item;
      if (!isBefore(item, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = item;
  }

  #pop(): Item | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || last === first) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      if (left >= heap.length) break;
      const child = right < heap.length && isBefore(heap[right] as Item, heap[left] as Item) ? right : left;
      if (!isBefore(heap[child] as Item, last)) break;
      heap[at] = heap[child] as Item;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(x: Item, y: Item): boolean {
  return x.dueMs < y.dueMs || (x.dueMs === y.dueMs && x.order < y.order);
}
