/** Base images with Debian's packages, in real containers: what a dapp in Python, shell or C stands on. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import { ImageBuilder } from "../../lib/agent/image/build.ts";
import { imageStore } from "../../lib/agent/storage/object-access.ts";
import { GdoError, type Hash, SystemClock, silentLog } from "../../lib/base/index.ts";
import { baseImage, DappHost, ImageCache, parseManifest, RuncRuntime } from "../../lib/dapp/index.ts";
import { MemoryStore } from "../../lib/store/index.ts";
import { containersMissing, emptyState, testLimits } from "../support/dapp-containers.ts";

const missing = containersMissing();
const test = (missing === undefined ? anyTest.serial : anyTest.serial.skip) as TestFn;
const dir = mkdtempSync(join(tmpdir(), "gdo-bases-"));
anyTest.after.always(() => rmSync(dir, { recursive: true, force: true }));

const store = new MemoryStore();
const meta = new Map<string, string>();
const db = { meta: (key: string) => meta.get(key), setMeta: (key: string, value: string) => void meta.set(key, value) };
const cache = new ImageCache({ dir: join(dir, "images"), store: imageStore(store) });
const mark = `gdo-${process.pid.toString(36)}bases`;
const runtime = new RuncRuntime({ runDir: join(dir, "run"), mark, log: silentLog });

/** The tree of a dapp with an `image` line and some files. */
async function build(image: string, files: Record<string, string> = {}): Promise<Hash> {
  const folder = mkdtempSync(join(dir, "dapp-"));
  mkdirSync(join(folder, "app"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "app", name), text);
  const manifest = parseManifest(`name: x\nversion: 1.0.0\nimage: ${image}`);
  return new ImageBuilder({ store, db }).dapp(manifest.image, folder);
}

/** Standard output, then standard error, then the status. */
async function run(tree: Hash, ...command: string[]): Promise<[string, string, number]> {
  const output: Uint8Array[] = [];
  const log: Uint8Array[] = [];
  const rootfs = await cache.rootfs(tree);
  const listener = {
    output: (bytes: Uint8Array) => void output.push(bytes),
    log: (bytes: Uint8Array) => void log.push(bytes),
  };
  const process = await runtime.start({ dapp: "x", rootfs, run: command, limits: testLimits }, listener);
  process.closeInput();
  const { status, startFailure } = await process.ended;
  return [Buffer.concat(output).toString(), Buffer.concat(log).toString() + (startFailure ?? ""), status];
}

const DAPP = `name: env
version: 1.0.0
image: {recipe: image.yaml, run: [sh, -c, 'read line; id=\${line#*\\"id\\":}; id=\${id%%[,\\}]*}; printf "{\\"jsonrpc\\":\\"2.0\\",\\"id\\":%s,\\"result\\":\\"%s\\"}\\n" "$id" "$GREETING $PATH $HOME $TZ"']}
queries: {env: what the program is given}
`;

const PYTHON = `import json, sys, hashlib, decimal, sqlite3, ssl
print(json.dumps(sys.version_info[0]), len(hashlib.sha256(b"").hexdigest()))`;

test("python runs with its library, in any base that packages were laid over", async (t) => {
  const tree = await build("{base: python, run: [python3]}", { "main.py": PYTHON });
  t.deepEqual(await run(tree, "python3", "/app/main.py"), ["3 64\n", "", 0]);
  t.is(await build("{base: python, run: [python3]}", { "main.py": PYTHON }), tree, "the same tree each time");
});

test("ledger, a package with libraries in many others, runs over busybox and over node", async (t) => {
  const journal = "2026-01-02 Dues\n  Assets:Bank  30 EUR\n  Income:Dues\n";
  for (const base of ["busybox", "node"]) {
    const tree = await build(`{base: ${base}, packages: [ledger], run: [x]}`, { "a.journal": journal });
    const [output, log] = await run(tree, "ledger", "-f", "/app/a.journal", "balance", "Assets");
    t.regex(output, /30 EUR {2}Assets:Bank/, `${base}: ${log}`);
  }
});

test("a recipe's files and variables reach the program, but for those that [D3] fixes", async (t) => {
  const folder = mkdtempSync(join(dir, "recipe-"));
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "data/a"), "from the recipe");
  writeFileSync(join(folder, "one"), "1");
  const recipe = [
    "base: busybox",
    "copy: {data: /srv/data, one: /srv/, data/a: /srv/b}",
    "environment: {GREETING: hello, PATH: /usr/bin:/opt}",
  ];
  writeFileSync(join(folder, "image.yaml"), recipe.join("\n"));
  const builder = new ImageBuilder({ store, db });
  const tree = await builder.recipe(join(folder, "image.yaml"));
  const rootfs = await cache.rootfs(tree);
  t.is(readFileSync(join(rootfs, "srv/data/a"), "utf8"), "from the recipe");
  t.deepEqual(readdirSync(join(rootfs, "srv")).sort(), ["b", "data", "one"]);
  writeFileSync(join(folder, "dapp.yaml"), DAPP);
  const host = new DappHost({ runtime, images: cache, log: silentLog, clock: new SystemClock() });
  const dapp = await host.dapp(await builder.dapp(parseManifest(DAPP).image, folder));
  t.is(await dapp.query("env", null, emptyState), "hello /usr/bin:/opt /scratch UTC");
  await host.close();
});

test("a recipe copies nothing from outside of its folder", async (t) => {
  const folder = mkdtempSync(join(dir, "recipe-"));
  symlinkSync("/etc", join(folder, "etc"));
  const builder = new ImageBuilder({ store, db });
  const refusal = async (copy: string) => {
    writeFileSync(join(folder, "image.yaml"), `base: empty\ncopy: ${copy}`);
    return (await t.throwsAsync(builder.recipe(join(folder, "image.yaml")), { instanceOf: GdoError }))?.message;
  };
  t.regex((await refusal("{etc/passwd: /x}")) ?? "", /leads out of the recipe's folder/);
  t.regex((await refusal("{../x: /x}")) ?? "", /is a path beside the recipe/);
  t.regex((await refusal("{none: /x}")) ?? "", /there is no none beside the recipe/);
  t.regex((await refusal("{etc: x}")) ?? "", /is a path in the image/);
  t.regex((await refusal("{}\nenvironment: {HOME: /}")) ?? "", /are the same for all/);
  await t.throwsAsync(builder.recipe(join(folder, "none.yaml")), { code: "NOT_FOUND" });
});

test("each program of busybox is one that it has", async (t) => {
  const tree = await build("{base: busybox, run: [sh]}");
  const [output, log, status] = await run(
    tree,
    "sh",
    "-c",
    'ls /usr/bin; echo "1 2" | awk "{print \\$2}"; busybox --list',
  );
  t.is(status, 0, log);
  const [linked = "", has = ""] = output.split("\n2\n");
  const known = new Set(has.split("\n"));
  t.deepEqual(
    linked.split("\n").filter((name) => !known.has(name)),
    [],
  );
  t.true(linked.split("\n").length > 100);
});

test("a static program of C runs in the empty image, with folders of its own named as the system's are", async (t) => {
  const source = join(dir, "hello.c");
  writeFileSync(source, '#include <unistd.h>\nint main(void) { return write(1, "hello\\n", 6) == 6 ? 0 : 1; }\n');
  const folder = mkdtempSync(join(dir, "dapp-"));
  mkdirSync(join(folder, "lib"));
  execFileSync("cc", ["-static", "-o", join(folder, "hello"), source]);
  cpSync(source, join(folder, "lib/hello.c"));
  const tree = await new ImageBuilder({ store, db }).dapp({ under: { base: "empty" }, packages: [] }, folder);
  t.deepEqual(await run(tree, "/hello"), ["hello\n", "", 0]);
});

test("an unknown base and missing packages are refused, with what to do", async (t) => {
  t.throws(() => baseImage("ruby"), { code: "INPUT_INVALID", message: "no base image is called ruby" });
  t.throws(() => baseImage("constructor"), { code: "INPUT_INVALID" });
  await t.throwsAsync(build("{base: empty, packages: [no-such-package], run: [x]}"), {
    code: "NOT_FOUND",
    message: "these Debian packages are not on this machine: no-such-package",
  });
});
