/**
 * A process that puts and commits until it is killed, and reports on standard output what it was told
 * is durable: node store-writer.js DIR SEED PACK_BYTES_MAX.
 */
import { SeededRng, utf8 } from "../../lib/base/index.ts";
import { PackStore } from "../../lib/store/index.ts";

const [dir = "", seed = "1", packBytesMax = "65536"] = process.argv.slice(2);
const rng = new SeededRng(Number(seed));
const store = await PackStore.open(dir, { packBytesMax: Number(packBytesMax) });
process.stdout.write("open\n");

/** Text, noise or zeros, of few or many bytes: each form that a record can have. */
function content(): Uint8Array {
  const sizeBytes = Math.floor(rng.next() ** 3 * 40_000);
  const form = rng.next();
  if (form < 0.1) return new Uint8Array(sizeBytes);
  return form < 0.5 ? rng.bytes(sizeBytes) : utf8(`${rng.next()} `.repeat(sizeBytes / 10));
}

for (;;) {
  const ids: string[] = [];
  for (let count = Math.floor(rng.next() * 8); count >= 0; count -= 1) ids.push(await store.put("chunk", content()));
  await store.commit();
  process.stdout.write(`${ids.join(" ")}\n`);
}
