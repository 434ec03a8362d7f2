/** What store-steps puts, one list of objects a commit: each form of a record, and enough to fill packs. */
import { SeededRng, utf8 } from "../../lib/base/index.ts";

const rng = new SeededRng(11);

export const STEPS: readonly (readonly Uint8Array[])[] = [
  [utf8("a text ".repeat(400)), rng.bytes(2_000), new Uint8Array(5_000)],
  [rng.bytes(12_000), rng.bytes(18_000), utf8("another text ".repeat(100))],
  [rng.bytes(9_000), rng.bytes(300)],
];
