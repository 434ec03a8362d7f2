import { cp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { crc32c } from "../../lib/addon.ts";
import { equalBytes, type Hash, SeededRng, utf8 } from "../../lib/base/index.ts";
import { type BadPlace, PackStore } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** As few as a prefix may have. */
const PREFIX_DIGITS = 1;
const PAGE_BYTES = 4096;
const LIMIT = { packBytesMax: 2000 };

interface Stored {
  readonly dir: string;
  readonly contents: ReadonlyMap<Hash, Uint8Array>;
}

/** A store of some sessions, each of which leaves a run of the index. */
async function storeOf(t: ExecutionContext, sessions: number): Promise<Stored> {
  const dir = join(await temporaryFolder(t), "packs");
  const contents = new Map<Hash, Uint8Array>();
  const rng = new SeededRng(sessions);
  for (let session = 0; session < sessions; session += 1) {
    const store = await PackStore.open(dir, LIMIT);
    for (let count = 0; count < 6; count += 1) {
      const bytes = rng.bytes(200 + count);
      contents.set(await store.put("chunk", bytes), bytes);
    }
    await store.close();
  }
  return { dir, contents };
}

async function indexFiles(dir: string): Promise<string[]> {
  return (await readdir(join(dir, "index"))).sort();
}

async function assertWhole(t: ExecutionContext, store: PackStore, { contents }: Stored, what: string): Promise<void> {
  for (const [id, bytes] of contents) t.true(equalBytes((await store.get(id)).bytes, bytes), `${what}: ${id}`);
  t.deepEqual([...store.ids()], [...contents.keys()].sort(), what);
  t.is(store.objectCount, contents.size, what);
}

async function damageOf(store: PackStore): Promise<BadPlace[]> {
  const bad: BadPlace[] = [];
  await store.verify((place) => bad.push(place));
  return bad;
}

/** Something was done to the index: a reader loses nothing, and a writer makes it good. */
async function assertMended(t: ExecutionContext, stored: Stored, what: string): Promise<BadPlace[]> {
  const reader = await PackStore.open(stored.dir, { readOnly: true });
  await assertWhole(t, reader, stored, `${what}, read`);
  const bad = await damageOf(reader);
  await reader.close();
  const writer = await PackStore.open(stored.dir, LIMIT);
  await assertWhole(t, writer, stored, `${what}, written`);
  await writer.close();
  const again = await PackStore.open(stored.dir, { readOnly: true });
  await assertWhole(t, again, stored, `${what}, again`);
  t.deepEqual(await damageOf(again), [], what);
  await again.close();
  return bad;
}

test("[T9] what is sealed is found through runs, of which four become one", async (t) => {
  const stored = await storeOf(t, 3);
  t.deepEqual(await indexFiles(stored.dir), ["00000001.run", "00000002.run", "00000003.run", "manifest"]);
  t.deepEqual(await assertMended(t, stored, "three runs"), []);
  const merged = await storeOf(t, 4);
  t.deepEqual(await indexFiles(merged.dir), ["00000004.run", "manifest"]);
  t.deepEqual(await assertMended(t, merged, "one run"), []);
});

test("[T9] an open does not read the footers of packs that the index covers", async (t) => {
  const stored = await storeOf(t, 3);
  const first = join(stored.dir, "00000001.pack");
  const pack = await readFile(first);
  pack.fill(0, pack.length - 8);
  await writeFile(first, pack);
  const store = await PackStore.open(stored.dir, { readOnly: true });
  await assertWhole(t, store, stored, "a footer that nobody needs");
  t.true((await damageOf(store)).some((place) => place.pack === "00000001.pack"));
  await store.close();
});

test("[T9] the index is made again where it is gone, of a newer version, or of other packs", async (t) => {
  const stored = await storeOf(t, 3);
  const index = join(stored.dir, "index");
  await rm(index, { recursive: true });
  t.deepEqual(await assertMended(t, stored, "no index"), []);
  t.true((await indexFiles(stored.dir)).includes("manifest"));
  await rm(join(index, "manifest"));
  t.deepEqual(await assertMended(t, stored, "no manifest"), []);

  const manifest = await readFile(join(index, "manifest"));
  manifest[8] = 2;
  manifest.writeUInt32LE(crc32c(manifest.subarray(0, -4)), manifest.length - 4);
  await writeFile(join(index, "manifest"), manifest);
  t.is((await assertMended(t, stored, "a newer version"))[0]?.pack, "index/manifest");

  const other = await storeOf(t, 5);
  await rm(index, { recursive: true });
  await cp(join(other.dir, "index"), index, { recursive: true });
  const store = await PackStore.open(stored.dir, { readOnly: true });
  for (const id of other.contents.keys()) {
    if (!stored.contents.has(id)) await t.throwsAsync(store.get(id));
  }
  await store.close();
});

test("[T10] a flipped bit or a cut in any file of the index hides nothing, and verify names the file", async (t) => {
  const stored = await storeOf(t, 5);
  const index = join(stored.dir, "index");
  const rng = new SeededRng(8);
  for (const name of await indexFiles(stored.dir)) {
    const path = join(index, name);
    for (const step of [0, 1, 2, 3, 4, 5]) {
      const sound = await readFile(path).catch(() => undefined);
      if (sound === undefined) break; // Mended under another number.
      const at = step === 5 ? sound.length - 9 : Math.floor(rng.next() * sound.length);
      const flipped = Uint8Array.from(sound);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << step);
      await writeFile(path, flipped);
      const what = `${name}, byte ${at}`;
      t.true(
        (await assertMended(t, stored, what)).every((place) => place.pack === `index/${name}`),
        what,
      );
    }
    if ((await indexFiles(stored.dir)).includes(name)) await truncate(path, 50);
    await assertMended(t, stored, `${name}, cut off`);
  }
});

test("[T10] a block and its summary in each other's place hide nothing, and verify tells", async (t) => {
  const stored = await storeOf(t, 1);
  const path = join(stored.dir, "index", "00000001.run");
  const run = await readFile(path);
  const [block, summary] = [run.subarray(0, PAGE_BYTES), run.subarray(PAGE_BYTES, 2 * PAGE_BYTES)];
  await writeFile(path, Buffer.concat([summary, block, run.subarray(2 * PAGE_BYTES)]));
  const [bad] = await assertMended(t, stored, "swapped");
  t.is(bad?.pack, "index/00000001.run");
});

test("[T9] a reader beside a writer follows its runs, and what they replace", async (t) => {
  const stored = await storeOf(t, 3);
  const reader = await PackStore.open(stored.dir, { readOnly: true });
  const contents = new Map(stored.contents);
  for (let session = 0; session < 3; session += 1) {
    const writer = await PackStore.open(stored.dir, LIMIT);
    for (let count = 0; count < 8; count += 1) {
      const bytes = utf8(`${session} ${count} ${"text ".repeat(50)}`);
      contents.set(await writer.put("chunk", bytes), bytes);
    }
    await writer.close();
    await reader.refresh();
    await assertWhole(t, reader, { dir: stored.dir, contents }, `session ${session}`);
  }
  await reader.close();
});

test("[T9] ids are found by their beginning in runs and in what is newer", async (t) => {
  const stored = await storeOf(t, 3);
  const store = await PackStore.open(stored.dir, LIMIT);
  const contents = new Map(stored.contents);
  for (let count = 0; count < 6; count += 1) contents.set(await store.put("chunk", utf8(`more ${count}`)), utf8(""));
  const ids = [...contents.keys()].sort();
  for (const id of ids) t.deepEqual(store.resolvePrefix(id), [id]);
  for (const id of ids) {
    const prefix = id.slice(0, PREFIX_DIGITS);
    t.deepEqual(
      store.resolvePrefix(prefix),
      ids.filter((other) => other.startsWith(prefix)),
    );
  }
  await store.close();
});
