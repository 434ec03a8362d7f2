/**
 * How fast files go into a pack store and come out again: new, known already, restored.
 *   node dist/test/bench/store-pipeline.js [FILE...]
 * Each file is taken as the next version of the one before. Without a file, 256 MiB of noise and text are made. Medians of three; the store is on the disk of
 * the temporary folder.
 */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostInfo } from "../../lib/addon.ts";
import { type Hash, SeededRng, utf8 } from "../../lib/base/index.ts";
import { putBlobFile, restoreBlobFile } from "../../lib/store/blob/blob-file.ts";
import { PackStore } from "../../lib/store/index.ts";

const ROUNDS = 3;
const MIB = 1024 * 1024;
const dir = await mkdtemp(join(tmpdir(), "gdo-bench-"));

async function madeFile(): Promise<string> {
  const path = join(dir, "made");
  const handle = await open(path, "w");
  const rng = new SeededRng(1);
  for (let part = 0; part < 128; part += 1) {
    await handle.write(rng.bytes(MIB));
    await handle.write(utf8(`${rng.next()} the door opens\n`.repeat(MIB / 32)));
  }
  await handle.close();
  return path;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

interface Measured {
  readonly logicalBytes: number;
  readonly storedBytes: number;
  readonly put: number;
  readonly known: number;
  readonly restore: number;
}

async function putAll(store: PackStore, files: readonly string[], ids: Hash[]): Promise<number> {
  let total = 0;
  for (const file of files) {
    const handle = await open(file);
    const { id, sizeBytes } = await putBlobFile(store, handle, { previous: ids.at(-1) });
    await handle.close();
    ids.push(id);
    total += sizeBytes;
  }
  await store.commit();
  return total;
}

async function measure(files: readonly string[], round: number): Promise<Measured> {
  const store = await PackStore.open(join(dir, `store${round}`));
  const ids: Hash[] = [];
  let logicalBytes = 0;
  const put = await seconds(async () => (logicalBytes = await putAll(store, files, ids)));
  const known = await seconds(() => putAll(store, files, []));
  const restore = await seconds(async () => {
    for (const id of ids) {
      const handle = await open(join(dir, "out"), "w");
      await restoreBlobFile(store, id, handle);
      await handle.close();
      await rm(join(dir, "out"));
    }
  });
  const storedBytes = await store.sizeBytes();
  await store.close();
  await rm(join(dir, `store${round}`), { recursive: true });
  return { logicalBytes, storedBytes, put, known, restore };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const files = process.argv.length > 2 ? process.argv.slice(2) : [await madeFile()];
const bareBytes = process.memoryUsage.rss();
const rounds: Measured[] = [];
for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure(files, round));
const [{ logicalBytes, storedBytes }] = rounds as [Measured];
const rate = (name: "put" | "known" | "restore"): string => {
  const time = median(rounds.map((round) => round[name]));
  return `${name} ${time.toFixed(3)} s, ${(logicalBytes / time / 1e6).toFixed(0)} MB/s`;
};
const peakBytes = process.resourceUsage().maxRSS * 1024;
console.log(`kernels ${JSON.stringify(hostInfo().kernels)}, Node.js ${process.version}`);
console.log(`${(logicalBytes / 1e6).toFixed(1)} MB became ${(storedBytes / 1e6).toFixed(1)} MB`);
for (const name of ["put", "known", "restore"] as const) console.log(rate(name));
console.log(`peak memory ${((peakBytes - bareBytes) / 1e6).toFixed(1)} MB above the start`);
await rm(dir, { recursive: true });
