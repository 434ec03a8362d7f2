import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { NATIVE_DIGEST } from "../support/native-digest.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const fuzzUrl = new URL("../../../test/support/fuzz.mjs", import.meta.url).href;
const options = { cwd: root, maxBuffer: 16 * 1024 * 1024 };

const ARMS = [
  { name: "ARMv8", processor: "aarch64", compiler: "aarch64-linux-gnu-g++", emulator: "qemu-aarch64-static" },
  { name: "ARMv7", processor: "arm", compiler: "arm-linux-gnueabihf-g++", emulator: "qemu-arm-static" },
];

/** The core's tests for one processor; without libzstd, which a cross compiler does not bring. */
async function buildTests(folder: string, flags: readonly string[]): Promise<string> {
  const build = `build/${folder}`;
  const { UNITY } = (await import(fuzzUrl)) as { readonly UNITY: readonly string[] };
  const settings = ["-DCMAKE_BUILD_TYPE=Release", "-DGDO_ZSTD=OFF", ...UNITY, ...flags];
  await run("cmake", ["-S", ".", "-B", build, ...settings], options);
  await run("cmake", ["--build", build, "--target", "core_tests", "--parallel", "2"], options);
  return `${build}/core_tests`;
}

const crossFlags = ({ processor, compiler }: (typeof ARMS)[number]) => [
  "-DCMAKE_SYSTEM_NAME=Linux",
  `-DCMAKE_SYSTEM_PROCESSOR=${processor}`,
  `-DCMAKE_CXX_COMPILER=${compiler}`,
  "-DCMAKE_EXE_LINKER_FLAGS=-static",
];

/** The line of `core_tests --digest` with one kernel: its name and what it computes. */
async function digest(command: readonly string[], kernel: string): Promise<[string, string]> {
  const [program, ...args] = command as [string, ...string[]];
  const env = { ...process.env, GDO_KERNEL: kernel };
  const { stdout } = await run(program, [...args, "--digest"], { ...options, env });
  return stdout.trim().split(" ") as [string, string];
}

for (const arm of ARMS) {
  const isThere = [arm.compiler, arm.emulator].every((program) => spawnSync(program, ["--version"]).status === 0);
  const emulated = isThere ? test.serial : test.serial.skip;

  emulated(`[N2] ${arm.name}: the core's tests pass, and NEON computes what plain code computes here`, async (t) => {
    const tests = await buildTests(`arm-${arm.processor}`, crossFlags(arm));
    const { stdout } = await run(arm.emulator, [tests, "test/fixtures/blake3/vectors.txt"], options);
    t.is(stdout.trim().split("\n").length, 6);
    t.true(stdout.includes("[N2] kernels"));
    t.deepEqual(await digest([arm.emulator, tests], "scalar"), ["scalar", NATIVE_DIGEST]);
    t.deepEqual(await digest([arm.emulator, tests], "neon"), ["neon", NATIVE_DIGEST]);
  });
}
