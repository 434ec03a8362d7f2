/**
 * `npm run simulate:long`: many seeds of the simulated world, a process for each core.
 *   --seeds N (2000)  --from-seed N (1)  --nodes N (15)  --days N (7)  --cheats N (1)  --processes N (one a core)
 *   --keep-going      goes on after a seed that fails
 * Stops at the first seed that fails, with the command that repeats it; says every minute how far it is, and how to
 * go on from there. Exit 1 when a seed failed.
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { FAULT_KINDS, simulate } from "../../dist/lib/simulate/index.js";

const text = (value) => ({ type: "string", default: String(value) });
const { values } = parseArgs({
  options: {
    seeds: text(2000),
    "from-seed": text(1),
    nodes: text(15),
    days: text(7),
    cheats: text(1),
    processes: text(availableParallelism()),
    "keep-going": { type: "boolean", default: false },
  },
});
const [seeds, from, nodes, days, cheats, processes] = [
  "seeds",
  "from-seed",
  "nodes",
  "days",
  "cheats",
  "processes",
].map((name) => Number(values[name]));
const PROGRESS_MS = 60_000;
const world = `--nodes ${nodes} --days ${days} --cheats ${cheats}`;

/** Plays each seed that it is given, until it is told to end. */
function serve() {
  process.on("SIGINT", () => {}); // The one who gives the seeds decides.
  process.on("message", async (seed) => {
    const before = process.cpuUsage();
    const result = await simulate({ seed, nodes, days, faults: FAULT_KINDS, cheats }).catch((error) => ({
      findings: [{ invariant: "fault", what: error.stack }],
      summary: { merges: 0, entries: 0 },
    }));
    const { user, system } = process.cpuUsage(before);
    const { merges, entries } = result.summary;
    process.send({ seed, findings: result.findings, merges, entries, cpuMs: (user + system) / 1000 });
  });
}

class Run {
  #sum = { done: 0, failed: 0, merges: 0, entries: 0, cpuMs: 0 };
  #next = from;
  #playing = new Set();
  #isStopped = false;
  #startMs = performance.now();

  async play() {
    const timer = setInterval(() => this.#say(), PROGRESS_MS);
    process.once("SIGINT", () => this.#stop());
    process.once("SIGTERM", () => this.#stop());
    await Promise.all(Array.from({ length: processes }, () => this.#work()));
    clearInterval(timer);
    this.#say();
    process.exitCode = this.#sum.failed > 0 || this.#sum.done < seeds ? 1 : 0;
  }

  /** One process, from its first seed to its last. Blocks live for a merge or two: a large nursery spares collections. */
  #work() {
    const child = fork(process.argv[1], process.argv.slice(2), {
      env: { ...process.env, SIMULATE_LONG_WORKER: "1" },
      execArgv: ["--max-semi-space-size=32"],
    });
    let seed;
    const give = () => {
      if (this.#isStopped || this.#next >= from + seeds) return child.disconnect();
      seed = this.#next++;
      this.#playing.add(seed);
      child.send(seed);
    };
    child.on("message", (report) => {
      this.#playing.delete(seed);
      this.#take(report);
      seed = undefined;
      give();
    });
    give();
    return new Promise((resolve) =>
      child.once("exit", () => {
        if (seed !== undefined && !this.#isStopped)
          this.#take({
            seed,
            findings: [{ invariant: "fault", what: "the process died" }],
            merges: 0,
            entries: 0,
            cpuMs: 0,
          });
        resolve();
      }),
    );
  }

  #take({ seed, findings, merges, entries, cpuMs }) {
    this.#sum.done += 1;
    this.#sum.merges += merges;
    this.#sum.entries += entries;
    this.#sum.cpuMs += cpuMs;
    if (findings.length === 0) return;
    this.#sum.failed += 1;
    console.log(`seed ${seed}: ${findings.map(({ invariant, what }) => `${invariant}: ${what}`).join("; ")}`);
    console.log(`  gdo simulate --seed ${seed} --faults all ${world}`);
    if (!values["keep-going"]) this.#stop();
  }

  /** What is being played ends by itself. */
  #stop() {
    this.#isStopped = true;
  }

  #say() {
    const { done, failed, entries, merges, cpuMs } = this.#sum;
    const seconds = (performance.now() - this.#startMs) / 1000;
    const each = (ms) => (done === 0 ? "?" : (ms / 1000 / done).toFixed(2));
    console.log(
      `${done} of ${seeds} seeds of ${nodes} nodes, ${days} days, ${cheats} cheats: ${failed} failed; ` +
        `${entries} entries, ${merges} final merges; ${seconds.toFixed(0)} s, ${each(seconds * 1000)} s a seed ` +
        `(${each(cpuMs)} s of a processor)`,
    );
    const left = Math.min(this.#next, ...this.#playing);
    if (left < from + seeds)
      console.log(`  to go on: npm run simulate:long -- --from-seed ${left} --seeds ${from + seeds - left}`);
  }
}

if (process.env["SIMULATE_LONG_WORKER"] === undefined) await new Run().play();
else serve();
