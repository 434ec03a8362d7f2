import { type FileHandle, open, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { PROFILE_NAMES } from "../../lib/addon.ts";
import { concatBytes, equalBytes, type GdoError, type Hash, SeededRng, utf8 } from "../../lib/base/index.ts";
import { putBlobFile, restoreBlobFile } from "../../lib/store/blob/blob-file.ts";
import { MemoryStore, PackStore, putBlob, readBlobBytes } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

type Part = Uint8Array | { readonly hole: number };

const MIB = 1024 * 1024;

/** Noise, text, zeros and holes, of lengths that meet the edges of chunks, pages and reads. */
function randomParts(rng: SeededRng): Part[] {
  const lengths = [0, 1, 7, 4096, 32_768, 65_536, 98_303, 98_304, 98_305, 200_000, MIB, MIB + 1, 2_500_000];
  return Array.from({ length: Math.floor(rng.next() * 7) }, () => {
    const length = lengths[Math.floor(rng.next() * lengths.length)] ?? 0;
    const form = rng.next();
    if (form < 0.25) return { hole: length };
    if (form < 0.4) return new Uint8Array(length);
    return form < 0.6 ? utf8(`${rng.next()} `.repeat(length / 20)) : rng.bytes(length);
  });
}

async function writeParts(path: string, parts: readonly Part[]): Promise<FileHandle> {
  const handle = await open(path, "w+");
  let at = 0;
  for (const part of parts) {
    if (part instanceof Uint8Array) await handle.write(part, 0, part.length, at);
    at += part instanceof Uint8Array ? part.length : part.hole;
  }
  await handle.truncate(at);
  return handle;
}

function bytesOfParts(parts: readonly Part[]): Uint8Array {
  return concatBytes(parts.map((part) => (part instanceof Uint8Array ? part : new Uint8Array(part.hole))));
}

async function packStore(t: ExecutionContext): Promise<PackStore> {
  const store = await PackStore.open(await temporaryFolder(t), { packBytesMax: 3 * MIB });
  t.teardown(() => store.close());
  return store;
}

test("[T2] [T3] a file read natively is the blob that its bytes are, and comes back byte for byte", async (t) => {
  const dir = await temporaryFolder(t);
  const store = await packStore(t);
  const rng = new SeededRng(31);
  for (let round = 0; round < 60; round += 1) {
    const parts = randomParts(rng);
    const profile = PROFILE_NAMES[round % PROFILE_NAMES.length] ?? "min8-64k";
    const expected = bytesOfParts(parts);
    const source = await writeParts(join(dir, "in"), parts);
    const put = await putBlobFile(store, source, { profile });
    await source.close();
    const memory = new MemoryStore();
    t.deepEqual([put.id, put.sizeBytes], [(await putBlob(memory, expected, profile)).id, expected.length], `${round}`);
    if (round % 10 === 0) await store.commit();
    t.true(equalBytes(await readBlobBytes(store, put.id, 64 * MIB), expected), `read ${round}`);
    const copy = await open(join(dir, "out"), "w+");
    t.is(await restoreBlobFile(store, put.id, copy), expected.length);
    await copy.close();
    t.true(equalBytes(await readFile(join(dir, "out")), expected), `restored ${round}`);
  }
  t.is((await store.verify()).bad, 0);
});

test("[T2] many files at once give what each gives alone", async (t) => {
  const dir = await temporaryFolder(t);
  const store = await packStore(t);
  const rng = new SeededRng(32);
  const shared = rng.bytes(300_000);
  const contents = Array.from({ length: 40 }, () => concatBytes([rng.bytes(rng.next() * 3000), shared]));
  const handles = await Promise.all(
    contents.map((bytes, index) => writeParts(join(dir, `${index}`), [bytes, { hole: index * 1000 }])),
  );
  const puts = await Promise.all(handles.map((handle) => putBlobFile(store, handle)));
  await store.commit();
  for (const [index, { id }] of puts.entries()) {
    const bytes = concatBytes([contents[index] ?? new Uint8Array(0), new Uint8Array(index * 1000)]);
    t.is(id, (await putBlob(new MemoryStore(), bytes)).id);
    t.true(equalBytes(await readBlobBytes(store, id, MIB), bytes));
  }
  const outs = await Promise.all(puts.map((_, index) => open(join(dir, `${index}.out`), "w+")));
  await Promise.all(puts.map(({ id }, index) => restoreBlobFile(store, id, outs[index] as FileHandle)));
  for (const handle of [...handles, ...outs]) await handle.close();
  for (const index of puts.keys()) {
    t.true(equalBytes(await readFile(join(dir, `${index}`)), await readFile(join(dir, `${index}.out`))));
  }
});

test("[T4] [T7] a sparse file of 20 GB costs what its data costs, and comes back sparse", async (t) => {
  const dir = await temporaryFolder(t);
  const store = await packStore(t);
  const rng = new SeededRng(33);
  const parts: Part[] = [{ hole: 7e9 + 1 }, rng.bytes(2 * MIB), { hole: 13e9 }, rng.bytes(3), { hole: 12345 }];
  const source = await writeParts(join(dir, "in"), parts);
  const put = await putBlobFile(store, source);
  await source.close();
  t.is(put.sizeBytes, 20e9 + 1 + 2 * MIB + 3 + 12345);
  await store.commit();
  t.true((await store.sizeBytes()) < 3 * MIB);
  const copy = await open(join(dir, "out"), "w+");
  await restoreBlobFile(store, put.id, copy);
  const again = await putBlobFile(store, copy);
  await copy.close();
  t.is(again.id, put.id);
  t.is((await stat(join(dir, "out"))).size, put.sizeBytes);
  t.true((await stat(join(dir, "out"))).blocks * 512 < 3 * MIB);
});

test("a file is read no further than asked, and work ends when its signal says so", async (t) => {
  const dir = await temporaryFolder(t);
  const store = await packStore(t);
  const bytes = new SeededRng(34).bytes(40 * MIB);
  const source = await writeParts(join(dir, "in"), [bytes]);
  const first = await putBlobFile(store, source, { sizeBytesMax: 100_001 });
  t.is(first.id, (await putBlob(new MemoryStore(), bytes.subarray(0, 100_001))).id);
  const reason = new Error("enough");
  await t.throwsAsync(putBlobFile(store, source, { signal: AbortSignal.abort(reason) }), { is: reason });
  const stopped = new AbortController();
  const putting = putBlobFile(store, source, { signal: stopped.signal });
  stopped.abort(reason);
  await t.throwsAsync(putting, { is: reason });
  const whole = await putBlobFile(store, source);
  await source.close();
  const copy = await open(join(dir, "out"), "w+");
  await t.throwsAsync(restoreBlobFile(store, whole.id, copy, { signal: AbortSignal.abort(reason) }), { is: reason });
  await copy.close();
  t.is((await store.verify()).bad, 0);
});

/** A later version: a few bytes changed, some put in, some taken out, some moved. */
function edited(rng: SeededRng, bytes: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + Math.floor(rng.next() * 40_000));
    const form = rng.next();
    if (form < 0.1) pieces.push(rng.bytes(Math.floor(rng.next() * 500)));
    if (form < 0.95) pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return concatBytes(pieces);
}

test("[T6] versions of a file, each stored against the one before, take little and come back byte for byte", async (t) => {
  const dir = await temporaryFolder(t);
  const storeDir = await temporaryFolder(t);
  let store = await PackStore.open(storeDir, { packBytesMax: 3 * MIB });
  const rng = new SeededRng(35);
  const versions: { readonly id: Hash; readonly bytes: Uint8Array; readonly storedBytes: number }[] = [];
  let bytes = rng.bytes(3 * MIB);
  for (let version = 0; version < 14; version += 1) {
    const source = await writeParts(join(dir, `${version}`), [bytes]);
    const put = await store.putFile(source.fd, { profile: "min8-64k", previous: versions.at(-1)?.id });
    await source.close();
    t.is(put.id, (await putBlob(new MemoryStore(), bytes)).id);
    versions.push({ ...put, bytes });
    bytes = edited(rng, bytes);
    if (version % 5 === 4) {
      await store.close();
      store = await PackStore.open(storeDir, { packBytesMax: 3 * MIB });
    }
  }
  const later = versions.slice(1).map(({ storedBytes }) => storedBytes);
  t.true(Math.max(...later.slice(0, 5)) < MIB, `${later}`); // The chunks themselves would take nearly all of the 3 MiB.
  t.deepEqual((await store.verify()).bad, 0);
  await store.close();
  const reader = await PackStore.open(storeDir, { readOnly: true });
  for (const { id, bytes: expected } of versions.toReversed()) {
    t.true(equalBytes(await readBlobBytes(reader, id, 64 * MIB), expected));
    const copy = await open(join(dir, "out"), "w+");
    await restoreBlobFile(reader, id, copy);
    await copy.close();
    t.true(equalBytes(await readFile(join(dir, "out")), expected));
  }
  await reader.close();
});

test("[T6] [T10] a chunk that others lean on is flipped at any bit: no wrong byte, and putting the file again mends it", async (t) => {
  const dir = await temporaryFolder(t);
  const rng = new SeededRng(36);
  const storeDir = await temporaryFolder(t);
  const store = await PackStore.open(storeDir);
  const first = rng.bytes(200_000);
  const second = edited(rng, first);
  const ids: Hash[] = [];
  for (const bytes of [first, second]) {
    const source = await writeParts(join(dir, "in"), [bytes]);
    ids.push((await store.putFile(source.fd, { profile: "min8-64k", previous: ids.at(-1) })).id);
    await source.close();
  }
  await store.close();
  const pack = join(storeDir, "00000001.pack");
  const sound = await readFile(pack);
  for (let at = 40; at < sound.length; at += 4999) {
    await writeFile(pack, sound.with(at, (sound[at] ?? 0) ^ (1 << (at % 8))));
    const damaged = await PackStore.open(storeDir);
    t.true((await damaged.verify()).bad > 0, `byte ${at}`);
    for (const [index, bytes] of [first, second].entries()) {
      const read = await readBlobBytes(damaged, ids[index] as Hash, MIB).catch((error: GdoError) => error.code);
      t.true(typeof read === "string" ? ["STORE_CORRUPT", "STORE_MISSING"].includes(read) : equalBytes(read, bytes));
      for (let round = 0; round < 2; round += 1) await putBlob(damaged, bytes);
    }
    for (const [index, bytes] of [first, second].entries()) {
      for (let tries = 0; tries < 6; tries += 1) {
        await readBlobBytes(damaged, ids[index] as Hash, MIB).catch(() => putBlob(damaged, bytes));
      }
      t.true(equalBytes(await readBlobBytes(damaged, ids[index] as Hash, MIB), bytes), `mended ${at}`);
    }
    await damaged.close();
  }
});

test("[T6] [T10] a new version never leans on wrong bytes, also where only a chunk further down is damaged", async (t) => {
  const dir = await temporaryFolder(t);
  const storeDir = await temporaryFolder(t);
  const rng = new SeededRng(37);
  const places = Array.from({ length: 11 }, (_, index) => 4000 + index * 17_001);
  const oldest = rng.bytes(200_000);
  const older = oldest.map((byte, at) => (at % 9000 === 100 ? byte ^ 1 : byte));
  // What the damage makes of the others is in the newest, so that a difference to wrong bytes would refer to it.
  const newest = older.map((byte, at) => (places.includes(at) ? byte ^ 4 : byte));
  const versions = [oldest, older, newest];
  const put = async (store: PackStore, version: number, previous?: Hash): Promise<Hash> => {
    const source = await writeParts(join(dir, "in"), [versions[version] as Uint8Array]);
    const { id } = await store.putFile(source.fd, { profile: "min8-64k", previous });
    await source.close();
    return id;
  };
  const options = { packBytesMax: MIB }; // So that the pack has a footer, and is not read through.
  const writer = await PackStore.open(storeDir, options);
  const first = await put(writer, 0);
  const second = await put(writer, 1, first);
  await writer.close();
  const pack = join(storeDir, "00000001.pack");
  const sound = await readFile(pack);
  for (const place of places) {
    // Noise lies there as it is: nothing but its id is wrong.
    const at = sound.indexOf(oldest.subarray(place, place + 16));
    await writeFile(pack, sound.with(at, (sound[at] ?? 0) ^ 4));
    const damaged = await PackStore.open(storeDir, options);
    const third = await put(damaged, 2, second);
    await readBlobBytes(damaged, first, MIB).catch(() => putBlob(damaged, oldest));
    await damaged.close();
    const mended = await PackStore.open(storeDir, options);
    t.true(equalBytes(await readBlobBytes(mended, third, MIB), newest), `byte ${place}`);
    await mended.close();
  }
});
