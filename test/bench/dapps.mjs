/**
 * How long a dapp's calls take and what an idle one weighs: `npm run bench:dapps` after a build, as root.
 * Every figure stands beside `runc run` (and `crun run`, where it takes this machine) of a program that does
 * nothing, in the same image with the same confinement, taken in turn with it. Prints, asserts nothing.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock, silentLog } from "../../dist/lib/base/index.js";
import { bundleConfig } from "../../dist/lib/dapp/container/bundle.js";
import { DappHost, dappState, RuncRuntime } from "../../dist/lib/dapp/index.js";
import { giveAway, makeTestRootfs, removeTestRootfs, testLimits } from "../../dist/test/support/dapp-containers.js";

const COLD_RUNS = 15;
const WARM_CALLS = 2000;
const ENTRIES = 10_000;
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
cpSync("dist/dapps/membership", rootfs, { recursive: true });
compile("true", "int main(void) { return 0; }");
compile("answer", ANSWERER);
giveAway(rootfs);
const runDir = mkdtempSync(join(tmpdir(), "gdo-run-"));
const manifest = readFileSync(join(rootfs, "dapp.yaml"), "utf8");
const inC =
  "name: plain\nversion: 1.0.0\nimage: {base: node, run: [/app/answer]}\nqueries: {count: it}\nlimits: {cpu: 1}\n";
const images = {
  rootfs: async () => rootfs,
  manifestText: async (tree) => (tree === "c" ? inC : manifest),
  text: async (_, path) => readFileSync(join(rootfs, path), "utf8"),
};
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

/** A run of a program that does nothing; undefined where the tool does not take this machine. */
function plainRun(tool) {
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
  const spec = { rootfs: "/mnt", run: ["/app/true"], limits: testLimits, cgroupsPath: `/gdo-bench-${tool}` };
  writeFileSync(join(bundle, "config.json"), bundleConfig(spec, confinement));
  const start = performance.now();
  // crun 1.8 takes no machine that mixes control group versions; without the second it sees only the first.
  const hidden = tool === "crun" ? ["unshare", "--mount", "sh", "-c", WITHOUT_UNIFIED, "sh"] : [];
  const run = [STAGE, "run", rootfs, "/mnt", "0", tool, "run", "--bundle", bundle, `gdo-bench-${tool}`];
  const [program, ...args] = [...hidden, ...run];
  const { status } = spawnSync(program, args);
  return status === 0 ? performance.now() - start : undefined;
}

async function coldQuery(tree) {
  const cold = newHost();
  const dapp = await cold.dapp(tree);
  const ms = await timed(() => dapp.query("count", null, empty));
  await cold.close();
  return ms;
}

/** In turn, so that what else the machine does weighs on all of them alike. */
async function coldFigures() {
  await coldQuery("c"); // The machine is probed once, at an agent's start.
  const times = { runc: [], crun: [], c: [], node: [] };
  for (let run = 0; run < COLD_RUNS; run += 1) {
    times.runc.push(plainRun("runc"));
    times.crun.push(plainRun("crun"));
    times.c.push(await coldQuery("c"));
    times.node.push(await coldQuery("node"));
  }
  line("runc run, a program that does nothing", times.runc);
  if (times.crun[0] === undefined) console.log("crun run: crun does not take this machine's control groups");
  else line("crun run, the same", times.crun, times.runc);
  line("cold query of a dapp in C", times.c, times.runc);
  line("cold query of a dapp in Node.js", times.node, times.runc);
}

async function warmFigures() {
  const dapp = await host.dapp("node");
  const [plain, oneGet] = [[], []];
  for (let call = -50; call < WARM_CALLS; call += 1) {
    const one = await timed(() => dapp.query("count", null, empty));
    const other = await timed(() => dapp.query("card", { ref: "a".repeat(32) }, empty));
    if (call < 0) continue; // Both sides are compiled as they run.
    plain.push(one);
    oneGet.push(other);
  }
  line("warm query without state", plain);
  line("warm query with one get", oneGet);
  const reduce = [];
  for (let run = 0; run < 5; run += 1) reduce.push(await timed(() => dapp.reduce(manyEntries(), empty)));
  line(`warm reduce of ${ENTRIES} entries`, reduce);
  console.log(`reduce: ${Math.round(ENTRIES / (Math.min(...reduce) / 1000))} entries/s at best`);
}

function manyEntries() {
  const entries = Array.from({ length: ENTRIES }, (_, index) => ({
    id: index.toString(16).padStart(64, "0"),
    author: "a".repeat(64),
    principal: "office",
    rights: ["members"],
    timeMs: index,
    app: "membership",
    acts: [{ type: "person.put", body: { id: `person${index}`, name: "A Person", level: 0, status: "active" } }],
  }));
  return { height: 1, entries, events: [], order: entries.map(({ id }) => id) };
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
    await (await host.dapp(`idle${index}`)).query("count", null, empty);
  }
  const inGroup = (pid) => readFileSync(`/proc/${pid}/cgroup`, "utf8").includes("gdo-bench-membership");
  const found = privateBytes(
    (pid, command) => inGroup(pid) || command.some((arg) => arg.startsWith("gdo-bench-member")),
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
