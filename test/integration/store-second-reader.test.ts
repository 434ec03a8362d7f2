import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { setModifiedTime } from "../../lib/addon.ts";
import { SeededRng, utf8 } from "../../lib/base/index.ts";
import { PackStore, putTree } from "../../lib/store/index.ts";
import { describeFolder } from "../support/folder-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const READER = fileURLToPath(new URL("../../../test/second-reader/read_store.py", import.meta.url));
const LINES_IN_A_BLOB = 30_000;

/** Runs the reader in Python, which knows the design pages and nothing of this code. */
function read(...args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync("python3", ["-B", READER, ...args], { maxBuffer: 64 * 1024 * 1024 });
  return { status, output: stdout.toString("latin1") + stderr.toString("latin1") };
}

/** Text with structure, so that it compresses, and no two places alike. */
function text(rng: SeededRng, lines: number): Uint8Array {
  const words = Array.from({ length: lines }, (_, line) => `line ${line}: ${Math.floor(rng.next() * 1000)}\n`);
  return utf8(words.join(""));
}

/** A folder with one of everything that needs no right. */
function makeFolder(folder: string, rng: SeededRng): void {
  mkdirSync(join(folder, "sub", "deep"), { recursive: true });
  writeFileSync(join(folder, "empty"), "");
  writeFileSync(join(folder, "text"), text(rng, LINES_IN_A_BLOB));
  writeFileSync(join(folder, "noise"), rng.bytes(300_000), { mode: 0o600 });
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x0a, 0x20])]), "odd name");
  linkSync(join(folder, "text"), join(folder, "sub", "the same"));
  symlinkSync("../nowhere", join(folder, "sub", "link"));
  spawnSync("mkfifo", ["-m", "640", join(folder, "sub", "deep", "pipe")]);
  writeFileSync(join(folder, "sparse"), rng.bytes(50_000));
  truncateSync(join(folder, "sparse"), 700_000);
  setModifiedTime(Buffer.from(join(folder, "sub")), -123_456_789n);
}

async function putFolder(dir: string, folder: string): Promise<string> {
  const store = await PackStore.open(dir, { packBytesMax: 200_000 });
  const id = await putTree(store, folder);
  await store.close();
  return id;
}

async function writtenStore(t: ExecutionContext): Promise<{ root: string; folder: string; dir: string; id: string }> {
  const root = await temporaryFolder(t);
  const folder = join(root, "folder");
  const dir = join(root, "packs");
  const rng = new SeededRng(31);
  makeFolder(folder, rng);
  return { root, folder, dir, id: await putFolder(dir, folder) };
}

test("[T1][T3][T7] a second reader, written from the design pages alone, reads packs, blobs and trees", async (t) => {
  const { root, folder, dir, id } = await writtenStore(t);
  const checked = read("check", dir);
  t.is(checked.status, 0, checked.output);
  t.regex(checked.output, /^\d+ chunks, 5 blobs, 3 trees, \d+ with bases, [3-9] packs, [2-9] sealed\n$/);
  const store = await PackStore.open(dir, { readOnly: true });
  const ids = read("list", dir)
    .output.trimEnd()
    .split("\n")
    .map((line) => line.slice(0, 64));
  t.deepEqual(ids, [...store.ids()].sort());
  await store.close();
  const extracted = read("extract", dir, id, join(root, "extracted"));
  t.is(extracted.status, 0, extracted.output);
  t.deepEqual(describeFolder(Buffer.from(join(root, "extracted"))), describeFolder(Buffer.from(folder)));
});

test("[T2] a second chunker, written from the design pages alone, cuts where the addon cuts", async (t) => {
  const root = await temporaryFolder(t);
  const rng = new SeededRng(32);
  for (const profile of ["min8-64k", "min8-16k", "fixed-64k"] as const) {
    const folder = join(root, profile);
    mkdirSync(folder);
    // Of few words, so that many places have the least hash.
    const words = Array.from({ length: 8 }, () => rng.bytes(12));
    const phrase = Array.from({ length: 3_000 }, () => words[Math.floor(rng.next() * 8)] as Uint8Array);
    const parts = [rng.bytes(150_000), new Uint8Array(250_000), text(rng, 3_000), new Uint8Array(99_000).fill(7)];
    parts.push(Buffer.concat(phrase));
    writeFileSync(join(folder, "mixed"), Buffer.concat(parts));
    const store = await PackStore.open(join(root, `${profile}-packs`));
    await putTree(store, folder, { profile });
    await store.close();
    const { status, output } = read("check", join(root, `${profile}-packs`));
    t.is(status, 0, `${profile}: ${output}`);
  }
});

test("[T3] the second reader reads a blob of several levels", async (t) => {
  const root = await temporaryFolder(t);
  const folder = join(root, "folder");
  mkdirSync(folder);
  writeFileSync(join(folder, "large"), new SeededRng(33).bytes(6_000_000));
  const store = await PackStore.open(join(root, "packs"));
  await putTree(store, folder, { profile: "min8-16k" });
  await store.close();
  const { status, output } = read("check", join(root, "packs"));
  t.is(status, 0, output);
  t.regex(output, / [3-9] blobs, 1 trees/, "an inner node and its leaves");
});

/** The store again, with the last bytes of its first pack as `change` makes them. */
function changedCopy(dir: string, to: string, change: (pack: Buffer) => Uint8Array): string {
  mkdirSync(to);
  const packs = readdirSync(dir).filter((name) => name.endsWith(".pack"));
  for (const name of packs) copyFileSync(join(dir, name), join(to, name));
  const first = join(to, "00000001.pack");
  writeFileSync(first, change(readFileSync(first)));
  return to;
}

test("[T10] the second reader tells damage from a torn append", async (t) => {
  const { root, dir } = await writtenStore(t);
  const flipped = changedCopy(dir, join(root, "flipped"), (pack) => pack.fill((pack[5_000] ?? 0) ^ 1, 5_000, 5_001));
  const damaged = read("check", flipped);
  t.is(damaged.status, 1);
  t.regex(damaged.output, /00000001\.pack \d+: the record's checksum is wrong/);
  const cut = changedCopy(dir, join(root, "cut"), (pack) => pack.subarray(0, pack.length - 30));
  const torn = read("check", cut);
  t.is(torn.status, 0, torn.output);
  t.regex(torn.output, /3 packs, 2 sealed/);
});
