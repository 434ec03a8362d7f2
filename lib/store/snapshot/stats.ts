/** What snapshots cost: how much each step of the store saves. */
import type { Hash } from "../../base/index.ts";
import { decodeBlobNode, ZEROS_ID } from "../blob-node.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { readContents } from "../pack/catalog.ts";
import { PackFiles } from "../pack/files.ts";
import { decodeRows } from "../pack/frame.ts";
import { CODEC, decodeRecordHeader, RECORD_HEADER_BYTES } from "../pack/record.ts";
import { decodeTreeNode, treeLinks } from "../tree/node.ts";
import type { KeptSnapshot } from "./catalog.ts";

export interface StepStats {
  /** Of what the step took in, in bytes before and after it. */
  readonly objects: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
}

export interface SnapshotStats {
  readonly snapshots: number;
  /** Content of all snapshots, each as it would lie on a disk, holes included. */
  readonly logicalBytes: number;
  /** Content of their chunks, each once. */
  readonly uniqueBytes: number;
  /** What all that they need takes in packs: chunks, lists of chunks, folders. */
  readonly storedBytes: number;
  readonly chunks: number;
  /** Folders and lists of chunks. */
  readonly nodes: StepStats;
  /** Chunks by the way in which they are stored. */
  readonly steps: { readonly raw: StepStats; readonly zstd: StepStats; readonly delta: StepStats };
  /** How many chunks have up to so many bytes and more than half of it; powers of two, ascending. */
  readonly histogram: readonly { readonly bytesMax: number; readonly chunks: number }[];
}

/** Of these snapshots. Reads every folder and list of chunks that they need, and each record's head. STORE_MISSING, STORE_CORRUPT. */
export async function snapshotStats(
  store: ChunkStore,
  packsDir: string,
  snapshots: readonly KeptSnapshot[],
): Promise<SnapshotStats> {
  const { nodes, chunks } = await reachable(
    store,
    snapshots.map(({ tree }) => tree),
  );
  const packed = await packedSizes(packsDir, nodes, chunks);
  const lengths = [...chunks.values()];
  return {
    snapshots: snapshots.length,
    logicalBytes: snapshots.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    uniqueBytes: lengths.reduce((sum, length) => sum + length, 0),
    storedBytes: [packed.nodes, ...Object.values(packed.steps)].reduce((sum, step) => sum + step.storedBytes, 0),
    chunks: chunks.size,
    ...packed,
    histogram: histogramOf(lengths),
  };
}

interface Reachable {
  readonly nodes: ReadonlySet<Hash>;
  /** With their lengths. */
  readonly chunks: ReadonlyMap<Hash, number>;
}

async function reachable(store: ChunkStore, roots: readonly Hash[]): Promise<Reachable> {
  const nodes = new Set<Hash>(roots);
  const chunks = new Map<Hash, number>();
  const queue = [...nodes];
  const meet = (id: Hash): void => {
    if (!nodes.has(id)) queue.push(id);
    nodes.add(id);
  };
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const { kind, bytes } = await store.get(id);
    if (kind === "tree") for (const link of treeLinks(decodeTreeNode(bytes))) meet(link);
    if (kind !== "blob") continue;
    const { level, entries } = decodeBlobNode(bytes);
    for (const entry of entries) {
      if (level > 0) meet(entry.id);
      else if (entry.id !== ZEROS_ID) chunks.set(entry.id, entry.lengthBytes);
    }
  }
  return { nodes, chunks };
}

type Packed = Pick<SnapshotStats, "nodes" | "steps">;
type Step = { -readonly [K in keyof StepStats]: StepStats[K] };

async function packedSizes(dir: string, nodes: ReadonlySet<Hash>, chunks: ReadonlyMap<Hash, number>): Promise<Packed> {
  const empty = (): Step => ({ objects: 0, rawBytes: 0, storedBytes: 0 });
  const packed = { nodes: empty(), steps: { raw: empty(), zstd: empty(), delta: empty() } };
  const counted = new Set<Hash>(); // An object that was damaged once has two records.
  for await (const { id, codec, rawBytes, recordBytes } of recordsOf(dir)) {
    if (counted.has(id) || !(nodes.has(id) || chunks.has(id))) continue;
    counted.add(id);
    const step = nodes.has(id) ? packed.nodes : packed.steps[stepOf(codec)];
    step.objects += 1;
    step.rawBytes += rawBytes;
    step.storedBytes += recordBytes;
  }
  return packed;
}

function stepOf(codec: number): keyof Packed["steps"] {
  if (codec === CODEC.zstdBase) return "delta";
  return codec === CODEC.zstd ? "zstd" : "raw";
}

interface PackedRecord {
  readonly id: Hash;
  readonly codec: number;
  readonly rawBytes: number;
  readonly recordBytes: number;
}

async function* recordsOf(dir: string): AsyncGenerator<PackedRecord> {
  const files = new PackFiles(dir);
  try {
    for (const pack of await files.list()) {
      for (const { id, offset, recordBytes } of decodeRows((await readContents(files, pack)).rows)) {
        const header = decodeRecordHeader(await files.read(pack, offset, RECORD_HEADER_BYTES));
        if (header !== undefined) yield { id, codec: header.codec, rawBytes: header.rawBytes, recordBytes };
      }
    }
  } finally {
    await files.close();
  }
}

function histogramOf(lengths: readonly number[]): SnapshotStats["histogram"] {
  const counts = new Map<number, number>();
  for (const length of lengths) {
    const bytesMax = 2 ** Math.ceil(Math.log2(length));
    counts.set(bytesMax, (counts.get(bytesMax) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b).map(([bytesMax, chunks]) => ({ bytesMax, chunks }));
}
