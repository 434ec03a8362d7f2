import { open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { bytesOf, equalBytes, type Hash, SeededRng, utf8 } from "../../lib/base/index.ts";
import { encodeCanonical } from "../../lib/codec/index.ts";
import {
  type CollectionRoots,
  type CollectProgress,
  list,
  PackStore,
  putBlob,
  putTree,
  readBlobBytes,
} from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PACK_BYTES_MAX = 64 * 1024;

function rootsOf(whole: readonly Hash[], naming: readonly Uint8Array[] = []): CollectionRoots {
  return { whole: async () => whole, naming: () => naming };
}

async function openStore(t: ExecutionContext): Promise<{ dir: string; store: PackStore }> {
  const dir = await temporaryFolder(t);
  const store = await PackStore.open(dir, { packBytesMax: PACK_BYTES_MAX });
  t.teardown(() => store.close());
  return { dir, store };
}

async function packsOf(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => name.endsWith(".pack")).sort();
}

async function putNoise(store: PackStore, seed: number, count: number): Promise<{ id: Hash; bytes: Uint8Array }> {
  const bytes = new SeededRng(seed).bytes(count);
  const { id } = await putBlob(store, bytes, "min8-16k");
  return { id, bytes };
}

test("[T11] what nothing names goes, what a root needs stays, whole and readable by all", async (t) => {
  const { dir, store } = await openStore(t);
  const kept = await putNoise(store, 1, 500_000);
  const gone = await putNoise(store, 2, 500_000);
  const reader = await PackStore.open(dir, { readOnly: true });
  await store.commit();
  const before = await store.sizeBytes();
  const done = await store.collect({ roots: rootsOf([kept.id]) });
  t.true(done.droppedPacks >= 7 && done.freedBytes > 400_000, JSON.stringify(done));
  t.is(done.leftPacks, 0);
  // A footer of the pack that was open, and a mark.
  t.true(Math.abs(before - (await store.sizeBytes()) - done.freedBytes) < 1000);
  t.true(equalBytes(await readBlobBytes(store, kept.id, 1e6), kept.bytes));
  t.true(equalBytes(await readBlobBytes(reader, kept.id, 1e6), kept.bytes));
  t.false(store.has(gone.id));
  await t.throwsAsync(reader.get(gone.id), { code: "STORE_MISSING" });
  t.deepEqual(await store.verify(), { objects: store.objectCount, bad: 0 });
  await reader.close();
});

test("[T11] packs under half alive are stored anew, and a dry run only tells so", async (t) => {
  const { dir, store } = await openStore(t);
  const chunks: Hash[] = [];
  for (let seed = 0; seed < 63; seed += 1) chunks.push(await store.put("chunk", new SeededRng(seed).bytes(10_000)));
  const live = chunks.filter((_, index) => index % 3 === 0);
  const roots = rootsOf([], [encodeCanonical(live.map(bytesOf))]);
  const packs = await packsOf(dir);
  const dry = await store.collect({ roots, dryRun: true });
  t.deepEqual(await packsOf(dir), packs);
  t.is(dry.liveObjects, live.length);
  t.is(dry.deadObjects, chunks.length - live.length);
  t.true(dry.leftPacks >= 8);
  const progress: CollectProgress[] = [];
  const done = await store.collect({ roots, onProgress: (each) => progress.push(each) });
  t.deepEqual([done.liveObjects, done.deadObjects], [dry.liveObjects, dry.deadObjects]);
  const told = progress.map(({ bytes }) => bytes);
  t.deepEqual(told, told.toSorted(byNumber));
  t.deepEqual([told[0], told.at(-1)], [0, progress[0]?.bytesTotal]);
  t.true(progress.every(({ bytesTotal }) => bytesTotal > 8 * 32 * 1024));
  t.true(done.repackedPacks >= 8 && done.writtenBytes >= live.length * 10_000, JSON.stringify(done));
  t.deepEqual(
    store.missing(chunks),
    chunks.filter((_, index) => index % 3 !== 0),
  );
  for (const [index, id] of chunks.entries()) {
    if (index % 3 === 0) t.true(equalBytes((await store.get(id)).bytes, new SeededRng(index).bytes(10_000)));
  }
});

function byNumber(a: number, b: number): number {
  return a - b;
}

/** Flips a bit of an object that is stored as it is; gives the pack's name. */
async function damage(dir: string, bytes: Uint8Array): Promise<string> {
  for (const name of await packsOf(dir)) {
    const pack = await readFile(join(dir, name));
    const at = pack.indexOf(bytes);
    if (at < 0) continue;
    pack[at + 100] = (pack[at + 100] ?? 0) ^ 1;
    await writeFile(join(dir, name), pack);
    return name;
  }
  throw new Error("not in any pack");
}

test("[T10] [T11] a pack with a needed record that is found damaged while it is stored anew stays, the others go on", async (t) => {
  const dir = await temporaryFolder(t);
  const first = await PackStore.open(dir, { packBytesMax: PACK_BYTES_MAX });
  const blobs: { id: Hash; bytes: Uint8Array }[] = [];
  for (let seed = 0; seed < 63; seed += 1) blobs.push(await putNoise(first, seed, 10_000));
  await first.close();
  const live = blobs.filter((_, index) => index % 3 === 0);
  const roots = rootsOf(live.map(({ id }) => id));
  const hurt = live[10] as (typeof blobs)[0];
  const pack = await damage(dir, hurt.bytes.subarray(0, 4000));
  const store = await PackStore.open(dir, { packBytesMax: PACK_BYTES_MAX });
  t.teardown(() => store.close());
  const done = await store.collect({ roots });
  t.is(done.damagedPacks, 1);
  t.true(done.repackedPacks >= 8, JSON.stringify(done));
  t.true((await packsOf(dir)).includes(pack));
  for (const blob of live) {
    const read = readBlobBytes(store, blob.id, 1e6);
    if (blob === hurt) await t.throwsAsync(read, { code: "STORE_CORRUPT" });
    else t.true(equalBytes(await read, blob.bytes));
  }
  await putBlob(store, hurt.bytes, "min8-16k");
  t.is((await store.collect({ roots })).damagedPacks, 0);
  t.false((await packsOf(dir)).includes(pack));
  for (const blob of live) t.true(equalBytes(await readBlobBytes(store, blob.id, 1e6), blob.bytes));
});

test("[T11] a budget bounds what is written; some is done each time, and in the end all", async (t) => {
  const { store } = await openStore(t);
  const chunks: Hash[] = [];
  for (let seed = 0; seed < 40; seed += 1) chunks.push(await store.put("chunk", new SeededRng(seed).bytes(10_000)));
  const live = chunks.filter((_, index) => index % 4 === 0);
  const roots = rootsOf([], [encodeCanonical(live)]); // As hex.
  let runs = 0;
  for (let left = 1; left > 0; runs += 1) {
    const done = await store.collect({ roots, budgetBytes: 1 });
    t.true(done.writtenBytes > 0 || done.leftPacks === 0);
    t.true(done.writtenBytes < 11_000, JSON.stringify(done));
    left = done.leftPacks;
    t.true(runs < 40);
  }
  t.true(runs > 3);
  t.deepEqual(store.missing(chunks).length, chunks.length - live.length);
});

test("[T11] what is found held, or put again, while a cleaning runs is not lost", async (t) => {
  const { store } = await openStore(t);
  const touched = await putNoise(store, 3, 200_000);
  const again = await putNoise(store, 4, 200_000);
  const named = new Set<Hash>();
  let release = (): void => {};
  const waiting = new Promise<void>((resolve) => {
    release = resolve;
  });
  const holding = store.holding(async () => {
    t.true(store.has(touched.id)); // Found held, so not put.
    await waiting;
    named.add(touched.id);
  });
  const roots = { whole: async () => [...named], naming: () => [] };
  const collecting = store.collect({ roots });
  while (store.has(again.id)) await new Promise((resolve) => setTimeout(resolve, 5)); // Condemned from now on.
  t.false(store.has(touched.id));
  await store.holding(async () => {
    const { id } = await putBlob(store, again.bytes, "min8-16k");
    named.add(id);
  });
  release();
  await holding;
  const done = await collecting;
  t.true(done.droppedPacks > 0);
  for (const { id, bytes } of [touched, again]) t.true(equalBytes(await readBlobBytes(store, id, 1e6), bytes));
});

test("[T11] a file stored meanwhile keeps the chunks of a dead file that it shares", async (t) => {
  const { store } = await openStore(t);
  const dir = await temporaryFolder(t);
  const old = await putNoise(store, 5, 300_000);
  await writeFile(`${dir}/file`, old.bytes);
  let tree: Hash | undefined;
  const running = store.holding(async () => {
    tree = await putTree(store, dir, { fixed: { uid: 0, gid: 0, mtimeNs: 0n } });
  });
  await store.collect({ roots: { whole: async () => (tree === undefined ? [] : [tree]), naming: () => [] } });
  await running;
  const [entry] = await list(store, tree as Hash);
  const id = entry !== undefined && "id" in entry ? entry.id : undefined;
  t.true(equalBytes(await readBlobBytes(store, id as Hash, 1e6), old.bytes));
});

test("[T11] a node that is missing or damaged stops it before anything is removed", async (t) => {
  const { dir, store } = await openStore(t);
  const gone = await putNoise(store, 6, 200_000);
  const packs = await packsOf(dir);
  const missing = "ab".repeat(32) as Hash;
  await t.throwsAsync(store.collect({ roots: rootsOf([missing]) }), { code: "STORE_MISSING" });
  t.true(packs.every((name) => name !== undefined));
  t.true(store.has(gone.id));
  await store.collect({ roots: rootsOf([], [utf8(missing)]) }); // The ledger may name what has not come yet.
  t.false(store.has(gone.id));
});

test("[T11] a signal ends it, and the store is as it was", async (t) => {
  const { store } = await openStore(t);
  const gone = await putNoise(store, 7, 200_000);
  const stop = new AbortController();
  const holding = store.holding(() => new Promise((resolve) => setTimeout(resolve, 50)));
  const collecting = store.collect({ roots: rootsOf([]), signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 10);
  await t.throwsAsync(collecting, { message: "enough" });
  await holding;
  t.true(store.has(gone.id));
  t.true((await store.collect({ roots: rootsOf([]) })).droppedPacks > 0);
  t.is(store.objectCount, 0);
  const id = await store.put("chunk", utf8("after"));
  await store.commit();
  t.true(store.has(id));
});

test("[T11] what is dead and stays in its pack stays readable: it counts as held", async (t) => {
  const { dir, store } = await openStore(t);
  const folder = await temporaryFolder(t);
  const old = new SeededRng(8).bytes(56_000);
  const renewed = Uint8Array.from(old).fill(7, 30_000, 30_050);
  const put = async (bytes: Uint8Array, previous: { previous?: Hash } = {}): Promise<Hash> => {
    await writeFile(join(folder, "file"), bytes);
    const handle = await open(join(folder, "file"), "r");
    const { id } = await store.putFile(handle.fd, { profile: "min8-16k", ...previous });
    await handle.close();
    return id;
  };
  const oldId = await put(old); // Fills the first pack.
  const live = await store.put("chunk", new SeededRng(9).bytes(40_000));
  await put(renewed, { previous: oldId }); // Beside it, and leaning on the first.
  const roots = rootsOf([live]);
  await store.collect({ roots });
  t.is((await packsOf(dir)).length, 2, "both stay");
  t.is((await store.verify()).bad, 0);
  t.true(equalBytes(await readBlobBytes(store, await put(renewed), 1e6), renewed));
});
