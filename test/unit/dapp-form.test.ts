/** States that are moved from one form to another, forth and back, with the host's own rules and programs in process. */
import test, { type ExecutionContext } from "ava";
import type { Dapp } from "../../images/sdk/index.ts";
import { serve } from "../../images/sdk/serve.ts";
import { FakeClock, GdoError, type Hash, silentLog } from "../../lib/base/index.ts";
import { DappHost, FakeRuntime, type Images, parseManifest, Trial } from "../../lib/dapp/index.ts";
import { emptyState } from "../support/dapp-containers.ts";

const OLD = "1".repeat(64) as Hash;
const NEW = "2".repeat(64) as Hash;
const BROKEN = "3".repeat(64) as Hash;

/** Counts under `n`, or, in its second form, under `count/n` as a map. */
const old: Dapp = {
  async reduce({ entries }, state) {
    const n = ((await state.get("n")) as number | undefined) ?? 0;
    return {
      outcomes: entries.map(({ id }) => ({ id })),
      changes: entries.length === 0 ? [] : [["n", n + entries.length]],
    };
  },
  queries: { n: async (_, state) => (await state.get("n")) ?? 0 },
  commands: { add: async (_, state) => [["add", { after: (await state.get("n")) ?? 0 }]] },
};

type Count = { n: number } | undefined;

const made: Dapp = {
  async migrate({ from, to }, state) {
    if (from === 1 && to === 2)
      return [
        ["n", undefined],
        ["count/n", { n: (await state.get("n")) as number }],
      ];
    if (from === 2 && to === 1)
      return [
        ["n", ((await state.get("count/n")) as Count)?.n],
        ["count/n", undefined],
      ];
    throw new Error(`no way from ${from} to ${to}`);
  },
  async reduce({ entries }, state) {
    const n = ((await state.get("count/n")) as Count)?.n ?? 0;
    const changes = entries.length === 0 ? [] : [["count/n", { n: n + entries.length }] as const];
    return { outcomes: entries.map(({ id }) => ({ id })), changes };
  },
  async test({ entries }, before, after) {
    const [was, is] = [await before.get("count/n"), await after.get("count/n")].map((each) => (each as Count)?.n ?? 0);
    return is === (was as number) + entries.length
      ? { verdict: "PASS" }
      : { verdict: "FAIL", findings: [`${was} ${is}`] };
  },
  queries: { n: async (_, state) => ((await state.get("count/n")) as Count)?.n ?? 0 },
  commands: { add: async (_, state) => [["add", { after: ((await state.get("count/n")) as Count)?.n ?? 0 }]] },
};

const manifestOf = (form: number): string => `name: counts
version: ${form}.0.0
form: ${form}
image: { base: node, run: [f${form}] }
commands: { add: { schema: any.json, right: append } }
queries: { n: "how many" }
tests: [test]
class: gate
`;

function imagesOf(manifestText: (tree: Hash) => string): Images {
  return {
    rootfs: async () => "/none",
    manifestText: async (tree) => manifestText(tree),
    async text(_, path) {
      if (path === "any.json") return "true";
      throw new GdoError("NOT_FOUND", `no ${path}`);
    },
  };
}

function open(t: ExecutionContext): { host: DappHost; started: string[] } {
  const started: string[] = [];
  const programs: Readonly<Record<string, Dapp>> = { f1: old, f2: made, f3: old };
  const runtime = new FakeRuntime({
    counts: (streams, [name = ""]) => {
      started.push(name);
      return serve(programs[name] as Dapp, streams);
    },
  });
  const forms = new Map([
    [OLD, 1],
    [NEW, 2],
    [BROKEN, 3],
  ]);
  const images = imagesOf((tree) => manifestOf(forms.get(tree) ?? 0));
  const host = new DappHost({ runtime, images, log: silentLog, clock: new FakeClock() });
  t.teardown(() => host.close());
  return { host, started };
}

const add = { by: "ada", acts: [["add", {}]] } as const;

/** What is kept after one image has merged, as another one goes on with it. */
async function goOn(host: DappHost, tree: Hash, state: Record<string, unknown>, entries = [add]) {
  const trial = new Trial(await host.dapp(tree), { state, form: 1 });
  const { voids } = await trial.merge(entries);
  return { trial, voids, state: trial.marked() };
}

test("[D9] an image of another form has the state moved by the first merge, and sees no other", async (t) => {
  const { host } = open(t);
  const { state } = await goOn(host, OLD, {});
  t.deepEqual(state, { n: 1 }, "the first form bears no mark");
  const before = new Trial(await host.dapp(NEW), { state, form: 1 });
  t.is(await before.query("n", null), 1, "asked before any merge");
  t.deepEqual(await before.command("add", null, { by: "ada" }), [["add", { after: 1 }]]);
  const moved = await goOn(host, NEW, state);
  t.deepEqual(moved.state, { "count/n": { n: 2 }, "gdo.form": { form: 2, image: NEW } });
  t.deepEqual((await goOn(host, NEW, moved.state)).state["count/n"], { n: 3 }, "moved once");
});

test("[D9] a merge that touches nothing of a dapp moves its state; one in its form stays as it is", async (t) => {
  const { host } = open(t);
  const { state } = await goOn(host, NEW, { n: 7 }, []);
  t.deepEqual(state, { "count/n": { n: 7 }, "gdo.form": { form: 2, image: NEW } });
  t.deepEqual((await goOn(host, OLD, { n: 7 }, [])).state, { n: 7 });
  t.deepEqual((await goOn(host, NEW, {}, [])).state, {});
  t.deepEqual((await goOn(host, NEW, {})).state, { "count/n": { n: 1 }, "gdo.form": { form: 2, image: NEW } });
});

test("[D9] rolled back, the image that knows both forms moves the state back", async (t) => {
  const { host, started } = open(t);
  const { state } = await goOn(host, NEW, { n: 7 });
  started.splice(0);
  const back = await goOn(host, OLD, state);
  t.deepEqual(back.state, { n: 9 });
  const fresh = await host.fresh(OLD);
  const trial = new Trial(fresh, { state, form: 1 });
  await trial.merge([add]);
  t.deepEqual(trial.marked(), { n: 9 }, "the same in a second run");
  await fresh.close();
  t.true(started.includes("f2"));
});

test("[D9] an image that has no way says so, and nothing is moved", async (t) => {
  const { host } = open(t);
  const message = "counts answered with an error: no way from form 1 of the state to 3";
  await t.throwsAsync(goOn(host, BROKEN, { n: 7 }), { code: "DAPP_ERROR", message });
  const marked = { "count/n": { n: 1 }, "gdo.form": { form: 2, image: NEW } };
  await t.throwsAsync(goOn(host, BROKEN, marked), { message: /no way from form 2 of the state to 3/ });
  await t.throwsAsync(goOn(host, OLD, { "gdo.form": { form: 2 } }), {
    message: "counts: gdo.form of its state is malformed",
  });
});

test("[D9] the mark is the host's: a dapp that writes it is at fault", async (t) => {
  const liar: Dapp = { reduce: async () => ({ outcomes: [], changes: [["gdo.form", { form: 9, image: NEW }]] }) };
  const runtime = new FakeRuntime({ counts: (streams) => serve(liar, streams) });
  const images = imagesOf(() => manifestOf(1));
  const host = new DappHost({ runtime, images, log: silentLog, clock: new FakeClock() });
  const dapp = await host.dapp(OLD);
  const input = { height: 1, seed: OLD, order: [], entries: [], events: [] };
  await t.throwsAsync(dapp.reduce(input, emptyState), {
    code: "DAPP_ERROR",
    message: "counts: the key gdo.form is its host's",
  });
  await host.close();
});

test("[D9] a state made by hand is of the dapp's own form, or of the one that is said; the mark is not shown", async (t) => {
  const { host } = open(t);
  const own = new Trial(await host.dapp(NEW), { state: { "count/n": { n: 1 } } });
  await own.merge([add]);
  t.deepEqual(own.state(), { "count/n": { n: 2 } });
  const older = new Trial(await host.dapp(NEW), { state: { n: 1 }, form: 1 });
  await older.merge([add]);
  t.deepEqual(older.state(), { "count/n": { n: 2 } });
});

test("[D9] form is a number from 1 on", (t) => {
  t.is(parseManifest(manifestOf(2)).form, 2);
  t.is(parseManifest(manifestOf(2).replace("form: 2\n", "")).form, 1);
  t.throws(() => parseManifest(manifestOf(0)), { message: /^dapp.yaml: form: / });
});
