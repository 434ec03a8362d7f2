import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { Chunker } from "../../lib/addon.ts";
import { concatBytes, SeededRng } from "../../lib/base/index.ts";

const run = promisify(execFile);
const compare = spawnSync("casync", ["--help"]).status === 0 ? test : test.skip;

const INDEX_TYPE = 0x96824d9c7b129ff9n;
const INDEX_HEADER_BYTES = 48;
const TABLE_HEADER_BYTES = 16;
const TABLE_ITEM_BYTES = 40; // Where the chunk ends, in 8 bytes, and its name in 32.

/** Where each chunk ends that a .caibx names: a table of items after two headers; an item of 0 ends it. */
function endsInIndex(index: Buffer): number[] {
  if (index.readBigUInt64LE(8) !== INDEX_TYPE) throw new Error("not a chunk index of casync");
  const ends: number[] = [];
  for (let at = INDEX_HEADER_BYTES + TABLE_HEADER_BYTES; ; at += TABLE_ITEM_BYTES) {
    const end = Number(index.readBigUInt64LE(at));
    if (end === 0) return ends;
    ends.push(end);
  }
}

async function casyncEnds(bytes: Uint8Array): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), "gdo-casync-"));
  try {
    const [input, index] = [join(folder, "input"), join(folder, "index.caibx")];
    await writeFile(input, bytes);
    await run("casync", ["make", `--store=${join(folder, "store.castr")}`, index, input]);
    return endsInIndex(await readFile(index));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function ownEnds(bytes: Uint8Array): Promise<number[]> {
  const chunker = new Chunker("buzhash-casync");
  const cuts = [...(await chunker.update(bytes)), ...(await chunker.finish())];
  return cuts.map(({ offset, length }) => offset + length);
}

/** Text of few words, as logs are. */
function words(rng: SeededRng, count: number): Uint8Array {
  const list = ["door", "open", "closed", "at", "12:30", "\n"];
  return Buffer.from(Array.from({ length: count }, () => list[Math.floor(rng.next() * list.length)]).join(" "));
}

compare("[T2] buzhash-casync cuts where casync cuts, in data of several kinds", async (t) => {
  const rng = new SeededRng(11);
  const inputs: Record<string, Uint8Array> = {
    random: rng.bytes(3_000_000),
    text: words(rng, 300_000),
    program: await readFile(process.execPath).then((bytes) => bytes.subarray(0, 8_000_000)),
    "a hole": concatBytes([rng.bytes(70_000), new Uint8Array(900_000), rng.bytes(500_001)]),
    "one byte more than the least": rng.bytes(16_385),
    "the least": rng.bytes(16_384),
    "a byte": rng.bytes(1),
  };
  for (const [name, bytes] of Object.entries(inputs)) {
    const ends = await casyncEnds(bytes);
    t.is(ends.at(-1), bytes.length, name);
    t.deepEqual(await ownEnds(bytes), ends, name);
  }
});
