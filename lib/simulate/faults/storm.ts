/**
 * A storm: while people are there, the parts of the network lose each other every moment, frames come late or not at
 * all, those who vote lose their power for a second, and whoever lies does. It brings many rounds to one height, and
 * takes those who decided one from those who go on: what the rules of voting are for.
 */
import type { Rng } from "../../base/index.ts";
import type { Fault } from "./fault.ts";

/** Some end within a vote, some outlast a round. */
const GUST_MS = [300, 12_000] as const;
const CUT_MS = [100, 1500] as const;
const CUT_SHARE = 0.5;
const FSYNC_SHARE = 0.2;
const FSYNCS_MAX = 5;
/** The rest are one-way. */
const PARTITION_SHARE = 0.6;
const ALONE_SHARE = 0.5;
/** A vote has mostly come to commitments by then. */
const BLACKOUT_AFTER_MS = [2000, 10_000] as const;
const LIE_SHARE = 0.5;
const LIES = ["lie", "duel", "defy"] as const;

export interface StormOptions {
  /** Who votes, or may by then. */
  readonly voters: readonly string[];
  /** Those of them who lie. */
  readonly liars: readonly string[];
  readonly rng: Rng;
}

/** What a storm is made of: faults of other kinds, so that each can be left out. */
export function stormOf({ atMs, forMs }: Pick<Fault, "atMs" | "forMs">, options: StormOptions): Fault[] {
  const { rng, liars } = options;
  const whole = { atMs, forMs, nodes: [] };
  const faults: Fault[] = [
    { kind: "loss", ...whole, amount: 0.2 + rng.next() * 0.3 },
    { kind: "reordering", ...whole, amount: 300 + rng.next() * 2000 },
  ];
  for (let ms = atMs; ms < atMs + forMs; ) {
    const gust = gustAt(Math.round(ms), options);
    faults.push(gust);
    if (rng.next() < CUT_SHARE) faults.push(cutAt(gust.atMs, options));
    if (rng.next() < FSYNC_SHARE) faults.push(fsyncAt(gust.atMs, options));
    for (const liar of liars) if (rng.next() < LIE_SHARE) faults.push(lieAt(gust.atMs, liar, rng));
    ms += gust.forMs * (0.3 + rng.next());
  }
  return faults;
}

/**
 * The power of those who vote fails in the middle of a vote: one's at an fsync, and it stays off; the others' for a
 * moment, some seconds later. Whoever lies makes use of it.
 */
export function blackoutOf({ atMs, forMs }: Pick<Fault, "atMs" | "forMs">, options: StormOptions): Fault[] {
  const { voters, liars, rng } = options;
  const first = { ...fsyncAt(atMs, options), forMs };
  const faults: Fault[] = liars.map((name) => ({ kind: "defy", atMs, forMs: 0, nodes: [name], amount: 0 }));
  const afterMs = between(BLACKOUT_AFTER_MS, rng);
  for (const name of voters) {
    const power = {
      kind: "power",
      atMs: atMs + afterMs,
      forMs: between(CUT_MS, rng),
      nodes: [name],
      amount: 0,
    } as const;
    if (!first.nodes.includes(name)) faults.push(power);
  }
  return [first, ...faults];
}

function gustAt(atMs: number, options: StormOptions): Fault {
  const { rng } = options;
  const place = { atMs, forMs: between(GUST_MS, rng) };
  const isPartition = rng.next() < PARTITION_SHARE;
  const nodes = some(options);
  if (isPartition) return { kind: "partition", ...place, nodes, amount: 0 };
  return { kind: "one-way", ...place, nodes, amount: rng.next() < 0.5 ? -1 : 1 };
}

/** Often of several at once, as those who stand in one house. */
function cutAt(atMs: number, options: StormOptions): Fault {
  return { kind: "power", atMs, forMs: between(CUT_MS, options.rng), nodes: some(options), amount: 0 };
}

/** Within a vote: often between what a node has made durable and what anybody hears of it. */
function fsyncAt(atMs: number, { voters, rng }: StormOptions): Fault {
  const count = 1 + Math.floor(rng.next() * FSYNCS_MAX);
  const amount = rng.next() < 0.5 ? -count : count;
  return { kind: "fsync", atMs, forMs: between(CUT_MS, rng), nodes: [oneOf(voters, rng)], amount };
}

function lieAt(atMs: number, liar: string, rng: Rng): Fault {
  return { kind: oneOf(LIES, rng), atMs, forMs: 0, nodes: [liar], amount: 0 };
}

function some({ voters, rng }: StormOptions): string[] {
  return rng.next() < ALONE_SHARE ? [oneOf(voters, rng)] : voters.filter(() => rng.next() < 0.5);
}

/** Short ones are as frequent as long ones. */
function between([least, most]: readonly [number, number], rng: Rng): number {
  return Math.round(least * (most / least) ** rng.next());
}

function oneOf<Of>(items: readonly Of[], rng: Rng): Of {
  return items[Math.floor(rng.next() * items.length)] as Of;
}
