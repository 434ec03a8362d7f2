import test from "ava";
import { type Hash, hashOf32, SeededRng, utf8 } from "../../lib/base/index.ts";
import { encodeCanonical } from "../../lib/codec/index.ts";
import {
  type BlobEntry,
  decodeBlobNode,
  encodeBlobNode,
  endsNode,
  NODE_ENTRIES_MAX,
  NODE_ENTRIES_MIN,
  nodeLengthBytes,
  ZEROS_ID,
} from "../../lib/store/blob/blob-node.ts";
import { ChunkList } from "../../lib/store/blob/chunk-list.ts";
import { type ChunkStore, checkObject, linksOf, MemoryStore, objectId, readBlobBytes } from "../../lib/store/index.ts";

/** Made-up chunks: a list does not look at their bytes. */
function chunks(count: number): BlobEntry[] {
  const rng = new SeededRng(11);
  return Array.from({ length: count }, () => ({
    id: hashOf32(rng.bytes(32)),
    lengthBytes: 1 + Math.floor(rng.next() * 90_000),
  }));
}

async function build(store: ChunkStore, entries: readonly BlobEntry[]): Promise<Hash> {
  const list = new ChunkList(store, "min8-64k");
  for (const entry of entries) await list.add(entry);
  return list.finish();
}

interface Walked {
  readonly leaves: BlobEntry[];
  readonly sizes: number[];
}

/** Every leaf entry in order, and how many entries each node has; checks each node on the way. */
async function walk(store: ChunkStore, id: Hash, lengthBytes?: number): Promise<Walked> {
  const node = decodeBlobNode((await store.get(id)).bytes);
  if (lengthBytes !== undefined && nodeLengthBytes(node) !== lengthBytes) throw new Error(`${id} has another length`);
  if (node.level === 0) return { leaves: [...node.entries], sizes: [node.entries.length] };
  const below: Walked = { leaves: [], sizes: [] };
  for (const entry of node.entries) {
    const { leaves, sizes } = await walk(store, entry.id, entry.lengthBytes);
    below.leaves.push(...leaves);
    below.sizes.push(...sizes);
  }
  return below;
}

test("[T3] a list of 100,000 chunks is a tree of three levels whose nodes have 64 to 1024 entries, 256 on average", async (t) => {
  const store = new MemoryStore();
  const entries = chunks(100_000);
  const root = await build(store, entries);
  t.is(decodeBlobNode((await store.get(root)).bytes).level, 2);
  const { leaves, sizes } = await walk(store, root);
  t.deepEqual(leaves.map(({ id }) => id).join(), entries.map(({ id }) => id).join());
  const full = sizes.slice(0, -1);
  t.true(full.every((size) => size >= NODE_ENTRIES_MIN && size <= NODE_ENTRIES_MAX));
  const mean = entries.length / sizes.length;
  t.true(mean > 230 && mean < 280, `mean ${mean}`);
});

test("[T3] one changed chunk rewrites one node a level", async (t) => {
  const store = new MemoryStore();
  const entries = chunks(100_000);
  await build(store, entries);
  const before = new Set(store.ids());
  await build(store, entries.with(50_000, { id: objectId("chunk", utf8("new")), lengthBytes: 3 }));
  const added = [...store.ids()].filter((id) => !before.has(id));
  t.true(added.length <= 6, `${added.length} new nodes`); // Three, or more where the change moves a cut.
});

test("[T3] a node ends by the rule alone: not below 64, always at 1024, never after zeros", (t) => {
  const ends = `00000000${"f".repeat(56)}` as Hash;
  const never = "f".repeat(64) as Hash;
  t.false(endsNode(63, ends));
  t.true(endsNode(64, ends));
  t.false(endsNode(1023, never));
  t.true(endsNode(1024, never));
  t.false(endsNode(500, ZEROS_ID));
});

test("[T3] zeros in a row are one entry, also across calls", async (t) => {
  const store = new MemoryStore();
  const list = new ChunkList(store, "min8-64k");
  const chunk = { id: objectId("chunk", utf8("x")), lengthBytes: 1 };
  list.addZeros(96 * 1024);
  list.addZeros(5);
  await list.add(chunk);
  list.addZeros(7);
  const { entries } = decodeBlobNode((await store.get(await list.finish())).bytes);
  t.deepEqual(entries, [{ id: ZEROS_ID, lengthBytes: 96 * 1024 + 5 }, chunk, { id: ZEROS_ID, lengthBytes: 7 }]);
});

const chunk = { id: objectId("chunk", utf8("x")), lengthBytes: 1 };
const good = { f: "min8-64k", h: 0, i: new Uint8Array(32).fill(1), l: [5], v: 1 };
const MALFORMED: readonly [string, Uint8Array][] = [
  ["garbage", Uint8Array.of(0xff, 0, 1)],
  ["nothing", new Uint8Array(0)],
  ["no map", encodeCanonical([1, 2])],
  ["a key too many", encodeCanonical({ ...good, z: 1 })],
  ["a key too few", encodeCanonical({ f: "min8-64k", h: 0, i: new Uint8Array(0), l: [] })],
  ["another version", encodeCanonical({ ...good, v: 2 })],
  ["another profile", encodeCanonical({ ...good, f: "min8-32k" })],
  ["a negative level", encodeCanonical({ ...good, h: -1 })],
  ["a level too high", encodeCanonical({ ...good, h: 11 })],
  ["ids and lengths that differ", encodeCanonical({ ...good, l: [5, 6] })],
  ["an id cut short", encodeCanonical({ ...good, i: new Uint8Array(31) })],
  ["a length of 0", encodeCanonical({ ...good, l: [0] })],
  ["a negative length", encodeCanonical({ ...good, l: [-1] })],
  ["lengths beyond 2^53", encodeCanonical({ ...good, i: new Uint8Array(64).fill(1), l: [2 ** 53 - 1, 1] })],
  ["a length as text", encodeCanonical({ ...good, l: ["5"] })],
  ["an inner node of zeros", encodeCanonical({ ...good, h: 1, i: new Uint8Array(32) })],
  ["an inner node of nothing", encodeCanonical({ ...good, h: 1, i: new Uint8Array(0), l: [] })],
  [
    "1025 entries",
    encodeBlobNode({ profile: "min8-64k", level: 0, entries: Array.from({ length: 1025 }, () => chunk) }),
  ],
];

for (const [what, bytes] of MALFORMED) {
  test(`[T3] a blob node with ${what} is refused`, (t) => {
    t.throws(() => decodeBlobNode(bytes), { code: "STORE_CORRUPT" });
    t.false(checkObject(objectId("blob", bytes), "blob", bytes));
  });
}

test("[T3] links of a blob are its chunks, once each, without zeros", (t) => {
  const entries = [chunk, { id: ZEROS_ID, lengthBytes: 9 }, chunk];
  const bytes = encodeBlobNode({ profile: "min8-64k", level: 0, entries });
  t.deepEqual(linksOf("blob", bytes), [chunk.id]);
  t.true(checkObject(objectId("blob", bytes), "blob", bytes));
  t.false(checkObject(chunk.id, "blob", bytes));
});

test("[T10] a node or chunk that is not what its parent says is refused, not read", async (t) => {
  const store = new MemoryStore();
  const id = await store.put("chunk", utf8("four"));
  const lies = encodeBlobNode({ profile: "min8-64k", level: 0, entries: [{ id, lengthBytes: 5 }] });
  await t.throwsAsync(readBlobBytes(store, await store.put("blob", lies), 99), { code: "STORE_CORRUPT" });
  const honest = await store.put(
    "blob",
    encodeBlobNode({ profile: "min8-64k", level: 0, entries: [{ id, lengthBytes: 4 }] }),
  );
  for (const [level, profile, lengthBytes] of [
    [2, "min8-64k", 4],
    [1, "fixed-64k", 4],
    [1, "min8-64k", 40],
  ] as const) {
    const root = await store.put("blob", encodeBlobNode({ profile, level, entries: [{ id: honest, lengthBytes }] }));
    await t.throwsAsync(readBlobBytes(store, root, 99), { code: "STORE_CORRUPT" });
  }
});
