/** After the last frame: waits until all nodes are equal, then counts from the ledger. */
import { GdoError } from "../../base/index.ts";
import { LATHE, READERS } from "../demo-script/cast.ts";
import type { Tally } from "../demo-script/tally.ts";
import type { DoorSummary, NodeSummary, Summary } from "./events.ts";
import type { DoorStation, Stage } from "./stage.ts";
import { until } from "./waiting.ts";

/** The part of an agent's status that says how far it is. */
export interface Standing {
  readonly node: string;
  readonly entries: number;
  readonly pending: number;
  readonly stateRoot: string;
  readonly head: string;
  readonly merges: number;
  readonly voids: number;
  /** Number of the newest entry of its door that it holds; -1 without a door. */
  readonly doorN: number;
  /** It compiles a snapshot, which may become one more entry. */
  readonly isPublishing: boolean;
}

interface RawStatus {
  readonly entries: number;
  readonly pending: number;
  readonly stateRoot: string;
  readonly branches: readonly { name: string; head?: string; h: number }[];
  readonly merges: number;
  readonly voids: number;
  readonly door?: { lastN?: number };
  readonly policy?: { publishing?: boolean };
}

export function standingOf(node: string, status: unknown): Standing {
  const { entries, pending, stateRoot, branches, merges, voids, door, policy } = status as RawStatus;
  const head = branches.find(({ name }) => name === "main")?.head ?? "";
  return {
    node,
    entries,
    pending,
    stateRoot,
    head,
    merges,
    voids,
    doorN: door?.lastN ?? -1,
    isPublishing: policy?.publishing ?? false,
  };
}

/** What still differs, for people; undefined when all nodes hold and think the same. Pure. */
export function difference(standings: readonly Standing[]): string | undefined {
  const [first] = standings;
  if (first === undefined) return "no node answers";
  for (const each of standings) {
    if (each.pending > 0) return `${each.node} has ${each.pending} entries that are not merged yet`;
    if (each.isPublishing) return `${each.node} compiles a snapshot`;
    if (each.entries !== first.entries)
      return `${first.node} holds ${first.entries} entries, ${each.node} ${each.entries}`;
    if (each.head !== first.head) return `${first.node} and ${each.node} are at different merges`;
    if (each.stateRoot !== first.stateRoot) return `${first.node} and ${each.node} have different states`;
  }
  return undefined;
}

/** Entries that a door logged and its agent does not hold yet. */
function owed(stations: readonly DoorStation[], standings: readonly Standing[]): string | undefined {
  for (const { name, lastLogged } of stations) {
    const held = standings.find(({ node }) => node === name)?.doorN ?? -1;
    if (held < lastLogged) return `the agent of ${name} lacks entries ${held + 1} to ${lastLogged} of its door`;
  }
  return undefined;
}

export async function standings(stage: Stage): Promise<Standing[] | undefined> {
  const all: Standing[] = [];
  for (const { name, link } of stage.nodes) {
    const status = await link.ask("status");
    if (status === undefined) return undefined;
    all.push(standingOf(name, status));
  }
  return all;
}

const LOOK_EVERY_MS = 100;
/** Longer than any strike of the demo stays energised after a grant. */
const STRIKE_MS = 60_000;
const RELEASE_WITHIN_MS = 10_000;

/** Lets the last strike's time pass at every door, then sees that all are released [A4]. */
export async function strikesReleased(stage: Stage, lastFrameMs: number): Promise<void> {
  const { clock } = stage.options;
  for (const { board } of stage.stations) board.advance(lastFrameMs + STRIKE_MS);
  const patience = { clock, everyMs: LOOK_EVERY_MS, withinMs: RELEASE_WITHIN_MS, what: "the release of all strikes" };
  await until(patience, async (blame) => {
    const levels = stage.stations.flatMap(({ board }) => [...board.levels]);
    const high = levels.find(([, isHigh]) => isHigh);
    if (high === undefined) return true;
    blame(`${high[0]} is energised`);
    return undefined;
  });
}

/** Waits until nothing is owed, pending or different. AGENT_UNREACHABLE says what was, when it takes too long. */
export async function converge(stage: Stage, withinMs: number): Promise<Standing[]> {
  const patience = { clock: stage.options.clock, everyMs: LOOK_EVERY_MS, withinMs, what: "coming into step" };
  let before: string | undefined;
  return until(patience, async (blame) => {
    const now = await standings(stage);
    if (now === undefined) return void blame("an agent does not answer");
    // Seen twice: between a merge and the snapshot that follows from it nothing is pending for a moment.
    const wasAt = before;
    before = now[0]?.head;
    const why =
      owed(stage.stations, now) ?? difference(now) ?? (wasAt === before ? undefined : "a merge has just come");
    if (why === undefined) return now;
    blame(why);
    return undefined;
  });
}

/** What the door dapp's query `summary` says of one door. */
interface LedgerCounts {
  readonly frames: number;
  readonly granted: number;
  readonly denied: Readonly<Record<string, number>>;
  readonly frameErrors: number;
}

/** The ledger's word against what the boards saw: they must agree but for doors that died with a frame in hand. */
function crossCheck(reader: string, counts: LedgerCounts, tally: Tally): void {
  const seen = tally.door(reader);
  const answered = seen.frames - seen.unanswered;
  const isFrames = counts.frames >= answered && counts.frames <= seen.frames;
  const isGrants = counts.granted >= seen.granted && counts.granted <= seen.granted + seen.unanswered;
  if (isFrames && isGrants) return;
  const ledger = `${counts.frames} frames and ${counts.granted} grants`;
  throw new GdoError("REFUSED", `${reader}: the ledger has ${ledger}, the board saw ${answered} and ${seen.granted}`);
}

const NOTHING: LedgerCounts = { frames: 0, granted: 0, denied: {}, frameErrors: 0 };

async function doorCounts(stage: Stage): Promise<Readonly<Record<string, LedgerCounts>>> {
  const answer = await stage.office.link.insist("query", { app: "door", query: "summary", args: {} });
  return (answer as { value: { doors: Record<string, LedgerCounts> } }).value.doors;
}

/** REFUSED when ledger and board disagree. */
function doorSummary(reader: string, counts: LedgerCounts, tally: Tally): DoorSummary {
  crossCheck(reader, counts, tally);
  const { frames, granted, denied: deniedBy, frameErrors } = counts;
  const denied = Object.values(deniedBy).reduce((sum, count) => sum + count, 0);
  return { frames, granted, denied, deniedBy, frameErrors, offlineDecisions: tally.door(reader).offline };
}

/** The counts of the day, from the office's final state. REFUSED when ledger and boards disagree. */
export async function summarise(
  stage: Stage,
  all: readonly Standing[],
  tally: Tally,
): Promise<Omit<Summary, "convergedMs">> {
  const ledger = await doorCounts(stage);
  const doors: Record<string, DoorSummary> = {};
  for (const reader of READERS) doors[reader] = doorSummary(reader, ledger[reader] ?? NOTHING, tally);
  const nodes: Record<string, NodeSummary> = {};
  for (const { node, entries, stateRoot } of all) nodes[node] = { entries, stateRoot };
  const office = all[0];
  return {
    doors,
    lathe: doorSummary(LATHE, ledger[LATHE] ?? NOTHING, tally),
    nodes,
    merges: office?.merges ?? 0,
    void: office?.voids ?? 0,
    decisionMs: tally.decision(),
    strikeMs: tally.strike(),
    unanswered: tally.unanswered,
    restarts: stage.restarts,
  };
}
