import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { crc32c } from "../../lib/addon.ts";
import { concatBytes, toHex, utf8 } from "../../lib/base/index.ts";
import { PackStore } from "../../lib/store/index.ts";
import { readContents } from "../../lib/store/pack/catalog.ts";
import { PackFiles } from "../../lib/store/pack/files.ts";
import {
  ENTRY_BYTES,
  encodeEntry,
  encodePackHeader,
  footerOffset,
  footerRows,
  rowAt,
  TRAILER_BYTES,
} from "../../lib/store/pack/frame.ts";
import { decodeRecordHeader, isRecordIntact } from "../../lib/store/pack/record.ts";
import { type ByteSource, type PackItem, scanPack } from "../../lib/store/pack/scan.ts";
import { markBytes, rawChunk } from "../support/pack-bytes.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Hex, spaces left out, and the checksum of its bytes. */
function withCrc(spaced: string): string {
  const hex = spaced.replaceAll(" ", "");
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32c(new Uint8Array(Buffer.from(hex, "hex"))));
  return hex + crc.toString("hex");
}

test("[T7] a pack's header, a record, a commit mark and a footer are these bytes", async (t) => {
  const dir = await temporaryFolder(t);
  const store = await PackStore.open(dir, { packBytesMax: 100 });
  const id = await store.put("blob", utf8("hello"));
  await store.close();
  const header = withCrc("8967646f7061636b 01 01 0000 01000000 000000000000000000000000");
  const record = withCrc(`b7474452 02 00 00 00 05000000 05000000 ${id} 68656c6c6f`);
  const mark = withCrc(`b7474452${"0".repeat(88)}`);
  const footer = withCrc(`b7474446 01000000 ${id} 20000000 39000000 8d00000000000000`);
  t.is(toHex(await readFile(join(dir, "00000001.pack"))), `${header}${record}${mark}${footer}b767646f656e640a`);
});

test("[T7] a footer lists records by id and is found from the end", async (t) => {
  const dir = await temporaryFolder(t);
  const store = await PackStore.open(dir, { packBytesMax: 20_000 });
  const ids = await Promise.all(Array.from({ length: 50 }, (_, index) => store.put("chunk", utf8(`object ${index}`))));
  await store.close();
  const pack = await readFile(join(dir, "00000001.pack"));
  const offset = footerOffset(pack.subarray(-TRAILER_BYTES), pack.length) ?? 0;
  const rows = footerRows(pack.subarray(offset), offset) ?? new Uint8Array(0);
  const entries = Array.from({ length: rows.length / ENTRY_BYTES }, (_, row) => rowAt(rows, row));
  t.deepEqual(
    entries.map(({ id }) => id),
    ids.toSorted(),
  );
  for (const { id, offset: at, recordBytes } of entries) {
    const header = decodeRecordHeader(pack.subarray(at));
    t.deepEqual([header?.id, header?.recordBytes], [id, recordBytes]);
  }
  t.is(footerRows(pack.subarray(offset), offset + 1), undefined);
});

test("[T7] a record's header with a length, kind or codec that cannot be is no header", (t) => {
  const sound = rawChunk(utf8("hello"));
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

function sourceOf(bytes: Uint8Array): ByteSource {
  return { sizeBytes: bytes.length, read: async (offset, lengthBytes) => bytes.subarray(offset, offset + lengthBytes) };
}

async function scan(bytes: Uint8Array): Promise<PackItem[]> {
  const items: PackItem[] = [];
  for await (const item of scanPack(sourceOf(bytes), 0)) items.push(item);
  return items;
}

test("[T7] scanning goes on behind a damaged record, also when its payload is a pack itself", async (t) => {
  const inner = rawChunk(utf8("inner"));
  const outer = rawChunk(inner);
  const bytes = new Uint8Array([...outer, ...inner, ...markBytes()]);
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
  t.is(items[0]?.type === "damage" ? items[0].id : undefined, decodeRecordHeader(outer)?.id);
});

test("[T7] only the beginning of an item is a torn append; anything else at the end is damage", async (t) => {
  const record = rawChunk(utf8("hello"));
  for (let size = 1; size < record.length; size += 1) {
    t.deepEqual(await scan(record.subarray(0, size)), [{ type: "torn", offset: 0, end: size }]);
  }
  t.is((await scan(new Uint8Array(60)))[0]?.type, "damage");
  t.is((await scan(record.with(20, 0)))[0]?.type, "damage");
  t.is((await scan(record.subarray(0, 50).with(12, 0)))[0]?.type, "damage");
});

test("[T9] an open reads of a pack without footer what a reading past all damage finds, wherever a byte is wrong", async (t) => {
  const dir = await temporaryFolder(t);
  const large = new Uint8Array(600_000).fill(1); // Longer than what is read at once.
  const records = [rawChunk(utf8("hello")), markBytes(), rawChunk(large), rawChunk(utf8("later")), markBytes()];
  const sound = concatBytes([encodePackHeader(1), ...records]);
  const ends = [32, 89, 141, 600_193, 600_250, sound.length];
  const places = [...ends.flatMap((end) => [end - 1, end, end + 17]), 300_000].filter((at) => at < sound.length);
  const packs = [
    sound,
    ...places.map((at) => sound.with(at, (sound[at] ?? 0) ^ 1)),
    ...places.map((at) => sound.subarray(0, at)),
  ].filter(({ length }) => length >= 32);
  for (const bytes of packs) {
    await writeFile(join(dir, "00000001.pack"), bytes);
    const files = new PackFiles(dir);
    const { rows, endBytes } = await readContents(files, 1);
    await files.close();
    const expected = await readThrough(bytes);
    t.deepEqual([toHex(rows), endBytes], [toHex(expected.rows), expected.endBytes]);
  }
});

async function readThrough(bytes: Uint8Array): Promise<{ rows: Uint8Array; endBytes: number }> {
  const rows: Uint8Array[] = [];
  let endBytes = 32;
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
  for await (const item of scanPack({ sizeBytes: bytes.length, read }, endBytes)) {
    if (item.type === "record") {
      rows.push(encodeEntry({ id: item.header.id, offset: item.offset, recordBytes: item.end - item.offset }));
    }
    if (item.type !== "torn") endBytes = item.end;
  }
  return { rows: concatBytes(rows), endBytes };
}
