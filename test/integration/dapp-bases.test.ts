/** Base images with Debian's packages, in real containers: what a dapp in Python, shell or C stands on. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import { ImageBuilder } from "../../lib/agent/image/build.ts";
import { imageStore } from "../../lib/agent/storage/object-access.ts";
import { type Hash, silentLog } from "../../lib/base/index.ts";
import { baseImage, ImageCache, parseManifest, RuncRuntime } from "../../lib/dapp/index.ts";
import { MemoryStore } from "../../lib/store/index.ts";
import { containersMissing, testLimits } from "../support/dapp-containers.ts";

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
  return new ImageBuilder({ store, db }).build(manifest.image, folder);
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
  const tree = await new ImageBuilder({ store, db }).build({ under: { base: "empty" }, packages: [] }, folder);
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
