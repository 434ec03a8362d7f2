import test from "ava";
import { type Hash, hashOf32 } from "../../lib/base/index.ts";
import { Assembly } from "../../lib/sync/step/assembly.ts";
import { cutPieces, type Piece } from "../../lib/sync/wire/frames.ts";

const ID: Hash = hashOf32(new Uint8Array(32));
const bytes = Uint8Array.from({ length: 50_000 }, (_, index) => (index * 7) & 255);
const pieces = cutPieces("chunk", ID, bytes);

test("[S1] pieces in any order, and twice, make the whole once", (t) => {
  const assembly = new Assembly(10 ** 6);
  const shuffled = [...pieces].reverse();
  const results = [...shuffled.slice(0, -1), ...shuffled].map((piece) => assembly.add("a", piece));
  t.deepEqual(
    results.filter((whole) => whole !== undefined),
    [bytes],
  );
  t.is(assembly.heldBytes, 0);
});

test("[S5] what is held never exceeds the bound; the oldest goes", (t) => {
  const assembly = new Assembly(60_000);
  for (let index = 0; index < 1000; index += 1) {
    assembly.add(`name ${index}`, pieces[0] as Piece);
    t.true(assembly.heldBytes <= 60_000);
  }
  t.true(assembly.heldBytes > 0);
});

test("[S5] a claimed size allocates nothing", (t) => {
  const assembly = new Assembly(60_000);
  assembly.add("a", { kind: "chunk", id: ID, offset: 0, totalBytes: 32 * 2 ** 20, bytes: new Uint8Array(10) });
  t.is(assembly.heldBytes, 10);
});

test("[S5] overlapping pieces give nothing and leave nothing", (t) => {
  const assembly = new Assembly(60_000);
  const part = (offset: number, length: number): Piece => ({
    kind: "chunk",
    id: ID,
    offset,
    totalBytes: 100,
    bytes: new Uint8Array(length),
  });
  assembly.add("a", part(0, 60));
  t.is(assembly.add("a", part(30, 60)), undefined);
  t.is(assembly.heldBytes, 0);
});

test("[S5] empty pieces of something that is not empty are not held", (t) => {
  const assembly = new Assembly(60_000);
  t.is(assembly.add("a", { kind: "chunk", id: ID, offset: 0, totalBytes: 9, bytes: new Uint8Array() }), undefined);
  t.deepEqual(
    assembly.add("b", { kind: "chunk", id: ID, offset: 0, totalBytes: 0, bytes: new Uint8Array() }),
    new Uint8Array(),
  );
});
