/**
 * How long a dapp's calls take and what an idle one weighs: `npm run bench:dapps` after a build, as root. The dapp in
 * Node.js is the quota example; what its language takes by itself is a row of its own.
 * Every figure stands beside `runc run` (and `crun run`, where it takes this machine) of a program that does
 * nothing, in the same image with the same confinement, taken in turn with it. Prints, asserts nothing.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { newDapp } from "../../dist/lib/agent/dapp-kit/new.js";
import { stageProject } from "../../dist/lib/agent/dapp-kit/project.js";
import { GdoError, SystemClock, silentLog } from "../../dist/lib/base/index.js";
import { bundleConfig } from "../../dist/lib/dapp/container/bundle.js";
import { DappHost, dappState, RuncRuntime } from "../../dist/lib/dapp/index.js";
import { giveAway, makeTestRootfs, removeTestRootfs, testLimits } from "../../dist/test/support/dapp-containers.js";

const COLD_RUNS = 15;
const WARM_CALLS = 4000;
/** The first calls are a row of their own: both sides are compiled while they run. */
const FIRST_CALLS = 500;
const ENTRIES = 10_000;
const MEMBERS = 100;
const REDUCES = 15;
const IDLE_DAPPS = 10;
const MIB = 1024 ** 2;
const STAGE = "build/Release/gdo-stage";
const WITHOUT_UNIFIED = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"';

/** Answers each line like a dapp: the least that a language without a runtime of its own needs. */
const ANSWERER = `#include <stdio.h>
#include <string.h>
int main(void) {
  static char line[65536];
  while (fgets(line, sizeof line, stdin)) {
    const char* id = strstr(line, "\\"id\\":");
    int number = 0;
    if (id) sscanf(id + 5, "%d", &number);
    printf("{\\"jsonrpc\\":\\"2.0\\",\\"id\\":%d,\\"result\\":0}\\n", number);
    fflush(stdout);
  }
}`;

const rootfs = makeTestRootfs();
const projects = mkdtempSync(join(tmpdir(), "gdo-quota-"));
const quota = await stageProject({ folder: newDapp("quota", "ts", projects) });
cpSync(quota, rootfs, { recursive: true });
for (const path of [projects, quota]) rmSync(path, { recursive: true });
writeFileSync(join(rootfs, "app/empty.cjs"), "");
compile("true", "int main(void) { return 0; }");
compile("answer", ANSWERER);
giveAway(rootfs);
const runDir = mkdtempSync(join(tmpdir(), "gdo-run-"));
const manifest = readFileSync(join(rootfs, "dapp.yaml"), "utf8");
const inC =
  "name: plain\nversion: 1.0.0\nimage: {base: node, run: [/app/answer]}\nqueries: {used: it}\nlimits: {cpu: 1}\n";
const images = {
  rootfs: async () => rootfs,
  manifestText: async (tree) => (tree === "c" ? inC : manifest),
  text: async (_, path) => textIn(join(rootfs, path)),
};

function textIn(path) {
  if (!existsSync(path)) throw new GdoError("NOT_FOUND", path);
  return readFileSync(path, "utf8");
}

const empty = dappState(
  () => ({ get: () => undefined, scan: () => [] }),
  async () => new Uint8Array(),
);
const runtime = new RuncRuntime({ runDir, mark: "gdo-bench", log: silentLog });
const newHost = () => new DappHost({ runtime, images, log: silentLog, clock: new SystemClock() });
const host = newHost();

function compile(name, text) {
  writeFileSync(join(rootfs, `app/${name}.c`), text);
  execFileSync("cc", ["-O1", "-static", "-o", join(rootfs, "app", name), join(rootfs, `app/${name}.c`)]);
}

async function timed(action) {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

function quantile(times, share) {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function line(what, times, beside) {
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(times, share).toFixed(2).padStart(9));
  const ratio =
    beside === undefined ? "" : `   ${(quantile(times, 0.5) / quantile(beside, 0.5)).toFixed(2)} × runc run`;
  console.log(`${what.padEnd(44)} p50 ${p50} ms   p99 ${p99} ms   n ${times.length}${ratio}`);
}

/** A run of a program that ends at once; undefined where the tool does not take this machine. */
function plainRun(tool, run = ["/app/true"]) {
  const bundle = join(runDir, `plain-${tool}`);
  mkdirSync(bundle, { recursive: true });
  const controllers = new Set(["memory", "pids", "cpu"]);
  const confinement = {
    isRootless: false,
    uid: 0,
    gid: 0,
    controllers,
    hasSwapLimit: true,
    hasProcSubset: true,
    arch: process.arch,
  };
  const spec = { rootfs: "/mnt", run, limits: testLimits, cgroupsPath: `/gdo-bench-${tool}` };
  writeFileSync(join(bundle, "config.json"), bundleConfig(spec, confinement));
  const start = performance.now();
  // crun 1.8 takes no machine that mixes control group versions; without the second it sees only the first.
  const hidden = tool === "crun" ? ["unshare", "--mount", "sh", "-c", WITHOUT_UNIFIED, "sh"] : [];
  const command = [STAGE, "run", rootfs, "/mnt", "0", tool, "run", "--bundle", bundle, `gdo-bench-${tool}`];
  const [program, ...args] = [...hidden, ...command];
  const { status } = spawnSync(program, args);
  return status === 0 ? performance.now() - start : undefined;
}

async function coldQuery(tree) {
  const cold = newHost();
  const dapp = await cold.dapp(tree);
  const ms = await timed(() => dapp.query("used", "ada", empty));
  await cold.close();
  return ms;
}

/** In turn, so that what else the machine does weighs on all of them alike. */
async function coldFigures() {
  await coldQuery("c"); // The machine is probed once, at an agent's start.
  const times = { runc: [], crun: [], c: [], empty: [], node: [] };
  for (let run = 0; run < COLD_RUNS; run += 1) {
    times.runc.push(plainRun("runc"));
    times.crun.push(plainRun("crun"));
    times.empty.push(plainRun("runc", ["node", "/app/empty.cjs"]));
    times.c.push(await coldQuery("c"));
    times.node.push(await coldQuery("node"));
  }
  line("runc run, a program that does nothing", times.runc);
  if (times.crun[0] === undefined) console.log("crun run: crun does not take this machine's control groups");
  else line("crun run, the same", times.crun, times.runc);
  line("cold query of a dapp in C", times.c, times.runc);
  line("runc run, Node.js with an empty program", times.empty, times.runc);
  line("cold query of a dapp in Node.js", times.node, times.runc);
}

async function warmFigures() {
  const dapp = await host.dapp("node");
  await dapp.query("used", "ada", empty);
  const times = [];
  for (let call = 0; call < FIRST_CALLS + WARM_CALLS; call += 1) {
    times.push(await timed(() => dapp.query("used", "ada", empty)));
  }
  line(`warm query with two look-ups, the first ${FIRST_CALLS}`, times.slice(0, FIRST_CALLS));
  line(`warm query with two look-ups, the next ${WARM_CALLS}`, times.slice(FIRST_CALLS));
  const reduce = [];
  for (let run = 0; run < REDUCES; run += 1) {
    const input = manyEntries();
    reduce.push(await timed(() => dapp.reduce(input, empty)));
  }
  line(`warm reduce of ${ENTRIES} entries, ${MEMBERS} members`, reduce);
  const [median, best] = [quantile(reduce, 0.5), Math.min(...reduce)].map((ms) => Math.round(ENTRIES / (ms / 1000)));
  console.log(`reduce: ${median} entries/s by the median, ${best} at best`);
}

function manyEntries() {
  const entries = Array.from({ length: ENTRIES }, (_, index) => ({
    id: index.toString(16).padStart(64, "0"),
    author: "a".repeat(64),
    principal: `member${index % MEMBERS}`,
    rights: ["append"],
    timeMs: index,
    app: "quota",
    acts: [{ type: "use", body: { amount: 1 } }],
  }));
  return { height: 1, seed: "0".repeat(64), entries, events: [], order: entries.map(({ id }) => id) };
}

/** Memory that no other process shares, by the name of what a process runs. */
function privateBytes(isOurs) {
  const found = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (!isOurs(pid, command)) continue;
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      const kib = [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB/gm)].reduce((sum, [, text]) => sum + Number(text), 0);
      const name = command[0].split("/").at(-1);
      found.set(name, [...(found.get(name) ?? []), kib * 1024]);
    } catch {
      // It has ended.
    }
  }
  return found;
}

async function idleFigures() {
  for (let index = 0; index < IDLE_DAPPS; index += 1) {
    await (await host.dapp(`idle${index}`)).query("used", "ada", empty);
  }
  const inGroup = (pid) => readFileSync(`/proc/${pid}/cgroup`, "utf8").includes("gdo-bench-quota");
  const found = privateBytes(
    (pid, command) => inGroup(pid) || command.some((arg) => arg.startsWith("gdo-bench-quota")),
  );
  for (const [name, sizes] of found) {
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    console.log(`idle: ${sizes.length} processes ${name}, ${(mean / MIB).toFixed(1)} MiB private each`);
  }
}

console.log(
  `load ${loadavg()
    .map((value) => value.toFixed(1))
    .join(" ")}, Node.js ${process.version}`,
);
await coldFigures();
await warmFigures();
await idleFigures();
await host.close();
removeTestRootfs(rootfs);
rmSync(runDir, { recursive: true, force: true });
