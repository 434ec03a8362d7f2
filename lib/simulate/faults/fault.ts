/** What can go wrong in the simulated world. A fault is plain data, so that a schedule can be printed and shrunk. */

export const FAULT_KINDS = [
  "partition",
  "one-way",
  "loss",
  "duplication",
  "reordering",
  "overflow",
  "broker",
  "storm",
  "blackout",
  "clock",
  "power",
  "fsync",
  "torn",
  "flipped",
  "full",
  "late",
  "deputy",
  "restored",
  "rewound",
  "cloned",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** What any member may do who wants the organisation harm, and what a validator may. */
export const DOOR_CHEATS = ["withhold", "back-date", "flood", "equivocate"] as const;
export const VALIDATOR_CHEATS = ["lie", "duel", "defy", "flaky"] as const;
/** Of two who govern, with honest logs: they come with the first cheat. */
export const FEUD = "feud";
export const CHEAT_KINDS = [...DOOR_CHEATS, ...VALIDATOR_CHEATS] as const;

export type CheatKind = (typeof CHEAT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind | CheatKind | typeof FEUD;
  readonly atMs: number;
  /** How long until it is over; power comes back then. */
  readonly forMs: number;
  /** Whom it strikes; empty for the network as a whole. */
  readonly nodes: readonly string[];
  /** Its measure: a probability, a delay, a queue's length, which fsync; 0 where it has none. */
  readonly amount: number;
}

const HOUR_MS = 3_600_000;

/** In one line, for people. */
export function faultText({ kind, atMs, forMs, nodes, amount }: Fault): string {
  const whom = nodes.length === 0 ? "" : ` ${nodes.join(",")}`;
  const much = amount === 0 ? "" : ` ${Number(amount.toFixed(3))}`;
  return `${kind}${whom}${much} at ${(atMs / HOUR_MS).toFixed(2)} h for ${(forMs / HOUR_MS).toFixed(2)} h`;
}
