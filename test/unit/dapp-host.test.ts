/** The protocol host over programs in process: answers, host calls, failures. */
import { pathToFileURL } from "node:url";
import test, { type ExecutionContext } from "ava";
import { FakeClock, GdoError, type Hash, silentLog } from "../../lib/base/index.ts";
import type { Canonical } from "../../lib/codec/index.ts";
import type { MemoryState } from "../../lib/dapp/container/memory.ts";
import {
  DappHost,
  type DappHostOptions,
  type DappState,
  dappState,
  FakeRuntime,
  type Program,
} from "../../lib/dapp/index.ts";
import { OverlayState, type StateView } from "../../lib/ledger/index.ts";
import { emptyState, ProgramImages } from "../support/dapp-containers.ts";

const { programs } = (await import(pathToFileURL("test/fixtures/dapps/programs.mjs").href)) as {
  programs: Record<string, Program>;
};

interface Opened {
  readonly host: DappHost;
  readonly runtime: FakeRuntime;
  readonly clock: FakeClock;
}

function open(more: Record<string, Program> = {}, options: Partial<DappHostOptions> = {}): Opened {
  const runtime = new FakeRuntime({ ...programs, ...more });
  const clock = new FakeClock();
  const host = new DappHost({ runtime, images: new ProgramImages("/none"), log: silentLog, clock, ...options });
  return { host, runtime, clock };
}

async function ask(program: string, args: Canonical = null, state: DappState = emptyState): Promise<Canonical> {
  const { host } = open();
  try {
    return await (await host.dapp(program as Hash)).query("it", args, state);
  } finally {
    await host.close();
  }
}

async function refused(t: ExecutionContext, program: string, message: RegExp | string): Promise<void> {
  const error = await t.throwsAsync(ask(program), { instanceOf: GdoError });
  t.is(error?.code, "DAPP_ERROR");
  if (typeof message === "string") t.is(error?.message, message);
  else t.regex(error?.message ?? "", message);
}

test("[D2] noise instead of an answer is an error", async (t) => {
  await refused(t, "garbage", "garbage wrote a line that is no JSON-RPC 2.0 message");
  await refused(t, "early", "early wrote without being asked");
});

test("[D2] a wrong id is an error", (t) => refused(t, "wrongid", "wrongid answered a call that is not open"));

test("[D2] an answer that is an error keeps its words", (t) =>
  refused(t, "errors", "errors answered with an error: will not"));

test("[D2] an answer without canonical form is an error", async (t) => {
  await refused(
    t,
    "float",
    "float: the answer to query has no canonical form: no canonical form: the float 0.5 at value",
  );
  await refused(t, "deep", /^deep: the answer to query has no canonical form: /);
});

test("[D2] a second answer to one call ends the container; the first counted", async (t) => {
  const { host, runtime } = open();
  const dapp = await host.dapp("twice" as Hash);
  t.deepEqual(await dapp.query("it", null, emptyState), Object.assign(Object.create(null), { value: 1 }));
  await new Promise((wake) => setImmediate(wake));
  t.is(runtime.runningCount, 0);
  t.deepEqual(
    await dapp.query("it", null, emptyState),
    Object.assign(Object.create(null), { value: 1 }),
    "started again",
  );
  await host.close();
});

test("[D2] silence ends at the wall limit by the clock, named", async (t) => {
  const { host, runtime, clock } = open();
  const dapp = await host.dapp("silent" as Hash);
  const asked = dapp.query("it", null, emptyState);
  while (runtime.runningCount === 0) await new Promise((wake) => setImmediate(wake));
  await new Promise((wake) => setImmediate(wake));
  clock.advance(29_999);
  await new Promise((wake) => setImmediate(wake));
  t.is(runtime.runningCount, 1);
  clock.advance(1);
  await t.throwsAsync(asked, { code: "DAPP_LIMIT", message: "silent hit its wall limit of 30 s" });
  t.is(runtime.runningCount, 0);
  await host.close();
});

test("a container stays warm between calls and is started again after a failure", async (t) => {
  const { host } = open();
  const dapp = await host.dapp("counts" as Hash);
  t.is(await dapp.query("it", null, emptyState), 1);
  t.is(await dapp.query("it", null, emptyState), 2);
  await t.throwsAsync(dapp.query("it", "stop", emptyState), { code: "DAPP_ERROR" });
  t.is(await dapp.query("it", null, emptyState), 1);
  await host.close();
});

test("calls to one dapp wait for each other", async (t) => {
  const { host } = open();
  const dapp = await host.dapp("counts" as Hash);
  const answers = await Promise.all([1, 2, 3].map(() => dapp.query("it", null, emptyState)));
  t.deepEqual(answers, [1, 2, 3]);
  await host.close();
});

/** One idle container beside one that is asked and one that is kept; memory is short when it is said to be. */
async function restingPlace() {
  let memory: MemoryState = { isShort: false, idleMax: undefined };
  const told: string[] = [];
  const journal = { write: (dapp: string, text: string): void => void told.push(`${dapp}: ${text}`) };
  const opened = open(
    { ...programs, door: programs.counts as Program },
    { memory: () => memory, keepWarm: ["door"], journal },
  );
  const count = async (name: string): Promise<unknown> =>
    (await opened.host.dapp(name as Hash)).query("it", null, emptyState);
  return { ...opened, count, told, say: (now: MemoryState) => (memory = now) };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((wake) => setImmediate(wake));
};

test("when memory is short the dapp idle longest is stopped, one at a time; who is asked or kept warm stays", async (t) => {
  const { host, runtime, clock, count, say } = await restingPlace();
  await count("door");
  clock.advance(1);
  await count("counts");
  clock.advance(1);
  const asked = (await host.dapp("silent" as Hash)).query("it", null, emptyState).catch(() => "stopped");
  await settled();
  clock.advance(10_000);
  await settled();
  t.is(runtime.runningCount, 3, "there is memory");
  say({ isShort: true, idleMax: undefined });
  clock.advance(2_000);
  await settled();
  t.is(runtime.runningCount, 2);
  clock.advance(2_000);
  await settled();
  t.is(runtime.runningCount, 2);
  t.is(await count("door"), 2, "the same container as before");
  t.is(await count("counts"), 1, "another one");
  await host.close();
  t.is(await asked, "stopped");
});

test("where the kernel counts no stalls, so many dapps may be idle", async (t) => {
  const { host, runtime, clock, count, say } = await restingPlace();
  await count("door");
  await count("counts");
  say({ isShort: false, idleMax: 0 });
  clock.advance(2_000);
  await settled();
  t.is(runtime.runningCount, 1);
  t.is(await count("door"), 2);
  await host.close();
});

test("a dapp's log and its failures are handed to its own log", async (t) => {
  const { host, count, told } = await restingPlace();
  await t.throwsAsync(count("exits"));
  t.deepEqual(told, [
    "exits: no more",
    "exits: (exits ended with status 4 before it answered; its last words: no more)",
  ]);
  await host.close();
});

test("a query that the manifest does not name never reaches the container", async (t) => {
  const { host, runtime } = open();
  const dapp = await host.dapp("counts" as Hash);
  await t.throwsAsync(dapp.query("other", null, emptyState), { code: "NOT_FOUND" });
  t.is(runtime.runningCount, 0);
  await host.close();
});

test("a closed host answers no more and nothing runs", async (t) => {
  const { host, runtime } = open();
  const dapp = await host.dapp("silent" as Hash);
  const asked = dapp.query("it", null, emptyState);
  while (runtime.runningCount === 0) await new Promise((wake) => setImmediate(wake));
  await host.close();
  await t.throwsAsync(asked, { code: "DAPP_ERROR", message: "silent was stopped" });
  t.is(runtime.runningCount, 0);
  await t.throwsAsync(host.dapp("counts" as Hash), { code: "DAPP_ERROR" });
});

const BLOB = "b".repeat(64) as Hash;
const pairs = Array.from({ length: 5000 }, (_, index): [string, Canonical] => [
  `k${String(index).padStart(5, "0")}`,
  index,
]);
const filled: DappState = {
  get: (app, key) =>
    new Map([
      ["asks own", 1],
      ["other theirs", 2],
    ]).get(`${app} ${key}`),
  scan: (app, prefix) => (app === "other" ? pairs.filter(([key]) => key.startsWith(prefix)) : []),
  blob: async (id) => {
    if (id === BLOB) return Uint8Array.of(1, 2, 255);
    throw new GdoError("STORE_MISSING", `no ${id}`);
  },
};

async function told(method: string, params: Canonical): Promise<unknown> {
  const answer = (await ask("asks", { method, params }, filled)) as Record<string, unknown>;
  return "told" in answer ? answer.told : `refused: ${answer.refused}`;
}

test("a dapp may get from its own state and from that of a dapp it reads", async (t) => {
  t.is(await told("get", { key: "own" }), 1);
  t.is(await told("get", { app: "other", key: "theirs" }), 2);
  t.is(await told("get", { key: "absent" }), null);
});

test("[D4] a dapp gets nothing of a dapp that it does not read", async (t) => {
  t.is(await told("get", { app: "third", key: "x" }), "refused: asks does not read third");
  t.is(await told("scan", { app: "third", prefix: "" }), "refused: asks does not read third");
  t.is(await told("get", { view: "before", key: "own" }), "refused: the call has no such view of the state");
  t.is(await told("get", { view: "__proto__", key: "own" }), "refused: the call has no such view of the state");
});

test("a scan comes in pages", async (t) => {
  const page = (await told("scan", { app: "other", prefix: "k0" })) as { items: unknown[]; cursor: number };
  t.is(page.items.length, 2000);
  t.is(typeof page.cursor, "number");
  const small = (await told("scan", { app: "other", prefix: "k0499" })) as { items: unknown[]; cursor?: number };
  t.is(small.items.length, 10);
  t.is(small.cursor, undefined);
});

test("content is given by its id, and what is not there is told to the dapp", async (t) => {
  t.deepEqual(await told("blob", { id: BLOB }), Uint8Array.of(1, 2, 255));
  t.is(await told("blob", { id: "c".repeat(64) }), `refused: no ${"c".repeat(64)}`);
  t.is(await told("blob", { id: "../etc/passwd" }), "refused: blob: id is no hash");
  t.is(await told("steal", {}), "refused: the host has no call steal");
});

/** A program whose answer to any call is this value. */
function saying(value: unknown): Program {
  return async ({ input, write }) => {
    for await (const line of input)
      write(`${JSON.stringify({ jsonrpc: "2.0", id: JSON.parse(line).id, result: value })}\n`);
    return 0;
  };
}

const ENTRY = "e".repeat(64) as Hash;
const SEED = "5".repeat(64) as Hash;
const entry = { id: ENTRY, author: "a".repeat(64), principal: "p", rights: [], timeMs: 1, app: "says", acts: [] };

async function reduced(value: unknown): Promise<unknown> {
  const { host } = open({ says: saying(value) });
  const dapp = await host.dapp("says" as Hash);
  try {
    return await dapp.reduce(
      { height: 1, seed: SEED, entries: [entry as never], events: [], order: [ENTRY] },
      emptyState,
    );
  } finally {
    await host.close();
  }
}

test("an answer to reduce has one outcome for each entry, and null deletes", async (t) => {
  const good = {
    outcomes: [{ id: ENTRY, void: "because" }],
    changes: [
      ["k", { x: 1 }],
      ["d", null],
    ],
  };
  const value = Object.assign(Object.create(null), { x: 1 });
  t.deepEqual(await reduced(good), {
    outcomes: [{ id: ENTRY, void: "because", events: [] }],
    changes: [
      ["k", value],
      ["d", undefined],
    ],
  } as never);
});

test("[D2] a state that would grow beyond its limit is named, one that shrinks is not", async (t) => {
  const outcomes = [{ id: ENTRY }];
  const full = new OverlayState(undefined, [
    ["a", "x".repeat(900)],
    ["b", "x".repeat(200)],
  ]);
  const room = new OverlayState(undefined, [["a", "x".repeat(900)]]);
  const message = "says hit its state limit of 1 KiB";
  const reduce = async (changes: unknown, state: StateView): Promise<unknown> => {
    const images = new ProgramImages("/none", "{state: 1KiB}");
    const { host } = open({ says: saying({ outcomes, changes }) }, { images });
    const dapp = await host.dapp("says" as Hash);
    const input = { height: 1, seed: SEED, entries: [entry as never], events: [], order: [ENTRY] };
    return dapp
      .reduce(
        input,
        dappState(() => state, emptyState.blob),
      )
      .finally(() => host.close());
  };
  const value = (length: number): string => "y".repeat(length);
  // A key of one byte, a head of two, and 1024 bytes in all with the 904 that are there.
  await t.notThrowsAsync(reduce([["c", value(117)]], room));
  await t.throwsAsync(reduce([["c", value(118)]], room), { code: "DAPP_LIMIT", message });
  await t.notThrowsAsync(reduce([["a", value(1020)]], room), "the old value does not count");
  await t.throwsAsync(reduce([["a", value(1021)]], room), { code: "DAPP_LIMIT", message });
  await t.throwsAsync(reduce([["c", 1]], full), { code: "DAPP_LIMIT", message });
  await t.notThrowsAsync(reduce([["a", null]], full));
  await t.notThrowsAsync(reduce([["b", value(199)]], full), "smaller, though too large still");
});

test("[D2] an answer to reduce that leaves out, doubles or invents an entry is refused", async (t) => {
  const without = "says: the answer to reduce does not have one outcome for each entry";
  const other = "f".repeat(64);
  for (const outcomes of [[], [{ id: ENTRY }, { id: ENTRY }], [{ id: other }], [{ id: ENTRY }, { id: other }]]) {
    await t.throwsAsync(reduced({ outcomes, changes: [] }), { code: "DAPP_ERROR", message: without });
  }
});

test("[D2] an answer to reduce with a bad change or outcome is refused", async (t) => {
  const outcomes = [{ id: ENTRY }];
  for (const change of [["", 1], ["k".repeat(513), 1], [1, 1], ["k", 0.5], ["k", 1, 2], ["e\u0301", 1], "k"]) {
    await t.throwsAsync(reduced({ outcomes, changes: [change] }), { code: "DAPP_ERROR" }, JSON.stringify(change));
  }
  for (const reason of ["", 1, "x".repeat(257)]) {
    await t.throwsAsync(reduced({ outcomes: [{ id: ENTRY, void: reason }], changes: [] }), { code: "DAPP_ERROR" });
  }
  await t.throwsAsync(reduced({ outcomes }), { code: "DAPP_ERROR", message: "says: changes: no list" });
  await t.throwsAsync(reduced(null), { code: "DAPP_ERROR", message: "says: the answer to reduce is no object" });
});

test("[D2] a verdict is PASS or FAIL with findings; anything else is an error, never a FAIL", async (t) => {
  const verdict = async (value: unknown): Promise<unknown> => {
    const { host } = open({ says: saying(value) });
    const dapp = await host.dapp("says" as Hash);
    const input = { height: 1, seed: SEED, entries: [], events: [], order: [] };
    return dapp.test(input, { before: emptyState, after: emptyState }).finally(() => host.close());
  };
  t.deepEqual(await verdict({ verdict: "PASS" }), { verdict: "PASS" } as never);
  t.deepEqual(await verdict({ verdict: "FAIL", findings: ["a"] }), { verdict: "FAIL", findings: ["a"] } as never);
  for (const bad of [{}, { verdict: "fail" }, { verdict: "FAIL" }, "PASS", null, { verdict: "ERROR" }]) {
    await t.throwsAsync(verdict(bad), { code: "DAPP_ERROR" });
  }
});
