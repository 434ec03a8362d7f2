/**
 * `npm run bench:store`: the figures of docs/design/store.md beside those of the peers, in one run:
 *   node test/bench/store.mjs [--quick] [--rounds N] [--set kernel|source|binary]
 * after a build. Installs the peers from Debian, fetches the data (store-data.mjs), and takes the tools in
 * turn, round by round, so that what disturbs the machine disturbs all. Prints medians, asserts nothing.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { hostInfo } from "../../dist/lib/addon.js";
import { DATA_SETS, makeData } from "./store-data.mjs";
import { folderBytes, measure, median } from "./store-run.mjs";
import { printTable } from "./store-table.mjs";
import { TOOLS } from "./store-tools.mjs";

const PACKAGES = ["casync", "borgbackup", "restic", "bup", "ostree", "zstd", "b3sum", "time"];
const NEEDED_BYTES = 4e9;
const root = new URL("../../", import.meta.url).pathname;
const { values } = parseArgs({
  options: { quick: { type: "boolean" }, rounds: { type: "string" }, set: { type: "string", default: "kernel" } },
});
const rounds = values.quick ? 1 : Number(values.rounds ?? 5);

function installPeers() {
  const isInstalled = (name) => spawnSync("dpkg", ["-s", name]).stdout.includes("Status: install ok installed");
  const missing = PACKAGES.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], {
    env,
    stdio: ["ignore", 2, 2],
  });
}

/** Memory where there is enough of it, else the disk of temporary files. */
function fastestFolder() {
  const hasRoom = (path) => statfsSync(path).bavail * statfsSync(path).bsize > NEEDED_BYTES;
  const place = hasRoom("/dev/shm") ? "/dev/shm" : tmpdir();
  return mkdtempSync(join(place, "gdo-bench-"));
}

function buildCore(folder) {
  const program = join(folder, "store-core");
  const source = join(root, "test/bench/store-core.cc");
  const library = join(root, "build/cmake/libgdo_core.a");
  execFileSync("c++", ["-std=c++20", "-O2", "-I", join(root, "native"), "-o", program, source, library, "-lzstd"]);
  return program;
}

/** One tool takes all versions in, the newest once more, and gives the newest back; what it says is compared. */
function takeThrough(tool, versions, folder) {
  const state = join(folder, "state");
  const out = join(folder, "out");
  mkdirSync(state);
  const run = (command) => measure(folder, command, { env: { ...tool.env, HOME: folder } });
  if (tool.begin) run(tool.begin(state));
  const newest = versions.length;
  const last = versions[newest - 1];
  const sizes = [];
  const puts = versions.map((version, index) => {
    const put = run(tool.put(state, version, index + 1));
    sizes.push(folderBytes(state));
    return put;
  });
  const again = run(tool.put(state, last, newest + 1));
  const restored = tool.restore ? run(tool.restore(state, newest, out)) : undefined;
  if (restored) execFileSync("cmp", [last.file, out]);
  rmSync(state, { recursive: true });
  rmSync(out, { recursive: true, force: true });
  const inside = (result) => (tool.name === "gdo" ? JSON.parse(result.output).seconds : result.seconds);
  return {
    storedBytes: sizes.at(-1),
    updateBytes: sizes.at(-1) - sizes.at(-2),
    putSeconds: puts.reduce((sum, put) => sum + put.seconds, 0),
    putInside: puts.reduce((sum, put) => sum + inside(put), 0),
    againSeconds: again.seconds,
    againInside: inside(again),
    restoreSeconds: restored?.seconds,
    restoreInside: restored && inside(restored),
    peakBytes: Math.max(...puts.map((put) => put.peakBytes)),
  };
}

/** What does not go through a store: rates of the core, and one file against the one before. */
function takeRates(core, versions, folder) {
  const [before, last] = versions.slice(-2);
  const json = (command) => JSON.parse(measure(folder, command).output);
  const patch = join(folder, "patch");
  const zstd = measure(folder, [
    "zstd",
    "-3",
    "-q",
    "-f",
    "--long=27",
    `--patch-from=${before.file}`,
    last.file,
    "-o",
    patch,
  ]);
  const through = json([process.execPath, join(root, "test/bench/store-gdo.mjs"), "cut", last.file]);
  const hash = measure(folder, [core, "hash", last.file]);
  const b3sum = measure(folder, ["b3sum", "--num-threads", "1", last.file]);
  return {
    cut: json([core, "cut", "min8-64k", last.file]).rate,
    fastCdc: json([core, "cut", "fastcdc2016-64k", last.file]).rate,
    hashSeconds: hash.seconds,
    b3sumSeconds: b3sum.seconds,
    ...through,
    patchBytes: folderBytes(patch),
    patchSeconds: zstd.seconds,
    patchPeakBytes: zstd.peakBytes,
    nodePeakBytes: measure(folder, [process.execPath, "-e", "0"]).peakBytes,
  };
}

/** The median of each field over the rounds. */
function medians(results) {
  return Object.fromEntries(
    Object.keys(results[0]).map((key) => [
      key,
      results[0][key] === undefined ? undefined : median(results.map((one) => one[key])),
    ]),
  );
}

function tellMachine(versions, folder) {
  const { kernels, versions: libraries } = hostInfo();
  console.log(
    `machine: ${cpus().length} × ${cpus()[0].model}, ${(totalmem() / 1e9).toFixed(0)} GB, Linux ${release()}; data in ${folder.split("/gdo-")[0]}`,
  );
  console.log(`kernels: ${JSON.stringify(kernels)}, zstd ${libraries.zstd}; rounds: ${rounds}`);
  console.log(`tools:   ${TOOLS.map((tool) => tool.version()).join(", ")}`);
  for (const { version, file } of versions)
    console.log(`data:    ${version}, ${(folderBytes(file) / 1e6).toFixed(1)} MB`);
}

// Certificates that a machine adds take Node.js longer to read at each start than all else that it does then.
delete process.env.NODE_EXTRA_CA_CERTS;
installPeers();
const set = DATA_SETS.find(({ name }) => name === values.set);
if (set === undefined) throw new Error(`no such data: ${values.set}`);
const folder = fastestFolder();
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
const core = buildCore(folder);
const versions = makeData(set, folder);
tellMachine(versions, folder);
const byTool = Object.fromEntries(TOOLS.map(({ name }) => [name, []]));
const rates = [];
for (let round = 1; round <= rounds; round += 1) {
  process.stderr.write(`round ${round} of ${rounds}\n`);
  for (const tool of TOOLS) {
    if (round === 1 || !tool.isSlow) byTool[tool.name].push(takeThrough(tool, versions, folder));
  }
  rates.push(takeRates(core, versions, folder));
}
printTable(Object.fromEntries(TOOLS.map(({ name }) => [name, medians(byTool[name])])), medians(rates), versions.length);
