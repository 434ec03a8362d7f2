/**
 * The dapps of the simulated maker space, in process and pure: members, doors, bookings, accounts. Each has
 * a test that would notice a wrong reducer; the one of accounts also finds what its reducer lets through, so
 * that merges isolate entries by halving.
 */
import type { Hash } from "../../base/index.ts";
import { deriveHash } from "../../codec/index.ts";
import {
  type Act,
  type AppVerdict,
  type LedgerEntry,
  type MergeApp,
  OverlayState,
  type StateView,
} from "../../ledger/index.ts";
import { type ActResult, countAt, numberIn, reduceEach, textIn } from "./shape.ts";

const PASS: AppVerdict = { verdict: "PASS" };
const SLOTS = "slot/";
const BALANCES = "balance/";

function fail(finding: string): AppVerdict {
  return { verdict: "FAIL", findings: [finding] };
}

/** Stands for the tree of the dapp's image. */
export function imageOf(name: string, version: number): Hash {
  return deriveHash("gdo v1 tree", new TextEncoder().encode(`${name} ${version}`));
}

interface DappRules {
  readonly name: string;
  readonly reads: readonly string[];
  perform(act: Act, state: OverlayState, entry: LedgerEntry): ActResult;
  test(entries: readonly LedgerEntry[], before: StateView, after: StateView): AppVerdict;
}

const members: DappRules = {
  name: "members",
  reads: [],
  perform(act, state) {
    const member = textIn(act, "member");
    const isThere = state.get(`member/${member}`) !== undefined;
    if (act.type === "join") {
      if (isThere) return { why: `${member} is a member already` };
      state.apply([
        [`member/${member}`, true],
        ["count", countAt(state, "count") + 1],
      ]);
      return { event: { joined: member } };
    }
    if (act.type !== "leave" || !isThere) return { why: `${member} is no member` };
    state.apply([
      [`member/${member}`, undefined],
      ["count", countAt(state, "count") - 1],
    ]);
    return {};
  },
  test(_entries, _before, after) {
    const held = [...after.scan("member/")].length;
    return held === countAt(after, "count") ? PASS : fail(`${held} members, counted ${countAt(after, "count")}`);
  },
};

const doors: DappRules = {
  name: "doors",
  reads: ["members"],
  perform(act, state) {
    if (act.type !== "swipe") return { why: `a door knows no ${act.type}` };
    const key = `swipes/${textIn(act, "door")}`;
    state.apply([[key, countAt(state, key) + 1]]);
    return {};
  },
  test(entries, before, after) {
    const sum = (state: StateView): number => [...state.scan("swipes/")].reduce((total, [, n]) => total + Number(n), 0);
    const acts = entries.reduce((total, entry) => total + entry.acts.length, 0);
    return sum(after) === sum(before) + acts
      ? PASS
      : fail(`${sum(after)} swipes after ${sum(before)} and ${acts} more`);
  },
};

/** A slot is one member's: the order of the ledger decides, and the loser is void with the reason. */
const bookings: DappRules = {
  name: "bookings",
  reads: [],
  perform(act, state, entry) {
    const slot = textIn(act, "slot");
    if (act.type !== "book") return { why: `bookings know no ${act.type}` };
    const holder = state.get(SLOTS + slot);
    if (holder !== undefined) return { why: `${slot} is taken` };
    state.apply([[SLOTS + slot, { member: textIn(act, "member"), entry: entry.id }]]);
    return {};
  },
  test(entries, before, after) {
    const kept = new Set(entries.map(({ id }) => id as string));
    const served = new Set<string>();
    for (const [key, value] of after.scan(SLOTS)) {
      const { entry } = value as { entry: string };
      const earlier = before.get(key) as { entry: string } | undefined;
      if (earlier === undefined ? !kept.has(entry) : earlier.entry !== entry) return fail(`${key} changed its holder`);
      if (earlier === undefined) served.add(entry);
    }
    return served.size === kept.size ? PASS : fail(`${kept.size - served.size} bookings without a slot`);
  },
};

/** Its reducer adds up; only its test minds a debt. */
const accounts: DappRules = {
  name: "accounts",
  reads: [],
  perform(act, state) {
    const key = BALANCES + textIn(act, "member");
    const cents = numberIn(act, "cents");
    if (cents <= 0) return { why: "no amount" };
    state.apply([[key, countAt(state, key) + (act.type === "pay" ? cents : -cents)]]);
    return {};
  },
  test(_entries, _before, after) {
    for (const [key, cents] of after.scan(BALANCES)) {
      if (Number(cents) < 0) return fail(`${key.slice(BALANCES.length)} would owe ${-Number(cents)} cents`);
    }
    return PASS;
  },
};

/** Never gives the same twice. Nobody honest uses it. */
export const FLAKY_DAPP = "lottery";

/** `draw` is another number each time. */
export function flakyDapp(image: Hash, draw: () => number): MergeApp {
  return {
    name: FLAKY_DAPP,
    image,
    reads: [],
    reduce: async ({ entries }) => ({
      outcomes: entries.map(({ id }) => ({ id, events: [] })),
      changes: [["drawn", Math.floor(draw() * 2 ** 31)]],
    }),
    test: async () => PASS,
  };
}

const RULES: readonly DappRules[] = [members, doors, bookings, accounts];

export const DAPP_NAMES: readonly string[] = RULES.map(({ name }) => name);

/** The dapp of that name as a merge works with it. A bug where there is none: the charter installs these only. */
export function makerSpaceDapp(name: string, image: Hash): MergeApp {
  const rules = RULES.find((each) => each.name === name);
  if (rules === undefined) throw new RangeError(`no simulated dapp is called ${name}`);
  return {
    name,
    image,
    reads: rules.reads,
    reduce: async ({ entries, events }, now) => {
      const result = reduceEach(entries, now(name), (act, state, entry) => rules.perform(act, state, entry));
      if (events.length === 0) return result;
      // What it read of others: counted, so that a lost or doubled event shows in the state.
      const state = new OverlayState(now(name));
      state.apply(result.changes);
      state.apply([["events", countAt(state, "events") + events.length]]);
      return { outcomes: result.outcomes, changes: state.changes() };
    },
    test: async ({ entries }, before, after) => rules.test(entries, before(name), after(name)),
  };
}
