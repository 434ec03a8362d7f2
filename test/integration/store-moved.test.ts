import { open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { concatBytes, equalBytes, type Hash, SeededRng } from "../../lib/base/index.ts";
import { PackStore, putBlob } from "../../lib/store/index.ts";
import { encodePackHeader } from "../../lib/store/pack/frame.ts";
import { rawChunk } from "../support/pack-bytes.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PACK_1 = "00000001.pack";
const PACK_2 = "00000002.pack";

/** A pack without a footer, which takes its place at once. */
async function writePack(dir: string, pack: number, chunks: readonly Uint8Array[]): Promise<void> {
  const path = join(dir, `0000000${pack}.pack`);
  await writeFile(`${path}.new`, concatBytes([encodePackHeader(pack), ...chunks.map(rawChunk)]));
  await rename(`${path}.new`, path);
}

async function assertReads(t: ExecutionContext, store: PackStore, id: Hash, bytes: Uint8Array): Promise<void> {
  t.true(equalBytes((await store.get(id)).bytes, bytes));
}

test("[T11] a reader beside a writer finds what has been moved, and misses what has been removed", async (t) => {
  const dir = await temporaryFolder(t);
  const [moved, dropped] = [new SeededRng(1).bytes(5000), new SeededRng(2).bytes(5000)];
  const writer = await PackStore.open(dir);
  const [movedId, droppedId] = [await writer.put("chunk", moved), await writer.put("chunk", dropped)];
  await writer.close();
  const cold = await PackStore.open(dir, { readOnly: true });
  const warm = await PackStore.open(dir, { readOnly: true });
  await assertReads(t, warm, movedId, moved); // It has the old pack open.
  await writePack(dir, 2, [moved]);
  await rm(join(dir, PACK_1));
  await assertReads(t, warm, droppedId, dropped);
  await assertReads(t, cold, movedId, moved);
  await t.throwsAsync(cold.get(droppedId), { code: "STORE_MISSING" });
  t.false(cold.has(droppedId));
  t.is(cold.objectCount, 1);
  await warm.refresh();
  await assertReads(t, warm, movedId, moved);
  await t.throwsAsync(warm.get(droppedId), { code: "STORE_MISSING" });
  await cold.close();
  await warm.close();
});

test("[T11] a file is restored although it was put, and then moved, since the store was opened", async (t) => {
  const dir = await temporaryFolder(t);
  const early = await PackStore.open(dir);
  await early.close();
  const before = await PackStore.open(dir, { readOnly: true });
  const bytes = new SeededRng(3).bytes(400_000);
  const writer = await PackStore.open(dir);
  const { id } = await putBlob(writer, bytes);
  await writer.close();
  const between = await PackStore.open(dir, { readOnly: true });
  const folder = await temporaryFolder(t);
  for (const [name, reader] of Object.entries({ before, between })) {
    const handle = await open(join(folder, name), "wx+");
    t.is(await reader.restoreFile(id, handle.fd), bytes.length, name);
    t.true(equalBytes(await readFile(join(folder, name)), bytes), name);
    await handle.close();
    await rename(join(dir, PACK_1), join(dir, PACK_2)).catch(() => undefined); // After the first.
    await reader.close();
  }
});
