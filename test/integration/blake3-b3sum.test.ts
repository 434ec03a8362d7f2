import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { blake3, blake3DeriveKey, Chunker } from "../../lib/addon.ts";
import { SeededRng, toHex } from "../../lib/base/index.ts";

const run = promisify(execFile);
const hasB3sum = spawnSync("b3sum", ["--version"]).status === 0;
const compare = hasB3sum ? test : test.skip;

/** What b3sum prints for each of the inputs, by one call of it. */
async function b3sum(inputs: readonly Uint8Array[], ...options: string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "gdo-b3sum-"));
  try {
    const paths = inputs.map((_, index) => join(folder, `${index}`));
    await Promise.all(paths.map((path, index) => writeFile(path, inputs[index] as Uint8Array)));
    const { stdout } = await run("b3sum", ["--no-names", ...options, ...paths]);
    return stdout.trim().split("\n");
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Lengths that favour the edges of blocks, chunks and subtrees, up to 4 MiB. */
function randomInputs(seed: number, count: number): Uint8Array[] {
  const rng = new SeededRng(seed);
  return Array.from({ length: count }, () => {
    const base = Math.floor(2 ** (rng.next() * 22));
    const edge = rng.next() < 0.5 ? 1024 * Math.round(base / 1024) + Math.floor(rng.next() * 3) - 1 : base;
    return rng.bytes(Math.max(0, edge));
  });
}

compare("[T1] BLAKE3 equals b3sum on random lengths", async (t) => {
  const inputs = randomInputs(1, 60);
  t.deepEqual(
    inputs.map((bytes) => toHex(blake3(bytes))),
    await b3sum(inputs),
  );
});

compare("[T1] BLAKE3 in derive-key mode equals b3sum on random lengths", async (t) => {
  const inputs = randomInputs(2, 30);
  const context = "gdo v1 blob";
  const expected = await b3sum(inputs, "--derive-key", context);
  t.deepEqual(
    inputs.map((bytes) => toHex(blake3DeriveKey(context, bytes))),
    expected,
  );
});

compare("[T1] b3sum prints a chunk's id for the chunk's bytes", async (t) => {
  const bytes = new SeededRng(3).bytes(1_500_000);
  const chunker = new Chunker("min8-64k");
  const cuts = [...(await chunker.update(bytes)), ...(await chunker.finish())];
  const chunks = cuts.map(({ offset, length }) => bytes.subarray(offset, offset + length));
  t.deepEqual(
    cuts.map(({ id }) => String(id)),
    await b3sum(chunks),
  );
});
