import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { NATIVE_DIGEST } from "../support/native-digest.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface FuzzRun {
  readonly name: string;
  readonly runs: number;
  readonly fault?: string;
}

interface FuzzProgram {
  readonly FUZZERS: readonly string[];
  readonly UNITY: readonly string[];
  buildFuzzers(more?: readonly string[]): Promise<void>;
  runFuzzers(names: readonly string[], seconds: number): Promise<FuzzRun[]>;
}

/** What the corpus holds is tried in any case; `npm run fuzz` looks for more. */
const FUZZ_SECONDS_EACH = 3;
const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const options = { cwd: root, maxBuffer: 16 * 1024 * 1024 };
const programUrl = new URL("../../../test/support/fuzz.mjs", import.meta.url).href;

/** One build with clang's sanitizers serves the tests and the fuzzers. */
const program = (async () => {
  const fuzz = (await import(programUrl)) as FuzzProgram;
  await fuzz.buildFuzzers(["core_tests", "store_tests", "index_tests"]);
  return fuzz;
})();

async function linesOf(path: string, args: string[]): Promise<string[]> {
  const { stdout, stderr } = await run(path, args, options);
  return [...stdout.trim().split("\n"), ...(stderr === "" ? [] : [stderr])];
}

const STORE_TESTS = [
  "ok 1 [T7] records and footers",
  "ok 2 [T6] [T10] payloads",
  "ok 3 [T8] appending to a pack",
  "ok 4 [T10] objects",
  "ok 5 [T2] [T6] files through all threads",
  "ok 6 [T10] readers beside the writer",
];

test.serial("[N1] the core builds without Node.js and passes its tests under AddressSanitizer and UBSan", async (t) => {
  await program;
  t.deepEqual(await linesOf("build/fuzz/core_tests", ["test/fixtures/blake3/vectors.txt"]), [
    "ok 1 [T1] BLAKE3",
    "ok 2 [T2] chunker",
    "ok 3 [T7] [N2] CRC-32C",
    "ok 4 [T10] zstd",
    "ok 5 [N5] Wiegand",
    "ok 6 [N2] kernels",
    "ok 7 [T2] profiles of others",
  ]);
});

test.serial("[N2] plain code computes here what arm.test.ts expects of every other processor", async (t) => {
  await program;
  const env = { ...process.env, GDO_KERNEL: "scalar" };
  const { stdout } = await run("build/fuzz/core_tests", ["--digest"], { ...options, env });
  t.is(stdout, `scalar ${NATIVE_DIGEST}\n`);
});

test.serial("[N1] [T10] the store's native part passes its tests under AddressSanitizer and UBSan", async (t) => {
  await program;
  t.deepEqual(await linesOf("build/fuzz/store_tests", [await temporaryFolder(t)]), STORE_TESTS);
});

test.serial("[T9] [T10] the index agrees with a map under puts, drops, merges, reopenings and damage", async (t) => {
  await program;
  t.deepEqual(await linesOf("build/fuzz/index_tests", [await temporaryFolder(t)]), [
    "ok 1 [T9] pages of a run",
    "ok 2 [T9] [T10] a run's end, and manifests",
    "ok 3 [T9] [T10] the index against a map",
  ]);
});

test.serial("[N1] [T10] core and pack reader stand what fuzzers invent, under both sanitizers", async (t) => {
  const { FUZZERS, runFuzzers } = await program;
  const results = await runFuzzers(FUZZERS, FUZZ_SECONDS_EACH);
  for (const { name, runs, fault } of results) {
    t.log(`${name}: ${runs} inputs`);
    t.is(fault, undefined, name);
    t.true(runs > 0, name);
  }
  t.deepEqual(results.map(({ name }) => name).sort(), [...FUZZERS]);
});

test.serial("[N4] [T10] writer, workers and readers beside them have no race: ThreadSanitizer", async (t) => {
  const { UNITY } = await program;
  const flags = [
    "-DCMAKE_CXX_COMPILER=clang++",
    "-DGDO_SANITIZE=thread",
    "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
    ...UNITY,
  ];
  await run("cmake", ["-S", ".", "-B", "build/thread", ...flags], options);
  await run("cmake", ["--build", "build/thread", "--target", "store_tests", "--parallel", "2"], options);
  t.deepEqual(await linesOf("build/thread/store_tests", [await temporaryFolder(t)]), STORE_TESTS);
});
