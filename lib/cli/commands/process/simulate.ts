/** `gdo simulate`: an organisation in virtual time, with everything that can go wrong, from one seed. */
import { GdoError } from "../../../base/index.ts";
import type { Fault, FaultKind, SimulationOptions, SimulationResult, TimelineEvent } from "../../../simulate/index.ts";
import type { CommandSpec, Session } from "../../command.ts";
import { wholeNumber } from "../../values.ts";

interface Options {
  readonly seed: number;
  readonly nodes: number;
  readonly validators?: number;
  readonly days: number;
  readonly faults: string;
  readonly cheats: number;
  readonly only?: readonly number[];
}

const NODES_MAX = 60;
const DAYS_MAX = 365;
const SEED_MAX = 2 ** 31 - 1;

function places(text: string): readonly number[] {
  const numbers = text === "" ? [] : text.split(",").map(Number);
  if (numbers.every((value) => Number.isInteger(value) && value >= 1)) return numbers;
  throw new GdoError("USAGE", `--only takes numbers of faults, such as 3,7, not ${text}`);
}

export const simulate: CommandSpec = {
  name: "simulate",
  summary: "Play an organisation in virtual time, with faults and cheats, and check the ledger's invariants.",
  options: [
    {
      flags: "--seed <n>",
      about: "what happens; the same number is the same run",
      parse: wholeNumber("--seed", 0, SEED_MAX),
      default: 1,
    },
    {
      flags: "--nodes <n>",
      about: "validators, a third of them, and doors",
      parse: wholeNumber("--nodes", 1, NODES_MAX),
      default: 9,
    },
    {
      flags: "--validators <n>",
      about: "so many of the nodes validate, not a third",
      parse: wholeNumber("--validators", 1, NODES_MAX),
    },
    { flags: "--days <n>", about: "how long", parse: wholeNumber("--days", 1, DAYS_MAX), default: 2 },
    {
      flags: "--faults <list>",
      about: "all, none, or kinds with commas between; a kind that is none is refused with all there are",
      default: "all",
    },
    {
      flags: "--cheats <n>",
      about:
        "nodes that want harm: validators as far as the quorum stands it, then doors; with one, two administrators feud",
      parse: wholeNumber("--cheats", 0, NODES_MAX),
      default: 0,
    },
    {
      flags: "--only <list>",
      about: "of the faults that the seed makes, only those with these numbers",
      parse: places,
    },
  ],
  exits: { 1: "an invariant does not hold" },
  example: "gdo simulate --seed 7 --nodes 9 --days 2 --cheats 1",
  async run(session, given) {
    const { simulate: play, scheduleOf } = await import("../../../simulate/index.ts");
    const asked = given.options as unknown as Options;
    const options: SimulationOptions = { ...asked, faults: await kindsOf(asked.faults) };
    if (options.cheats >= options.nodes) throw new GdoError("USAGE", "at least one node must be honest");
    if ((options.validators ?? 1) > options.nodes)
      throw new GdoError("USAGE", `of ${options.nodes} nodes ${options.validators} cannot validate`);
    const all = scheduleOf(options);
    const beyond = asked.only?.find((place) => place > all.length);
    if (beyond !== undefined) throw new GdoError("USAGE", `there is no fault ${beyond}: this seed makes ${all.length}`);
    const schedule = asked.only === undefined ? all : all.filter((_fault, index) => asked.only?.includes(index + 1));
    const result = await play(options, schedule);
    tellTimeline(session, result.timeline);
    tellSummary(session, result);
    if (result.findings.length === 0) return 0;
    await tellFailure(session, { asked, all, result });
    return 1;
  },
};

async function kindsOf(text: string): Promise<readonly FaultKind[]> {
  const { FAULT_KINDS } = await import("../../../simulate/index.ts");
  if (text === "all") return FAULT_KINDS;
  if (text === "none") return [];
  return text.split(",").map((name) => {
    const kind = FAULT_KINDS.find((each) => each === name);
    if (kind === undefined)
      throw new GdoError("USAGE", `there is no fault ${name}; there are ${FAULT_KINDS.join(", ")}`);
    return kind;
  });
}

function tellTimeline(session: Session, timeline: readonly TimelineEvent[]): void {
  for (const { atMs, node, what } of timeline) {
    session.out.emit("event", { atMs, node, what }, () => `${clockText(atMs)}  ${node.padEnd(12)} ${what}`);
  }
}

/** Day, hours, minutes and seconds since the world began. */
function clockText(atMs: number): string {
  const seconds = Math.floor(atMs / 1000);
  const part = (value: number): string => String(value).padStart(2, "0");
  return `day ${Math.floor(seconds / 86_400) + 1} ${part(Math.floor(seconds / 3600) % 24)}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
}

function tellSummary(session: Session, { summary, options, schedule, findings }: SimulationResult): void {
  const { entries, merges, void: voids, frames, bytes, healedMs, trace } = summary;
  const facts = { ...summary, seed: options.seed, faults: schedule.length, findings: findings.length };
  session.out.emit("summary", facts, () =>
    [
      `${entries} entries, ${voids} void, ${merges} final merges; ${schedule.length} faults; ${frames} frames, ${bytes} bytes`,
      `healed within ${(healedMs / 1000).toFixed(0)} s; trace ${trace.slice(0, 12)}`,
      ...findings.map(({ invariant, what }) => `${invariant} does not hold: ${what}`),
      ...(findings.length === 0 ? ["every invariant holds"] : []),
    ].join("\n"),
  );
}

interface Failure {
  readonly asked: Options;
  readonly all: readonly Fault[];
  readonly result: SimulationResult;
}

/** The fewest faults with which the same invariant fails, and the command that shows it. */
async function tellFailure(session: Session, { asked, all, result }: Failure): Promise<void> {
  const { shrink, simulate: play, faultText } = await import("../../../simulate/index.ts");
  const [first] = result.findings;
  const few = await shrink<Fault>(result.schedule, async (part) => {
    const { findings } = await play(result.options, part);
    return findings.some(({ invariant }) => invariant === first?.invariant);
  });
  const { seed, nodes, validators, days, faults, cheats } = asked;
  const size = validators === undefined ? `${nodes}` : `${nodes} --validators ${validators}`;
  const command = `gdo simulate --seed ${seed} --nodes ${size} --days ${days} --faults ${faults} --cheats ${cheats}`;
  const only = few.map((fault) => all.indexOf(fault) + 1).join(",");
  session.out.emit("failure", { command, shrunken: `${command} --only "${only}"`, faults: [...few] }, () =>
    [
      `again: ${command}`,
      `with as few faults as will do: ${command} --only "${only}"`,
      ...few.map((fault) => `  ${all.indexOf(fault) + 1}. ${faultText(fault)}`),
    ].join("\n"),
  );
}
