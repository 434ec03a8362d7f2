/** Images of others: what is taken in, and what is refused before it can do harm. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { zstdCompress } from "../../lib/addon.ts";
import { unpack } from "../../lib/agent/image/unpack.ts";
import { GdoError } from "../../lib/base/index.ts";
import type { ImageTree } from "../../lib/dapp/index.ts";
import { importImage } from "../../lib/interop/index.ts";
import type { ImportedImage, ImportOptions } from "../../lib/interop/oci/import.ts";
import { readTar } from "../../lib/interop/oci/tar-reader.ts";
import { type RawImage, type RawMember, sha256, tarBytes, writeLayout } from "../support/oci-layout.ts";

function folderOf(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), "gdo-oci-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function gathered(source: AsyncIterable<Uint8Array>): Promise<{ bytes: Uint8Array }> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return { bytes: Buffer.concat(pieces) };
}

function take(path: string, options: Partial<ImportOptions> = {}): Promise<ImportedImage> {
  return importImage(path, { architecture: "amd64", putFile: gathered, unpack, ...options });
}

function takeLayers(t: ExecutionContext, ...layers: (readonly RawMember[])[]): Promise<ImportedImage> {
  const folder = folderOf(t);
  writeLayout(folder, [{ layers: layers.map((members) => ({ tar: tarBytes(members) })) }]);
  return take(folder);
}

function textAt(image: ImageTree, path: string): string | undefined {
  const node = image.find(path);
  if (node?.type !== "file") return undefined;
  return "bytes" in node.content ? Buffer.from(node.content.bytes).toString() : undefined;
}

test("[D1] setuid, devices and pipes do not come in, nor what a device stands in place of", async (t) => {
  const { image } = await takeLayers(
    t,
    [{ path: "tty", content: "x" }],
    [
      { path: "su", mode: 0o6755, content: "x" },
      { path: "tty", flag: "3" },
      { path: "pipe", flag: "6" },
    ],
  );
  t.like(image.find("su"), { type: "file", mode: 0o755 });
  t.deepEqual([...image.root.entries.keys()], ["su"]);
});

test("paths that lead out are refused, absolute ones and ./ are those inside", async (t) => {
  for (const path of ["../out", "a/../../out", "a/.."]) {
    await t.throwsAsync(takeLayers(t, [{ path, content: "x" }]), { code: "INPUT_INVALID" }, path);
  }
  const { image } = await takeLayers(t, [
    { path: "/etc/a", content: "1" },
    { path: "./etc/b", content: "2" },
  ]);
  t.deepEqual([textAt(image, "etc/a"), textAt(image, "etc/b")], ["1", "2"]);
});

test("a link that a later file goes through leads inside the image, never to this machine", async (t) => {
  const outside = folderOf(t);
  const { image } = await takeLayers(
    t,
    [
      { path: "esc", flag: "2", target: outside },
      { path: "up", flag: "2", target: "../../../../tmp" },
    ],
    [
      { path: "esc/file", content: "inside" },
      { path: "up/file", content: "inside too" },
    ],
  );
  t.is(textAt(image, `${outside}/file`), "inside");
  t.is(textAt(image, "tmp/file"), "inside too");
  t.throws(() => readFileSync(join(outside, "file")), { code: "ENOENT" });
});

test("a hard link names what is in the image, or is refused", async (t) => {
  const { image } = await takeLayers(
    t,
    [{ path: "a", content: "1" }],
    [
      { path: "b", flag: "1", target: "/a" },
      { path: "a", content: "2" },
    ],
  );
  t.deepEqual([textAt(image, "a"), textAt(image, "b")], ["2", "1"]);
  for (const target of ["nowhere", "../etc/passwd", "."]) {
    await t.throwsAsync(takeLayers(t, [{ path: "b", flag: "1", target }]), { code: "INPUT_INVALID" }, target);
  }
});

test("whiteouts hide lower layers only, in whatever order they come", async (t) => {
  const { image } = await takeLayers(
    t,
    [
      { path: "a/old", content: "1" },
      { path: "b/x/old", content: "1" },
      { path: "gone", content: "1" },
    ],
    [
      { path: "a/new", content: "2" },
      { path: "a/.wh..wh..opq" },
      { path: ".wh.b" },
      { path: "b/x/new", content: "2" },
      { path: ".wh.gone" },
      { path: ".wh.never" },
      { path: ".wh..wh.plnk" },
    ],
  );
  t.deepEqual(
    ["a/old", "b/x/old", "gone"].map((path) => image.find(path)),
    [undefined, undefined, undefined],
  );
  t.deepEqual([textAt(image, "a/new"), textAt(image, "b/x/new")], ["2", "2"]);
  t.deepEqual([...image.root.entries.keys()].sort(), ["a", "b"]);
});

/** A plain archive, as a program packs it. */
const by = (program: "xz" | "bzip2", tar: Uint8Array): Buffer => execFileSync(program, ["-c"], { input: tar });

test("a plain archive whose first name looks like bzip2 is read as one", async (t) => {
  const folder = folderOf(t);
  writeLayout(folder, [{ layers: [{ tar: tarBytes([{ path: "BZh91AY&SX", content: "plain" }]) }] }]);
  t.is(textAt((await take(folder)).image, "BZh91AY&SX"), "plain");
});

test.serial("a layer that needs a program which is not here names the Debian package", async (t) => {
  const folder = folderOf(t);
  const tar = tarBytes([{ path: "a" }]);
  writeLayout(folder, [{ layers: [{ tar, kept: by("xz", tar) }] }]);
  const { PATH } = process.env;
  process.env["PATH"] = folder;
  t.teardown(() => {
    process.env["PATH"] = PATH;
  });
  await t.throwsAsync(take(folder), { code: "NOT_FOUND", message: /needs xz/ });
});

test("layers are read whatever they are compressed with", async (t) => {
  const tar = tarBytes([{ path: "a", content: "x".repeat(300_000) }]);
  for (const kept of [tar, gzipSync(tar), zstdCompress(tar, 3), by("xz", tar), by("bzip2", tar)]) {
    const folder = folderOf(t);
    writeLayout(folder, [{ layers: [{ tar, kept }], environment: ["A=b=c", "HOME=/root", "=x", "9=y"] }]);
    const { image, settings } = await take(folder);
    t.is(textAt(image, "a")?.length, 300_000);
    t.deepEqual(settings.environment, { A: "b=c" });
  }
});

test("a byte that was changed is found, in a layer as it is kept, as it unpacks, and in settings", async (t) => {
  const tar = tarBytes([{ path: "a", content: "abc" }]);
  const other = tarBytes([{ path: "a", content: "abd" }]);
  const cases: [image: RawImage, spoil: (layers: string[], folder: string) => void][] = [
    [{ layers: [{ tar }] }, ([layer = ""]) => writeFileSync(layer, other)],
    [{ layers: [{ tar, kept: gzipSync(other) }] }, () => {}],
    [{ layers: [{ tar, kept: gzipSync(tar).subarray(0, -9) }] }, () => {}],
    [{ layers: [{ tar, kept: zstdCompress(tar, 3).subarray(0, -1) }] }, () => {}],
    [{ layers: [{ tar, kept: by("xz", tar).subarray(0, -9) }] }, () => {}],
    [{ layers: [{ tar, kept: by("bzip2", tar).subarray(0, -9) }] }, () => {}],
    [{ layers: [{ tar, kept: by("bzip2", other) }] }, () => {}],
    [{ layers: [{ tar }] }, ([layer = ""]) => rmSync(layer)],
    [{ layers: [{ tar }] }, ([layer = ""]) => appendFileSync(layer, "more")],
  ];
  for (const [at, [image, spoil]] of cases.entries()) {
    const folder = folderOf(t);
    spoil(writeLayout(folder, [image]), folder);
    await t.throwsAsync(take(folder), { code: "INPUT_INVALID" }, `case ${at}`);
  }
});

test("sizes and counts beyond the limits are refused before they are read", async (t) => {
  const folder = folderOf(t);
  const tar = tarBytes([{ path: "a", content: "x".repeat(2000) }]);
  writeLayout(folder, [{ layers: [{ tar }] }]);
  await t.throwsAsync(take(folder, { bytesMax: 1999 }), { code: "INPUT_INVALID", message: /more than 1999 bytes/ });
  await t.notThrowsAsync(take(folder, { bytesMax: 2000 }));
  const claim = [{ path: "a", sizeBytes: 0o77777777777 }];
  await t.throwsAsync(takeLayers(t, claim), { code: "INPUT_INVALID" });
  const many = readTar(once(tarBytes(Array.from({ length: 11 }, () => ({ path: "a" })))), { members: 10, bytes: 1 });
  await t.throwsAsync(
    async () => {
      for await (const _ of many);
    },
    { message: /more than 10 files/ },
  );
});

test("of several images the one is taken that is named, and one for another machine is refused", async (t) => {
  const folder = folderOf(t);
  const image = (tag: string, architecture?: string): RawImage => {
    const layers = [{ tar: tarBytes([{ path: tag, content: tag }]) }];
    return { layers, tag, ...(architecture === undefined ? {} : { architecture }) };
  };
  writeLayout(folder, [image("one"), image("two"), image("far", "s390x")]);
  t.is(textAt((await take(folder, { tag: "two" })).image, "two"), "two");
  await t.throwsAsync(take(folder), { code: "AMBIGUOUS", message: /3 images/ });
  await t.throwsAsync(take(folder, { tag: "three" }), { code: "NOT_FOUND" });
  await t.throwsAsync(take(folder, { tag: "far" }), { code: "INPUT_INVALID", message: /linux\/s390x/ });
});

test("an archive of an older docker save, with a layer that is a link to another's", async (t) => {
  const folder = folderOf(t);
  const tar = tarBytes([{ path: "a", content: "1" }]);
  const diff = `sha256:${sha256(tar)}`;
  const config = Buffer.from(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { diff_ids: [diff, diff] } }),
  );
  const name = `${sha256(config)}.json`;
  const manifest = JSON.stringify([{ Config: name, RepoTags: ["me/it:1"], Layers: ["x/layer.tar", "y/layer.tar"] }]);
  const members = [
    { path: "x/", flag: "5" },
    { path: "x/layer.tar", content: tar },
    { path: "y/layer.tar", flag: "2", target: "../x/layer.tar" },
    { path: name, content: config },
    { path: "manifest.json", content: manifest },
  ];
  const file = join(folder, "saved.tar");
  writeFileSync(file, tarBytes(members));
  const taken = await take(file);
  t.is(taken.name, "me/it:1");
  t.is(textAt(taken.image, "a"), "1");
  writeFileSync(
    file,
    tarBytes(members.map((each) => (each.path === name ? { ...each, content: `${config} ` } : each))),
  );
  await t.throwsAsync(take(file), { code: "INPUT_INVALID", message: /its bytes were changed/ });
});

test("a layout says nothing of this machine's files: links are not followed, paths that lead out not read", async (t) => {
  const folder = folderOf(t);
  const [layer = ""] = writeLayout(folder, [{ layers: [{ tar: tarBytes([{ path: "a" }]) }] }]);
  rmSync(layer);
  symlinkSync("/etc/passwd", layer);
  await t.throwsAsync(take(folder), { code: "INPUT_INVALID", message: /lacks its blob/ });
  const saved = folderOf(t);
  writeFileSync(join(saved, "manifest.json"), JSON.stringify([{ Config: "../../etc/passwd", Layers: [] }]));
  await t.throwsAsync(take(saved), { code: "INPUT_INVALID", message: /names the file/ });
});

test("what is no image is refused in words", async (t) => {
  const folder = folderOf(t);
  await t.throwsAsync(take(join(folder, "none")), { code: "NOT_FOUND" });
  await t.throwsAsync(take(folder), { code: "INPUT_INVALID", message: /neither an OCI layout nor/ });
  writeFileSync(join(folder, "text"), "just text");
  await t.throwsAsync(take(join(folder, "text")), { code: "INPUT_INVALID", message: /not a sound tar archive/ });
  writeFileSync(join(folder, "index.json"), "{");
  await t.throwsAsync(take(folder), { code: "INPUT_INVALID", message: /index\.json is no JSON/ });
  writeFileSync(join(folder, "index.json"), '{"manifests":[{"digest":"md5:00","size":1}]}');
  await t.throwsAsync(take(folder), { code: "INPUT_INVALID", message: /not a sum by sha256/ });
});

test("GNU tar's own forms are read: long names, links, sparse files refused", async (t) => {
  const folder = folderOf(t);
  const long = `${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(90)}`;
  mkdirSync(join(folder, "in", long), { recursive: true });
  writeFileSync(join(folder, "in", long, "file"), "found");
  symlinkSync(long, join(folder, "in/link"));
  for (const format of ["gnu", "pax", "posix"]) {
    const file = join(folder, `${format}.tar`);
    execFileSync("tar", ["-C", join(folder, "in"), `--format=${format}`, "-cf", file, "."]);
    const layout = folderOf(t);
    writeLayout(layout, [{ layers: [{ tar: readFileSync(file) }] }]);
    t.is(textAt((await take(layout)).image, "link/file"), "found", format);
  }
  execFileSync("truncate", ["-s", "1M", join(folder, "in/holes")]);
  for (const format of ["gnu", "posix"]) {
    const tar = execFileSync("tar", ["-C", join(folder, "in"), "-S", `--format=${format}`, "-cf", "-", "holes"]);
    const layout = folderOf(t);
    writeLayout(layout, [{ layers: [{ tar }] }]);
    await t.throwsAsync(take(layout), { code: "INPUT_INVALID", message: /holes/ }, format);
  }
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test("garbage in place of an archive ends in a refusal, never in anything else", async (t) => {
  const sound = tarBytes([
    { path: "a/b", content: "text" },
    { path: "l", flag: "2", target: "a" },
    { path: "x", flag: "x", content: "10 path=y\n" },
  ]);
  const flips = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 4 });
  const check = async (changes: [number, number][]): Promise<void> => {
    const bytes = Buffer.from(sound);
    for (const [at, value] of changes) bytes[at] = value;
    try {
      for await (const member of readTar(once(bytes), { members: 100, bytes: 1e6 })) await gathered(member.content);
    } catch (error) {
      if (!(error instanceof GdoError)) throw error;
    }
  };
  await fc.assert(fc.asyncProperty(flips, check), { numRuns: 1000 });
  t.pass();
});
