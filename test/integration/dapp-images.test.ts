/** Images on disk: checked out once, shared, owned by the mapped range, whole or not there. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { GdoError, type Hash } from "../../lib/base/index.ts";
import { ImageCache, type ImageEntry, type ImageStore, makeNodeBase } from "../../lib/dapp/index.ts";

const id = (digit: string): Hash => digit.repeat(64) as Hash;

/** A store of texts and entries; counts what it is asked for. */
class TableStore implements ImageStore {
  readonly trees = new Map<Hash, readonly ImageEntry[]>();
  readonly files = new Map<Hash, string>();
  readonly asked: Hash[] = [];

  async entries(tree: Hash): Promise<readonly ImageEntry[]> {
    const entries = this.trees.get(tree);
    if (entries === undefined) throw new GdoError("STORE_MISSING", `no ${tree}`);
    return entries;
  }

  async *file(blob: Hash): AsyncGenerator<Uint8Array> {
    this.asked.push(blob);
    const text = this.files.get(blob);
    if (text === undefined) throw new GdoError("STORE_MISSING", `no ${blob}`);
    yield Buffer.from(text.slice(0, 2));
    yield Buffer.from(text.slice(2));
  }
}

function open(t: ExecutionContext): { cache: ImageCache; store: TableStore; dir: string } {
  const dir = mkdtempSync(join(tmpdir(), "gdo-images-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const store = new TableStore();
  store.trees.set(id("a"), [
    { type: "file", name: "dapp.yaml", mode: 0o644, id: id("1") },
    { type: "folder", name: "bin", mode: 0o777, id: id("b") },
    { type: "link", name: "sh", target: "bin/tool" },
  ]);
  store.trees.set(id("b"), [{ type: "file", name: "tool", mode: 0o6777, id: id("2") }]);
  store.trees.set(id("c"), [{ type: "file", name: "same", mode: 0o755, id: id("2") }]);
  store.files.set(id("1"), "name: x\n");
  store.files.set(id("2"), "#!tool\n");
  return { cache: new ImageCache({ dir, store }), store, dir };
}

test("an image is checked out once, and files that images share are one file", async (t) => {
  const { cache, store, dir } = open(t);
  const [first, again, other] = await Promise.all([
    cache.rootfs(id("a")),
    cache.rootfs(id("a")),
    cache.rootfs(id("c")),
  ]);
  t.is(first, again);
  t.is(readFileSync(join(first, "sh"), "utf8"), "#!tool\n");
  t.is(await cache.manifestText(id("a")), "name: x\n");
  t.is(statSync(join(first, "bin/tool")).ino, statSync(join(other, "same")).ino);
  t.deepEqual(store.asked, [id("1"), id("2")]);
  t.is(await new ImageCache({ dir, store }).rootfs(id("a")), first);
  t.is(store.asked.length, 2, "known to the next process too");
});

test("[D1] setuid is dropped, nothing can be written by others, and root inside owns it", async (t) => {
  const { cache } = open(t);
  const rootfs = await cache.rootfs(id("a"));
  const uid = process.getuid?.() ?? 0;
  const owner = uid === 0 ? 100_000 : uid;
  for (const [name, mode] of [
    ["bin/tool", 0o755],
    ["dapp.yaml", 0o644],
    ["bin", 0o755],
    ["", 0o755],
  ] as const) {
    const stats = statSync(join(rootfs, name));
    t.is(stats.mode & 0o7777, mode, name);
    t.is(stats.uid, owner, name);
  }
});

test("images that are no longer used leave the cache, with the files that no other image has", async (t) => {
  const { cache, store, dir } = open(t);
  const [first, second] = await Promise.all([cache.rootfs(id("a")), cache.rootfs(id("c"))]);
  t.deepEqual(await cache.keepOnly(() => new Set([id("c")])), { images: 1, bytes: "name: x\n".length });
  t.false(existsSync(first));
  t.is(readFileSync(join(second, "same"), "utf8"), "#!tool\n");
  t.deepEqual(readdirSync(dir).sort(), [id("c"), `${id("c")}.whole`, "files"].sort());
  t.is(await cache.rootfs(id("a")), first, "and come back when they are asked for");
  t.is(store.asked.length, 3);
  t.is(readFileSync(join(first, "bin/tool"), "utf8"), "#!tool\n");
});

test("a check-out that a kill tore is done again, with torn files thrown away", async (t) => {
  const { cache, dir } = open(t);
  mkdirSync(join(dir, id("a"), "bin"), { recursive: true });
  writeFileSync(join(dir, id("a"), "stale"), "left by the torn check-out");
  mkdirSync(join(dir, "files"));
  writeFileSync(join(dir, "files", `${id("2")}-755.torn`), "#");
  const rootfs = await cache.rootfs(id("a"));
  t.false(existsSync(join(rootfs, "stale")));
  t.is(readFileSync(join(rootfs, "bin/tool"), "utf8"), "#!tool\n");
  t.deepEqual(
    readdirSync(join(dir, "files")).filter((name) => name.endsWith(".torn")),
    [],
  );
});

test("an image that is not held whole is not an image, until it is", async (t) => {
  const { cache, store, dir } = open(t);
  store.files.delete(id("2"));
  await t.throwsAsync(cache.rootfs(id("a")), { code: "STORE_MISSING" });
  t.false(existsSync(join(dir, `${id("a")}.whole`)));
  store.files.set(id("2"), "#!tool\n");
  t.is(readFileSync(join(await cache.rootfs(id("a")), "bin/tool"), "utf8"), "#!tool\n");
});

test("a name that leads out of its folder is refused", async (t) => {
  const { cache, store, dir } = open(t);
  for (const [index, name] of ["..", ".", "", "a/b", "/etc/passwd", "x\0y"].entries()) {
    const tree = id(String(index + 3));
    store.trees.set(tree, [{ type: "file", name, mode: 0o644, id: id("1") }]);
    await t.throwsAsync(cache.rootfs(tree), { code: "STORE_CORRUPT" }, name);
  }
  t.false(existsSync(join(dir, "b")));
});

test("[D4] a link out of the image is not followed when the host reads a file of it", async (t) => {
  const { cache, store } = open(t);
  store.trees.set(id("d"), [{ type: "link", name: "dapp.yaml", target: "/etc/passwd" }]);
  await t.throwsAsync(cache.manifestText(id("d")), { code: "DAPP_MANIFEST", message: /leads out of it/ });
});

test("an image without a manifest, or with an endless one, is refused", async (t) => {
  const { cache, store } = open(t);
  await t.throwsAsync(cache.manifestText(id("c")), { code: "DAPP_MANIFEST", message: /has no dapp\.yaml/ });
  store.files.set(id("1"), "#".repeat(65_537));
  await t.throwsAsync(cache.manifestText(id("a")), { code: "DAPP_MANIFEST", message: /longer than 64 KiB/ });
});

test("the base image has Node.js, a loader, what they name, and mount points", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gdo-base-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  makeNodeBase(folder);
  t.true(readFileSync(join(folder, "usr/bin/node")).equals(readFileSync(process.execPath)));
  t.deepEqual(readdirSync(join(folder, "dev")).sort(), ["null", "random", "urandom", "zero"]);
  for (const name of ["proc", "tmp", "scratch", "app"]) t.deepEqual(readdirSync(join(folder, name)), []);
  t.regex(readFileSync(join(folder, "etc/passwd"), "utf8"), /^nobody:x:65534:65534:/m);
});
