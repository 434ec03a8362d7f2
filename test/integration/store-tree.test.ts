import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { type Hash, SeededRng, utf8 } from "../../lib/base/index.ts";
import {
  checkout,
  displayName,
  list,
  MemoryStore,
  PackStore,
  putPath,
  putTree,
  readBlobBytes,
  resolvePath,
} from "../../lib/store/index.ts";
import { encodeTreeNode, type TreeEntry } from "../../lib/store/tree/node.ts";
import { addHardLink, describeFolder } from "../support/folder-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const asRoot = process.getuid?.() === 0 ? test : test.skip;
const ATTRIBUTES = { mode: 0o755, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mtimeNs: 1n };

function write(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test("[T4] names of one file come back as one file, wherever the folder lies", async (t) => {
  const base = await temporaryFolder(t);
  const store = new MemoryStore();
  write(join(base, "in"), { "a/one": "shared", "b/other": "alone" });
  addHardLink(Buffer.from(join(base, "in/b")), Buffer.from("two").toString("hex"), Buffer.from(join(base, "in/a/one")));
  addHardLink(Buffer.from(base), Buffer.from("outside").toString("hex"), Buffer.from(join(base, "in/b/other")));
  const id = await putTree(store, join(base, "in"));
  await checkout(store, id, join(base, "out"));
  t.is(statSync(join(base, "out/a/one")).ino, statSync(join(base, "out/b/two")).ino);
  t.is(statSync(join(base, "out/b/other")).nlink, 1); // Its other name was not in the folder.
  t.is(await putTree(store, join(base, "out")), id);
});

asRoot("[T4] devices, pipes, owners and set-id bits come back when root restores", async (t) => {
  const base = await temporaryFolder(t);
  const store = new MemoryStore();
  write(join(base, "in"), { program: "run" });
  execFileSync("mknod", [join(base, "in/null"), "c", "1", "3"]);
  execFileSync("mknod", [join(base, "in/large"), "b", "300", "70000"]);
  execFileSync("mkfifo", [join(base, "in/pipe")]);
  execFileSync("chown", ["1234:5678", join(base, "in/program")]);
  execFileSync("ln", ["-s", "nowhere", join(base, "in/link")]);
  execFileSync("chown", ["-h", "42:43", join(base, "in/link")]);
  chmodSync(join(base, "in/program"), 0o6755);
  const skipped: string[] = [];
  await checkout(store, await putTree(store, join(base, "in")), join(base, "out"), {
    onSkipped: (path) => skipped.push(path),
  });
  t.deepEqual(skipped, []);
  t.deepEqual(describeFolder(Buffer.from(join(base, "out"))), describeFolder(Buffer.from(join(base, "in"))));
  t.is(statSync(join(base, "out/program")).mode & 0o7777, 0o6755);
});

asRoot("[T4] a plain user gets what he may have, a list of the rest, and no set-id program of his own", async (t) => {
  const base = await temporaryFolder(t);
  write(join(base, "in"), { program: "run", plain: "text" });
  execFileSync("mknod", [join(base, "in/null"), "c", "1", "3"]);
  execFileSync("mkfifo", [join(base, "in/pipe")]);
  chmodSync(join(base, "in/program"), 0o6755);
  const store = await PackStore.open(join(base, "packs"));
  const id = await putTree(store, join(base, "in"));
  await store.close();
  mkdirSync(join(base, "home"));
  chmodSync(base, 0o755);
  chownSync(join(base, "home"), 65_534, 65_534);
  const script = fileURLToPath(new URL("../support/plain-checkout.js", import.meta.url));
  const args = [script, join(base, "packs"), id, join(base, "home/out"), "65534"];
  const lines = execFileSync(process.execPath, args, { encoding: "utf8" }).split("\n");
  t.deepEqual(
    lines.filter((line) => !line.includes("owner 0:0 needs root")),
    ["/null: a device node needs root", "/program: set-id bits are left out without the owner", ""],
  );
  t.is(readFileSync(join(base, "home/out/plain"), "utf8"), "text");
  t.is(statSync(join(base, "home/out/program")).mode & 0o7777, 0o755);
  t.is(statSync(join(base, "home/out/program")).uid, 65_534);
  t.true(lstatSync(join(base, "home/out/pipe")).isFIFO());
});

asRoot("[T4] a shift moves every owner into a container's range", async (t) => {
  const base = await temporaryFolder(t);
  const store = new MemoryStore();
  write(join(base, "in"), { "folder/file": "x" });
  symlinkSync("file", join(base, "in/folder/link"));
  await checkout(store, await putTree(store, join(base, "in")), join(base, "out"), {
    shift: { uid: 100_000, gid: 200_000 },
  });
  for (const path of ["out", "out/folder", "out/folder/file", "out/folder/link"]) {
    const { uid, gid } = lstatSync(join(base, path));
    t.deepEqual([uid, gid], [100_000, 200_000], path);
  }
});

test("a socket is left out and told", async (t) => {
  const base = await temporaryFolder(t);
  write(base, { file: "x" });
  const server = createServer().listen(join(base, "socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  const skipped: string[] = [];
  const store = new MemoryStore();
  const id = await putTree(store, base, { onSkipped: (path, why) => skipped.push(`${path}: ${why}`) });
  server.close();
  t.deepEqual(skipped, [`${join(base, "socket")}: a socket is not kept`]);
  t.deepEqual((await list(store, id)).map(displayName), ["file"]);
});

const EVIL_NAMES = ["", ".", "..", "a/b", "/", "../x", "a\0b", "x".repeat(256)];
for (const evil of EVIL_NAMES) {
  test(`[T4] a tree with the name ${JSON.stringify(evil.slice(0, 8))} is refused before anything is written`, async (t) => {
    const base = await temporaryFolder(t);
    const store = new MemoryStore();
    const { id } = await putPath(store, join(write(base, { in: "evil" }), "in"));
    const entry: TreeEntry = { type: "file", name: utf8(evil), attributes: ATTRIBUTES, id, sizeBytes: 4 };
    const tree = await store.put("tree", encodeTreeNode({ attributes: ATTRIBUTES, entries: [entry] }));
    await t.throwsAsync(checkout(store, tree, join(base, "out")), { code: "STORE_CORRUPT" });
    t.deepEqual(
      readdirSync(base).filter((name) => name !== "out"),
      ["in"],
    );
    t.deepEqual(readdirSync(join(base, "out")), []);
  });
}

test("[T4] names out of order or twice are refused", async (t) => {
  const store = new MemoryStore();
  for (const names of [
    ["b", "a"],
    ["a", "a"],
  ]) {
    const entries = names.map((name) => ({ type: "fifo" as const, name: utf8(name), attributes: ATTRIBUTES }));
    const tree = await store.put("tree", encodeTreeNode({ attributes: ATTRIBUTES, entries }));
    await t.throwsAsync(list(store, tree), { code: "STORE_CORRUPT" });
  }
});

test("[T4] a link that is in the way is never written through", async (t) => {
  const base = await temporaryFolder(t);
  const store = new MemoryStore();
  const id = await putTree(store, write(join(base, "in"), { "folder/file": "new", plain: "new" }));
  write(join(base, "victim"), { file: "old" });
  mkdirSync(join(base, "out"));
  symlinkSync(join(base, "victim"), join(base, "out/folder"));
  symlinkSync(join(base, "victim/file"), join(base, "out/plain"));
  await t.throwsAsync(checkout(store, id, join(base, "out")), { code: "REFUSED" });
  await checkout(store, id, join(base, "out"), { overwrite: true });
  t.is(readFileSync(join(base, "victim/file"), "utf8"), "old");
  t.is(readFileSync(join(base, "out/folder/file"), "utf8"), "new");
  t.false(lstatSync(join(base, "out/plain")).isSymbolicLink());
});

test("a restore refuses what is in the way unless told, and never replaces a folder by a file", async (t) => {
  const base = await temporaryFolder(t);
  const store = new MemoryStore();
  const id = await putTree(store, write(join(base, "in"), { file: "new" }));
  write(join(base, "out"), { file: "old", kept: "kept" });
  await t.throwsAsync(checkout(store, id, join(base, "out")), { code: "REFUSED" });
  t.is(readFileSync(join(base, "out/file"), "utf8"), "old");
  await checkout(store, id, join(base, "out"), { overwrite: true });
  t.is(readFileSync(join(base, "out/file"), "utf8"), "new");
  t.is(readFileSync(join(base, "out/kept"), "utf8"), "kept");
  write(join(base, "folder"), { "file/inner": "precious" });
  await t.throwsAsync(checkout(store, id, join(base, "folder"), { overwrite: true }), { code: "REFUSED" });
  t.is(readFileSync(join(base, "folder/file/inner"), "utf8"), "precious");
});

test("[T4] runs of zeros come back as holes", async (t) => {
  const base = await temporaryFolder(t);
  const store = new MemoryStore();
  mkdirSync(join(base, "in"));
  execFileSync("truncate", ["-s", "64M", join(base, "in/sparse")]);
  execFileSync("sh", ["-c", `printf data | dd of=${join(base, "in/sparse")} bs=1M seek=20 conv=notrunc status=none`]);
  await checkout(store, await putTree(store, join(base, "in")), join(base, "out"));
  const { size, blocks } = statSync(join(base, "out/sparse"));
  t.is(size, 64 * 1024 * 1024);
  t.true(blocks * 512 < 1024 * 1024, `${blocks * 512} bytes used`);
  execFileSync("cmp", [join(base, "in/sparse"), join(base, "out/sparse")]);
});

test("files linked from a cache are right, shared, and made anew when the cached one is damaged", async (t) => {
  const base = await temporaryFolder(t);
  const store = new MemoryStore();
  const text = Buffer.from(new SeededRng(1).bytes(200_000)).toString("hex");
  const id = await putTree(store, write(join(base, "in"), { a: text, b: text, c: "small", empty: "" }));
  const linkCacheDir = join(base, "cache");
  for (const out of ["out1", "out2"]) await checkout(store, id, join(base, out), { linkCacheDir });
  t.is(statSync(join(base, "out1/c")).ino, statSync(join(base, "out2/c")).ino);
  t.is(readFileSync(join(base, "out2/a"), "utf8"), text);
  const { mtimeNs } = statSync(join(base, "in/c"), { bigint: true });
  writeFileSync(join(base, "out1/c"), "SMALL"); // Same size; the cache and every checkout are harmed.
  const { setModifiedTime } = await import("../../lib/addon.ts");
  setModifiedTime(Buffer.from(join(base, "out1/c")), mtimeNs);
  await checkout(store, id, join(base, "out3"), { linkCacheDir });
  t.is(readFileSync(join(base, "out3/c"), "utf8"), "small");
  t.deepEqual(describeFolder(Buffer.from(join(base, "out3/a"))), describeFolder(Buffer.from(join(base, "out1/a"))));
});

test("the same files with fixed owner and time are the same tree", async (t) => {
  const base = await temporaryFolder(t);
  const store = new MemoryStore();
  const fixed = { uid: 0, gid: 0, mtimeNs: 0n };
  const ids = new Set<Hash>();
  for (const name of ["one", "two"])
    ids.add(await putTree(store, write(join(base, name), { "x/y": "same" }), { fixed }));
  t.is(ids.size, 1);
});

test("resolvePath finds by short id and path, and says why it does not", async (t) => {
  const base = await temporaryFolder(t);
  const store = new MemoryStore();
  write(base, { "etc/door.conf": "open at nine" });
  symlinkSync("etc/door.conf", join(base, "link"));
  const id = await putTree(store, base);
  t.deepEqual(await resolvePath(store, id), { id, kind: "tree" });
  t.is((await resolvePath(store, `${id.slice(0, 12)}:`)).id, id);
  for (const path of ["etc/door.conf", "/etc/door.conf", "etc//door.conf"]) {
    const found = await resolvePath(store, `${id}:${path}`);
    t.is(found.kind, "blob");
    t.is(Buffer.from(await readBlobBytes(store, found.id, 100)).toString(), "open at nine");
  }
  t.is((await resolvePath(store, `${id}:etc`)).kind, "tree");
  for (const path of ["nowhere", "etc/door.conf/x", "link", "etc/.."]) {
    await t.throwsAsync(resolvePath(store, `${id}:${path}`), { code: "NOT_FOUND" }, path);
  }
  await t.throwsAsync(resolvePath(store, "0".repeat(64)), { code: "NOT_FOUND" });
  await t.throwsAsync(resolvePath(store, "not an id"), { code: "INPUT_INVALID" });
  for (let count = 0; count < 400; count += 1) await store.put("chunk", utf8(`${count}`)); // Every first digit is among their ids.
  await t.throwsAsync(resolvePath(store, id.slice(0, 1)), { code: "AMBIGUOUS" });
});

test("putPath keeps a file as a blob, and tells of what is not there", async (t) => {
  const base = await temporaryFolder(t);
  const store = new MemoryStore();
  write(base, { file: "content" });
  symlinkSync("file", join(base, "link"));
  const { id, kind, sizeBytes } = await putPath(store, join(base, "file"));
  t.deepEqual([kind, sizeBytes], ["blob", 7]);
  t.is((await putPath(store, join(base, "link"))).id, id); // A name given by hand is followed.
  t.is((await putPath(store, base)).kind, "tree");
  await t.throwsAsync(putPath(store, join(base, "nothing")), { code: "NOT_FOUND" });
  await t.throwsAsync(putTree(store, join(base, "file")), { code: "INPUT_INVALID" });
});

test("list gives a folder's attributes too", async (t) => {
  const base = await temporaryFolder(t);
  const store = new MemoryStore();
  write(base, { "folder/file": "x" });
  chmodSync(join(base, "folder"), 0o711);
  const [entry] = await list(store, await putTree(store, base));
  t.is(entry?.attributes?.mode, 0o711);
});
