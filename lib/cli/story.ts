/** The demo's events as sentences for people who run a maker space, not computers. Pure. */
import type { DemoEvent, Standing, Summary } from "../agent/index.ts";
import { table } from "./text-table.ts";

const HOUR_MS = 3_600_000;
/** A denial now and then is told; all of them would drown the day. */
const TOLD_DENIALS = 3;

function timeOfDay(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

type EventOf<Type extends DemoEvent["type"]> = Extract<DemoEvent, { type: Type }>;

export class Story {
  #hour = -1;
  #let = 0;
  #turned = 0;
  #told = 0;
  #outageSince = 0;
  #mergedSince = 0;

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
        return `\nThe day begins: ${event.frames} cards from ${timeOfDay(event.fromMs)} to ${timeOfDay(event.toMs)}, ${event.speed} times faster than life.`;
      case "frame":
        return this.#frame(event);
      case "link":
        return this.#link(event);
      case "merge":
        this.#mergedSince += event.included;
        return "";
      case "died":
        return `${timeOfDay(event.atMs)}  The ${event.process} died (${event.how}); it is started again.`;
      case "released":
        return `${timeOfDay(event.atMs)}  The guardian of ${event.node} released ${event.line}.`;
      case "dayend":
        return `${this.#hourEnd(event.atMs)}${timeOfDay(event.atMs)}  The last card of the day. All nodes exchange what they have.`;
      case "converged":
        return `All nodes hold the same ${event.entries} entries and agree, ${event.ms} ms after the last card.\n`;
      case "summary":
        return summaryText(event);
      default:
        return event satisfies never;
    }
  }

  /** Counts a frame; tells the first denials, and each hour when it is over. */
  #frame(event: EventOf<"frame">): string {
    const hour = Math.floor(event.atMs / HOUR_MS);
    const before = hour > this.#hour ? this.#hourEnd(event.atMs) : "";
    this.#hour = Math.max(this.#hour, hour);
    if (event.isGranted) this.#let += 1;
    else this.#turned += 1;
    if (!event.isAnswered) {
      return `${before}${timeOfDay(event.atMs)}  The door at ${event.reader} died with a card in hand; nobody knows yet whether it was logged.`;
    }
    if (event.isGranted || this.#told >= TOLD_DENIALS) return before.trimEnd();
    this.#told += 1;
    return `${before}${timeOfDay(event.atMs)}  A card at ${event.reader} is turned away; the strike stays shut.`;
  }

  #hourEnd(_atMs: number): string {
    const counted = this.#let + this.#turned;
    if (this.#hour === -1 || counted === 0) return "";
    const merged = this.#mergedSince === 0 ? "" : `; ${this.#mergedSince} entries merged`;
    const line = `${timeOfDay((this.#hour + 1) * HOUR_MS)}  ${this.#let} let in, ${this.#turned} turned away in the last hour${merged}.\n`;
    this.#let = 0;
    this.#turned = 0;
    this.#mergedSince = 0;
    return line;
  }

  #link({ node, state, atMs, offline }: EventOf<"link">): string {
    if (state === "cut") {
      this.#outageSince = offline;
      return `${timeOfDay(atMs)}  The network cable of ${node} is cut. Its doors go on deciding and keep their own log.`;
    }
    return `${timeOfDay(atMs)}  The cable of ${node} is back. It decided ${offline - this.#outageSince} cards alone; now it sends what it logged.`;
  }
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
  const doors = Object.entries(summary.doors).map(([name, door]) => [
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
