/** What the people of the maker space do: swipes at doors, bookings, members, dues, now and then the charter. */
import type { Rng } from "../../base/index.ts";
import type { Canonical } from "../../codec/index.ts";
import { type Act, CHARTER_APP } from "../../ledger/index.ts";
import { DAPP_NAMES, imageOf } from "../dapps/maker-space.ts";
import { DAY_MS } from "../faults/schedule.ts";

export interface Deed {
  readonly atMs: number;
  readonly node: string;
  readonly app: string;
  readonly acts: readonly Act[];
}

export interface WorkloadOptions {
  /** When people come. */
  readonly visits: readonly number[];
  readonly validators: readonly string[];
  readonly doors: readonly string[];
  readonly rng: Rng;
}

/** People come once a day, all within seconds, between these shares of it: what happens at once is what is hard. */
const VISIT_DAY_SHARE = [0.3, 0.9] as const;
const VISIT_MS = 1800;
/** Some come just before all faults end: what they leave is what healing has to finish. */
const LAST_VISIT_MS = 2500;
const DEEDS_PER_VISIT = 8;
const PEOPLE = ["ana", "ben", "cleo", "dan", "eva", "finn", "gus", "hana"];

/** When people come. */
export function planVisits(days: number, rng: Rng): number[] {
  const [from, to] = VISIT_DAY_SHARE;
  const visits = [...Array(days).keys()].map((day) => Math.round((day + from + rng.next() * (to - from)) * DAY_MS));
  return [...visits, days * DAY_MS - LAST_VISIT_MS];
}

/** In the order of time. */
export function planWork(options: WorkloadOptions): Deed[] {
  const { validators, rng } = options;
  const [first = ""] = validators;
  const deeds: Deed[] = [];
  DAPP_NAMES.forEach((name, index) => {
    const act = { type: "dapp.install", body: { name, version: "1", tree: imageOf(name, 1) } };
    deeds.push({ atMs: 1000 + index, node: first, app: CHARTER_APP, acts: [act] });
  });
  for (const startMs of options.visits) {
    for (let each = 0; each < DEEDS_PER_VISIT; each += 1) {
      deeds.push(deedOf(options, Math.round(startMs + rng.next() * VISIT_MS)));
    }
  }
  return deeds.sort((x, y) => x.atMs - y.atMs);
}

function deedOf(options: WorkloadOptions, atMs: number): Deed {
  const { validators, doors, rng } = options;
  const place = pick(doors.length > 0 ? doors : validators, rng);
  const office = pick(validators, rng);
  const member = pick(PEOPLE, rng);
  const draw = rng.next();
  if (draw < 0.55) return deed(atMs, place, "doors", "swipe", { door: place, member });
  if (draw < 0.7)
    return deed(atMs, place, "bookings", "book", {
      slot: `laser/${Math.floor(atMs / DAY_MS)}/${Math.floor(rng.next() * 4)}`,
      member,
    });
  if (draw < 0.8) return deed(atMs, office, "accounts", "pay", { member, cents: 500 });
  if (draw < 0.89) return deed(atMs, place, "accounts", "spend", { member, cents: 100 + Math.floor(rng.next() * 600) });
  if (draw < 0.97) return deed(atMs, office, "members", rng.next() < 0.7 ? "join" : "leave", { member });
  return charterDeed(atMs, options);
}

/** Not all of it can be: half of the upgrades name a dapp that is not there. */
function charterDeed(atMs: number, { validators, rng }: WorkloadOptions): Deed {
  const version = 2 + Math.floor(rng.next() * 5);
  const name = rng.next() < 0.5 ? "nobodys" : pick(DAPP_NAMES, rng);
  const body = { name, version: String(version), tree: imageOf(name, version) };
  return deed(atMs, pick(validators, rng), CHARTER_APP, "dapp.upgrade", body);
}

// biome-ignore lint/complexity/useMaxParams: one line of the plan, in the order in which it is read.
function deed(atMs: number, node: string, app: string, type: string, body: Canonical): Deed {
  return { atMs, node, app, acts: [{ type, body }] };
}

function pick(names: readonly string[], rng: Rng): string {
  return names[Math.floor(rng.next() * names.length)] as string;
}
