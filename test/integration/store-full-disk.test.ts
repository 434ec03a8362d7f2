import { execFileSync, spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { equalBytes, GdoError, type Hash, SeededRng, utf8 } from "../../lib/base/index.ts";
import { PackStore } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const isRoot = process.getuid?.() === 0;
const withDisk = isRoot ? test : test.skip; // Only root can mount a small disk.

/** A disk of 1 MiB, gone after the test. */
async function smallDisk(t: ExecutionContext): Promise<string | undefined> {
  const dir = await temporaryFolder(t);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", dir]);
  if (mounted.status !== 0) return undefined;
  // Lazily: a test that failed may still have the store open.
  t.teardown(() => execFileSync("umount", ["--lazy", dir]));
  return dir;
}

/** Puts noise until the disk is full; gives what was committed. */
async function fill(store: PackStore, rng: SeededRng): Promise<{ committed: Map<Hash, Uint8Array>; error: unknown }> {
  const committed = new Map<Hash, Uint8Array>();
  for (;;) {
    const bytes = rng.bytes(50_000);
    try {
      const id = await store.put("chunk", bytes);
      await store.commit();
      committed.set(id, bytes);
    } catch (error) {
      return { committed, error };
    }
  }
}

withDisk(
  "[T10] on a full disk a commit says so, what was committed stays, and with space again it goes on",
  async (t) => {
    const disk = await smallDisk(t);
    if (disk === undefined) return t.fail("root could not mount a tmpfs");
    await writeFile(join(disk, "ballast"), new Uint8Array(300_000));
    const dir = join(disk, "packs");
    const store = await PackStore.open(dir, { packBytesMax: 200_000 });
    const rng = new SeededRng(6);
    const { committed, error } = await fill(store, rng);
    t.true(error instanceof GdoError && error.code === "STORE_FULL" && error.message.includes(dir), String(error));
    t.true(committed.size > 5);
    await t.throwsAsync(store.commit(), { code: "STORE_FULL" }); // It does not forget what it could not write.
    for (const [id, bytes] of committed) t.true(equalBytes((await store.get(id)).bytes, bytes));
    await rm(join(disk, "ballast"));
    const more = await store.put("chunk", utf8("with space again"));
    await store.commit();
    t.deepEqual((await store.verify()).bad, 0);
    await store.close();
    const again = await PackStore.open(dir, { readOnly: true });
    for (const [id, bytes] of committed) t.true(equalBytes((await again.get(id)).bytes, bytes));
    t.is(Buffer.from((await again.get(more)).bytes).toString(), "with space again");
    await again.close();
  },
);

withDisk("[T10] a store left on a full disk opens and reads", async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return t.fail("root could not mount a tmpfs");
  const dir = join(disk, "packs");
  const store = await PackStore.open(dir);
  const { committed } = await fill(store, new SeededRng(7));
  await t.throwsAsync(store.close(), { code: "STORE_FULL" }); // And yet it has let go of everything:
  const again = await PackStore.open(dir);
  for (const [id, bytes] of committed) t.true(equalBytes((await again.get(id)).bytes, bytes));
  t.is((await again.verify()).bad, 0);
  await again.close();
});

withDisk("on a full disk puts are refused too, before they fill the memory instead", async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return t.fail("root could not mount a tmpfs");
  const store = await PackStore.open(join(disk, "packs"));
  const rng = new SeededRng(8);
  const putMany = async (): Promise<void> => {
    for (let count = 0; count < 200; count += 1) await store.put("chunk", rng.bytes(50_000));
  };
  await t.throwsAsync(putMany(), { code: "STORE_FULL" });
  await t.throwsAsync(store.close(), { code: "STORE_FULL" });
});

withDisk("a store on a read-only disk can be read, and says why it cannot be written", async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return t.fail("root could not mount a tmpfs");
  const store = await PackStore.open(join(disk, "packs"));
  const id = await store.put("chunk", utf8("kept"));
  await store.close();
  execFileSync("mount", ["-o", "remount,ro", disk]);
  await t.throwsAsync(PackStore.open(join(disk, "packs")), { code: "PERMISSION" });
  const reader = await PackStore.open(join(disk, "packs"), { readOnly: true });
  t.is(Buffer.from((await reader.get(id)).bytes).toString(), "kept");
  await reader.close();
});
