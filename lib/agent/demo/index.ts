/**
 * The demo: a maker space on one machine, with real processes, links and containers, that lives
 * through one day of card frames. Tells what happens as events; the command line makes sentences.
 */
import { accessSync, constants, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PROJECT } from "../../addon.ts";
import { type Clock, GdoError, SystemClock } from "../../base/index.ts";
import { ALL_READERS, DOOR_NODE_NAMES, NODE_NAMES, nodeOfReader, ORGANISATION, READERS } from "../demo-script/cast.ts";
import { DAY_MS, type Frame, parseDay } from "../demo-script/day.ts";
import { type Outage, parseOutage } from "../demo-script/outage.ts";
import { Tally } from "../demo-script/tally.ts";
import { defaultSpeed, startOfDay } from "../demo-script/timeline.ts";
import { withVisits, workshopActs } from "../demo-script/workshop.ts";
import type { Child, ChildEvent } from "./child.ts";
import type { DemoEvent, Imported, Summary } from "./events.ts";
import { converge, type Standing, standings, strikesReleased, summarise } from "./finale.ts";
import { claimFolder, demoFolder } from "./folder.ts";
import { Play } from "./play.ts";
import { Stage } from "./stage.ts";
import { deferred, monoMs, until } from "./waiting.ts";

export type { DemoEvent, Summary } from "./events.ts";
export type { Standing } from "./finale.ts";

export interface DemoOptions {
  /** Folder for the homes; undefined takes the usual place. */
  readonly folder: string | undefined;
  /** Access list exported by doorbot; undefined takes the demo's own. */
  readonly aclPath: string | undefined;
  readonly dayPath: string | undefined;
  /** NODE:FROM-TO. */
  readonly outage: string;
  /** Day seconds per second; undefined plays the day in about half a minute. */
  readonly speed: number | undefined;
  /** Resolves when somebody wants to stop. */
  readonly stopped: Promise<void>;
  tell(event: DemoEvent): void;
}

export interface RunningDemo {
  readonly folder: string;
  /** Where each node stands now; undefined while one is being started again. */
  standings(): Promise<readonly Standing[] | undefined>;
  /** Stops every process in order and lets go of the folder, which stays. */
  close(): Promise<void>;
}

const LAUNCHER = fileURLToPath(new URL("bin/gdo", PROJECT));
const DATA = new URL("images/demo/makerspace/", PROJECT);
const DAPPS = new URL("dist/dapps/", PROJECT);

/** A dapp after those that it reads. */
const DAPP_NAMES = ["accounting", "membership", "certification", "door"];

/** Pending to admin: whoever the list allows at all may pass, as doorbot had it. */
const ANYONE = -2;
const CONVERGE_WITHIN_MS = 120_000;
const ARMED_WITHIN_MS = 60_000;

function readDay(path: string | undefined): Frame[] {
  const file = path === undefined ? fileURLToPath(new URL("day.jsonl", DATA)) : resolve(path);
  return parseDay(readFileSync(file, "utf8"), path ?? basename(file), new Set(READERS));
}

/** Midnight of tomorrow (UTC): a day ahead, so that what the clocks are steered through never lies in the past. */
function midnightOfTomorrow(clock: Clock): number {
  return (Math.floor(clock.nowMs() / DAY_MS) + 1) * DAY_MS;
}

class Demo {
  readonly #options: DemoOptions;
  readonly #clock = new SystemClock();
  readonly #frames: readonly Frame[];
  readonly #outage: Outage;
  readonly #aclPath: string;
  readonly #midnightMs: number;
  readonly #startMs: number;
  readonly #tally = new Tally(ALL_READERS);
  readonly #failed = deferred<never>();
  /** Ends what is being played, whoever wanted it and why. */
  readonly #ended = deferred<void>();
  #isEnded = false;
  readonly #stage: Stage;
  #play: Play | undefined;

  constructor(options: DemoOptions, folder: string) {
    this.#options = options;
    this.#outage = parseOutage(options.outage, DOOR_NODE_NAMES);
    this.#frames = withVisits(readDay(options.dayPath));
    this.#aclPath = options.aclPath === undefined ? fileURLToPath(new URL("acl.csv", DATA)) : resolve(options.aclPath);
    accessSync(this.#aclPath, constants.R_OK); // What is wrong inside, its import says.
    this.#midnightMs = midnightOfTomorrow(this.#clock);
    this.#startMs = startOfDay(this.#frames);
    this.#failed.promise.catch(() => {}); // Raced against below; may also come too late to matter.
    this.#stage = new Stage({
      folder,
      launcher: LAUNCHER,
      startMs: this.#midnightMs + this.#startMs,
      clock: this.#clock,
      onChild: (_process, node, event) => this.#hear(node, event),
      onDeath: (process, how) => options.tell({ type: "died", process, how, atMs: this.#dayMs() }),
      onReleased: (node, line) => options.tell({ type: "released", node, line, atMs: this.#dayMs() }),
      onGivenUp: (error) => this.#failed.reject(error),
    });
  }

  #dayMs(): number {
    return Math.floor(this.#play?.dayMs() ?? this.#startMs);
  }

  #hear(node: string, event: ChildEvent): void {
    if (event.type !== "merge" || event["branch"] !== "main" || node !== "office") return;
    const { h, entries: included, void: voids } = event as unknown as { h: number; entries: number; void: number };
    this.#options.tell({ type: "merge", h, included, void: voids, atMs: this.#dayMs() });
  }

  /** Everything from the founding to the last count. REFUSED when somebody stopped it on the way. */
  async run(): Promise<void> {
    const stopped = this.#options.stopped.then(() => {
      throw new GdoError("REFUSED", "stopped before the day was over");
    });
    await Promise.race([this.#wholeDay(), this.#failed.promise, stopped]);
  }

  async #wholeDay(): Promise<void> {
    await this.#prepare();
    const { outage, frames, startMs } = { outage: this.#outage, frames: this.#frames, startMs: this.#startMs };
    const { tell } = this.#options;
    const speed = this.#options.speed ?? defaultSpeed(frames);
    const ends = { fromMs: frames[0]?.atMs ?? 0, toMs: frames.at(-1)?.atMs ?? 0 };
    const nodes = [...new Set(frames.map(({ reader }) => nodeOfReader(reader)))];
    tell({ type: "day", frames: frames.length, nodes, ...ends, speed });
    this.#play = new Play({
      stage: this.#stage,
      frames,
      outage,
      clock: this.#clock,
      midnightMs: this.#midnightMs,
      // The quiet half hour before the first frame is not waited through.
      startMs: Math.max(startMs, ends.fromMs - speed * 1000),
      speed,
      tally: this.#tally,
      stopped: this.#ended.promise,
      tell,
    });
    await this.#play.run();
    if (this.#isEnded) return;
    tell({ type: "dayend", atMs: ends.toMs });
    await this.#conclude();
  }

  /** Homes, dapps, access list and grants, until every door decides by what they say. */
  async #prepare(): Promise<void> {
    const { tell } = this.#options;
    await this.#stage.found();
    tell({ type: "founded", organisation: ORGANISATION, nodes: NODE_NAMES });
    const { link } = this.#stage.office;
    for (const name of DAPP_NAMES) {
      const installed = (await link.command("installDapp", { path: fileURLToPath(new URL(name, DAPPS)) })) as {
        version: string;
      };
      tell({ type: "dapp", name, version: installed.version });
    }
    await link.command("merge", {});
    await this.#stage.joinDoors();
    const path = this.#aclPath;
    const imported = (await link.command("importDoorbot", { path })) as Imported;
    tell({ ...imported, type: "imported", path: basename(path) });
    const acts = READERS.map((door) => ({ type: "grant.set", body: { door, minLevel: ANYONE } }));
    await link.command("append", { app: "door", acts });
    await this.#openWorkshop();
    for (const station of this.#stage.stations) await this.#armed(station);
  }

  /** The two who use the lathe: their cards, their dues, their certificates, and what the lathe asks for. */
  async #openWorkshop(): Promise<void> {
    const { link } = this.#stage.office;
    await link.command("importDoorbot", { path: fileURLToPath(new URL("workshop.csv", DATA)) });
    const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, "2026-11-22".length);
    for (const entry of workshopActs(this.#midnightMs, dateOf)) await link.command("append", entry);
  }

  async #armed({
    name,
    link,
    door,
  }: {
    name: string;
    link: { ask(method: string): Promise<unknown> };
    door: Child;
  }): Promise<void> {
    await door.ready();
    const patience = {
      clock: this.#clock,
      everyMs: 50,
      withinMs: ARMED_WITHIN_MS,
      what: `the first snapshot's way to ${name}`,
    };
    const wanted = await this.#settledGeneration(patience);
    const generation = await until(patience, async (blame) => {
      const status = (await link.ask("status")) as { door?: { policyGeneration?: number } } | undefined;
      const held = status?.door?.policyGeneration ?? 0;
      if (held >= wanted) return held;
      blame(`its door has generation ${held} of ${wanted}`);
      return undefined;
    });
    this.#options.tell({ type: "armed", node: name, generation });
  }

  /** The generation that says all that was recorded: nothing is pending, and the office holds the newest. */
  #settledGeneration(patience: Parameters<typeof until>[0]): Promise<number> {
    return until(patience, async (blame) => {
      const { pending, policy } = (await this.#stage.office.link.insist("status")) as {
        pending: number;
        policy?: { generation: number; latest: number };
      };
      if (pending === 0 && policy !== undefined && policy.generation === policy.latest) return policy.generation;
      blame(`the office has ${pending} entries to merge`);
      return undefined;
    });
  }

  async #conclude(): Promise<void> {
    const { tell } = this.#options;
    const fromMs = monoMs(this.#clock);
    for (const { cable } of this.#stage.stations) cable.restore();
    await strikesReleased(this.#stage, this.#midnightMs + (this.#frames.at(-1)?.atMs ?? 0));
    const all = await converge(this.#stage, CONVERGE_WITHIN_MS);
    const convergedMs = Math.round(monoMs(this.#clock) - fromMs);
    const { entries = 0, stateRoot = "" } = all[0] ?? {};
    tell({ type: "converged", ms: convergedMs, entries, stateRoot });
    const counted = await summarise(this.#stage, all, this.#tally);
    const summary: Summary = { ...counted, convergedMs };
    tell({ type: "summary", ...summary });
  }

  standings(): Promise<readonly Standing[] | undefined> {
    return standings(this.#stage);
  }

  close(): Promise<void> {
    this.#isEnded = true;
    this.#ended.resolve();
    return this.#stage.close();
  }
}

/**
 * Plays the whole day and resolves after the summary, with everything still up. Wrong options, a
 * malformed day and a folder of somebody else's are refused before anything starts; when the day
 * fails, all that was started is stopped before the error is thrown.
 */
export async function runDemo(options: DemoOptions): Promise<RunningDemo> {
  const folder = demoFolder(options.folder);
  const demo = new Demo(options, folder);
  const release = claimFolder(folder);
  const close = async (): Promise<void> => {
    await demo.close();
    release();
  };
  options.tell({ type: "begin", folder });
  try {
    await demo.run();
  } catch (error) {
    await close();
    throw error;
  }
  return { folder, standings: () => demo.standings(), close };
}
