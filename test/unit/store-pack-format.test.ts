import test from "ava";
import { crc32c } from "../../lib/addon.ts";
import { type Hash, hashOf32, SeededRng, toHex, utf8 } from "../../lib/base/index.ts";
import {
  decodeFooter,
  encodeFooter,
  encodePackHeader,
  footerOffset,
  TRAILER_BYTES,
} from "../../lib/store/pack/frame.ts";
import { IdTable } from "../../lib/store/pack/id-table.ts";
import { decodeRecordHeader, encodeMark, encodeRecord, isRecordIntact } from "../../lib/store/pack/record.ts";
import { type ByteSource, type PackItem, scanPack } from "../../lib/store/pack/scan.ts";

const ID = "0123456789abcdef".repeat(4) as Hash;

function withCrc(hex: string): string {
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32c(new Uint8Array(Buffer.from(hex, "hex"))));
  return hex + crc.toString("hex");
}

test("[T7] a pack's header, a record, a commit mark and a footer are these bytes", (t) => {
  const header = withCrc("8967646f7061636b 01 01 0000 07000000 000000000000000000000000".replaceAll(" ", ""));
  t.is(toHex(encodePackHeader(7)), header);
  const payload = utf8("hello");
  const record = encodeRecord({ kind: "blob", id: ID, codec: 0, rawBytes: 5, payload });
  t.is(toHex(record), withCrc(`b7474452 02 00 00 00 05000000 05000000 ${ID} 68656c6c6f`.replaceAll(" ", "")));
  t.is(toHex(encodeMark()), withCrc(`b7474452${"0".repeat(88)}`));
  const footer = encodeFooter([{ id: ID, offset: 32, recordBytes: 57 }], 89);
  const body = withCrc(`b7474446 01000000 ${ID} 20000000 39000000 5900000000000000`.replaceAll(" ", ""));
  t.is(toHex(footer), `${body}b767646f656e640a`);
});

test("[T7] a footer lists records by id and is found from the end", (t) => {
  const rng = new SeededRng(1);
  const entries = Array.from({ length: 50 }, (_, index) => ({
    id: hashOf32(rng.bytes(32)),
    offset: index * 100,
    recordBytes: 52 + index,
  }));
  const footer = encodeFooter(entries, 5000);
  t.is(footerOffset(footer.subarray(-TRAILER_BYTES), 5000 + footer.length), 5000);
  const sorted = entries.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  t.deepEqual(decodeFooter(footer, 5000), sorted);
  t.is(decodeFooter(footer, 5001), undefined);
});

test("[T7] a record's header with a length, kind or codec that cannot be is no header", (t) => {
  const sound = encodeRecord({ kind: "chunk", id: ID, codec: 0, rawBytes: 5, payload: utf8("hello") });
  t.is(decodeRecordHeader(sound)?.kind, "chunk");
  t.true(isRecordIntact(sound));
  for (const [at, value] of [
    [0, 0],
    [4, 4],
    [5, 1],
    [5, 2],
    [5, 9],
    [6, 1],
    [7, 1],
    [8, 6],
    [11, 9],
    [12, 4],
    [15, 1],
  ] as const) {
    t.is(decodeRecordHeader(sound.with(at, value)), undefined, `byte ${at}`);
  }
});

test("the id table holds what a Map holds, across its growth", (t) => {
  const table = new IdTable();
  const map = new Map<Hash, number>();
  const rng = new SeededRng(2);
  for (let count = 0; count < 20_000; count += 1) {
    // The first word repeats, so that slots collide.
    const id = hashOf32(Uint8Array.from([count & 3, 0, 0, 0, ...rng.bytes(1), ...new Uint8Array(27).fill(count % 97)]));
    const offset = Math.floor(rng.next() * 1e9);
    table.set(id, { pack: count, offset, recordBytes: 52 });
    map.set(id, offset);
  }
  t.is(table.count, map.size);
  for (const [id, offset] of map) t.is(table.get(id)?.offset, offset);
  t.deepEqual([...table.ids()].sort(), [...map.keys()].sort());
  t.is(table.get(ID), undefined);
});

function sourceOf(bytes: Uint8Array): ByteSource {
  return { sizeBytes: bytes.length, read: async (offset, lengthBytes) => bytes.subarray(offset, offset + lengthBytes) };
}

async function scan(bytes: Uint8Array): Promise<PackItem[]> {
  const items: PackItem[] = [];
  for await (const item of scanPack(sourceOf(bytes), 0)) items.push(item);
  return items;
}

test("[T7] scanning goes on behind a damaged record, also when its payload is a pack itself", async (t) => {
  const inner = encodeRecord({ kind: "chunk", id: ID, codec: 0, rawBytes: 5, payload: utf8("inner") });
  const outer = encodeRecord({ kind: "chunk", id: ID, codec: 0, rawBytes: inner.length, payload: inner });
  const bytes = new Uint8Array([...outer, ...inner, ...encodeMark()]);
  t.deepEqual(
    (await scan(bytes)).map(({ type }) => type),
    ["record", "record", "mark"],
  );
  const last = outer.length - 1;
  const items = await scan(bytes.with(last, (bytes[last] ?? 0) ^ 1));
  t.deepEqual(
    items.map(({ type, offset }) => [type, offset]),
    [
      ["damage", 0],
      ["record", outer.length],
      ["mark", outer.length + inner.length],
    ],
  );
  t.is(items[0]?.type === "damage" ? items[0].id : undefined, ID);
});

test("[T7] only the beginning of an item is a torn append; anything else at the end is damage", async (t) => {
  const record = encodeRecord({ kind: "chunk", id: ID, codec: 0, rawBytes: 5, payload: utf8("hello") });
  for (let size = 1; size < record.length; size += 1) {
    t.deepEqual(await scan(record.subarray(0, size)), [{ type: "torn", offset: 0, end: size }]);
  }
  t.is((await scan(new Uint8Array(60)))[0]?.type, "damage");
  t.is((await scan(record.with(20, 0)))[0]?.type, "damage");
  t.is((await scan(record.subarray(0, 50).with(12, 0)))[0]?.type, "damage");
});
