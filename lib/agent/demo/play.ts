/** Plays the day: people at the readers, the link that is cut and comes back, the clocks of all nodes. */
import { type Clock, GdoError } from "../../base/index.ts";
import { edgesOf, type FrameReport } from "../../device/index.ts";
import type { Frame } from "../demo-script/day.ts";
import type { Outage } from "../demo-script/outage.ts";
import type { Tally } from "../demo-script/tally.ts";
import { type Moment, timelineOf } from "../demo-script/timeline.ts";
import type { DemoEvent } from "./events.ts";
import { Pace } from "./pace.ts";
import type { DoorStation, Stage } from "./stage.ts";
import { deferred, pause } from "./waiting.ts";

/** Between two pulses of a frame: as fast as readers go, so that the gap that ends it is short. */
const PULSE_INTERVAL_NS = 700_000;
const STEER_EVERY_MS = 200;
const ANSWER_WITHIN_MS = 60_000;

export interface PlayOptions {
  readonly stage: Stage;
  readonly frames: readonly Frame[];
  readonly outage: Outage | undefined;
  readonly clock: Clock;
  /** Wall time of the day's midnight. */
  readonly midnightMs: number;
  readonly startMs: number;
  readonly speed: number;
  readonly tally: Tally;
  /** Resolves when somebody wants to stop; the day then ends where it is. */
  readonly stopped: Promise<void>;
  tell(event: DemoEvent): void;
}

/** One day. Each door process gets its own frames in order, never two at a time. */
export class Play {
  readonly #options: PlayOptions;
  readonly #pace: Pace;
  /** The moment that each node plays, or comes to next. */
  readonly #next = new Map<string, number>();
  #isOver = false;
  #isStopped = false;

  constructor(options: PlayOptions) {
    this.#options = options;
    void options.stopped.then(() => {
      this.#isStopped = true;
    });
    this.#pace = new Pace(options.clock, options.startMs, options.speed);
  }

  /**
   * The day's time now; the last frame's when all is played. No node's agent is ahead of a door that is late:
   * else a snapshot would reach the door from its own future, in which dues and certificates have ended.
   */
  dayMs(): number {
    return Math.min(this.#pace.dayMs(), ...this.#next.values(), this.#options.frames.at(-1)?.atMs ?? 0);
  }

  async run(): Promise<void> {
    const { stage, frames, outage } = this.#options;
    const steering = this.#steer();
    try {
      await Promise.all(
        stage.stations.map((station) => this.#follow(station, timelineOf(station.name, frames, outage))),
      );
    } finally {
      this.#isOver = true;
      await steering;
    }
    await stage.steer(this.#options.midnightMs + this.dayMs());
  }

  async #steer(): Promise<void> {
    const { clock, midnightMs, stage } = this.#options;
    while (!this.#isOver && !this.#isStopped) {
      await stage.steer(Math.floor(midnightMs + this.dayMs()));
      await pause(clock, STEER_EVERY_MS);
    }
  }

  async #follow(station: DoorStation, moments: readonly Moment[]): Promise<void> {
    const lastMs = this.#options.frames.at(-1)?.atMs ?? 0;
    for (const moment of moments) {
      if (this.#isStopped) return;
      // A link that comes back after the last frame need not be waited for.
      const atMs = Math.min(moment.atMs, lastMs);
      this.#next.set(station.name, atMs);
      await this.#pace.reach(atMs);
      if (moment.act === "frame") await this.#swipe(station, moment.frame);
      else this.#changeLink(station, moment.act, atMs);
    }
    this.#next.delete(station.name);
  }

  #changeLink(station: DoorStation, act: "cut" | "restore", atMs: number): void {
    const { tally, tell } = this.#options;
    if (act === "cut") station.cable.cut();
    else station.cable.restore();
    const offline = station.readers.reduce((sum, reader) => sum + tally.door(reader).offline, 0);
    tell({ type: "link", node: station.name, state: act === "cut" ? "cut" : "restored", atMs, offline });
  }

  /** Somebody holds a card to a reader; if the door process is away, they wait until it is back. */
  async #swipe(station: DoorStation, { atMs, reader, bits, who }: Frame): Promise<void> {
    const { board, cable } = station;
    const { midnightMs, tally, tell, stopped } = this.#options;
    await Promise.race([board.connected(reader), stopped]);
    if (this.#isStopped) return;
    const isOffline = cable.isCut;
    board.advance(midnightMs + atMs);
    const report = await this.#inTime(reader, board.play(reader, edgesOf(bits, PULSE_INTERVAL_NS)).catch(orNothing));
    const answer = answerOf(report);
    if (answer !== undefined) station.lastLogged = Math.max(station.lastLogged, answer.n);
    tally.add({ reader, atMs, isOffline, ...(answer === undefined ? {} : { answer }) });
    const isGranted = answer?.strikeMs !== undefined;
    const logged = answer?.n ?? null;
    tell({
      type: "frame",
      atMs,
      node: station.name,
      reader,
      isOffline,
      logged,
      isAnswered: report !== undefined,
      isGranted,
      reasons: report?.reasons ?? [],
      ...(who === undefined ? {} : { who }),
    });
  }

  /** A door that neither answers nor dies would hold up the day for ever. */
  async #inTime<T>(reader: string, answer: Promise<T>): Promise<T> {
    const silence = deferred<never>();
    const why = `the door at ${reader} did not answer a card in ${ANSWER_WITHIN_MS / 1000} s`;
    const cancel = this.#options.clock.after(ANSWER_WITHIN_MS, () =>
      silence.reject(new GdoError("AGENT_UNREACHABLE", why)),
    );
    try {
      return await Promise.race([answer, silence.promise]);
    } finally {
      cancel();
    }
  }
}

/** The door died with the frame in hand: it is not played again, since it may have been logged. */
function orNothing(error: unknown): undefined {
  if (error instanceof GdoError && error.code === "LINE_INVALID") return undefined;
  throw error;
}

function answerOf(
  report: FrameReport | undefined,
): { n: number; decisionMs: number; strikeMs: number | undefined } | undefined {
  if (report === undefined || report.logged === null) return undefined;
  const strikeMs = report.edgeToStrikeUs === null ? undefined : report.edgeToStrikeUs / 1000;
  return { n: report.logged, decisionMs: (report.decisionUs ?? 0) / 1000, strikeMs };
}
