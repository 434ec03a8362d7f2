/** Fetching a thing with all that it needs, object by object. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { RootFetcher } from "../../lib/agent/storage/object-access.ts";
import { bytesOf, GdoError, type Hash, type PublicKey, SeededRng } from "../../lib/base/index.ts";
import { encodeCanonical } from "../../lib/codec/index.ts";
import { type ChunkStore, linksOf, MemoryStore, PackStore, putBlob, putPath } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const NEAR = "ab".repeat(32) as PublicKey;
const BLOB_BYTES = 300_000;

/** A fetcher, what it asks for, and what it says. */
function fetching(target: ChunkStore, waitingBytesMax?: number) {
  const said: string[] = [];
  const commit = target.commit.bind(target);
  target.commit = async () => {
    said.push("commit");
    await commit();
  };
  const asked: { ids: readonly Hash[]; near: PublicKey | undefined }[] = [];
  const fetcher = new RootFetcher(
    target,
    (ids, near) => asked.push({ ids, near }),
    () => said.push("whole"),
    waitingBytesMax,
  );
  return { asked, said, fetcher };
}

/** A store that has a blob of several chunks, and one that lacks it. */
async function setup() {
  const source = new MemoryStore();
  const { id } = await putBlob(source, new SeededRng(5).bytes(BLOB_BYTES));
  const target = new MemoryStore();
  return { source, target, id, ...fetching(target) };
}

/** Folders in folders, with small files and large ones, and one that is there twice. */
async function folderIn(t: ExecutionContext, store: ChunkStore): Promise<Hash> {
  const root = await temporaryFolder(t);
  const rng = new SeededRng(9);
  for (const [path, bytes] of [
    ["a/b/c/small", 10],
    ["a/b/large", 250_000],
    ["a/d/medium", 100_000],
    ["e/small", 20],
  ] as const) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), rng.bytes(bytes));
  }
  for (const twice of ["a/b/twice", "e/twice"]) writeFileSync(join(root, twice), "the same");
  return (await putPath(store, root)).id;
}

async function assertWhole(t: ExecutionContext, store: ChunkStore): Promise<void> {
  for (const id of [...store.ids()]) {
    const { kind, bytes } = await store.get(id);
    const lacking = linksOf(kind, bytes).filter((link) => !store.has(link));
    if (lacking.length > 0) t.fail(`${kind} ${id} is held without ${lacking.join(" ")}`);
  }
}

test("[T8] what was lacking is durable before anybody is told that it is whole", async (t) => {
  const { source, id, asked, said, fetcher } = await setup();
  t.false(await fetcher.has(id, NEAR));
  t.deepEqual(asked, [{ ids: [id], near: NEAR }]);
  const served = new Set<Hash>();
  for (let ask = asked.shift(); ask !== undefined; ask = asked.shift()) {
    for (const each of ask.ids.filter((wanted) => !served.has(wanted))) {
      served.add(each);
      await fetcher.keep({ id: each, ...(await source.get(each)) });
    }
  }
  t.true(served.size > 3); // The blob's node and its chunks.
  t.deepEqual(said, ["commit", "whole"]);
  t.true(await fetcher.has(id));
});

test("[T10] an object that is not what its id says is refused and not kept", async (t) => {
  const { target, id, fetcher } = await setup();
  await fetcher.has(id);
  await t.throwsAsync(fetcher.keep({ id, kind: "blob", bytes: new Uint8Array(3) }), { message: /is not/ });
  t.false(target.has(id));
});

/** What was asked for, in an order of its own. */
function* answers(asked: { readonly ids: readonly Hash[] }[], order: readonly number[]): Generator<Hash> {
  const open = new Set<Hash>();
  for (let turn = 0; ; turn += 1) {
    for (const id of asked.splice(0).flatMap(({ ids }) => ids)) open.add(id);
    const next = [...open][(order[turn % order.length] ?? 0) % Math.max(1, open.size)];
    if (next === undefined) return;
    open.delete(next);
    yield next;
  }
}

test("[T10] at no moment of a fetch is something held without what it needs, in whatever order it comes", async (t) => {
  const source = new MemoryStore();
  const [tree, other] = [await folderIn(t, source), (await putBlob(source, new SeededRng(5).bytes(BLOB_BYTES))).id];
  const orders = fc.array(fc.nat(1000), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(orders, fc.boolean(), async (order, isTwice) => {
      const target = new MemoryStore();
      const { asked, said, fetcher } = fetching(target);
      for (const root of [tree, other]) t.false(await fetcher.has(root));
      for (const id of answers(asked, order)) {
        const object = { id, ...(await source.get(id)) };
        for (let times = 0; times < (isTwice ? 2 : 1); times += 1) await fetcher.keep(object);
        await assertWhole(t, target);
      }
      t.is(said.filter((each) => each === "whole").length, 2);
      t.deepEqual([...target.ids()].sort(), [...source.ids()].sort());
      t.deepEqual([...fetcher.needed()], []);
      for (const root of [tree, other]) t.true(await fetcher.has(root));
    }),
    { numRuns: 40 },
  );
});

test("[S5] nodes that do not fit in memory go into the store as they come, and all is fetched all the same", async (t) => {
  const source = new MemoryStore();
  const root = await folderIn(t, source);
  for (const waitingBytesMax of [0, 400]) {
    const target = new MemoryStore();
    const { asked, said, fetcher } = fetching(target, waitingBytesMax);
    await fetcher.has(root);
    for (const id of answers(asked, [0])) {
      await fetcher.keep({ id, ...(await source.get(id)) });
      if (waitingBytesMax === 0) t.deepEqual([...fetcher.needed()], []);
    }
    t.deepEqual([said.at(-1), [...target.ids()].sort()], ["whole", [...source.ids()].sort()]);
    t.deepEqual([...fetcher.needed()], []);
    await assertWhole(t, target);
  }
});

test("what a full disk did not take is tried again, and nothing is asked for twice", async (t) => {
  const { source, target, id, asked, said, fetcher } = await setup();
  await fetcher.has(id);
  const { kind, bytes } = await source.get(id);
  await fetcher.keep({ id, kind, bytes });
  const put = target.put.bind(target);
  target.put = async (each, content) => {
    if (each === "blob") throw new GdoError("STORE_FULL", "the disk is full");
    return put(each, content);
  };
  const chunks = linksOf(kind, bytes);
  for (const chunk of chunks.slice(1)) await fetcher.keep({ id: chunk, ...(await source.get(chunk)) });
  const [first] = chunks as [Hash];
  await t.throwsAsync(fetcher.keep({ id: first, ...(await source.get(first)) }), { code: "STORE_FULL" });
  t.false(target.has(id));
  target.put = put;
  asked.length = 0;
  await fetcher.retry();
  t.deepEqual([asked, said, target.has(id)], [[], ["commit", "whole"], true]);
});

test("[T11] a cleaning leaves the parts that have come of what is being fetched", async (t) => {
  const { source, id } = await setup();
  const target = await PackStore.open(await temporaryFolder(t));
  t.teardown(() => target.close());
  const { asked, fetcher } = fetching(target);
  await fetcher.has(id);
  const { kind, bytes } = await source.get(id);
  const [last, ...others] = linksOf(kind, bytes) as [Hash, ...Hash[]];
  await fetcher.keep({ id, kind, bytes });
  for (const chunk of others) await fetcher.keep({ id: chunk, ...(await source.get(chunk)) });
  const { id: unnamed } = await putBlob(target, new SeededRng(7).bytes(BLOB_BYTES));
  await target.commit();
  const naming = () => Array.from(fetcher.needed(), (ids) => encodeCanonical(ids.map(bytesOf)));
  await target.collect({ roots: { whole: async () => [], naming } });
  t.false(target.has(unnamed));
  asked.length = 0;
  await fetcher.keep({ id: last, ...(await source.get(last)) });
  t.deepEqual(asked, []);
  t.true(await fetcher.has(id));
});
