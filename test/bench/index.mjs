/**
 * The store's index at the size of a terabyte: `npm run bench:index [-- FOLDER [IDS]]`. Builds an index of
 * 16.8 million ids in FOLDER (kept: it takes 1 GB), then opens and asks it in a process of its own. Resident
 * memory is what /proc says of that process, private and mapped. Asserts nothing.
 */
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [folder = join(tmpdir(), "gdo-bench-index"), ids = "16777216"] = process.argv.slice(2);
const run = (program, ...args) => execFileSync(program, args, { stdio: ["ignore", "pipe", "inherit"] });

run("cmake", "-S", ".", "-B", "build/bench");
run("cmake", "--build", "build/bench", "--target", "bench_index", "--parallel", "2");
const bench = () => process.stdout.write(run("build/bench/bench_index", join(resolve(folder), ids), ids));
bench(); // Builds, or asks where it has been built before.
bench();
