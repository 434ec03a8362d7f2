/** What every ChunkStore keeps. An implementation's test file is one call of this. */
import test, { type ExecutionContext } from "ava";
import { blake3 } from "../../lib/addon.ts";
import { equalBytes, type Hash, hashOf32, OBJECT_BYTES_MAX, SeededRng, utf8 } from "../../lib/base/index.ts";
import { type ChunkStore, objectId } from "../../lib/store/index.ts";

type Open = (t: ExecutionContext) => Promise<ChunkStore>;

const ABSENT = "ab".repeat(32) as Hash;

/** Contents that take every form a store may give them. */
const CONTENTS: readonly [string, Uint8Array][] = [
  ["nothing", new Uint8Array(0)],
  ["one byte", Uint8Array.of(7)],
  ["text", utf8("a maker space ".repeat(2000))],
  ["zeros", new Uint8Array(96 * 1024)],
  ["noise", new SeededRng(1).bytes(64 * 1024)],
  ["half noise, half zeros", Uint8Array.from([...new SeededRng(2).bytes(9000), ...new Uint8Array(9000)])],
  ["2 MiB of text", utf8("a".repeat(2 * 1024 * 1024))],
];

export function chunkStoreContract(name: string, open: Open): void {
  const check = (title: string, body: (t: ExecutionContext, store: ChunkStore) => Promise<void>): void => {
    test(`${name}: ${title}`, async (t) => {
      const store = await open(t);
      await body(t, store);
      await store.close();
    });
  };
  objectRules(check);
  listRules(check);
  lifeRules(check);
}

type Check = (title: string, body: (t: ExecutionContext, store: ChunkStore) => Promise<void>) => void;

function objectRules(check: Check): void {
  check(
    "[T1] a chunk's id is the BLAKE3 of its bytes, and a blob's and a tree's are in other namespaces",
    async (t, store) => {
      const bytes = utf8("same bytes");
      const ids = await Promise.all((["chunk", "blob", "tree"] as const).map((kind) => store.put(kind, bytes)));
      t.is(ids[0], hashOf32(blake3(bytes)));
      t.is(new Set(ids).size, 3);
      t.deepEqual(
        ids,
        (["chunk", "blob", "tree"] as const).map((kind) => objectId(kind, bytes)),
      );
    },
  );
  check("[T10] get gives back what was put, of every kind and content, before and after a commit", async (t, store) => {
    const ids: Hash[] = [];
    for (const [, bytes] of CONTENTS) ids.push(await store.put("chunk", bytes));
    ids.push(await store.put("tree", utf8("a tree")));
    const expected = [
      ...CONTENTS.map(([, bytes]) => ({ kind: "chunk", bytes })),
      { kind: "tree", bytes: utf8("a tree") },
    ];
    for (let round = 0; round < 2; round += 1) {
      for (const [index, id] of ids.entries()) {
        const { kind, bytes } = await store.get(id);
        t.is(kind, expected[index]?.kind as typeof kind);
        t.true(equalBytes(bytes, expected[index]?.bytes ?? new Uint8Array(0)), `content ${index}`);
      }
      await store.commit();
    }
  });
  check("the store keeps its own copy", async (t, store) => {
    const bytes = utf8("before");
    const id = await store.put("chunk", bytes);
    bytes.fill(0x78);
    const first = await store.get(id);
    first.bytes.fill(0x79);
    t.is(Buffer.from((await store.get(id)).bytes).toString(), "before");
  });
  check("an absent object is STORE_MISSING", async (t, store) => {
    await t.throwsAsync(store.get(ABSENT), { code: "STORE_MISSING" });
    t.false(store.has(ABSENT));
  });
  check("an object over the limit is refused", async (t, store) => {
    await t.throwsAsync(store.put("chunk", new Uint8Array(OBJECT_BYTES_MAX + 1)), { code: "INPUT_INVALID" });
  });
}

function listRules(check: Check): void {
  check("missing names what is not held, once each, in order", async (t, store) => {
    const held = await store.put("chunk", utf8("held"));
    const other = "00".repeat(32) as Hash;
    t.deepEqual(store.missing([ABSENT, held, other, ABSENT]), [ABSENT, other]);
  });
  check("ids gives each object once, however often it was put", async (t, store) => {
    const expected = new Set<Hash>();
    for (let count = 0; count < 3000; count += 1)
      expected.add(await store.put("chunk", utf8(`object ${count % 1500}`)));
    t.is(expected.size, 1500);
    const ids = [...store.ids()];
    t.is(ids.length, 1500);
    t.deepEqual(ids.sort(), [...expected].sort());
  });
  check("resolvePrefix gives every id that begins so, sorted", async (t, store) => {
    const ids: Hash[] = [];
    for (let count = 0; count < 300; count += 1) ids.push(await store.put("chunk", utf8(`object ${count}`)));
    const [first] = ids as [Hash];
    t.deepEqual(store.resolvePrefix(first), [first]);
    t.deepEqual(store.resolvePrefix(first.slice(0, 1)), ids.filter((id) => id[0] === first[0]).sort());
    t.deepEqual(store.resolvePrefix(ABSENT), []);
    for (const text of ["", "x", "AB", `${first}0`, "..", "a b"]) {
      t.throws(() => store.resolvePrefix(text), { code: "INPUT_INVALID" });
    }
  });
}

function lifeRules(check: Check): void {
  check("puts of the same and of other objects may overlap", async (t, store) => {
    const texts = Array.from({ length: 64 }, (_, index) => `object ${index % 16}`);
    const ids = await Promise.all(texts.map((text) => store.put("chunk", utf8(text))));
    await Promise.all([store.commit(), store.commit()]);
    t.is(new Set(ids).size, 16);
    for (const [index, id] of ids.entries())
      t.is(Buffer.from((await store.get(id)).bytes).toString(), texts[index] ?? "");
  });
  check("a closed store refuses, and may be closed again", async (t, store) => {
    const id = await store.put("chunk", utf8("kept"));
    await store.close();
    await store.close();
    await t.throwsAsync(store.get(id), { code: "IO" });
    await t.throwsAsync(store.put("chunk", utf8("more")), { code: "IO" });
    await t.throwsAsync(store.commit(), { code: "IO" });
  });
}
