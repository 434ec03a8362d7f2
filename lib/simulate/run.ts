/** One run of the simulated world: plan, play, heal, check. */

import type { PublicKey, Rng } from "../base/index.ts";
import type { LedgerDb } from "../db/index.ts";
import { CHARTER_BRANCH, faultsOf, MAIN_BRANCH } from "../ledger/index.ts";
import { checkCatchUp } from "./checks/catch-up.ts";
import type { Finding } from "./checks/ledger-watch.ts";
import { checkEntries, checkReplay } from "./checks/outcome.ts";
import type { Fault, FaultKind } from "./faults/fault.ts";
import { DAY_MS, frailOf, scheduleFaults } from "./faults/schedule.ts";
import { Striker } from "./faults/strike.ts";
import { planVisits, planWork } from "./world/workload.ts";
import { type TimelineEvent, World } from "./world/world.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Of the nodes; a third when it is not said. */
  readonly validators?: number | undefined;
  readonly days: number;
  readonly faults: readonly FaultKind[];
  readonly cheats: number;
}

export interface SimulationSummary {
  readonly entries: number;
  readonly merges: number;
  readonly void: number;
  /** Operations of the charter that could not be. */
  readonly charterVoid: number;
  readonly frames: number;
  readonly bytes: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Virtual time after the last fault until everybody held the same and nothing was pending. */
  readonly healedMs: number;
  /** Hash over all that happened. */
  readonly trace: string;
}

export interface SimulationResult {
  readonly options: SimulationOptions;
  readonly schedule: readonly Fault[];
  readonly timeline: readonly TimelineEvent[];
  readonly findings: readonly Finding[];
  readonly summary: SimulationSummary;
}

const HEAL_MS_MAX = 30 * 60_000;
const HEAL_STEP_MS = 1000;

/** The faults that the options' seed makes. */
export function scheduleOf(options: SimulationOptions): Fault[] {
  const world = new World(options);
  const { validators, doors } = namesOf(world);
  const cheats = cheatsOf(world, options.cheats);
  world.close();
  const visits = planVisits(options.days, world.rng("visits"));
  const rngOf = (kind: string): Rng => world.rng(`faults ${kind}`);
  const liars = cheats.filter((name) => validators.includes(name)).length;
  const frail = frailOf(validators, world.organisation.fault, liars);
  const stewards = world.organisation.members.filter(({ isSteward }) => isSteward).map(({ name }) => name);
  const deputy = world.organisation.members.find(({ isDeputy, name }) => isDeputy && !cheats.includes(name))?.name;
  const nodes = { validators, doors, cheats, frail, stewards, deputy };
  return scheduleFaults({ days: options.days, visits, kinds: options.faults, ...nodes, rngOf });
}

/** Plays the options' seed, with another schedule of faults if one is given. */
export async function simulate(
  options: SimulationOptions,
  schedule: readonly Fault[] = scheduleOf(options),
): Promise<SimulationResult> {
  const world = new World(options);
  try {
    return await play(world, options, schedule);
  } finally {
    world.close();
  }
}

async function play(world: World, options: SimulationOptions, schedule: readonly Fault[]): Promise<SimulationResult> {
  const endMs = options.days * DAY_MS;
  const { validators, doors } = namesOf(world);
  world.setCheats(cheatsOf(world, options.cheats));
  const striker = new Striker(world);
  striker.schedule(schedule.map((fault) => ({ ...fault, forMs: Math.min(fault.forMs, endMs - fault.atMs) })));
  const visits = planVisits(options.days, world.rng("visits"));
  for (const deed of planWork({ visits, validators, doors, rng: world.rng("work") })) {
    world.plan(deed.atMs, () => void world.node(deed.node).process?.append(deed.app, deed.acts));
  }
  for (const node of world.nodes) node.boot();
  await world.runUntil(endMs);
  const healedMs = await heal(world);
  if (world.findings.length === 0) await checkHealed(world);
  return { options, schedule, timeline: world.timeline, findings: world.findings, summary: summaryOf(world, healedMs) };
}

/** After the last fault: everybody is there again, and what is open is to be finished. */
async function heal(world: World): Promise<number> {
  const startMs = world.nowMs;
  for (const node of world.nodes) node.recover();
  world.tell("", "healed: all faults are over");
  while (world.findings.length === 0 && !isSettled(world)) {
    if (world.nowMs - startMs > HEAL_MS_MAX) {
      world.found({
        invariant: "I4",
        atMs: world.nowMs,
        what: `not settled ${HEAL_MS_MAX / 60_000} min after healing: ${openOf(world)}`,
      });
    }
    await world.runUntil(world.nowMs + HEAL_STEP_MS);
  }
  return world.nowMs - startMs;
}

/** What can only be checked when all is said and done; the last takes the world apart. */
async function checkHealed(world: World): Promise<void> {
  const rng = world.rng("outcome");
  const names = shuffledNames(world, rng);
  const [keeper, late] = names.map((name) => world.node(name));
  if (keeper?.db === undefined) return;
  const input = {
    db: keeper.db,
    sent: world.watch.blocks(),
    isHonest: (author: PublicKey) => world.isHonest(author),
    isOut: (author: PublicKey) => world.isOut(author),
    rng,
    found: ({ invariant, what }: Omit<Finding, "atMs">) => world.fail(invariant, what),
  };
  checkSameState(world);
  checkEntries(input);
  if (world.findings.length === 0) await checkReplay(input);
  if (world.findings.length === 0 && late !== undefined) await checkCatchUp(world, keeper, late);
}

/** I1 over all nodes: they hold the same blocks by now. */
function checkSameState(world: World): void {
  const states = world.insiders.map(({ name, db }) => ({
    name,
    state: JSON.stringify(db?.branches().map((branch) => [branch, db.head(branch), db.stateRoots(branch)])),
  }));
  const other = states.find(({ state }) => state !== states[0]?.state);
  if (other !== undefined) world.fail("I1", `${other.name} holds what ${states[0]?.name} holds, and has other state`);
}

function shuffledNames(world: World, rng: Rng): string[] {
  return world.insiders
    .map(({ name }) => ({ name, key: rng.next() }))
    .sort((x, y) => x.key - y.key)
    .map(({ name }) => name);
}

function isSettled(world: World): boolean {
  return openOf(world) === "";
}

/** What is not finished, in words. */
function openOf(world: World): string {
  const dbs = world.insiders.map(({ db, name }) => ({ db, name }));
  const off = dbs.find(({ db }) => db === undefined);
  if (off !== undefined) return `${off.name} is off`;
  const [first] = dbs;
  const frontier = JSON.stringify(first?.db?.frontier());
  const heads = headsOf(first?.db);
  for (const { db, name } of dbs) {
    if (db === undefined) continue;
    const open = db
      .branches()
      .flatMap((branch) => db.pending(branch))
      .filter(({ a }) => world.isHonest(a));
    if (open.length > 0) return `${name} has ${open.length} entries pending`;
    if (JSON.stringify(db.frontier()) !== frontier) return `${name} does not hold what ${first?.name} holds`;
    if (headsOf(db) !== heads) return `${name} has yet to apply what ${first?.name} has`;
  }
  return "";
}

/** How far each branch is: the same blocks may be held and a merge among them not be applied yet. */
function headsOf(db: LedgerDb | undefined): string {
  return JSON.stringify(db?.branches().map((branch) => [branch, db.head(branch)]));
}

function summaryOf(world: World, healedMs: number): SimulationSummary {
  const { counts } = world;
  const db = world.nodes.find((node) => node.db !== undefined)?.db;
  return {
    entries: db?.countEntries() ?? 0,
    merges: world.watch.finals,
    void: db?.voids(MAIN_BRANCH).length ?? 0,
    charterVoid: db?.voids(CHARTER_BRANCH).length ?? 0,
    frames: counts.frames,
    bytes: counts.bytes,
    refused: counts.refused,
    healedMs,
    trace: world.trace.hash(),
  };
}

/** As many validators as the quorum stands, then doors, the last of each. */
function cheatsOf(world: World, count: number): string[] {
  const { validators, doors } = namesOf(world);
  const tolerated = validators.length > 3 ? faultsOf(validators.length, "byzantine") : 0;
  const liars = Math.min(count, tolerated);
  const others = Math.min(count - liars, doors.length);
  return [...validators.slice(validators.length - liars), ...doors.slice(doors.length - others)];
}

function namesOf(world: World): { validators: string[]; doors: string[] } {
  const { members } = world.organisation;
  return {
    validators: members.filter(({ isValidator }) => isValidator).map(({ name }) => name),
    doors: members.filter(({ isValidator }) => !isValidator).map(({ name }) => name),
  };
}
