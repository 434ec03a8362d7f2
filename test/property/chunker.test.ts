import test from "ava";
import fc from "fast-check";
import { Chunker, type Cut, PROFILE_NAMES, type ProfileName } from "../../lib/addon.ts";
import { concatBytes, SeededRng } from "../../lib/base/index.ts";

const BOUNDS: Record<ProfileName, readonly [min: number, max: number]> = {
  "min8-64k": [32_768, 98_304],
  "min8-16k": [8_192, 24_576],
  "fixed-64k": [65_536, 65_536],
  "fastcdc2016-16k": [4_096, 65_536],
  "fastcdc2016-64k": [16_384, 262_144],
  "fastcdc2020-16k": [4_096, 65_536],
  "fastcdc2020-64k": [16_384, 262_144],
  "buzhash-casync": [16_384, 262_144],
};

async function cutAll(profile: ProfileName, pieces: readonly Uint8Array[]): Promise<Cut[]> {
  const chunker = new Chunker(profile);
  const cuts: Cut[] = [];
  for (const piece of pieces) cuts.push(...(await chunker.update(piece)));
  return cuts.concat(await chunker.finish());
}

/** Random bytes with runs of one byte in them, as real files have. */
const content = fc
  .array(fc.tuple(fc.integer(), fc.nat(120_000), fc.option(fc.nat(255), { nil: undefined })), { maxLength: 6 })
  .map((parts) =>
    concatBytes(
      parts.map(([seed, length, fill]) =>
        fill === undefined ? new SeededRng(seed).bytes(length) : new Uint8Array(length).fill(fill),
      ),
    ),
  );
const profile = fc.constantFrom(...PROFILE_NAMES);
const splits = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function splitAt(bytes: Uint8Array, fractions: readonly number[]): Uint8Array[] {
  const ends = fractions.map((fraction) => Math.floor(fraction * bytes.length)).sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
}

test("[T2] chunker: same bytes, same cuts, for any split into pieces", async (t) => {
  const same = fc.asyncProperty(profile, content, splits, async (name, bytes, fractions) => {
    t.deepEqual(await cutAll(name, splitAt(bytes, fractions)), await cutAll(name, [bytes]));
  });
  await t.notThrowsAsync(fc.assert(same, { numRuns: 60 }));
});

test("[T2] chunker: chunks follow each other, and all but the last keep their profile's bounds", async (t) => {
  const bounded = fc.asyncProperty(profile, content, async (name, bytes) => {
    const [min, max] = BOUNDS[name];
    const cuts = await cutAll(name, [bytes]);
    t.is(
      cuts.reduce((offset, cut) => (cut.offset === offset ? offset + cut.length : Number.NaN), 0),
      bytes.length,
    );
    t.true(cuts.every(({ length }) => length > 0 && length <= max));
    t.true(cuts.slice(0, -1).every(({ length }) => length >= min));
  });
  await t.notThrowsAsync(fc.assert(bounded, { numRuns: 60 }));
});

/** How many chunks of the edited bytes are new, for an edit of each kind at a random place. */
async function newChunks(name: ProfileName, rng: SeededRng): Promise<number> {
  const bytes = rng.bytes(64 * BOUNDS[name][0]);
  const at = Math.floor(rng.next() * bytes.length);
  const inserted = rng.bytes(Math.floor(rng.next() * 200));
  const removed = Math.floor(rng.next() * 200);
  const edited = concatBytes([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
  const before = new Set((await cutAll(name, [bytes])).map(({ id }) => id));
  return (await cutAll(name, [edited])).filter(({ id }) => !before.has(id)).length;
}

test("[T2] chunker: an edit makes few chunks new, wherever it is", async (t) => {
  const rng = new SeededRng(5);
  const edits = 80;
  let made = 0;
  for (let edit = 0; edit < edits; edit += 1) made += await newChunks("min8-16k", rng);
  t.true(made / edits < 1.6, `${made / edits} new chunks for an edit`);
  t.true(made > 0);
});

test("[T2] chunker: with fixed blocks the same edit moves all that follows, so the test above can fail", async (t) => {
  const rng = new SeededRng(5);
  let made = 0;
  for (let edit = 0; edit < 10; edit += 1) made += await newChunks("fixed-64k", rng);
  t.true(made / 10 > 10);
});
