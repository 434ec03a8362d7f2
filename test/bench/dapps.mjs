/**
 * How long a dapp's calls take: `node test/bench/dapps.mjs` after a build. Cold: container not running;
 * warm: running. Beside them `runc run` of /bin/true-like work in the same image. Prints, asserts nothing.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock, silentLog } from "../../dist/lib/base/index.js";
import { bundleConfig } from "../../dist/lib/dapp/container/bundle.js";
import { DappHost, dappState, RuncRuntime } from "../../dist/lib/dapp/index.js";
import { giveAway, makeTestRootfs, removeTestRootfs, testLimits } from "../../dist/test/support/dapp-containers.js";

const PRIVATE_MOUNTS = "unshare";
const COLD_RUNS = 15;
const WARM_CALLS = 2000;
const ENTRIES = 10_000;

const rootfs = makeTestRootfs();
cpSync("dist/dapps/membership", rootfs, { recursive: true });
writeFileSync(join(rootfs, "app/true.c"), "int main(void) { return 0; }");
execFileSync("cc", ["-static", "-o", join(rootfs, "app/true"), join(rootfs, "app/true.c")]);
giveAway(rootfs);
const runDir = mkdtempSync(join(tmpdir(), "gdo-run-"));
const images = {
  rootfs: async () => rootfs,
  manifestText: async () => readFileSync(join(rootfs, "dapp.yaml"), "utf8"),
  text: async (_tree, path) => readFileSync(join(rootfs, path), "utf8"),
};
const empty = dappState(
  () => ({ get: () => undefined, scan: () => [] }),
  async () => new Uint8Array(),
);

function host() {
  const runtime = new RuncRuntime({ runDir, mark: "gdo-bench", log: silentLog });
  return new DappHost({ runtime, images, log: silentLog, clock: new SystemClock() });
}

async function timed(action) {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

function line(what, times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(2).padStart(9);
  console.log(`${what.padEnd(40)} p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   n ${sorted.length}`);
}

/** `runc run` of a program that does nothing, in the same image with the same confinement. */
function plainRuns() {
  const bundle = join(runDir, "plain");
  mkdirSync(bundle, { recursive: true });
  const confinement = {
    isRootless: false,
    uid: 0,
    gid: 0,
    controllers: new Set(["memory", "pids", "cpu"]),
    hasSwapLimit: true,
    arch: process.arch,
  };
  const spec = { rootfs: "/mnt", run: ["/app/true"], limits: testLimits, cgroupsPath: "/gdo-bench-plain" };
  writeFileSync(join(bundle, "config.json"), bundleConfig(spec, confinement));
  const script = 'mount --bind "$1" /mnt && exec runc run --bundle "$2" gdo-bench-plain';
  const args = ["--mount", "sh", "-c", script, "sh", rootfs, bundle];
  return Array.from({ length: COLD_RUNS }, () => {
    const start = performance.now();
    const { status, stderr } = spawnSync(PRIVATE_MOUNTS, args);
    if (status !== 0) throw new Error(`runc: ${stderr}`);
    return performance.now() - start;
  });
}

const cold = [];
for (let run = 0; run < COLD_RUNS; run += 1) {
  const dapps = host();
  const dapp = await dapps.dapp("t");
  cold.push(await timed(() => dapp.query("count", null, empty)));
  await dapps.close();
}

const dapps = host();
const dapp = await dapps.dapp("t");
await dapp.query("count", null, empty);
const warm = [];
for (let call = 0; call < WARM_CALLS; call += 1) warm.push(await timed(() => dapp.query("count", null, empty)));
const oneGet = [];
for (let call = 0; call < WARM_CALLS; call += 1) {
  oneGet.push(await timed(() => dapp.query("card", { ref: "a".repeat(32) }, empty)));
}

const entries = Array.from({ length: ENTRIES }, (_, index) => ({
  id: index.toString(16).padStart(64, "0"),
  author: "a".repeat(64),
  principal: "office",
  rights: ["members"],
  timeMs: index,
  app: "membership",
  acts: [{ type: "person.put", body: { id: `person${index}`, name: "A Person", level: 0, status: "active" } }],
}));
const input = { height: 1, entries, events: [], order: entries.map(({ id }) => id) };
await dapp.reduce(input, empty);
const reduce = [];
for (let run = 0; run < 5; run += 1) reduce.push(await timed(() => dapp.reduce(input, empty)));

line("runc run, a program that does nothing", plainRuns());
line("cold query (container, Node.js, answer)", cold);
line("warm query without state", warm);
line("warm query with one get", oneGet);
line(`warm reduce of ${ENTRIES} entries`, reduce);
console.log(`reduce: ${Math.round(ENTRIES / (Math.min(...reduce) / 1000))} entries/s`);
await dapps.close();
removeTestRootfs(rootfs);
rmSync(runDir, { recursive: true, force: true });
