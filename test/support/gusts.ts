/**
 * A schedule of faults under which a vote takes many rounds: while people are there, validators lose each other every
 * moment, frames come late or not at all, and power fails for a second.
 */
import { SeededRng } from "../../lib/base/index.ts";
import type { Fault, SimulationOptions } from "../../lib/simulate/index.ts";
import { planVisits } from "../../lib/simulate/world/workload.ts";
import { World } from "../../lib/simulate/world/world.ts";

const WINDOW_MS = 60_000;
const GUST_MS_MIN = 300;
const GUST_FACTOR = 40;

export function gustsOf(options: SimulationOptions): Fault[] {
  const world = new World(options);
  const visits = planVisits(options.days, world.rng("visits"));
  const validators = world.organisation.members.filter(({ isValidator }) => isValidator).map(({ name }) => name);
  world.close();
  const rng = new SeededRng(options.seed * 7919 + 1);
  const one = (): string => validators[Math.floor(rng.next() * validators.length)] ?? "";
  const faults: Fault[] = [];
  for (const atMs of visits.slice(0, -1)) {
    faults.push({ kind: "loss", atMs, forMs: WINDOW_MS, nodes: [], amount: 0.2 + rng.next() * 0.3 });
    faults.push({ kind: "reordering", atMs, forMs: WINDOW_MS, nodes: [], amount: 300 + rng.next() * 2000 });
    for (let ms = atMs + rng.next() * 4000; ms < atMs + WINDOW_MS; ) {
      // Short ones are as frequent as long ones.
      const gust = { atMs: Math.round(ms), forMs: Math.round(GUST_MS_MIN * GUST_FACTOR ** rng.next()), nodes: [one()] };
      if (rng.next() < 0.6) faults.push({ kind: "partition", ...gust, amount: 0 });
      else faults.push({ kind: "one-way", ...gust, amount: rng.next() < 0.5 ? -1 : 1 });
      if (rng.next() < 0.3)
        faults.push({ kind: "power", ...gust, forMs: Math.round(100 + rng.next() * 1500), nodes: [one()], amount: 0 });
      ms += gust.forMs * (0.3 + rng.next());
    }
  }
  return faults.sort((x, y) => x.atMs - y.atMs);
}
