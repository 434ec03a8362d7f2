/** Fetching a thing with all that it needs, object by object. */
import test from "ava";
import { RootFetcher } from "../../lib/agent/storage/object-access.ts";
import type { Hash, PublicKey } from "../../lib/base/index.ts";
import { SeededRng } from "../../lib/base/index.ts";
import { MemoryStore, putBlob } from "../../lib/store/index.ts";

const NEAR = "ab".repeat(32) as PublicKey;

/** A store that has a blob of several chunks, and one that lacks it. */
async function setup() {
  const source = new MemoryStore();
  const { id } = await putBlob(source, new SeededRng(5).bytes(300_000));
  const said: string[] = [];
  const target = new MemoryStore();
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
  );
  return { source, target, id, asked, said, fetcher };
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
