import type { ChildProcess } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { SeededRng } from "../../lib/base/index.ts";
import { DATA, demoFolder, descendants, gdoJson, type Line, leftovers, runDemo } from "../support/demo-run.ts";

const SEEDS = (process.env.GDO_KILL_SEEDS ?? "1,2").split(",").map(Number);
/** Every fifth frame: a day that is played in some seconds. */
const THINNED = 5;
const SPEED = "5000";
const PAUSE_MS_MIN = 300;
const PAUSE_MS_MAX = 1500;

/** kill -9 of one process after another while the day is played, chosen and timed by the seed. */
function killer(seed: number, killed: string[]): (demo: ChildProcess, lines: readonly Line[]) => void {
  const rng = new SeededRng(seed);
  return (demo, lines) => {
    const strike = (): void => {
      if (demo.exitCode !== null || lines.some(({ type }) => type === "dayend")) return;
      if (lines.some(({ type }) => type === "day")) killOne(demo.pid as number, rng, killed);
      setTimeout(strike, PAUSE_MS_MIN + rng.next() * (PAUSE_MS_MAX - PAUSE_MS_MIN));
    };
    strike();
  };
}

function killOne(demo: number, rng: SeededRng, killed: string[]): void {
  const candidates = descendants(demo).sort((a, b) => a.pid - b.pid);
  const victim = candidates[Math.floor(rng.next() * candidates.length)];
  if (victim === undefined) return;
  try {
    process.kill(victim.pid, "SIGKILL");
    killed.push(victim.command);
  } catch {
    // It ended by itself in between.
  }
}

/** "front-door door" of a command line; containers and guardians by their program. */
function kindOf(command: string): string {
  const [, node = "", words = ""] = /--home \S*\/(\S+) --json (agent|door)/.exec(command) ?? [];
  return node === "" ? (command.split(" ")[0]?.split("/").at(-1) ?? "") : `${node} ${words}`;
}

interface LoggedFrame extends Line {
  readonly node: string;
  readonly logged: number | null;
}

/** "front-door-lock 17" of every entry that the office holds, as often as it holds it. */
function heldByOffice(folder: string): string[] {
  const rows = gdoJson(join(folder, "office"), ["log"]) as unknown as { kind: string; name: string; n: number }[];
  return rows.filter(({ kind }) => kind === "entry").map(({ name, n }) => `${name} ${n}`);
}

for (const seed of SEEDS) {
  test.serial(
    `[A4][L7] kill -9 at random loses nothing that was logged, doubles nothing, leaves no strike on (seed ${seed})`,
    async (t) => {
      t.timeout(900_000);
      const folder = demoFolder();
      t.teardown(() => rmSync(folder, { recursive: true, force: true }));
      const day = join(folder, "..", `${folder.split("/").at(-1)}.jsonl`);
      const frames = readFileSync(join(DATA, "day.jsonl"), "utf8")
        .split("\n")
        .filter((_, index) => index % THINNED === 0);
      writeFileSync(day, `${frames.join("\n")}\n`);
      t.teardown(() => rmSync(day, { force: true }));
      const killed: string[] = [];
      const { status, lines, errors } = await runDemo(
        ["--home", folder, "--day", day, "--speed", SPEED],
        killer(seed, killed),
      );
      t.log(`seed ${seed}: killed ${killed.map(kindOf).join(", ")}`);
      t.is(status, 0, `seed ${seed}: ${errors}`);
      t.true(killed.length > 0, "the day was over before anything was killed");
      const played = lines.filter(({ type }) => type === "frame") as LoggedFrame[];
      const held = heldByOffice(folder);
      t.is(new Set(held).size, held.length, "an entry is held twice");
      const lost = played.filter(({ node, logged }) => logged !== null && !held.includes(`${node}-lock ${logged}`));
      t.deepEqual(lost, [], `seed ${seed}`);
      const summary = lines.at(-1) as unknown as {
        type: string;
        nodes: Record<string, { entries: number; stateRoot: string }>;
      };
      t.is(summary.type, "summary"); // Which comes only after all strikes were seen released.
      t.is(new Set(Object.values(summary.nodes).map(({ stateRoot }) => stateRoot)).size, 1);
      t.is(new Set(Object.values(summary.nodes).map(({ entries }) => entries)).size, 1);
      t.deepEqual(leftovers(folder), []);
    },
  );
}
