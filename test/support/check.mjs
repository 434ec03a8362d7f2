/**
 * `npm run check`: every tool that can find a fault without running the code, one line each with
 * its time. A tool's output is shown only when it fails. `npm test` runs this first.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { checkStructure, sourceFiles } from "./structure.mjs";

const AT_ONCE = 2;
const OUTPUT_LINES_MAX = 150;
const root = new URL("../../", import.meta.url).pathname;
const bin = (name) => `node_modules/.bin/${name}`;

function shellScripts() {
  const isShell = (path) => path.endsWith(".sh") || /^#!.*\b(?:sh|bash)\n/.test(readFileSync(root + path, "utf8"));
  return sourceFiles(root).filter((path) => !/\.[cm]?[jt]s$|\.md$|\.json$|\.(?:cc|h)$/.test(path) && isShell(path));
}

/** Each tool is a command line, or a function that returns the list of faults. */
function tools() {
  return [
    { name: "tsc", command: [bin("tsc"), "-p", "tsconfig.json"] },
    { name: "biome", command: [bin("biome"), "ci", "--error-on-warnings", "--colors=off"] },
    { name: "knip", command: [bin("knip"), "--no-progress"] },
    ...nativeTools(),
    { name: "shellcheck", command: ["shellcheck", ...shellScripts()] },
    { name: "structure", run: () => checkStructure(root) },
  ];
}

function nativeTools() {
  if (!existsSync(`${root}native/check.sh`)) return [];
  return ["clang-format", "clang-tidy"].map((name) => ({ name, command: ["sh", "native/check.sh", name] }));
}

function runCommand([program, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (cause) => resolve({ isOk: false, output: `${cause.message}\nhint: bin/setup --test` }));
    child.on("close", (status) => resolve({ isOk: status === 0, output }));
  });
}

async function runTool(tool) {
  const startMs = performance.now();
  const { isOk, output } = tool.run ? faultsOf(tool.run()) : await runCommand(tool.command);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${isOk ? "ok  " : "FAIL"} check: ${tool.name.padEnd(14)}${seconds.padStart(6)} s`);
  if (!isOk) console.log(indented(output));
  return isOk;
}

function indented(output) {
  const lines = output.trimEnd().split("\n");
  const more = lines.length - OUTPUT_LINES_MAX;
  const shown = more > 0 ? [...lines.slice(0, OUTPUT_LINES_MAX), `... and ${more} lines more`] : lines;
  return shown.map((line) => `     ${line}`).join("\n");
}

function faultsOf(faults) {
  return { isOk: faults.length === 0, output: faults.join("\n") };
}

/** Runs all tools, two at a time, and counts them. */
export async function runChecks() {
  const waiting = tools();
  const results = [];
  const worker = async () => {
    for (let tool = waiting.shift(); tool !== undefined; tool = waiting.shift()) results.push(await runTool(tool));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const passed = results.filter(Boolean).length;
  return { passed, failed: results.length - passed };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { failed } = await runChecks();
  process.exitCode = failed === 0 ? 0 : 1;
}
