import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const buildDir = "build/sanitize";

test("[N1] the core builds without Node.js and passes its tests under AddressSanitizer and UBSan", async (t) => {
  const options = { cwd: root, maxBuffer: 16 * 1024 * 1024 };
  const flags = ["-DGDO_SANITIZE=ON", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"];
  await run("cmake", ["-S", ".", "-B", buildDir, ...flags], options);
  await run("cmake", ["--build", buildDir, "--target", "core_tests", "--parallel", "2"], options);
  const { stdout, stderr } = await run(`${buildDir}/core_tests`, ["test/fixtures/blake3/vectors.txt"], options);
  t.is(stderr, "");
  t.deepEqual(stdout.trim().split("\n"), [
    "ok 1 [T1] BLAKE3",
    "ok 2 [T2] chunker",
    "ok 3 [T7] [N2] CRC-32C",
    "ok 4 [T10] zstd",
    "ok 5 [N5] Wiegand",
    "ok 6 [N2] kernels",
    "ok 7 [T2] profiles of others",
  ]);
});
