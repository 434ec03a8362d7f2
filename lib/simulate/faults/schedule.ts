/** A schedule of faults from a seed: enough of each kind that a week sees them overlap. */
import type { Rng } from "../../base/index.ts";
import { type FaultModel, faultsOf, quorumOf } from "../../ledger/index.ts";
import { DOOR_CHEATS, type Fault, type FaultKind, FEUD, VALIDATOR_CHEATS } from "./fault.ts";
import { blackoutOf, stormOf } from "./storm.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export interface ScheduleOptions {
  readonly days: number;
  /** When people come, and what they do is merged. */
  readonly visits: readonly number[];
  readonly kinds: readonly FaultKind[];
  readonly validators: readonly string[];
  readonly doors: readonly string[];
  /** Nodes that cheat. */
  readonly cheats: readonly string[];
  /** Two who govern and may fall out, or nobody. */
  readonly stewards: readonly string[];
  /** A door that stands in for validators. */
  readonly deputy: string | undefined;
  /** Validators that may forget what they said, and those of which two may run at once: see `frailOf`. */
  readonly frail: FrailValidators;
  /** A stream of randomness for each kind, so that one kind more changes nothing of the others. */
  readonly rngOf: (kind: string) => Rng;
}

export interface FrailValidators {
  readonly forgetful: readonly string[];
  readonly doubled: readonly string[];
}

type KindOptions = ScheduleOptions & { readonly rng: Rng };

/** How many of a kind a day brings, how long one lasts, and what it is. */
interface KindRule {
  readonly perDay: number;
  readonly forMs: readonly [number, number];
  /** Only when people have come, and for as long as it says. */
  readonly isAtVisit?: true;
  make(options: KindOptions): Pick<Fault, "nodes" | "amount">;
}

/** So long after people have come their deeds are mostly final, if nothing goes wrong. */
const AROUND_VISIT_MS = 12_000;
/** And so soon they begin to be voted on. */
const VOTED_ON_MS = 4000;

const NETWORK: readonly string[] = [];

const RULES: Readonly<Record<FaultKind, KindRule>> = {
  partition: {
    perDay: 0.6,
    forMs: [10 * MINUTE_MS, 20 * HOUR_MS],
    make: (options) => ({ nodes: someOf(options), amount: 0 }),
  },
  // An amount below 0: they hear nothing; else nobody hears them.
  "one-way": {
    perDay: 0.4,
    forMs: [10 * MINUTE_MS, 8 * HOUR_MS],
    make: (options) => ({ nodes: someOf(options), amount: options.rng.next() < 0.5 ? -1 : 1 }),
  },
  loss: {
    perDay: 0.4,
    forMs: [HOUR_MS, 8 * HOUR_MS],
    make: ({ rng }) => ({ nodes: NETWORK, amount: 0.02 + rng.next() * 0.3 }),
  },
  duplication: {
    perDay: 0.3,
    forMs: [HOUR_MS, 8 * HOUR_MS],
    make: ({ rng }) => ({ nodes: NETWORK, amount: 0.05 + rng.next() * 0.3 }),
  },
  reordering: {
    perDay: 0.4,
    forMs: [HOUR_MS, 8 * HOUR_MS],
    make: ({ rng }) => ({ nodes: NETWORK, amount: 100 + rng.next() * 3000 }),
  },
  overflow: {
    perDay: 0.2,
    forMs: [HOUR_MS, 6 * HOUR_MS],
    make: ({ rng }) => ({ nodes: NETWORK, amount: 3 + Math.floor(rng.next() * 20) }),
  },
  broker: { perDay: 0.3, forMs: [MINUTE_MS, 2 * HOUR_MS], make: () => ({ nodes: NETWORK, amount: 0 }) },
  storm: {
    perDay: 0.1,
    forMs: [20_000, 60_000],
    isAtVisit: true,
    make: () => ({ nodes: NETWORK, amount: 0 }),
  },
  blackout: {
    perDay: 0.1,
    forMs: [1000, 30 * MINUTE_MS],
    isAtVisit: true,
    make: () => ({ nodes: NETWORK, amount: 0 }),
  },
  // The first hands its role over to the second, and gets it back.
  deputy: {
    perDay: 0.2,
    forMs: [2000, 60 * HOUR_MS],
    isAtVisit: true,
    make: (options) => ({ nodes: [oneOf(steadyOf(options), options.rng), options.deputy ?? ""], amount: 0 }),
  },
  // An amount of 0: the wall clock says 1970; below 0: it runs backwards.
  clock: {
    perDay: 0.3,
    forMs: [HOUR_MS, 30 * HOUR_MS],
    make: (options) => ({ nodes: [oneOf(everybody(options), options.rng)], amount: options.rng.next() < 0.5 ? 0 : -1 }),
  },
  power: {
    perDay: 0.7,
    forMs: [MINUTE_MS, 10 * HOUR_MS],
    make: (options) => ({ nodes: [oneOf(everybody(options), options.rng)], amount: 0 }),
  },
  // The so many-th fsync from then on; below 0: after it was done, but before anybody was told.
  fsync: {
    perDay: 0.8,
    forMs: [MINUTE_MS, 4 * HOUR_MS],
    make: (options) => ({
      nodes: [oneOf(everybody(options), options.rng)],
      amount: (1 + Math.floor(options.rng.next() * 6)) * (options.rng.next() < 0.5 ? -1 : 1),
    }),
  },
  torn: {
    perDay: 0.15,
    forMs: [MINUTE_MS, 4 * HOUR_MS],
    make: (options) => ({ nodes: [oneOf(options.doors, options.rng)], amount: 1 + Math.floor(options.rng.next() * 3) }),
  },
  flipped: {
    perDay: 0.15,
    forMs: [MINUTE_MS, 4 * HOUR_MS],
    make: (options) => ({ nodes: [oneOf(options.doors, options.rng)], amount: 1 + Math.floor(options.rng.next() * 8) }),
  },
  full: {
    perDay: 0.2,
    forMs: [HOUR_MS, 10 * HOUR_MS],
    make: (options) => ({ nodes: [oneOf(everybody(options), options.rng)], amount: 0 }),
  },
  restored: {
    perDay: 0.15,
    forMs: [HOUR_MS, 60 * HOUR_MS],
    make: ({ doors, frail, rng }) => ({ nodes: [cardOf(doors, frail.forgetful, rng)], amount: 0 }),
  },
  rewound: {
    perDay: 0.15,
    forMs: [10 * MINUTE_MS, 60 * HOUR_MS],
    make: ({ doors, frail, rng }) => ({ nodes: [cardOf(doors, frail.doubled, rng)], amount: 0 }),
  },
  cloned: {
    perDay: 0.15,
    forMs: [HOUR_MS, 20 * HOUR_MS],
    make: ({ doors, frail, rng }) => ({ nodes: [cardOf(doors, frail.doubled, rng)], amount: 0 }),
  },
  late: { perDay: 0.15, forMs: [0, 0], make: (options) => ({ nodes: [oneOf(options.doors, options.rng)], amount: 0 }) },
};

/** A validator whose card is replaced by an empty one does not even know that it has forgotten: a new key is its cure. */
const NOBODY = (): readonly string[] => [];
const VICTIMS_BESIDE_DOORS: Readonly<Partial<Record<FaultKind, (frail: FrailValidators) => readonly string[]>>> = {
  torn: NOBODY,
  flipped: NOBODY,
  late: NOBODY,
  restored: ({ forgetful }) => forgetful,
  rewound: ({ doubled }) => doubled,
  cloned: ({ doubled }) => doubled,
};

const VALIDATORS_CARD_SHARE = 0.4;

/** What one cheat does in a day, of each kind. */
const CHEATS_PER_DAY = 0.3;
/** A lie takes effect at the next votes. */
const LIES_PER_DAY = 1;

/**
 * Validators whose cards may come back or be doubled. One that has forgotten abstains [L17], so it is away for a
 * while: with those that lie at most as many as the quorum can spare, or one where all must agree and nobody
 * abstains. Two that run at once may vote against each other, as may one that was put back byte for byte and that
 * nobody could tell: these lie, where lies are tolerated at all. Always the same ones, as they never recover from it
 * if a liar stays silent.
 */
export function frailOf(validators: readonly string[], fault: FaultModel, liars: number): FrailValidators {
  const n = validators.length;
  const q = quorumOf(n, fault);
  const away = q < n ? n - q - liars : Math.min(1, n - 1);
  const lying = fault === "byzantine" ? faultsOf(n, fault) - liars : 0;
  return { forgetful: validators.slice(0, Math.max(0, away)), doubled: validators.slice(0, Math.max(0, lying)) };
}

/** In the order of time. */
export function scheduleFaults(options: ScheduleOptions): Fault[] {
  const { kinds, cheats, validators } = options;
  const boost = Math.sqrt(Object.keys(RULES).length / Math.max(1, kinds.length)); // Of fewer kinds there is more of each.
  const planned = kinds.flatMap((kind) => faultsOfKind(kind, options, boost));
  const faults = expanded(planned, options);
  for (const cheat of cheats) {
    const ways = validators.includes(cheat) ? [...DOOR_CHEATS, ...VALIDATOR_CHEATS] : DOOR_CHEATS;
    for (const kind of ways) {
      const perDay = kind !== "flaky" && VALIDATOR_CHEATS.some((each) => each === kind) ? LIES_PER_DAY : CHEATS_PER_DAY;
      const rng = options.rngOf(`${cheat} ${kind}`);
      for (let left = perDay * options.days * boost; rng.next() < left; left -= 1)
        faults.push({ kind, ...timed({ ...options, rng }, 0), nodes: [cheat], amount: 0 });
    }
  }
  return [...faults, ...feudsOf(options)].sort((x, y) => x.atMs - y.atMs);
}

/** What is made of other faults is these, so that each can be left out. */
function expanded(planned: readonly Fault[], options: ScheduleOptions): Fault[] {
  const { validators, cheats, deputy, rngOf } = options;
  const voters = [...validators, ...(deputy === undefined ? [] : [deputy])];
  const liars = validators.filter((name) => cheats.includes(name));
  const rng = rngOf("storms");
  return planned.flatMap((fault) => {
    if (fault.kind === "storm") return stormOf(fault, { voters, liars, rng });
    if (fault.kind === "blackout") return blackoutOf(fault, { voters, liars, rng });
    return [fault];
  });
}

/** Validators that can hand over: whoever forgets, is doubled or lies stays what it is, or there would be too many of them. */
function steadyOf({ validators, cheats, frail }: ScheduleOptions): string[] {
  const others = [...cheats, ...frail.forgetful, ...frail.doubled];
  return validators.filter((name) => !others.includes(name));
}

/** Nobody has it all the time: a few in a week. */
function feudsOf(options: ScheduleOptions): Fault[] {
  const { days, cheats, stewards } = options;
  const isPossible = cheats.length > 0 && stewards.length === 2 && !stewards.some((name) => cheats.includes(name));
  if (!isPossible) return [];
  const rng = options.rngOf(FEUD);
  const faults: Fault[] = [];
  for (let left = CHEATS_PER_DAY * days; rng.next() < left; left -= 1)
    faults.push({ kind: FEUD, ...timed({ ...options, rng }, 0), nodes: stewards, amount: 0 });
  return faults;
}

function faultsOfKind(kind: FaultKind, all: ScheduleOptions, boost: number): Fault[] {
  const others = VICTIMS_BESIDE_DOORS[kind]?.(all.frail);
  // One that may come to vote must not forget, either.
  const options = others === undefined ? all : { ...all, doors: all.doors.filter((name) => name !== all.deputy) };
  const { days, doors, deputy } = options;
  if (others !== undefined && doors.length + others.length === 0) return [];
  if (kind === "deputy" && (deputy === undefined || steadyOf(options).length === 0)) return [];
  const { perDay, forMs, make, isAtVisit } = RULES[kind];
  const rng = options.rngOf(kind);
  const faults: Fault[] = [];
  for (let left = perDay * days * boost; rng.next() < left; left -= 1) {
    // Short ones are as frequent as long ones.
    const lengthMs = Math.round(forMs[0] * (forMs[1] / Math.max(1, forMs[0])) ** rng.next());
    const time = isAtVisit ? atVisit({ ...options, rng }, lengthMs) : timed({ ...options, rng }, lengthMs);
    faults.push({ kind, ...time, ...make({ ...options, rng }) });
  }
  return faults;
}

/** Any time, or when it hurts: while people are there and their deeds are voted on, some of it for seconds only. */
function timed({ days, visits, rng }: KindOptions, lengthMs: number): Pick<Fault, "atMs" | "forMs"> {
  if (rng.next() < 0.4) return { atMs: Math.floor(rng.next() * days * DAY_MS), forMs: lengthMs };
  const visitMs = visits[Math.floor(rng.next() * visits.length)] ?? 0;
  const atMs = Math.min(days * DAY_MS - 1, Math.floor(visitMs + (rng.next() - 0.3) * AROUND_VISIT_MS));
  const isShort = lengthMs > 0 && rng.next() < 0.6;
  return { atMs, forMs: isShort ? Math.ceil(rng.next() * AROUND_VISIT_MS) : lengthMs };
}

function atVisit({ visits, rng }: KindOptions, forMs: number): Pick<Fault, "atMs" | "forMs"> {
  return { atMs: Math.floor(oneOf(visits.slice(0, -1), rng) + rng.next() * VOTED_ON_MS), forMs };
}

function everybody({ validators, doors }: ScheduleOptions): readonly string[] {
  return [...validators, ...doors];
}

function oneOf<Of>(items: readonly Of[], rng: Rng): Of {
  return items[Math.floor(rng.next() * items.length)] as Of;
}

/** Doors are many; what a validator forgets matters more. */
function cardOf(doors: readonly string[], validators: readonly string[], rng: Rng): string {
  const isValidators = rng.next() < VALIDATORS_CARD_SHARE;
  return oneOf((isValidators && validators.length > 0) || doors.length === 0 ? validators : doors, rng);
}

/** At least one, and not all; often one validator alone. */
function someOf(options: KindOptions): string[] {
  const { validators, rng } = options;
  const names = everybody(options);
  if (rng.next() < 0.4) return [oneOf(validators, rng)];
  const share = rng.next();
  const some = names.filter(() => rng.next() < share);
  if (some.length > 0 && some.length < names.length) return some;
  return [oneOf(names, rng)];
}
