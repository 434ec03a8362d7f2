/** [D2] Each kind of bad behaviour: stopped within its limits, named, an ERROR, harmless to the others. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { type ErrorCode, GdoError, type Hash, SystemClock, silentLog } from "../../lib/base/index.ts";
import { DappHost, type DappState, dappState, type Images, RuncRuntime } from "../../lib/dapp/index.ts";
import { type MergeApp, OverlayState, type StatesView } from "../../lib/ledger/index.ts";
import type { Collected } from "../../lib/node/merging/collect.ts";
import { AppFailure, workTwice } from "../../lib/node/merging/work.ts";
import type { NodeApps, NodeLedger } from "../../lib/node/ports.ts";
import {
  containersMissing,
  emptyState,
  leftBehind,
  makeTestRootfs,
  ProgramImages,
  programSpec,
  removeTestRootfs,
} from "../support/dapp-containers.ts";

const missing = containersMissing();
const test = (missing === undefined ? anyTest.serial : anyTest.serial.skip) as TestFn;
const rootfs = missing === undefined ? makeTestRootfs() : "";
const runDir = mkdtempSync(join(tmpdir(), "gdo-run-"));
const mark = `gdo-${process.pid.toString(36)}hostile`;

anyTest.after.always(() => {
  if (rootfs !== "") removeTestRootfs(rootfs);
  rmSync(runDir, { recursive: true, force: true });
});

/** Each with limits of its own. */
const LIMITS: Readonly<Record<string, string>> = {
  loop: "{wall: 1s}",
  silent: "{wall: 700ms}",
  hoards: "{memory: 64MiB}",
  forks: "{memory: 256MiB, pids: 24, wall: 3s}",
  longline: "{memory: 1GiB, wall: 30s}",
  chatters: "{wall: 1s}",
  fills: "{memory: 128MiB, scratch: 2MiB, wall: 30s, cpu: 1}",
};
const runtime = new RuncRuntime({ runDir, mark, log: silentLog });
const programs = new ProgramImages(rootfs);
const images: Images = {
  rootfs: () => programs.rootfs(),
  manifestText: (tree) => new ProgramImages(rootfs, LIMITS[tree]).manifestText(tree),
  text: (tree, path) => programs.text(tree, path),
};
const options = { runtime, images, log: silentLog, clock: new SystemClock() };
/** One host for the whole zoo, with a well-behaved dapp in it that must not notice any of them. */
const host = new DappHost(options);
let neighbourAsked = 0;

async function neighbourIsWell(t: ExecutionContext): Promise<void> {
  neighbourAsked += 1;
  const well = await host.dapp("counts" as Hash);
  t.is(await well.query("it", null, emptyState), neighbourAsked, "the same container answers as ever");
}

async function failureOf(t: ExecutionContext, program: string): Promise<GdoError> {
  await neighbourIsWell(t);
  const dapp = await host.dapp(program as Hash);
  const error = await t.throwsAsync(dapp.query("it", null, emptyState), { instanceOf: GdoError });
  await neighbourIsWell(t);
  if (error === undefined) throw new Error("no failure");
  return error;
}

/** Program, code, message. */
const ZOO: readonly (readonly [what: string, program: string, code: ErrorCode, message: RegExp])[] = [
  ["an endless loop", "loop", "DAPP_LIMIT", /^loop hit its wall limit of 1 s$/],
  ["silence", "silent", "DAPP_LIMIT", /^silent hit its wall limit of 700 ms$/],
  ["a hoarder of memory", "hoards", "DAPP_LIMIT", /^hoards hit its memory limit of 64 MiB/],
  ["a fork bomb", "forks", "DAPP_LIMIT", /hit its pids limit of 24/],
  ["endless output", "floods", "DAPP_ERROR", /^floods wrote a line that is no JSON-RPC 2\.0 message$/],
  ["an endless line", "longline", "DAPP_LIMIT", /^longline hit its line limit of 32 MiB$/],
  ["an endless log", "chatters", "DAPP_LIMIT", /^chatters hit its wall limit of 1 s$/],
  ["an exit at once", "exits", "DAPP_ERROR", /^exits ended with status 4 before it answered; its last words: no more$/],
  ["a line that is no JSON", "garbage", "DAPP_ERROR", /^garbage wrote a line that is no JSON-RPC 2\.0 message$/],
  ["an answer to no question", "wrongid", "DAPP_ERROR", /^wrongid answered a call that is not open$/],
  ["an answer nested too deep", "deep", "DAPP_ERROR", /^deep: the answer to query has no canonical form/],
  ["words before a question", "early", "DAPP_ERROR", /^early wrote /],
];

for (const [what, program, code, message] of ZOO) {
  test(`[D2] ${what} ends within its limits, named, and harms nobody`, async (t) => {
    const error = await failureOf(t, program);
    t.is(error.code, code);
    t.regex(error.message, message);
  });
}

test("[D2] who fills the disk gets as much as its scratch has, and goes on", async (t) => {
  const dapp = await host.dapp("fills" as Hash);
  const { made, why } = (await dapp.query("it", null, emptyState)) as { made: number; why: string };
  t.is(why, "ENOSPC");
  t.true(made <= 8, "2 MiB in pieces of 256 KiB");
  await neighbourIsWell(t);
});

test("[D2] who answers twice, or leaves between two calls, is started again for the next", async (t) => {
  const leaves = await host.dapp("leaves" as Hash);
  const twice = await host.dapp("twice" as Hash);
  for (let call = 0; call < 2; call += 1) {
    t.is(await leaves.query("it", null, emptyState), "bye");
    t.like(await twice.query("it", null, emptyState), { value: 1 });
    await new Promise((wake) => setTimeout(wake, 50)); // The second answer and the end come when they come.
  }
  await neighbourIsWell(t);
});

test("[D3] a second run finds another wall clock, time since boot, thread numbers and scratch", async (t) => {
  type Looks = Record<"year" | "uptime" | "highestThread" | "scratchBlocks", number>;
  const [warm, fresh] = [await host.dapp("looks" as Hash), await host.fresh("looks" as Hash)];
  const one = (await warm.query("it", null, emptyState)) as Looks;
  const other = (await fresh.query("it", null, emptyState)) as Looks;
  t.true(other.year < one.year);
  t.true(other.uptime >= one.uptime + 1_000_000);
  t.true(other.highestThread > 4_000 && one.highestThread < 4_000);
  t.true(other.scratchBlocks > one.scratchBlocks);
  await fresh.close();
});

/** A merge of one entry for a program, worked twice as a proposer does. */
function workedTwice(program: string): Promise<unknown> {
  const entry = {
    id: "e".repeat(64),
    author: "a".repeat(64),
    principal: "p",
    rights: [],
    timeMs: 1,
    app: program,
    acts: [],
  };
  const nothing = new OverlayState();
  const collected = {
    branch: "main",
    line: "main",
    h: 1,
    seed: "5".repeat(64),
    entries: [entry],
    charterState: nothing,
  };
  const open: NodeApps["open"] = async (_, conditions) => {
    const fresh = conditions === "fresh" ? await host.fresh(program as Hash) : undefined;
    const dapp = fresh ?? (await host.dapp(program as Hash));
    const at = (views: StatesView): DappState => dappState(views, emptyState.blob);
    const app: MergeApp = {
      name: program,
      image: null,
      reads: [],
      reduce: (input, now) => dapp.reduce(input, at(now)),
      test: (input, before, after) => dapp.test(input, { before: at(before), after: at(after) }),
    };
    return { apps: [app], missing: [], close: async () => fresh?.close() };
  };
  const ledger = { state: () => nothing } as unknown as NodeLedger;
  return workTwice(collected as unknown as Collected, { ledger, apps: { open } });
}

test("[D3] [L13] a dapp whose verdict hangs on the day, or on a coin, is an error with both its answers", async (t) => {
  await t.notThrowsAsync(workedTwice("steady"));
  const dated = await t.throwsAsync(workedTwice("dated"), { instanceOf: AppFailure });
  t.is(dated?.verdict, "ERROR");
  const day = "\\d{4}-\\d\\d-\\d\\d";
  t.regex(dated?.message ?? "", new RegExp(`^dated does not give the same twice: .*${day}.* once and .*${day}`));
  t.is(new Set(dated?.message.match(/\d{4}-\d\d-\d\d/g)).size, 2);
  const tosses = await t.throwsAsync(workedTwice("tosses"), { instanceOf: AppFailure });
  t.regex(tosses?.message ?? "", /^tosses does not give the same twice: .*0\.\d+.* once and .*0\.\d+/);
  await neighbourIsWell(t);
});

test("[D2] after all of them nothing is left behind", async (t) => {
  await host.close();
  t.deepEqual(leftBehind(mark, runDir), []);
});

test("[D2] a program that is not in the image is an error of its container", async (t) => {
  const manifestText = async (): Promise<string> =>
    "name: absent\nversion: 1.0.0\nimage: {base: node, run: [/app/absent]}\nqueries: {it: anything}";
  const absent = { rootfs: () => images.rootfs("" as Hash), manifestText, text: () => images.text("" as Hash, "") };
  const other = new DappHost({ ...options, images: absent });
  const dapp = await other.dapp("absent" as Hash);
  const error = await t.throwsAsync(dapp.query("it", null, emptyState), { instanceOf: GdoError });
  t.is(error?.code, "CONTAINER");
  t.regex(error?.message ?? "", /absent could not be started: .*no such file/);
  await other.close();
});

test("[D2] containers that the agent's kill -9 left end, and cleanup removes what bears its mark only", async (t) => {
  const agent = spawn(process.execPath, ["dist/test/support/dapp-agent.js", rootfs, runDir, mark, "loop"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => agent.kill("SIGKILL"));
  await once(agent.stdout, "data");
  t.not(leftBehind(mark, runDir).length, 0);
  // Another home on the same machine, with a mark that begins alike.
  const otherDir = mkdtempSync(join(tmpdir(), "gdo-run-"));
  const other = new RuncRuntime({ runDir: otherDir, mark: `${mark}2`, log: silentLog });
  let heard = "";
  const listener = {
    output: (bytes: Uint8Array): void => {
      heard += Buffer.from(bytes).toString();
    },
    log: (): void => {},
  };
  const neighbour = await other.start(programSpec(rootfs, "echo"), listener);
  agent.kill("SIGKILL");
  await once(agent, "exit");

  await new RuncRuntime({ runDir, mark, log: silentLog }).cleanup();
  t.deepEqual(leftBehind(`${mark}-`, runDir), []);
  await neighbour.write("still here\n");
  neighbour.closeInput();
  t.is((await neighbour.ended).status, 7);
  t.is(heard, "still here\n");
  rmSync(otherDir, { recursive: true, force: true });
});

test("[D2] a well-behaved container ends by itself when the agent is killed", async (t) => {
  const agent = spawn(process.execPath, ["dist/test/support/dapp-agent.js", rootfs, runDir, mark, "counts"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(agent.stdout, "data");
  agent.kill("SIGKILL");
  await once(agent, "exit");
  const processes = (): string[] => leftBehind(`${mark}-`, runDir).filter((what) => what.startsWith("process"));
  while (processes().length > 0) await new Promise((wake) => setTimeout(wake, 20));
  await new RuncRuntime({ runDir, mark, log: silentLog }).cleanup();
  t.deepEqual(leftBehind(`${mark}-`, runDir), []);
});

test("[D2] nothing stands between a container and its streams, and one whose holder is killed ends with it", async (t) => {
  let heard = "";
  const listener = {
    output: (bytes: Uint8Array): void => {
      heard += Buffer.from(bytes).toString();
    },
    log: (): void => {},
  };
  const container = await new RuncRuntime({ runDir, mark, log: silentLog }).start(
    programSpec(rootfs, "echo"),
    listener,
  );
  await container.write("here\n");
  while (heard === "") await new Promise((wake) => setTimeout(wake, 20));
  const holders = (): string[] =>
    leftBehind(container.name, runDir).flatMap((what) => (what.startsWith("process ") ? [what.slice(8)] : []));
  // The tool ends a moment after the program has begun.
  while (holders().length > 1) await new Promise((wake) => setTimeout(wake, 20));
  const [holder = ""] = holders();
  t.regex(readFileSync(`/proc/${holder}/cmdline`, "utf8"), /gdo-stage\0hold\0/);
  process.kill(Number(holder), "SIGKILL");
  await container.ended;
  t.deepEqual(leftBehind(container.name, runDir), []);
});
