/**
 * `npm run fuzz [-- --seconds N] [target...]`: builds the fuzzers of native/fuzz with clang, with
 * AddressSanitizer and UndefinedBehaviorSanitizer, and runs each for N seconds (60 unless told) on the
 * corpus of the repository. What they find beyond it stays in build/fuzz/corpus and is begun with next
 * time. A crash is kept, and how to repeat it is printed. Status: 0 nothing found, 1 something, 2 usage.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { parseArgs } from "node:util";

const root = new URL("../../", import.meta.url).pathname;
const BUILD = "build/fuzz";
const SOURCES = "native/fuzz";
const SECONDS = 60;
/** A run ends where an input takes more: no length in a damaged file may make us ask for it. */
const MALLOC_MIB_MAX = 256;
const RSS_MIB_MAX = 1500;
const INPUT_BYTES_MAX = 2048;
const INPUT_SECONDS_MAX = 30;
const AT_ONCE = 2;
/** Freed memory is kept for a while, to find uses of it: not so much that it counts against RSS_MIB_MAX. */
const ASAN_OPTIONS = "quarantine_size_mb=32";

/**
 * Sources are compiled ten at a time: most of a compiler's time goes to the standard library's headers.
 * No library of ours shares a name between two of its files, so that this works.
 */
export const UNITY = ["-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_UNITY_BUILD_BATCH_SIZE=10"];

/** Names of all fuzzers. */
export const FUZZERS = readdirSync(root + SOURCES)
  .filter((name) => name.endsWith("_fuzzer.cc"))
  .map((name) => name.slice(0, -"_fuzzer.cc".length))
  .sort();

function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ASAN_OPTIONS },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (data) => (output += data);
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output }));
  });
}

/** Builds the fuzzers, and more targets with the same sanitizers; throws with the compiler's words when that fails. */
export async function buildFuzzers(more = []) {
  const settings = ["-DCMAKE_CXX_COMPILER=clang++", "-DGDO_FUZZ=ON", "-DCMAKE_BUILD_TYPE=RelWithDebInfo", ...UNITY];
  const names = [...FUZZERS.map((name) => `${name}_fuzzer`), ...more];
  for (const args of [
    ["-S", ".", "-B", BUILD, ...settings],
    ["--build", BUILD, "--parallel", "2", "--target", ...names],
  ]) {
    const { status, output } = await run("cmake", args);
    if (status !== 0) throw new Error(output);
  }
}

/** Runs one fuzzer. Gives how many inputs it tried, and what to say when it found a fault. */
async function runFuzzer(name, seconds) {
  const found = `${BUILD}/corpus/${name}`;
  const kept = `${SOURCES}/corpus/${name}`;
  mkdirSync(root + found, { recursive: true });
  const { status, output } = await run(`${BUILD}/${name}_fuzzer`, [
    `-max_total_time=${seconds}`,
    `-max_len=${INPUT_BYTES_MAX}`,
    `-timeout=${INPUT_SECONDS_MAX}`,
    `-malloc_limit_mb=${MALLOC_MIB_MAX}`,
    `-rss_limit_mb=${RSS_MIB_MAX}`,
    `-artifact_prefix=${BUILD}/${name}-`,
    "-print_final_stats=1",
    found,
    ...(existsSync(root + kept) ? [kept] : []),
  ]);
  const runs = Number(/^stat::number_of_executed_units: *(\d+)$/m.exec(output)?.[1] ?? 0);
  if (status === 0) return { name, runs };
  const artifact = /Test unit written to (\S+)/.exec(output)?.[1];
  const repeat = artifact === undefined ? "" : `\nrepeat: ${BUILD}/${name}_fuzzer ${artifact}`;
  return { name, runs, fault: `${output.slice(-6000)}${repeat}` };
}

/** Runs fuzzers, two at a time, each for so many seconds. */
export async function runFuzzers(names, seconds) {
  const waiting = [...names];
  const results = [];
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      results.push(await runFuzzer(name, seconds));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

async function main() {
  const { values, positionals } = parseArgs({ options: { seconds: { type: "string" } }, allowPositionals: true });
  const seconds = Number(values.seconds ?? SECONDS);
  const unknown = positionals.filter((name) => !FUZZERS.includes(name));
  if (unknown.length > 0 || !(seconds >= 1)) {
    console.error(`usage: npm run fuzz [-- --seconds N] [target...]; targets: ${FUZZERS.join(", ")}`);
    return 2;
  }
  await buildFuzzers();
  const results = await runFuzzers(positionals.length > 0 ? positionals : FUZZERS, seconds);
  for (const { name, runs, fault } of results) {
    console.log(`${fault === undefined ? "ok  " : "FAIL"} fuzz: ${name.padEnd(10)} ${runs} inputs`);
    if (fault !== undefined) console.log(fault);
  }
  return results.some(({ fault }) => fault !== undefined) ? 1 : 0;
}

if (process.argv[1] === new URL(import.meta.url).pathname) process.exitCode = await main();
