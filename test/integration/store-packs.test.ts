import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { equalBytes, type Hash, SeededRng, utf8 } from "../../lib/base/index.ts";
import { PackStore } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

async function packNames(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => name.endsWith(".pack")).sort();
}

test("[T7] packs keep to their limit, and everything in all of them is found again", async (t) => {
  const dir = await temporaryFolder(t);
  const rng = new SeededRng(1);
  const contents = new Map<Hash, Uint8Array>();
  for (let session = 0; session < 5; session += 1) {
    const store = await PackStore.open(dir, { packBytesMax: 20_000 });
    for (let count = 0; count < 30; count += 1) {
      const bytes = rng.bytes(Math.floor(rng.next() * 4000));
      contents.set(await store.put("chunk", bytes), bytes);
    }
    await store.close();
  }
  const names = await packNames(dir);
  t.true(names.length > 10);
  for (const name of names) t.true((await stat(join(dir, name))).size <= 20_000, name);
  const store = await PackStore.open(dir, { readOnly: true });
  for (const [id, bytes] of contents) t.true(equalBytes((await store.get(id)).bytes, bytes));
  t.is((await store.verify()).objects, contents.size);
  await store.close();
});

test("[T7] an object larger than the limit of a pack has one of its own", async (t) => {
  const dir = await temporaryFolder(t);
  const store = await PackStore.open(dir, { packBytesMax: 1000 });
  const bytes = new SeededRng(2).bytes(5000);
  await store.put("chunk", utf8("small"));
  const id = await store.put("chunk", bytes);
  await store.put("chunk", utf8("small too"));
  await store.close();
  t.is((await packNames(dir)).length, 3);
  const again = await PackStore.open(dir, { readOnly: true });
  t.true(equalBytes((await again.get(id)).bytes, bytes));
  await again.close();
});

test("[T7] small sessions go on with the last pack instead of leaving many", async (t) => {
  const dir = await temporaryFolder(t);
  for (let session = 0; session < 10; session += 1) {
    const store = await PackStore.open(dir);
    await store.put("chunk", utf8(`session ${session}`));
    await store.close();
  }
  t.is((await packNames(dir)).length, 1);
});

test("[T7] what is known is not written again, in one session or the next", async (t) => {
  const dir = await temporaryFolder(t);
  const bytes = new SeededRng(3).bytes(50_000);
  const sizes: number[] = [];
  for (let session = 0; session < 2; session += 1) {
    const store = await PackStore.open(dir);
    for (let count = 0; count < 5; count += 1) await store.put("chunk", bytes);
    await store.close();
    sizes.push((await readFile(join(dir, "00000001.pack"))).length);
  }
  t.is(sizes[0], sizes[1]);
  t.true((sizes[0] ?? 0) < 51_000);
});

test("[T7] text is compressed, noise is not tried in vain, zeros take no room", async (t) => {
  const dir = await temporaryFolder(t);
  const store = await PackStore.open(dir);
  const sizeOf = async (bytes: Uint8Array): Promise<number> => {
    const before = await stat(join(dir, "00000001.pack")).then(
      ({ size }) => size,
      () => 32,
    );
    await store.put("chunk", bytes);
    await store.commit();
    return (await stat(join(dir, "00000001.pack"))).size - before - 104; // Less the record's and the mark's frames.
  };
  t.true((await sizeOf(utf8("open the door ".repeat(5000)))) < 1000);
  t.is(await sizeOf(new SeededRng(4).bytes(60_000)), 60_000);
  t.is(await sizeOf(new Uint8Array(90_000)), 0);
  await store.close();
});

test("a reader beside the writer sees what was there, and more after refresh or when asked for it", async (t) => {
  const dir = await temporaryFolder(t);
  const writer = await PackStore.open(dir, { packBytesMax: 300 });
  const first = await writer.put("chunk", utf8("first"));
  await writer.commit();
  const reader = await PackStore.open(dir, { readOnly: true });
  t.true(reader.has(first));
  const ids: Hash[] = [];
  for (let count = 0; count < 20; count += 1) {
    ids.push(await writer.put("chunk", utf8(`object ${count}`)));
    if (count % 3 === 0) await writer.commit();
  }
  await writer.commit();
  const [asked] = ids as [Hash];
  t.false(reader.has(asked));
  t.is(Buffer.from((await reader.get(asked)).bytes).toString(), "object 0");
  ids.push(await writer.put("chunk", utf8("last")));
  await writer.commit();
  await reader.refresh();
  t.deepEqual(reader.missing(ids), []);
  for (const id of ids) await t.notThrowsAsync(reader.get(id));
  await t.throwsAsync(reader.put("chunk", utf8("no")), { code: "PERMISSION" });
  await t.throwsAsync(reader.commit(), { code: "PERMISSION" });
  await reader.close();
  await writer.close();
});

test("reading a store that is not there does not make one", async (t) => {
  const dir = join(await temporaryFolder(t), "packs");
  await t.throwsAsync(PackStore.open(dir, { readOnly: true }), { code: "NOT_FOUND" });
  await t.throwsAsync(readdir(dir), { code: "ENOENT" });
});

test("more packs than may be open at once are all read", async (t) => {
  const dir = await temporaryFolder(t);
  const store = await PackStore.open(dir, { packBytesMax: 1 });
  const ids = await Promise.all(Array.from({ length: 150 }, (_, index) => store.put("chunk", utf8(`object ${index}`))));
  await store.commit();
  const texts = await Promise.all(ids.map(async (id) => Buffer.from((await store.get(id)).bytes).toString()));
  t.deepEqual(
    texts,
    ids.map((_, index) => `object ${index}`),
  );
  t.true((await packNames(dir)).length >= 150);
  await store.close();
});
