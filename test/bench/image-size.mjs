/**
 * What five versions of one image take: in a store, as layers (each a gzip file, kept once when its content is
 * the same, as registries and docker keep them), and as chunks of casync. After a build: `node
 * test/bench/image-size.mjs`, or `imageSizes()` from another bench. Prints, asserts nothing.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
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
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { ImageBuilder } from "../../dist/lib/agent/image/build.js";
import { checkout, PackStore, putTree } from "../../dist/lib/store/index.js";

const FIXED = { uid: 0, gid: 0, mtimeNs: 0n };
const LAYERS = ["base", "packages", "app"];
/** Files of a library that an update of its package would change. */
const UPDATED = /\/(libssl|libcrypto)\.so\.3$/;

/** Bytes that each way takes after each version: [{ version, store, layers, casync }]. */
export async function imageSizes() {
  const dir = mkdtempSync(join(tmpdir(), "gdo-image-size-"));
  try {
    return await measure(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function measure(dir) {
  const parts = join(dir, "parts");
  await writeParts(parts);
  const store = await PackStore.open(join(dir, "packs"));
  const registry = new Map();
  const rows = [];
  for (const [version, change] of VERSIONS) {
    change(parts);
    const whole = join(dir, "whole");
    rmSync(whole, { recursive: true, force: true });
    mkdirSync(whole);
    for (const layer of LAYERS) execFileSync("cp", ["-a", "--remove-destination", `${join(parts, layer)}/.`, whole]);
    await putTree(store, whole, { fixed: FIXED });
    await store.commit();
    addLayers(registry, parts);
    const store2 = join(dir, "casync");
    casync(whole, store2, join(dir, `${rows.length}.caidx`));
    const layers = [...registry.values()].reduce((sum, bytes) => sum + bytes, 0);
    rows.push({ version, store: await store.sizeBytes(), layers, casync: folderBytes(store2) });
  }
  await store.close();
  return rows;
}

/** Debian's Python, ledger over it, and a program: the parts as a build would lay them over each other. */
async function writeParts(parts) {
  const store = await PackStore.open(`${parts}-packs`);
  const db = { meta: () => undefined, setMeta: () => {} };
  const builder = new ImageBuilder({ store, db });
  const recipe = async (name, text) => {
    mkdirSync(join(parts, `${name}.recipe`), { recursive: true });
    writeFileSync(join(parts, `${name}.recipe/image.yaml`), text);
    await checkout(store, await builder.recipe(join(parts, `${name}.recipe/image.yaml`)), join(parts, name));
  };
  await recipe("base", "base: python");
  await recipe("packages", "base: empty\npackages: [ledger]");
  await store.close();
  // As a layer has only what the layers below it have not.
  for (const name of readdirSync(join(parts, "packages"), { recursive: true })) {
    const path = join(parts, "packages", name);
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false && existsSync(join(parts, "base", name)))
      rmSync(path);
  }
  mkdirSync(join(parts, "app/app"), { recursive: true });
  const lines = Array.from({ length: 5000 }, (_, line) => `rate_${line} = ${(line * 7919) % 1000}`);
  writeFileSync(join(parts, "app/app/rates.py"), `${lines.join("\n")}\n`);
  writeFileSync(join(parts, "app/app/main.py"), "import rates\nprint(rates.rate_1)\n");
}

const VERSIONS = [
  ["1 as it was made", () => {}],
  [
    "2 one line of the program",
    (parts) => changeText(join(parts, "app/app/rates.py"), "rate_2500 =", "rate_2500 = 1 +"),
  ],
  ["3 one file more", (parts) => writeFileSync(join(parts, "app/app/more.py"), "answer = 42\n".repeat(500))],
  ["4 a library of the base updated", (parts) => updateLibraries(join(parts, "base"))],
  ["5 one line of the program", (parts) => changeText(join(parts, "app/app/main.py"), "rate_1", "rate_2")],
];

function changeText(path, from, to) {
  writeFileSync(path, readFileSync(path, "utf8").replace(from, to));
}

/** As a mended function changes a library: some bytes in a few places. */
function updateLibraries(folder) {
  for (const name of readdirSync(folder, { recursive: true })) {
    const path = join(folder, name);
    if (!UPDATED.test(path)) continue;
    const bytes = readFileSync(path);
    for (const share of [0.3, 0.31, 0.7]) bytes.write("mended by an update", Math.floor(bytes.length * share));
    writeFileSync(path, bytes);
  }
}

/** A layer that differs in one byte is another file. Layers over an updated base are taken to stay the same, which favours them. */
function addLayers(registry, parts) {
  for (const layer of LAYERS) {
    const options = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    const tar = execFileSync("tar", ["-C", join(parts, layer), ...options, "-cf", "-", "."], { maxBuffer: 2 ** 30 });
    const content = createHash("sha256").update(tar).digest("hex");
    if (!registry.has(content)) registry.set(content, gzipSync(tar, { level: 6 }).length);
  }
}

function casync(folder, store, index) {
  const kept = ["--without=all", "--with=symlinks", "--with=permissions"]; // What an image of ours keeps.
  execFileSync("casync", ["make", ...kept, `--store=${store}`, index, folder], { stdio: "ignore" });
}

function folderBytes(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0);
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(2)} MB`.padStart(12);
}

/** A table of imageSizes(). */
export function imageSizeTable(rows) {
  const head = `${"version".padEnd(34)}${"store".padStart(12)}${"layers".padStart(12)}${"casync".padStart(12)}`;
  const lines = rows.map(({ version, store, layers, casync: chunks }) =>
    [version.padEnd(34), ...[store, layers, chunks].map(megabytes)].join(""),
  );
  return [head, ...lines].join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.stdout.write(`${imageSizeTable(await imageSizes())}\n`);
}
