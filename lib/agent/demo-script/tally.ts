/** What the line boards saw: each frame that was played and how the door answered. Pure. */

export interface PlayedFrame {
  readonly reader: string;
  readonly atMs: number;
  /** The link of the door's node was cut while it decided. */
  readonly isOffline: boolean;
  /** What the door said when it was done; nothing if it died before. */
  readonly answer?: { readonly n: number; readonly decisionMs: number; readonly strikeMs: number | undefined };
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

export interface SeenAtDoor {
  frames: number;
  granted: number;
  offline: number;
  unanswered: number;
}

/** Nearest-rank quantile, to the microsecond; 0 of nothing. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return Math.round(value * 1000) / 1000;
  };
  return { p50: at(0.5), p99: at(0.99) };
}

export class Tally {
  readonly #doors = new Map<string, SeenAtDoor>();
  readonly #decisionMs: number[] = [];
  readonly #strikeMs: number[] = [];

  constructor(readers: readonly string[]) {
    for (const reader of readers) this.#doors.set(reader, { frames: 0, granted: 0, offline: 0, unanswered: 0 });
  }

  add(played: PlayedFrame): void {
    const door = this.door(played.reader);
    door.frames += 1;
    if (played.answer === undefined) {
      door.unanswered += 1;
      return;
    }
    if (played.isOffline) door.offline += 1;
    this.#decisionMs.push(played.answer.decisionMs);
    if (played.answer.strikeMs === undefined) return;
    door.granted += 1;
    this.#strikeMs.push(played.answer.strikeMs);
  }

  door(reader: string): SeenAtDoor {
    const door = this.#doors.get(reader);
    if (door === undefined) throw new Error(`a frame of the unknown reader ${reader}`);
    return door;
  }

  get unanswered(): number {
    return [...this.#doors.values()].reduce((sum, { unanswered }) => sum + unanswered, 0);
  }

  decision(): Quantiles {
    return quantiles(this.#decisionMs);
  }

  strike(): Quantiles {
    return quantiles(this.#strikeMs);
  }
}
