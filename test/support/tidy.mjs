/**
 * clang-tidy over the C++ sources: `node test/support/tidy.mjs`, or `native/check.sh clang-tidy`.
 * Nearly all its time goes to the headers of the standard library, again for each file. So files are
 * read many at a time, one after the other in one unit; what a unit says is believed when it says
 * nothing, else its files are read alone. A file that passed is not read again until it, a header of
 * ours that it includes, its flags or the rules change.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const CLANG_TIDY = "clang-tidy";
const AT_ONCE = 2;
/** More in one unit gains little, and the last unit would keep one processor waiting for the other. */
const LINES_PER_UNIT = 1_200;
const PASSED = "build/tidy/passed";
const UNITS = "build/tidy/units";
const root = new URL("../../", import.meta.url).pathname;

// Those of CMakeLists.txt, as far as they matter to a linter. The headers of Node-API count as the
// system's: their style is not ours to judge.
const FLAGS = [
  "-std=c++20",
  "-Inative",
  "-isystem",
  "node_modules/node-api-headers/include",
  "-isystem",
  "node_modules/node-addon-api",
  "-DNAPI_VERSION=9",
  "-DNAPI_DISABLE_CPP_EXCEPTIONS",
  "-DNODE_ADDON_API_DISABLE_DEPRECATED",
];
const TARGETS = [
  [/_avx512\.cc$/, ["-mavx512f", "-mavx512vl"]],
  [/_avx2\.cc$/, ["-mavx2"]],
  [/_sse41\.cc$/, ["-msse4.1"]],
  [/_neon\.cc$/, ["--target=aarch64-linux-gnu"]],
];
/** In the glue the analyzer would mostly follow paths of node-addon-api; tests and fuzzers run under sanitizers. */
const WITHOUT_ANALYZER = /^(?:native\/[^/]+\.cc$|native\/fuzz\/|test\/)/;
const ENTRY_POINTS = ["main", "LLVMFuzzerTestOneInput", "LLVMFuzzerInitialize", "Try"];

const textOf = (path) => readFileSync(join(root, path), "utf8");
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

function filesUnder(folder, ending) {
  const entries = readdirSync(join(root, folder), { recursive: true });
  return entries.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
}

function optionsOf(path) {
  const checks = WITHOUT_ANALYZER.test(path) ? "-clang-analyzer-*" : "";
  const target = TARGETS.find(([name]) => name.test(path))?.[1] ?? [];
  return { checks, flags: [...FLAGS, ...target] };
}

/** The headers of ours that a file includes, and theirs. */
function headersOf(path, seen = new Set()) {
  for (const [, name] of textOf(path).matchAll(/^#include "([^"]+)"/gm)) {
    const found = [join(dirname(path), name), join("native", name)].find((header) => existsSync(join(root, header)));
    if (found === undefined || seen.has(found)) continue;
    seen.add(found);
    headersOf(found, seen);
  }
  return seen;
}

function markOf(path, rules) {
  const { checks, flags } = optionsOf(path);
  const parts = [path, ...[...headersOf(path)].sort()].map((name) => [name, sha256(textOf(name))]);
  return join(root, PASSED, sha256(JSON.stringify([rules, checks, flags, parts])));
}

/** What a file declares for itself, as far as the eye sees: two files of a unit may not declare the same. */
function namesOf(path) {
  const text = textOf(path);
  const named = [
    ...text.matchAll(/^(?:template <.*> )?(?:class|struct|union|enum class|enum) (\w+)/gm),
    ...text.matchAll(/^(?:inline |static )?(?:constexpr|const) [^=({\n]*?\b(\w+)(?:\[\w*\])*(?: =|\{|\()/gm),
    ...text.matchAll(/^using (?:[\w:]+::)?(\w+)(?: =|;)/gm),
    ...text.matchAll(/^(?!using|namespace|return|extern)\w[\w:<>,*& ]* [*&]?(\w+)\(/gm),
  ];
  return new Set(named.map((match) => match[1]).filter((name) => !ENTRY_POINTS.includes(name)));
}

/** Puts each file into the first unit of its flags where it has room and no other has its names. */
function unitsOf(paths) {
  const units = [];
  const isFuzzer = (path) => Number(path.endsWith("_fuzzer.cc"));
  // Fuzzers last: in a unit with their common part, that one has to find `Try` under its name.
  for (const path of [...paths].sort((a, b) => isFuzzer(a) - isFuzzer(b))) {
    const names = namesOf(path);
    const lines = textOf(path).split("\n").length;
    const options = optionsOf(path);
    const group = JSON.stringify(options);
    const takes = (unit) =>
      unit.group === group && unit.lines + lines <= LINES_PER_UNIT && ![...names].some((name) => unit.names.has(name));
    const unit = units.find(takes) ?? { group, options, lines: 0, names: new Set(), paths: [] };
    if (unit.paths.push(path) === 1) units.push(unit);
    unit.lines += lines;
    for (const name of names) unit.names.add(name);
  }
  return units.sort((a, b) => b.lines - a.lines);
}

/**
 * The sources one after the other, not included: the analyzer follows only what the main file holds. Entry points
 * get a number, as a program has one of each.
 */
function writeUnit({ paths, options }, index) {
  const path = join(UNITS, `unit_${index}.cc`);
  const text = paths.map((source, place) => {
    const renames = ENTRY_POINTS.map((name) => `#define ${name} ${name === "main" ? "Main" : name}${place}`);
    const ends = ENTRY_POINTS.map((name) => `#undef ${name}`);
    return [...renames, textOf(source), ...ends].join("\n");
  });
  writeFileSync(join(root, path), `${text.join("\n")}\n`);
  const beside = [...new Set(paths.map((source) => `-I${dirname(source)}`))];
  return { path, options: { ...options, flags: [...options.flags, ...beside] } };
}

/** What clang-tidy finds in one file; undefined for nothing. */
function tidy(path, { checks, flags }) {
  const args = ["--quiet", `--checks=${checks}`, path, "--", ...flags];
  return new Promise((resolve, reject) => {
    const child = spawn(CLANG_TIDY, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (output += bytes));
    child.on("error", reject);
    child.on("close", (status) =>
      resolve(status === 0 ? undefined : output.replaceAll(/^\d+ warnings.*generated\.\n/gm, "")),
    );
  });
}

/** Calls `work` for each item, some at once, in order. */
async function each(items, work) {
  const waiting = [...items.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Every C++ source, with the name of the mark that says that it passed as it is now. */
function markedSources() {
  const version = execFileSync(CLANG_TIDY, ["--version"], { encoding: "utf8" });
  const rules = sha256(textOf(".clang-tidy") + version + textOf("test/support/tidy.mjs"));
  const paths = [...filesUnder("native", ".cc"), ...filesUnder("test/native", ".cc")];
  return new Map(paths.map((path) => [path, markOf(path, rules)]));
}

async function main() {
  const marks = markedSources();
  const pass = (path) => writeFileSync(marks.get(path), "");
  mkdirSync(join(root, PASSED), { recursive: true });
  rmSync(join(root, UNITS), { recursive: true, force: true });
  mkdirSync(join(root, UNITS), { recursive: true });
  const doubtful = [];
  await each(unitsOf([...marks.keys()].filter((path) => !existsSync(marks.get(path)))), async (unit, index) => {
    const written = writeUnit(unit, index);
    if ((await tidy(written.path, written.options)) === undefined) unit.paths.forEach(pass);
    else doubtful.push(...unit.paths);
  });
  await each(doubtful, async (path) => {
    const found = await tidy(path, optionsOf(path));
    if (found === undefined) return pass(path);
    process.exitCode = 1;
    console.error(found.trimEnd());
  });
}

await main();
