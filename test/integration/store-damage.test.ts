import { copyFile, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { equalBytes, GdoError, type Hash, SeededRng, utf8 } from "../../lib/base/index.ts";
import { type BadPlace, PackStore } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface SmallStore {
  readonly dir: string;
  readonly contents: ReadonlyMap<Hash, Uint8Array>;
}

const SEALED = "00000001.pack";
const OPEN = "00000002.pack";

/** Two packs, the first sealed: zeros, noise and text in both, and two commits. */
async function smallStore(t: ExecutionContext): Promise<SmallStore> {
  const dir = await temporaryFolder(t);
  const store = await PackStore.open(dir, { packBytesMax: 1000 });
  const contents = new Map<Hash, Uint8Array>();
  const rng = new SeededRng(3);
  for (let round = 0; round < 3; round += 1) {
    for (const bytes of [new Uint8Array(100 + round), rng.bytes(70), utf8(`text ${round} `.repeat(30))]) {
      contents.set(await store.put("chunk", bytes), bytes);
    }
    await store.commit();
  }
  // Not closed as a user does, which would seal the small pack.
  await store.commit();
  const copy = join(dir, "copy");
  await mkdir(copy);
  for (const name of [SEALED, OPEN]) await copyFile(join(dir, name), join(copy, name));
  await store.close();
  return { dir: copy, contents };
}

async function damageOf(store: PackStore): Promise<BadPlace[]> {
  const bad: BadPlace[] = [];
  await store.verify((place) => bad.push(place));
  return bad;
}

/** Every object that can be read is right; the rest is refused. Gives what could be read. */
async function readable(t: ExecutionContext, store: PackStore, contents: SmallStore["contents"]): Promise<Set<Hash>> {
  const right = new Set<Hash>();
  for (const [id, bytes] of contents) {
    try {
      t.true(equalBytes((await store.get(id)).bytes, bytes));
      right.add(id);
    } catch (error) {
      t.true(error instanceof GdoError && ["STORE_CORRUPT", "STORE_MISSING"].includes(error.code), String(error));
    }
  }
  return right;
}

test("the small store of these tests is sound and has both kinds of pack", async (t) => {
  const { dir, contents } = await smallStore(t);
  const store = await PackStore.open(dir, { readOnly: true });
  t.deepEqual((await readdir(dir)).sort(), [SEALED, OPEN]);
  t.deepEqual(await damageOf(store), []);
  t.is((await readable(t, store, contents)).size, contents.size);
  await store.close();
});

for (const name of [SEALED, OPEN]) {
  test(`[T10] one flipped bit at any byte of ${name} is found by verify, at its place, and never read as data`, async (t) => {
    const { dir, contents } = await smallStore(t);
    const path = join(dir, name);
    const sound = await readFile(path);
    for (let position = 0; position < sound.length; position += 1) {
      const flipped = Uint8Array.from(sound);
      flipped[position] = (flipped[position] ?? 0) ^ (1 << (position % 8));
      await writeFile(path, flipped);
      const store = await PackStore.open(dir, { readOnly: true });
      const bad = await damageOf(store);
      t.true(bad.length > 0, `byte ${position} is not found`);
      t.true(
        bad.every((place) => place.pack === name && place.offset <= position),
        `byte ${position}`,
      );
      t.true(
        contents.size - (await readable(t, store, contents)).size <= 1,
        `byte ${position} loses more than one object`,
      );
      await store.close();
    }
  });
}

test("[T10] verify names the object whose record is damaged, also where its header is", async (t) => {
  const { dir, contents } = await smallStore(t);
  const sound = await readFile(join(dir, SEALED));
  for (const id of contents.keys()) {
    const at = sound.indexOf(Buffer.from(id, "hex"));
    if (at < 0) continue;
    const flipped = Uint8Array.from(sound);
    flipped[at + 5] = (flipped[at + 5] ?? 0) ^ 4;
    await writeFile(join(dir, SEALED), flipped);
    const store = await PackStore.open(dir, { readOnly: true });
    const [place] = await damageOf(store);
    t.is(place?.id, id);
    t.is(place?.offset, at - 16);
    const error = await t.throwsAsync(store.get(id), { code: "STORE_CORRUPT" });
    t.true(
      error?.message.includes(SEALED) && error.message.includes(`offset ${at - 16}`) && error.message.includes(id),
    );
    await store.close();
  }
});

test("[T10] a damaged object counts as missing once seen, can be put again, and is whole after that", async (t) => {
  const { dir, contents } = await smallStore(t);
  const [id, bytes] = [...contents][1] as [Hash, Uint8Array];
  const sound = await readFile(join(dir, SEALED));
  const at = sound.indexOf(Buffer.from(id, "hex")) + 40;
  sound[at] = (sound[at] ?? 0) ^ 1;
  await writeFile(join(dir, SEALED), sound);
  const store = await PackStore.open(dir);
  await t.throwsAsync(store.get(id), { code: "STORE_CORRUPT" });
  t.deepEqual(store.missing([id]), [id]);
  t.is(await store.put("chunk", bytes), id);
  t.deepEqual(new Uint8Array((await store.get(id)).bytes), bytes);
  await store.close();
  const again = await PackStore.open(dir);
  t.deepEqual(new Uint8Array((await again.get(id)).bytes), bytes);
  t.is((await damageOf(again)).length, 1); // The old record is still there, and still told.
  await again.close();
});

test("[T7] an append torn at any byte is cut off, and the store goes on", async (t) => {
  const dir = await temporaryFolder(t);
  const first = await PackStore.open(dir);
  const kept = await first.put("chunk", utf8("kept"));
  await first.commit();
  const keptBytes = (await readFile(join(dir, SEALED))).length;
  await first.put("chunk", new SeededRng(9).bytes(90));
  await first.close();
  const whole = await readFile(join(dir, SEALED));
  t.true(keptBytes < whole.length);
  for (let size = keptBytes; size < whole.length; size += 1) {
    await writeFile(join(dir, SEALED), whole);
    await truncate(join(dir, SEALED), size);
    const store = await PackStore.open(dir);
    t.deepEqual(await damageOf(store), [], `cut at ${size}`);
    const added = await store.put("chunk", utf8(`added at ${size}`));
    await store.close();
    const again = await PackStore.open(dir, { readOnly: true });
    t.is(Buffer.from((await again.get(kept)).bytes).toString(), "kept");
    t.is(Buffer.from((await again.get(added)).bytes).toString(), `added at ${size}`);
    t.deepEqual(await damageOf(again), [], `after going on at ${size}`);
    await again.close();
  }
});

test("[T7] a pack file cut off within its header is begun again", async (t) => {
  for (let size = 0; size < 32; size += 1) {
    const dir = await temporaryFolder(t);
    const first = await PackStore.open(dir);
    await first.put("chunk", utf8("lost"));
    await first.close();
    await truncate(join(dir, SEALED), size);
    const store = await PackStore.open(dir);
    const id = await store.put("chunk", utf8("kept"));
    await store.close();
    const again = await PackStore.open(dir);
    t.is(Buffer.from((await again.get(id)).bytes).toString(), "kept");
    t.deepEqual(await damageOf(again), []);
    await again.close();
  }
});

test("[T9] a pack whose footer is lost is read through instead", async (t) => {
  const { dir, contents } = await smallStore(t);
  const path = join(dir, SEALED);
  await truncate(path, (await readFile(path)).length - 1);
  const store = await PackStore.open(dir);
  t.is((await readable(t, store, contents)).size, contents.size);
  await store.close();
});

test("a pack of a newer version is refused, not misread", async (t) => {
  const { dir } = await smallStore(t);
  const { encodePackHeader } = await import("../../lib/store/pack/frame.ts");
  const { crc32c } = await import("../../lib/addon.ts");
  const header = encodePackHeader(1);
  header[8] = 2;
  new DataView(header.buffer).setUint32(28, crc32c(header.subarray(0, 28)), true);
  const pack = await readFile(join(dir, SEALED));
  pack.set(header);
  await writeFile(join(dir, SEALED), pack);
  await t.throwsAsync(PackStore.open(dir), { code: "STORE_CORRUPT", message: /newer/ });
});
