import { readdir, readFile, truncate, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { bytesOf, FakeClock, type Hash, SeededRng } from "../../lib/base/index.ts";
import { encodeCanonical } from "../../lib/codec/index.ts";
import { type BadPlace, PackStore, putBlob, Throttle, type VerifyPoint } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PACK_BYTES_MAX = 64 * 1024;
const none = { whole: async (): Promise<Hash[]> => [], naming: () => [] };

interface Filled {
  readonly dir: string;
  readonly store: PackStore;
  readonly blob: Hash;
}

/** Some ten packs, all of them one blob. */
async function filled(t: ExecutionContext): Promise<Filled> {
  const dir = await temporaryFolder(t);
  const store = await PackStore.open(dir, { packBytesMax: PACK_BYTES_MAX });
  t.teardown(() => store.close());
  const { id } = await putBlob(store, new SeededRng(1).bytes(600_000), "min8-16k");
  await store.commit();
  return { dir, store, blob: id };
}

async function packsOf(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => name.endsWith(".pack")).sort();
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

async function found(store: PackStore, options: Parameters<PackStore["verify"]>[1]): Promise<BadPlace[]> {
  const bad: BadPlace[] = [];
  await store.verify((place) => bad.push(place), options);
  return bad;
}

async function lacksOf(store: PackStore, whole: readonly Hash[], naming: readonly Uint8Array[] = []): Promise<Hash[]> {
  const lacks: Hash[] = [];
  await store.checkNeeds({ whole: async () => whole, naming: () => naming }, { onLack: ({ id }) => lacks.push(id) });
  return lacks;
}

test("[T11] quick: a sound store passes, for its writer and beside it", async (t) => {
  const { dir, store } = await filled(t);
  t.deepEqual(await store.verify(undefined, { depth: "quick" }), { objects: store.objectCount, bad: 0 });
  const reader = await PackStore.open(dir, { readOnly: true });
  t.deepEqual(await found(reader, { depth: "quick" }), []);
  await reader.close();
});

test("[T11] quick finds a pack that was cut off, one whose footer is damaged, and one that is gone", async (t) => {
  const { dir, store } = await filled(t);
  const [first = "", second = "", third = ""] = await packsOf(dir);
  const size = (await readFile(join(dir, first))).length;
  await truncate(join(dir, first), size - 1000);
  await flip(join(dir, second), (await readFile(join(dir, second))).length - 30);
  const bad = await found(store, { depth: "quick" });
  t.deepEqual([...new Set(bad.map(({ pack }) => pack))], [first, second]);
  const again = await filled(t);
  await unlink(join(again.dir, third));
  const [lost] = await found(again.store, { depth: "quick" });
  t.regex(lost?.what ?? "", /the index has \d+ objects that no pack has/);
});

test("[T11] a sealed pack that was cut off is found by a full verification also when the store opens anew", async (t) => {
  const { dir, store } = await filled(t);
  await store.close();
  const [, second = ""] = await packsOf(dir);
  await truncate(join(dir, second), 40_000);
  const reader = await PackStore.open(dir, { readOnly: true });
  t.deepEqual([...new Set((await found(reader, {})).map(({ pack }) => pack))], [second]);
  await reader.close();
});

test("[T11] structure reads no chunks, and names each that is not held; full marks what it finds", async (t) => {
  const { dir, store, blob } = await filled(t);
  const [first = ""] = await packsOf(dir);
  await flip(join(dir, first), 1000); // In the first chunk.
  t.deepEqual(await lacksOf(store, [blob]), []);
  const [damaged] = await found(store, { depth: "full" });
  t.is(damaged?.pack, first);
  t.deepEqual(await lacksOf(store, [blob]), [damaged?.id as Hash]);
  t.deepEqual(await lacksOf(store, [], [encodeCanonical({ of: bytesOf(blob) })]), [damaged?.id as Hash]);
  t.deepEqual(await lacksOf(store, [], [encodeCanonical({ of: new Uint8Array(32) })]), []);
  const absent = "ab".repeat(32) as Hash;
  t.deepEqual(await lacksOf(store, [absent]), [absent]);
});

test("[T11] a full verification goes on where it was, and reads damaged packs again", async (t) => {
  const { dir, store } = await filled(t);
  const packs = await packsOf(dir);
  const [first = ""] = packs;
  const sound = await readFile(join(dir, first));
  await flip(join(dir, first), 1000);
  const stop = new AbortController();
  let point: VerifyPoint | undefined;
  const onPoint = (at: VerifyPoint): void => {
    point = at;
    if (at.nextPack === 5) stop.abort(new Error("enough"));
  };
  await t.throwsAsync(found(store, { onPoint, signal: stop.signal }), { message: "enough" });
  t.deepEqual([point?.nextPack, point?.damagedPacks], [5, [1]]);
  const progress: number[] = [];
  const onProgress = ({ bytesTotal }: { bytesTotal: number }): void => void progress.push(bytesTotal);
  const bad = await found(store, { from: point, onProgress });
  t.deepEqual(
    bad.map(({ pack }) => pack),
    [first],
  );
  t.true((progress[0] ?? 0) < (packs.length - 3) * PACK_BYTES_MAX, "packs 2 to 4 are not read again");
  await writeFile(join(dir, first), sound);
  const fresh = await PackStore.open(dir, { readOnly: true });
  const summary = await fresh.verify(undefined, { from: point });
  t.deepEqual(summary, { objects: fresh.objectCount, bad: 0 });
  await fresh.close();
});

test("[T11] a cleaning waits for the walk: it makes no false damage", async (t) => {
  const { store } = await filled(t);
  const rng = new SeededRng(2);
  const ids: Hash[] = [];
  for (let count = 0; count < 1500; count += 1) ids.push(await store.put("chunk", rng.bytes(100)));
  let cleaning: Promise<unknown> | undefined;
  const pace = async (): Promise<void> => {
    // As if the only name of them went just now.
    cleaning ??= store.collect({ roots: none });
    await Promise.race([cleaning, new Promise((resolve) => setTimeout(resolve, 100))]);
  };
  const lacks: Hash[] = [];
  const roots = { whole: async () => ids, naming: () => [] };
  await store.checkNeeds(roots, { pace, onLack: ({ id }) => lacks.push(id) });
  t.deepEqual(lacks, []);
  await cleaning;
  t.is(store.objectCount, 0);
});

test("[T11] full beside a cleaning: packs that go are passed over, and it need not wait for the end", async (t) => {
  const { store, blob } = await filled(t);
  await putBlob(store, new SeededRng(2).bytes(300_000), "min8-16k");
  const roots = { whole: async () => [blob], naming: () => [] };
  const order: string[] = [];
  let cleaning: Promise<unknown> | undefined;
  const pace = (): void => {
    cleaning ??= store.collect({ roots }).then(() => order.push("cleaned"));
  };
  t.deepEqual(await found(store, { pace }), []);
  order.push("verified");
  await cleaning;
  t.deepEqual(order, ["cleaned", "verified"]);
});

test("[T10] beside a writer that cleans, a reader's verification tells no damage", async (t) => {
  const { dir, store } = await filled(t);
  const kept = await putBlob(store, new SeededRng(3).bytes(100_000), "min8-16k");
  await store.commit();
  const reader = await PackStore.open(dir, { readOnly: true });
  await store.collect({ roots: { whole: async () => [kept.id], naming: () => [] } });
  t.deepEqual(await found(reader, {}), []);
  t.deepEqual(await found(reader, { depth: "quick" }), []);
  await reader.close();
});

test("[T5] statistics count the last record of an id, and nothing that no root needs", async (t) => {
  const { dir, store, blob } = await filled(t);
  const before = await store.tally([blob]);
  t.is(before.raw.rawBytes + before.zstd.rawBytes, 600_000);
  await putBlob(store, new SeededRng(4).bytes(100_000), "min8-16k");
  const [first = ""] = await packsOf(dir);
  await flip(join(dir, first), 1000);
  t.is((await found(store, {})).length, 1);
  await putBlob(store, new SeededRng(1).bytes(600_000), "min8-16k"); // Mends it, by a second record.
  t.deepEqual(await store.tally([blob]), before);
  t.is(
    before.chunksBySize.reduce((sum, count) => sum + count, 0),
    before.raw.objects,
  );
});

test("[T11] a rate is kept to, whatever the pieces, and a signal ends the wait", async (t) => {
  const clock = new FakeClock(0);
  const throttle = new Throttle(clock, 1000);
  let spent = 0;
  const work = (async () => {
    for (; spent < 20; spent += 1) await throttle.spend(500);
  })();
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  };
  for (let seconds = 1; seconds <= 5; seconds += 1) {
    clock.advance(1000);
    await turns();
    t.is(Math.min(spent, 2 * seconds), spent, `after ${seconds} s`);
  }
  t.true(spent >= 4);
  for (; spent < 20; clock.advance(1000)) await turns();
  await work;
  const stop = new AbortController();
  const waiting = throttle.spend(1e9, stop.signal);
  stop.abort();
  await waiting;
  t.pass();
});
