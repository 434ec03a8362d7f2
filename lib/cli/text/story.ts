/** The demo's events as sentences for people who run a maker space, not computers. Pure. */
import type { DemoEvent, Standing, Summary } from "../../agent/index.ts";
import { table } from "./text-table.ts";

const HOUR_MS = 3_600_000;
/** A denial now and then is told; all of them would drown the day. */
const TOLD_DENIALS = 3;

/** "07:01" of milliseconds since midnight. */
export function timeOfDay(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

type EventOf<Type extends DemoEvent["type"]> = Extract<DemoEvent, { type: Type }>;

interface Hour {
  granted: number;
  turnedAway: number;
}

function cards(count: number): string {
  return `${count} ${count === 1 ? "card" : "cards"}`;
}

export class Story {
  readonly #hours = new Map<number, Hour>();
  /** The hour that each node's doors have come to: they play their cards side by side, not in step. */
  readonly #at = new Map<string, number>();
  #told = 0;
  #outageSince = 0;
  #merged = 0;

  /** What to print for an event; empty when it is not worth a line. */
  tell(event: DemoEvent): string {
    switch (event.type) {
      case "begin":
        return `A maker space on this machine, in ${event.folder}\n`;
      case "founded":
        return `${event.organisation} is founded. Its computers: ${event.nodes.join(", ")}.`;
      case "dapp":
        return `The ${event.name} program ${event.version} runs in its own container.`;
      case "imported":
        return imported(event);
      case "armed":
        return `${event.node} has the list and can decide on its own.`;
      case "day":
        for (const node of event.nodes) this.#at.set(node, 0);
        return `\nThe day begins: ${event.frames} cards from ${timeOfDay(event.fromMs)} to ${timeOfDay(event.toMs)}, ${event.speed} times faster than life.`;
      case "frame":
        return this.#frame(event);
      case "link":
        return this.#link(event);
      case "merge":
        this.#merged += event.included;
        return "";
      case "died":
        return `${timeOfDay(event.atMs)}  The ${event.process} died (${event.how}); it is started again.`;
      case "released":
        return `${timeOfDay(event.atMs)}  The guardian of ${event.node} released ${event.line}.`;
      case "dayend":
        return [
          ...this.#hoursUpTo(Number.POSITIVE_INFINITY, event.atMs),
          `${timeOfDay(event.atMs)}  That was the last card of the day. All nodes exchange what they have.`,
        ].join("\n");
      case "converged":
        return `All nodes hold the same ${event.entries} entries and agree, ${event.ms} ms after the last card.\n`;
      case "summary":
        return summaryText(event);
      default:
        return event satisfies never;
    }
  }

  /** Counts a frame; tells the first denials, and each hour when all doors are past it. */
  #frame(event: EventOf<"frame">): string {
    const { atMs, node, reader, isAnswered, isGranted, who } = event;
    const hour = Math.floor(atMs / HOUR_MS);
    this.#at.set(node, hour);
    const before = this.#hoursUpTo(Math.min(...this.#at.values()));
    const counted = this.#hours.get(hour) ?? { granted: 0, turnedAway: 0 };
    this.#hours.set(hour, counted);
    if (isGranted) counted.granted += 1;
    else counted.turnedAway += 1;
    const isTold = who !== undefined && isAnswered;
    const remark = isTold ? [visit(who, event)] : this.#remark(timeOfDay(atMs), reader, { isAnswered, isGranted });
    return [...before, ...remark].join("\n");
  }

  #remark(at: string, reader: string, frame: { isAnswered: boolean; isGranted: boolean }): string[] {
    if (!frame.isAnswered) return [`${at}  The door at ${reader} died with a card in hand; its log will tell.`];
    if (frame.isGranted || this.#told >= TOLD_DENIALS) return [];
    this.#told += 1;
    return [`${at}  A card at ${reader} is turned away; the strike stays shut.`];
  }

  /** Lines of the hours before this one that have not been told. */
  #hoursUpTo(end: number, atMs?: number): string[] {
    const over = [...this.#hours.keys()].filter((hour) => hour < end).sort((a, b) => a - b);
    return over.map((hour) => {
      const { granted, turnedAway } = this.#hours.get(hour) as Hour;
      this.#hours.delete(hour);
      const at = timeOfDay(Math.min((hour + 1) * HOUR_MS, atMs ?? Number.POSITIVE_INFINITY));
      return `${at}  In the last hour ${granted} let in, ${turnedAway} turned away. Merged so far: ${this.#merged} entries.`;
    });
  }

  #link({ node, state, atMs, offline }: EventOf<"link">): string {
    if (state === "cut") {
      this.#outageSince = offline;
      return `${timeOfDay(atMs)}  The network cable of ${node} is cut. Its doors go on deciding and keep their own log.`;
    }
    return `${timeOfDay(atMs)}  The cable of ${node} is back. It decided ${cards(offline - this.#outageSince)} alone; now it sends what it logged.`;
  }
}

/** Why somebody is turned away, in words; a code without words is said as it is. */
const WORDS: Readonly<Record<string, string>> = {
  membership_missing: "no dues were ever paid",
  membership_expired: "the dues have lapsed",
  certificate_missing: "there is no certificate",
  certificate_expired: "the certificate has expired",
  certificate_revoked: "the certificate was revoked",
};

function visit(who: string, { atMs, reader, isGranted, isOffline, reasons }: EventOf<"frame">): string {
  const at = `${timeOfDay(atMs)}  The ${reader}${isOffline ? ", cut off," : ""}`;
  if (isGranted) return `${at} lets ${who} work: dues are paid, the certificate holds.`;
  return `${at} turns ${who} away: ${reasons.map((reason) => WORDS[reason] ?? reason).join(", and ")}.`;
}

function imported({ path, rows, people, credentials, allowed, denied, problems }: EventOf<"imported">): string {
  const odd = problems.slice(0, 8).map(({ line, what, effect }) => `  line ${line}: ${what}: ${effect}`);
  if (problems.length > odd.length) odd.push(`  … and ${problems.length - odd.length} odd rows more`);
  const head = `Access list ${path}: ${rows} rows, ${people} people, ${credentials} cards, ${allowed} allowed, ${denied} denied.`;
  return [head, ...odd].join("\n");
}

function denialReasons(denied: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(denied).sort(([a], [b]) => (a < b ? -1 : 1));
  return reasons.length === 0 ? "none" : reasons.map(([reason, count]) => `${count} ${reason}`).join(", ");
}

/** The closing tables. */
export function summaryText(summary: Summary): string {
  const doors = Object.entries({ ...summary.doors, lathe: summary.lathe }).map(([name, door]) => [
    name,
    String(door.frames),
    String(door.granted),
    denialReasons(door.deniedBy),
    String(door.frameErrors),
    String(door.offlineDecisions),
  ]);
  const nodes = Object.entries(summary.nodes).map(([name, { entries, stateRoot }]) => [
    name,
    String(entries),
    stateRoot.slice(0, 12),
  ]);
  const roots = new Set(Object.values(summary.nodes).map(({ stateRoot }) => stateRoot));
  const { decisionMs, strikeMs } = summary;
  return [
    table(["door", "frames", "granted", "denied", "frame errors", "decided offline"], doors),
    "",
    table(["node", "entries", "state root"], nodes),
    "",
    `State roots: ${roots.size === 1 ? "equal" : "DIFFERENT"}. Merges: ${summary.merges}. Void entries: ${summary.void}.`,
    `Decision p50 ${decisionMs.p50} ms, p99 ${decisionMs.p99} ms. Last pulse to strike p50 ${strikeMs.p50} ms, p99 ${strikeMs.p99} ms.`,
    ...(summary.restarts === 0
      ? []
      : [`Processes started again: ${summary.restarts}. Frames without an answer: ${summary.unanswered}.`]),
  ].join("\n");
}

/** Where the nodes stand, one line each. */
export function standingText(standings: readonly Standing[] | undefined): string {
  if (standings === undefined) return "a node is being started again";
  const rows = standings.map(({ node, entries, pending, stateRoot }) => [
    node,
    String(entries),
    String(pending),
    stateRoot.slice(0, 12),
  ]);
  return table(["node", "entries", "pending", "state root"], rows);
}
