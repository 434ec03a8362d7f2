/**
 * What a reader of events is told, page by page: final entries each once and in order; of those that wait, what
 * they would be, taken back where it comes otherwise. What stands at any time is what was told and not taken
 * back. Pure.
 */

/** An entry as the agent's `events` gives it; without a cursor it waits. */
export interface FeedEvent {
  readonly id: string;
  readonly app: string;
  readonly acts: readonly { readonly type: string }[];
  readonly name: string;
  readonly timeMs: number;
  readonly reason?: string;
  readonly cursor?: string;
}

export interface FeedPage {
  readonly events: readonly FeedEvent[];
  /** All that waits, in its order of now; absent where it is what the reader knows. */
  readonly tentative?: readonly FeedEvent[];
}

export interface Told {
  readonly type: "event" | "tentative" | "retracted";
  readonly event: FeedEvent;
}

export class Follower {
  /** Told as tentative and not final yet, in the order in which it was told. */
  #open: FeedEvent[] = [];

  take({ events, tentative }: FeedPage): Told[] {
    const told: Told[] = [];
    for (const event of events) {
      const [next] = this.#open;
      if (next !== undefined && isSame(next, event)) this.#open.shift();
      else told.push(...this.#retract(0));
      told.push({ type: "event", event });
    }
    if (tentative === undefined) return told;
    const same = tentative.findIndex((event, index) => !isSame(this.#open[index], event));
    const kept = same === -1 ? tentative.length : same;
    told.push(...this.#retract(kept));
    for (const event of tentative.slice(kept)) told.push({ type: "tentative", event });
    this.#open = [...tentative];
    return told;
  }

  /** What was told after the first `kept`, the newest first. */
  #retract(kept: number): Told[] {
    const gone = this.#open.splice(kept).reverse();
    return gone.map((event) => ({ type: "retracted", event }));
  }
}

/** The same entry with the same fate. */
function isSame(one: FeedEvent | undefined, other: FeedEvent): boolean {
  return one?.id === other.id && one.reason === other.reason;
}
