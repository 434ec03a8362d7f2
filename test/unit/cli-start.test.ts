import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { ControlServer } from "../../lib/agent/control.ts";
import { initHome, openHome } from "../../lib/agent/index.ts";

const PROJECT = new URL("../../../", import.meta.url); // From dist/test/unit.
const GDO = fileURLToPath(new URL("bin/gdo", PROJECT));
const run = promisify(execFile);

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gdo-start-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a command loaded: files of lib/, and packages. Node.js lists both when it takes coverage. */
async function loadedBy(t: ExecutionContext, words: readonly string[]) {
  const folder = folderOf(t);
  await run(process.execPath, [GDO, ...words], { env: { ...process.env, NODE_V8_COVERAGE: folder } });
  const report = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const urls = report.flatMap((text) => (JSON.parse(text) as { result: { url: string }[] }).result);
  const paths = urls.map(({ url }) => url).filter((url) => url.startsWith("file:"));
  const unique = (pattern: RegExp): string[] =>
    [...new Set(paths.flatMap((path) => pattern.exec(path)?.[1] ?? []))].sort();
  return { packages: unique(/.*\/node_modules\/([^/]+)\//), files: unique(/\/dist\/lib\/(.+)\.js$/) };
}

const isShared = (file: string): boolean => /^(?:base|cli)\//.test(file);

test("gdo --help loads the command line alone: no command, no agent, no addon", async (t) => {
  const { packages, files } = await loadedBy(t, ["--help"]);
  t.deepEqual(packages, ["commander", "picocolors"]);
  t.deepEqual(
    files.filter((file) => !file.startsWith("base/")),
    ["cli/failure", "cli/main", "cli/output", "cli/parser", "cli/table"],
  );
});

test("a command that asks the running agent loads the way to it, and neither database, store nor addon", async (t) => {
  const root = join(folderOf(t), "home");
  await initHome({ root, organisation: "Start", nodeName: "start" });
  const agent = await ControlServer.listen(openHome(root).controlSocket, {
    call: async (method) => (method === "log" ? { rows: [] } : { branches: [] }),
  });
  t.teardown(() => agent.close());
  for (const command of ["log", "branch"]) {
    const { packages, files } = await loadedBy(t, ["--home", root, command]);
    t.deepEqual(packages, ["commander", "picocolors"], command);
    t.deepEqual(
      files.filter((file) => !isShared(file)),
      ["agent/control", "agent/home/home", "agent/index", "agent/json-lines", "agent/open-api"],
      command,
    );
    t.deepEqual(
      files.filter((file) => file.startsWith("cli/commands/")),
      [`cli/commands/ledger/${command}`],
    );
  }
});

test("a command without an agent opens the home; it needs no container tool, no network, no formats of others", async (t) => {
  const root = join(folderOf(t), "home");
  const container = { runtime: "/nowhere/runc", keepWarm: [] };
  await initHome({ root, organisation: "Start", nodeName: "start", config: { container } });
  const { packages, files } = await loadedBy(t, ["--home", root, "status"]);
  t.deepEqual(packages, ["better-sqlite3", "bindings", "commander", "file-uri-to-path", "picocolors", "yaml", "zod"]);
  const seldom = /^(?:sync|device|interop|simulate|agent\/(?:dapp-kit|demo|demo-script|door|run-agent|apps\/badge))/;
  t.deepEqual(
    files.filter((file) => seldom.test(file)),
    [],
  );
  const { code, stderr } = await t.throwsAsync<Error & { code: number; stderr: string }>(
    run(process.execPath, [GDO, "--home", root, "agent"]),
  );
  t.is(code, 43, "an agent says at its start what its dapps would lack");
  t.regex(stderr, /cannot run \/nowhere\/runc.*\nhint: apt install runc/);
});

test("bin/gdo runs the bundle, or the modules where these are newer, and says so where neither is", async (t) => {
  const root = folderOf(t);
  const dist = join(root, "dist");
  const gdo = async (): Promise<string> =>
    (
      await run(process.execPath, [join(root, "bin/gdo")]).catch((error: { stderr: string }) => ({
        stdout: error.stderr,
      }))
    ).stdout;
  cpSync(GDO, join(root, "bin/gdo"));
  writeFileSync(join(root, "package.json"), '{"type":"module"}');
  t.regex(await gdo(), /not built yet\nhint: bin\/setup/);
  for (const name of ["lib", "bundle"]) {
    mkdirSync(join(dist, name, "cli"), { recursive: true });
    writeFileSync(join(dist, name, "cli/main.js"), `export const main = () => console.log("${name}");`);
  }
  writeFileSync(join(dist, ".tsbuildinfo"), "{}");
  utimesSync(join(dist, ".tsbuildinfo"), 1000, 1000);
  t.is(await gdo(), "bundle\n");
  utimesSync(join(dist, "bundle/cli/main.js"), 999, 999);
  t.is(await gdo(), "lib\n");
});
