/** The work of a merge: reading order, voids, and finding what a test does not let through [L13]. */
import test from "ava";
import fc from "fast-check";
import type { Hash, PublicKey } from "../../lib/base/index.ts";
import {
  type AppInput,
  type AppVerdict,
  inReadingOrder,
  type LedgerEntry,
  type MergeApp,
  OverlayState,
  type StatesView,
  workMerge,
} from "../../lib/ledger/index.ts";

const id = (n: number): Hash => n.toString(16).padStart(64, "0") as Hash;

function entry(n: number, app = "counter", type = "add"): LedgerEntry {
  const author = "aa".repeat(32) as PublicKey;
  return { id: id(n), author, principal: "p", rights: [], timeMs: 0, app, acts: [{ type, body: n }] };
}

/** Keeps each entry's number; its test fails with a number of the bad ones, or when it says so always. */
function counter(bad: ReadonlySet<number>, calls: { tests: number } = { tests: 0 }): MergeApp {
  return {
    name: "counter",
    image: null,
    reads: [],
    reduce: async ({ entries }) => ({
      outcomes: entries.map((each) => ({ id: each.id, events: [each.acts[0]?.body ?? null] })),
      changes: entries.map((each) => [`n/${each.acts[0]?.body}`, true] as const),
    }),
    test: async ({ entries }): Promise<AppVerdict> => {
      calls.tests += 1;
      const found = entries.find((each) => bad.has(each.acts[0]?.body as number));
      return found === undefined ? { verdict: "PASS" } : { verdict: "FAIL", findings: [`${found.id} is bad`] };
    },
  };
}

const empty: StatesView = () => new OverlayState();
const height = 1;
const seed = id(12);

test("[L13] exactly the entries that make the test fail are void, with what the test said", async (t) => {
  const numbers = fc.uniqueArray(fc.nat(200), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(numbers, fc.func(fc.boolean()), async (all, isBad) => {
      const bad = new Set(all.filter((n) => isBad(n)));
      const entries = all.map((n) => entry(n));
      const { voids, changes } = await workMerge({ height, seed, entries, apps: [counter(bad)], before: empty });
      t.deepEqual(new Set(voids.map((each) => each.id)), new Set([...bad].map(id)));
      t.true(voids.every(({ reason }) => reason.startsWith("test failed: ") && reason.endsWith("is bad")));
      const kept = (changes["counter"] ?? []).map(([key]) => key);
      t.deepEqual(new Set(kept), new Set(all.filter((n) => !bad.has(n)).map((n) => `n/${n}`)));
    }),
  );
});

test("[L13] one culprit among many is found in about two tests a halving", async (t) => {
  const calls = { tests: 0 };
  const entries = Array.from({ length: 256 }, (_, n) => entry(n));
  const { voids } = await workMerge({ height, seed, entries, apps: [counter(new Set([77]), calls)], before: empty });
  t.deepEqual(
    voids.map((each) => each.id),
    [id(77)],
  );
  t.true(calls.tests <= 20, `${calls.tests} tests`);
});

test("[L14] a test that fails with nothing left refuses the merge and names the dapp", async (t) => {
  const app: MergeApp = { ...counter(new Set()), test: async () => ({ verdict: "FAIL", findings: ["the moon"] }) };
  const error = await t.throwsAsync(workMerge({ height, seed, entries: [entry(1)], apps: [app], before: empty }));
  t.like(error, { code: "REFUSED", message: "counter: its test fails whatever entries are left out: the moon" });
});

test("[D2] what a container throws is no verdict: it is thrown, and nothing is void", async (t) => {
  const app: MergeApp = {
    ...counter(new Set()),
    test: async () => {
      throw new Error("container gone");
    },
  };
  await t.throwsAsync(workMerge({ height, seed, entries: [entry(1)], apps: [app], before: empty }), {
    message: "container gone",
  });
});

test("an entry for a dapp that is not there is void, and says which", async (t) => {
  const entries = [entry(1, "nobody"), entry(2)];
  const { voids } = await workMerge({ height, seed, entries, apps: [counter(new Set())], before: empty });
  t.deepEqual(voids, [{ id: id(1), app: "nobody", reason: "no dapp is called nobody" }]);
});

test("a dapp is given the events of those it reads, after they have reduced, in the merge's order", async (t) => {
  const seen: AppInput[] = [];
  const reader: MergeApp = {
    ...counter(new Set()),
    name: "a-reader",
    reads: ["counter"],
    reduce: async (input) => {
      seen.push(input);
      return { outcomes: [], changes: [] };
    },
  };
  await workMerge({ height, seed, entries: [entry(7), entry(3)], apps: [reader, counter(new Set())], before: empty });
  t.deepEqual(
    seen[0]?.events.map(({ app, event }) => [app, event]),
    [
      ["counter", 7],
      ["counter", 3],
    ],
  );
});

test("a dapp reads another's state as this merge has left it, and the test sees both sides", async (t) => {
  const states: unknown[] = [];
  const reader: MergeApp = {
    ...counter(new Set()),
    name: "a-reader",
    reads: ["counter"],
    reduce: async (_, now) => {
      states.push(now("counter").get("n/5"));
      return { outcomes: [], changes: [["mine", 1]] };
    },
    test: async (_, before, after) => {
      states.push(before("a-reader").get("mine"), after("a-reader").get("mine"), after("counter").get("n/5"));
      return { verdict: "PASS" };
    },
  };
  await workMerge({ height, seed, entries: [entry(5)], apps: [reader, counter(new Set())], before: empty });
  t.deepEqual(states, [true, undefined, 1, true]);
});

test("dapps that read each other in a loop are refused by name", (t) => {
  const app = (name: string, reads: string[]): MergeApp => ({ ...counter(new Set()), name, reads });
  t.deepEqual(
    inReadingOrder([app("c", ["a"]), app("b", []), app("a", ["b"])]).map(({ name }) => name),
    ["b", "a", "c"],
  );
  t.throws(() => inReadingOrder([app("x", ["y"]), app("y", ["x"])]), { message: /x, y/ });
});

/** No entry is for it; it looks at what the counter has, and lets no number through that is in `bad`. */
function watcher(bad: ReadonlySet<number>, seen: unknown[] = []): MergeApp {
  return {
    ...counter(bad),
    name: "watcher",
    reads: [],
    test: async (input, _before, after): Promise<AppVerdict> => {
      seen.push(input.entries.length);
      const found = [...bad].find((n) => after("counter").get(`n/${n}`) === true);
      return found === undefined ? { verdict: "PASS" } : { verdict: "FAIL", findings: [`no ${found} here`] };
    },
  };
}

test("ledger: a dapp that a branch requires tests a merge that does not touch it, and only where it is required", async (t) => {
  const apps = [counter(new Set()), watcher(new Set([3]))];
  const entries = [1, 2].map((n) => entry(n));
  const free = await workMerge({ height, seed, entries, apps, before: empty });
  t.deepEqual(
    free.touched.map(({ name }) => name),
    ["counter"],
  );
  const bound = await workMerge({ height, seed, entries, apps, required: ["watcher"], before: empty });
  t.deepEqual(
    bound.touched.map(({ name }) => name),
    ["counter", "watcher"],
  );
  t.deepEqual(bound.changes, free.changes);
  t.deepEqual(bound.voids, []);
});

test("ledger: what a required dapp does not let through is found among the entries of all others, and is void", async (t) => {
  const numbers = fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(numbers, fc.func(fc.boolean()), async (all, isBad) => {
      const bad = new Set(all.filter((n) => isBad(n)));
      const apps = [counter(new Set()), watcher(bad)];
      const entries = all.map((n) => entry(n));
      const { voids, changes } = await workMerge({ height, seed, entries, apps, required: ["watcher"], before: empty });
      t.deepEqual(new Set(voids.map((each) => each.id)), new Set([...bad].map(id)));
      t.true(voids.every(({ app, reason }) => app === "counter" && /^test failed: watcher: no \d+ here$/.test(reason)));
      t.is(changes["counter"]?.length ?? 0, all.length - bad.size);
    }),
    { numRuns: 40 },
  );
});

test("ledger: a required dapp whose test fails whatever is left out stops the merge, and is named", async (t) => {
  const stubborn: MergeApp = { ...watcher(new Set()), test: async () => ({ verdict: "FAIL", findings: ["never"] }) };
  const work = workMerge({
    height,
    seed,
    entries: [entry(1)],
    apps: [counter(new Set()), stubborn],
    required: ["watcher"],
    before: empty,
  });
  await t.throwsAsync(work, {
    code: "REFUSED",
    message: "watcher: its test fails whatever entries are left out: never",
  });
});

test("[D3] [L13] reduce, test and every halving are given one seed, and each dapp another", async (t) => {
  const given = new Map<string, Set<Hash>>();
  const noting = (app: MergeApp): MergeApp => {
    const seeds = new Set<Hash>();
    given.set(app.name, seeds);
    return {
      ...app,
      reduce: (input, now) => {
        seeds.add(input.seed);
        return app.reduce(input, now);
      },
      test: (input, before, after) => {
        seeds.add(input.seed);
        return app.test(input, before, after);
      },
    };
  };
  const apps = [noting(counter(new Set([3]))), noting({ ...counter(new Set()), name: "watcher" })];
  const work = { height, entries: [entry(1), entry(3)], apps, required: ["watcher"], before: empty };
  await workMerge({ ...work, seed });
  await workMerge({ ...work, seed });
  t.deepEqual(
    [...given.values()].map(({ size }) => size),
    [1, 1],
  );
  const [ofCounter, ofWatcher] = [...given.values()].map(([only]) => only);
  t.not(ofCounter, ofWatcher);
  t.false([ofCounter, ofWatcher].includes(seed), "the order's own is not told");
  await workMerge({ ...work, seed: id(13) });
  t.deepEqual(
    [...given.values()].map(({ size }) => size),
    [2, 2],
    "another merge, others",
  );
});
