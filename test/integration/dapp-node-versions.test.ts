/**
 * The dapps in containers of two versions of Node.js: this one and another, which `bin/setup --test` puts under
 * build/other-node. Needs runc and root; without the other version it fails.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import { newDapp } from "../../lib/agent/dapp-kit/new.ts";
import { stageProject } from "../../lib/agent/dapp-kit/project.ts";
import { GdoError, type Hash, SystemClock, silentLog } from "../../lib/base/index.ts";
import {
  DappHost,
  type Images,
  makeNodeBase,
  RuncRuntime,
  Trial,
  type TrialMerge,
  type TriedDapp,
} from "../../lib/dapp/index.ts";
import { containersMissing, emptyState, giveAway } from "../support/dapp-containers.ts";
import { DAPP_HISTORIES } from "../support/dapp-histories.ts";

const test = (containersMissing() === undefined ? anyTest.serial : anyTest.serial.skip) as TestFn;
const folder = mkdtempSync(join(tmpdir(), "gdo-versions-"));
anyTest.after.always(() => rmSync(folder, { recursive: true, force: true }));

const OTHER_NODE = "build/other-node/node";
const BASE_MODULE = join(import.meta.dirname, "../../lib/dapp/image/node-base.js");
/** A dapp that says on what it runs. */
const VERSION_TELLER = `require("node:readline").createInterface({ input: process.stdin }).on("line", (line) =>
  console.log(JSON.stringify({ jsonrpc: "2.0", id: JSON.parse(line).id, result: process.version })))`;
const VERSION_MANIFEST = `name: version
version: 1.0.0
image: { base: node, run: [node, -e, ${JSON.stringify(VERSION_TELLER)}] }
queries: { version: "of Node.js" }
`;

/** The dapps as they are installed, by name. */
async function dappFolders(): Promise<Map<string, string>> {
  const built = readdirSync("dist/dapps").map((name) => [name, join("dist/dapps", name)] as const);
  return new Map([...built, ["quota", await stageProject({ folder: newDapp("quota", "ts", folder) })]]);
}

/** All of them on one base, each with its program by its own name; of their tests, which need packages, none. */
function imagesOn(rootfs: string, dapps: ReadonlyMap<string, string>): Images {
  mkdirSync(join(rootfs, "app"), { recursive: true });
  for (const [name, path] of dapps) cpSync(join(path, "app/main.mjs"), join(rootfs, `app/${name}.mjs`));
  giveAway(rootfs);
  return {
    rootfs: async () => rootfs,
    async manifestText(name) {
      const path = dapps.get(name);
      if (path === undefined) return VERSION_MANIFEST;
      const text = readFileSync(join(path, "dapp.yaml"), "utf8");
      return text.replace("/app/main.mjs", `/app/${name}.mjs`).replace("tests: [test]\n", "");
    },
    async text(name, path) {
      const file = join(dapps.get(name) ?? "", path);
      if (!existsSync(file)) throw new GdoError("NOT_FOUND", `${name} has no ${path}`);
      return readFileSync(file, "utf8");
    },
  };
}

/** All that a dapp made of its history. */
async function livedThrough(name: string, dapp: TriedDapp) {
  const { others, merges, query } = (DAPP_HISTORIES[name] as (typeof DAPP_HISTORIES)[string])();
  const trial = new Trial(dapp, { others });
  const made: TrialMerge[] = [];
  for (const { entries, events } of merges) made.push(await trial.merge(entries, events));
  return { made, state: trial.state(), answer: await trial.query(...query) };
}

async function livesOn(rootfs: string, dapps: ReadonlyMap<string, string>) {
  const runtime = new RuncRuntime({ runDir: mkdtempSync(join(folder, "run-")), mark: "gdo-versions", log: silentLog });
  const images = imagesOn(rootfs, dapps);
  const host = new DappHost({ runtime, images, log: silentLog, clock: new SystemClock() });
  try {
    const version = await (await host.dapp("version" as Hash)).query("version", null, emptyState);
    const lives = new Map<string, Awaited<ReturnType<typeof livedThrough>>>();
    for (const name of dapps.keys()) lives.set(name, await livedThrough(name, await host.dapp(name as Hash)));
    return { version, lives };
  } finally {
    await host.close();
  }
}

test("[D3] [L19] the same history reduced on Node.js 20 and 24 gives the same state root, for every dapp", async (t) => {
  t.true(existsSync(OTHER_NODE), "bin/setup --test fetches another version of Node.js into build/other-node");
  const [own, other] = ["own", "other"].map((name) => join(folder, name)) as [string, string];
  makeNodeBase(own);
  // A base is made of the Node.js that runs this: so the other one makes its own.
  const script = `import { makeNodeBase } from ${JSON.stringify(BASE_MODULE)}; makeNodeBase(process.argv[1])`;
  execFileSync(OTHER_NODE, ["--input-type=module", "--eval", script, other]);
  const dapps = await dappFolders();
  const one = await livesOn(own, dapps);
  const two = await livesOn(other, dapps);
  t.is(one.version, process.version);
  t.regex(String(two.version), process.version.startsWith("v24.") ? /^v20\./ : /^v24\./);
  t.deepEqual([...one.lives.keys()].sort(), Object.keys(DAPP_HISTORIES).sort());
  for (const [name, life] of one.lives) {
    t.deepEqual(two.lives.get(name), life, name);
    t.true(Object.keys(life.state).length > 3, `${name} keeps something`);
    t.true(
      Object.keys(Object.assign({}, ...life.made.map(({ voids }) => voids))).length > 0,
      `${name} refuses something`,
    );
  }
});
