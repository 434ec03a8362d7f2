import { type FileHandle, open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { PROFILE_NAMES } from "../../lib/addon.ts";
import { concatBytes, equalBytes, SeededRng, utf8 } from "../../lib/base/index.ts";
import { putBlobFile, restoreBlobFile } from "../../lib/store/blob-file.ts";
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
