/** `gdo demo`: the maker space on this machine; the work is the agent's, the words are here. */
import { createInterface } from "node:readline";
import type { DemoEvent, RunningDemo } from "../../../agent/index.ts";
import type { CommandSpec, Given, Session } from "../../command.ts";
import { printable } from "../../output.ts";
import { untilStopped } from "../../stopping.ts";
import { Story, standingText, timeOfDay } from "../../text/story.ts";
import { wholeNumber } from "../../values.ts";

const SPEED_MAX = 1_000_000_000;

function demoOptions({ options }: Given): {
  aclPath: string | undefined;
  dayPath: string | undefined;
  outage: string;
  speed: number | undefined;
} {
  return { aclPath: options.acl, dayPath: options.day, outage: options.outage, speed: options.speed };
}

type Bar = typeof import("../../text/progress-bar.ts").ProgressBar;

/** Events to where they go: objects for programs; for people the story, on a terminal with a bar below it. */
class Telling {
  readonly #session: Session;
  readonly #story = new Story();
  readonly #Bar: Bar | undefined;
  #bar: InstanceType<Bar> | undefined;

  constructor(session: Session, bar: Bar | undefined) {
    this.#session = session;
    this.#Bar = bar;
  }

  tell(event: DemoEvent): void {
    const { type, ...fields } = event;
    const { out } = this.#session;
    if (out.json) return out.emit(type, fields, () => "");
    const text = this.#story.tell(event);
    if (this.#bar !== undefined && text !== "") this.#bar.line(printable(text));
    else if (text !== "") out.line(text);
    this.#moveBar(event);
  }

  #moveBar(event: DemoEvent): void {
    if (event.type === "day" && this.#Bar !== undefined)
      this.#bar = new this.#Bar(event.frames, timeOfDay(event.fromMs));
    else if (event.type === "frame") this.#bar?.advance(timeOfDay(event.atMs));
    else if (event.type === "dayend") this.end();
  }

  /** Takes the bar away, also when the day breaks off. */
  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

/** Stays up until asked to stop; Enter says where the nodes stand. */
async function stayUp(session: Session, demo: RunningDemo, stopped: Promise<void>): Promise<void> {
  session.out.line(
    `\nAll of it stays up, in ${demo.folder}. Enter tells where the nodes stand, Ctrl-C stops everything.`,
  );
  const input = createInterface({ input: process.stdin });
  input.on("line", () => {
    void demo.standings().then(
      (standings) => session.out.emit("standings", { nodes: standings ?? [] }, () => standingText(standings)),
      () => session.out.line("a node does not answer just now"),
    );
  });
  await stopped;
  input.close();
}

export const demo: CommandSpec = {
  name: "demo",
  summary: "A maker space on this machine: three nodes, three doors, one day of cards, an outage in the middle.",
  options: [
    { flags: "--once", about: "end when the day has been counted, instead of staying up" },
    { flags: "--acl <file>", about: "access list exported by doorbot, CSV or JSON (default: the demo's own)" },
    { flags: "--day <file>", about: "card frames, one JSON object a line (default: the demo's own)" },
    { flags: "--outage <node:from-to>", about: "whose link is cut, and when", default: "front-door:10:00-14:00" },
    {
      flags: "--speed <n>",
      about: "day seconds per second (default: the day in about 30 s)",
      parse: wholeNumber("--speed", 1, SPEED_MAX),
    },
  ],
  exits: {
    1: "stopped before the day was over, or ledger and doors disagree",
    4: "another demo uses this folder",
    5: "the folder holds something that no demo made",
    12: "the access list or the day is malformed",
    13: "a file cannot be read",
    52: "a process does not start, or the nodes do not come into step",
  },
  example: "gdo demo --once --outage laser-room:09:00-17:30",
  async run(session, given) {
    const { runDemo } = await import("../../../agent/index.ts");
    const isOnTerminal = process.stdout.isTTY === true && !session.json;
    const telling = new Telling(
      session,
      isOnTerminal ? (await import("../../text/progress-bar.ts")).ProgressBar : undefined,
    );
    const stopped = untilStopped({ withParent: false });
    const tell = (event: DemoEvent): void => telling.tell(event);
    const options = { folder: session.homeFlag, ...demoOptions(given), stopped, tell };
    const demo = await runDemo(options).finally(() => telling.end());
    if (given.options.once !== true) await stayUp(session, demo, stopped);
    session.out.line("Stopping the doors, the agents and their containers …");
    await demo.close();
    return 0;
  },
};
