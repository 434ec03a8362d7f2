/**
 * `npm run simulate:long`: many seeds of the simulated world, two processes beside each other.
 *   --seeds N (2000)  --from N (1)  --nodes N (15)  --days N (7)  --cheats N (1)  --processes N (2)
 * Prints each seed that fails, with the command that repeats it, and what a seed took. Exit 1 when one fails.
 */
import { fork } from "node:child_process";
import { parseArgs } from "node:util";
import { FAULT_KINDS, simulate } from "../../dist/lib/simulate/index.js";

const text = (value) => ({ type: "string", default: String(value) });
const { values } = parseArgs({
  options: {
    seeds: text(2000),
    from: text(1),
    nodes: text(15),
    days: text(7),
    cheats: text(1),
    processes: text(2),
    share: { type: "string" },
  },
});
const number = (name) => Number(values[name]);
const [from, seeds, nodes, days, cheats] = ["from", "seeds", "nodes", "days", "cheats"].map(number);

async function playShare(share) {
  for (let seed = from + share; seed < from + seeds; seed += number("processes")) {
    const { findings, summary } = await simulate({ seed, nodes, days, faults: FAULT_KINDS, cheats });
    process.send({ seed, findings, merges: summary.merges, entries: summary.entries });
  }
}

async function playAll() {
  const startMs = performance.now();
  const sum = { done: 0, failed: 0, merges: 0, entries: 0 };
  const take = ({ seed, findings, merges, entries }) => {
    sum.done += 1;
    sum.merges += merges;
    sum.entries += entries;
    if (findings.length > 0) {
      sum.failed += 1;
      console.log(`seed ${seed}: ${findings.map(({ invariant, what }) => `${invariant}: ${what}`).join("; ")}`);
      console.log(`  gdo simulate --seed ${seed} --nodes ${nodes} --days ${days} --faults all --cheats ${cheats}`);
    }
    if (sum.done % 100 === 0) console.log(`${sum.done} of ${seeds} seeds, ${sum.failed} failed`);
  };
  const children = [...Array(number("processes")).keys()].map((share) => {
    const child = fork(process.argv[1], [...process.argv.slice(2), "--share", String(share)]);
    child.on("message", take);
    return new Promise((resolve) => child.once("exit", resolve));
  });
  const statuses = await Promise.all(children);
  const seconds = (performance.now() - startMs) / 1000;
  console.log(
    `${sum.done} seeds of ${nodes} nodes, ${days} days, ${cheats} cheats: ${sum.failed} failed; ` +
      `${sum.entries} entries, ${sum.merges} final merges; ${seconds.toFixed(0)} s, ${(seconds / sum.done).toFixed(2)} s a seed`,
  );
  process.exitCode = sum.failed > 0 || sum.done < seeds || statuses.some((status) => status !== 0) ? 1 : 0;
}

await (values.share === undefined ? playAll() : playShare(number("share")));
