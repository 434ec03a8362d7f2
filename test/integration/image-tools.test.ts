/** Images to and from umoci, skopeo and buildah: theirs come in, ours go out, and a round through them changes nothing. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import anyTest, { type TestFn } from "ava";
import { putImage, readImage } from "../../lib/agent/image/tree-store.ts";
import { unpack } from "../../lib/agent/image/unpack.ts";
import type { Hash } from "../../lib/base/index.ts";
import { ImageTree, placeSettings } from "../../lib/dapp/index.ts";
import { exportImage, importImage } from "../../lib/interop/index.ts";
import { MemoryStore, putBlob, readBlob } from "../../lib/store/index.ts";

/** buildah makes containers, which takes root. */
const isRoot = process.getuid?.() === 0;
const test = (isRoot ? anyTest.serial : anyTest.serial.skip) as TestFn;
const dir = mkdtempSync(join(tmpdir(), "gdo-tools-"));
anyTest.after.always(() => rmSync(dir, { recursive: true, force: true }));
const store = new MemoryStore();
const architecture = { x64: "amd64", arm: "arm" }[process.arch as string] ?? process.arch;

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd: dir, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

function write(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, folder, name)), { recursive: true });
    writeFileSync(join(dir, folder, name), text);
  }
  return folder;
}

async function take(path: string): Promise<{ tree: Hash; image: ImageTree }> {
  const putFile = (content: AsyncIterable<Uint8Array>) => putBlob(store, content);
  const { image, settings } = await importImage(join(dir, path), { architecture, putFile, unpack });
  placeSettings(image, settings);
  return { tree: await putImage(store, image.root), image };
}

async function give(tree: Hash, folder: string): Promise<void> {
  const stored = (content: object): { id: Hash; sizeBytes: number } => content as { id: Hash; sizeBytes: number };
  await exportImage(new ImageTree(await readImage(store, tree)), join(dir, folder), {
    ...{ tag: "v1", architecture, settings: { environment: { FOO: "bar" }, run: ["/bin/tool"] } },
    content: {
      sizeOf: ({ content }) => stored(content).sizeBytes,
      read: ({ content }) => readBlob(store, stored(content).id),
    },
  });
}

/** Three layers by umoci: files of all kinds, a whiteout, and a folder that hides what was below it. */
function madeByUmoci(): void {
  run("umoci", "init", "--layout", "made");
  run("umoci", "new", "--image", "made:v1");
  write("lower", { "bin/tool": "#!tool", "a/one": "1", "a/b/two": "2", "keep/it": "kept" });
  chmodSync(join(dir, "lower/bin/tool"), 0o4755);
  linkSync(join(dir, "lower/keep/it"), join(dir, "lower/keep/hard"));
  symlinkSync("it", join(dir, "lower/keep/soft"));
  run("umoci", "insert", "--image", "made:v1", "--rootless", "lower", "/");
  run("umoci", "insert", "--image", "made:v1", "--whiteout", "/a/b/two");
  run("umoci", "insert", "--image", "made:v1", "--opaque", "--rootless", write("upper", { new: "new" }), "/a");
  run("umoci", "config", "--image", "made:v1", "--config.env", "FOO=bar", "--config.cmd", "/bin/tool");
}

test("one image by umoci, in each form that skopeo writes, is one tree; and comes back through both", async (t) => {
  madeByUmoci();
  run("skopeo", "copy", "-q", "oci:made:v1", "docker-archive:docker.tar:me/it:1");
  run("skopeo", "copy", "-q", "oci:made:v1", "oci-archive:oci.tar:v1");
  run("skopeo", "copy", "-q", "--dest-compress-format", "zstd", "oci:made:v1", "oci:zstd:v1");
  const { tree, image } = await take("made");
  for (const form of ["docker.tar", "oci.tar", "zstd"]) t.is((await take(form)).tree, tree, form);
  t.deepEqual([...(image.folderAt("a")?.entries.keys() ?? [])], ["new"]);
  t.like(image.find("bin/tool"), { type: "file", mode: 0o755 });
  t.deepEqual(image.find("keep/hard"), image.find("keep/it"));
  t.deepEqual(image.find("keep/soft"), { type: "link", target: "it" });

  await give(tree, "given");
  t.is(run("umoci", "ls", "--layout", "given"), "v1");
  run("umoci", "unpack", "--rootless", "--image", "given:v1", "unpacked");
  t.is(readFileSync(join(dir, "unpacked/rootfs/keep/soft"), "utf8"), "kept");
  t.false(existsSync(join(dir, "unpacked/rootfs/a/one")));
  const config = JSON.parse(run("skopeo", "inspect", "--config", "oci:given:v1"));
  t.like(config, { architecture, os: "linux", config: { Env: ["FOO=bar"], Cmd: ["/bin/tool"] } });
  run("skopeo", "copy", "-q", "oci:given:v1", "docker-archive:again.tar:me/it:2");
  t.is((await take("again.tar")).tree, tree, "through an archive of docker's and in again");
});

test("an image that buildah built comes in, and one of ours is what it builds on", async (t) => {
  const buildah = (...args: string[]): string =>
    run("buildah", "--storage-driver", "vfs", "--root", join(dir, "storage"), "--runroot", join(dir, "state"), ...args);
  const empty = buildah("from", "scratch");
  buildah("copy", empty, write("files", { "app/main": "main" }), "/");
  buildah("config", "--env", "A=b", empty);
  buildah("commit", "-q", empty, "oci:built:t");
  buildah("commit", "-q", "--format", "docker", empty, "docker-archive:built.tar:q/w:e");
  const { tree, image } = await take("built");
  t.is((await take("built.tar")).tree, tree);
  t.like(image.find("app/main"), { type: "file" });

  await give(tree, "base");
  const over = buildah("from", "oci:base:v1");
  buildah("copy", over, write("more", { extra: "extra" }), "/app/");
  buildah("commit", "-q", over, "oci:over:t");
  const { image: both } = await take("over");
  t.deepEqual([...(both.folderAt("app")?.entries.keys() ?? [])].sort(), ["extra", "main"]);
  buildah("rm", "--all");
});
