/**
 * What the start of a command costs: processor time (user and system) of whole processes, from the bundle and from the
 * modules that it is made of, in turn, beside Node.js that does nothing. `npm run bench:start` after a build.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROUNDS = 5;
const RUNS_A_ROUND = 4; // GNU time counts in hundredths of a second.

const project = new URL("../../", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "gdo-start-"));
const home = join(folder, "home");
const modules = join(folder, "gdo.mjs");
const FLAGS = ["--initial-old-space-size=8", "--max-semi-space-size=4"]; // As bin/gdo has them.

writeFileSync(
  modules,
  `const { main } = await import(${JSON.stringify(new URL("dist/lib/cli/main.js", project).href)});
  process.exitCode = await main();`,
);

/** Milliseconds of processor time and megabytes at most, of one run. */
function cost(script, words) {
  const loop = `for i in $(seq ${RUNS_A_ROUND}); do "$@" >"${folder}/out" || exit 1; done`;
  const command = [process.execPath, ...FLAGS, script, ...words];
  const { status, stderr } = spawnSync("/usr/bin/time", ["-f", "%U %S %M", "bash", "-c", loop, "bash", ...command], {
    encoding: "utf8",
    env: { ...process.env, GDO_HOME: home },
  });
  if (status !== 0) throw new Error(`${words.join(" ")} failed: ${stderr}`);
  const [user, system, kilobytes] = stderr.trim().split("\n").at(-1).split(" ").map(Number);
  return { ms: ((user + system) * 1000) / RUNS_A_ROUND, megabytes: kilobytes / 1024 };
}

function median(values) {
  return values.sort((one, other) => one - other)[values.length >> 1];
}

/** Each of `works` in turn, round by round. */
function measure(title, works) {
  const costs = works.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [index, [script, words]] of works.entries()) costs[index].push(cost(script, words));
  const texts = costs.map((each) => {
    const megabytes = median(each.map((one) => one.megabytes)).toFixed(0);
    return `${median(each.map(({ ms }) => ms)).toFixed(0)} ms, ${megabytes} MB`;
  });
  console.log(`| ${[title, ...texts].join(" | ")} |`);
}

function compare(title, words) {
  measure(title, [
    [modules, words],
    [new URL("bin/gdo", project).pathname, words],
  ]);
}

async function withAgent(use) {
  const agent = spawn(process.execPath, [...FLAGS, modules, "--home", home, "agent"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await new Promise((resolve) => agent.stdout.once("data", resolve));
  try {
    use();
  } finally {
    agent.kill();
    await new Promise((resolve) => agent.once("close", resolve));
  }
}

try {
  writeFileSync(join(folder, "nothing.mjs"), "");
  console.log("| command | modules | bundle |\n|---|---|---|");
  measure("Node.js that does nothing", [[join(folder, "nothing.mjs"), []]]);
  spawnSync(process.execPath, [modules, "--home", home, "init", "Start"], { stdio: ["ignore", "ignore", "inherit"] });
  compare("`gdo --help`", ["--help"]);
  await withAgent(() => {
    for (const command of ["status", "log", "branch"]) compare(`\`gdo ${command}\`, asking the agent`, [command]);
  });
  for (const command of ["status", "log", "snapshots"]) compare(`\`gdo ${command}\` without an agent`, [command]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
