import test from "ava";
import fc from "fast-check";
import { PROFILE_NAMES, type ProfileName } from "../../lib/addon.ts";
import { concatBytes, equalBytes, type Hash, SeededRng } from "../../lib/base/index.ts";
import {
  blobSizeBytes,
  type ChunkStore,
  MemoryStore,
  putBlob,
  readBlob,
  readBlobBytes,
} from "../../lib/store/index.ts";

const SIZE_MAX = 600_000;

/** Noise, zeros and repeats in any order: what files are made of. */
const content = fc
  .array(
    fc.record({ form: fc.constantFrom("noise", "zeros", "repeat"), size: fc.nat(SIZE_MAX / 4), seed: fc.nat(9) }),
    {
      maxLength: 5,
    },
  )
  .map((parts) =>
    concatBytes(
      parts.map(({ form, size, seed }) => {
        if (form === "zeros") return new Uint8Array(size);
        return form === "noise" ? new SeededRng(seed).bytes(size) : new Uint8Array(size).fill(seed);
      }),
    ),
  );
const profile = fc.constantFrom(...PROFILE_NAMES);

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.slice(at, at + size);
    at += size;
  }
  yield bytes.slice(at);
}

async function read(store: ChunkStore, id: Hash, range?: { start?: number; end?: number }): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readBlob(store, id, range)) pieces.push(piece);
  return concatBytes(pieces);
}

test("[T3] any blob reads back, and its id does not depend on the pieces in which it came", async (t) => {
  const property = fc.asyncProperty(
    content,
    profile,
    fc.array(fc.nat(SIZE_MAX / 4), { maxLength: 6 }),
    async (bytes, name, sizes) => {
      const store = new MemoryStore();
      const whole = await putBlob(store, bytes, name);
      const pieced = await putBlob(store, inPieces(bytes, sizes), name);
      t.deepEqual(pieced, whole);
      t.is(whole.sizeBytes, bytes.length);
      t.is(await blobSizeBytes(store, whole.id), bytes.length);
      t.true(equalBytes(await read(store, whole.id), bytes));
      t.true(equalBytes(await readBlobBytes(store, whole.id, bytes.length), bytes));
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

test("[T3] any range of a blob reads as that slice, also beyond its end", async (t) => {
  const property = fc.asyncProperty(content, profile, fc.nat(SIZE_MAX), fc.nat(SIZE_MAX), async (bytes, name, a, b) => {
    const store = new MemoryStore();
    const { id } = await putBlob(store, bytes, name);
    const [start, end] = [Math.min(a, b), Math.max(a, b)];
    t.true(equalBytes(await read(store, id, { start, end }), bytes.slice(start, end)));
    t.true(equalBytes(await read(store, id, { start }), bytes.slice(start)));
  });
  await fc.assert(property, { numRuns: 60 });
});

test("[T3] a range reads no chunk outside it", async (t) => {
  const store = new MemoryStore();
  const bytes = new SeededRng(4).bytes(3_000_000);
  const { id } = await putBlob(store, bytes, "min8-16k");
  const asked = new Set<Hash>();
  const watched = Object.assign(Object.create(store) as ChunkStore, {
    get: (wanted: Hash) => {
      asked.add(wanted);
      return store.get(wanted);
    },
  });
  t.true(equalBytes(await read(watched, id, { start: 1_500_000, end: 1_500_010 }), bytes.slice(1_500_000, 1_500_010)));
  t.true(asked.size <= 4, `${asked.size} objects read`); // Root, leaf, and one chunk or two.
});

test("[T2] an edit in the middle of a blob stores few new chunks", async (t) => {
  const bytes = new SeededRng(5).bytes(2_000_000);
  for (const name of ["min8-64k", "min8-16k"] satisfies ProfileName[]) {
    const store = new MemoryStore();
    await putBlob(store, bytes, name);
    const before = [...store.ids()].length;
    await putBlob(
      store,
      concatBytes([bytes.slice(0, 1_000_000), Uint8Array.of(1, 2, 3), bytes.slice(1_000_000)]),
      name,
    );
    t.true([...store.ids()].length - before <= 6, `${name}: ${[...store.ids()].length - before}`);
  }
});

test("[T7] a run of zeros needs no chunk, however long", async (t) => {
  const store = new MemoryStore();
  const piece = new Uint8Array(1024 * 1024);
  async function* zeros(): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 64; count += 1) yield piece;
  }
  const { id, sizeBytes } = await putBlob(store, zeros());
  t.is(sizeBytes, 64 * 1024 * 1024);
  t.deepEqual([...store.ids()], [id]);
  t.true((await store.get(id)).bytes.length < 100);
});

test("a range that is none, a blob that is too large, and an id of another kind are refused", async (t) => {
  const store = new MemoryStore();
  const { id } = await putBlob(store, new Uint8Array(100).fill(1));
  await t.throwsAsync(read(store, id, { start: 5, end: 4 }), { code: "INPUT_INVALID" });
  await t.throwsAsync(read(store, id, { start: -1 }), { code: "INPUT_INVALID" });
  await t.throwsAsync(read(store, id, { start: Number.NaN }), { code: "INPUT_INVALID" });
  await t.throwsAsync(readBlobBytes(store, id, 99), { code: "INPUT_INVALID" });
  await t.throwsAsync(read(store, await store.put("chunk", Uint8Array.of(1))), { code: "INPUT_INVALID" });
});
