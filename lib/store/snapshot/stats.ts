/** What snapshots cost: how much each step of the store saves. */
import type { PackStore } from "../pack/store.ts";
import type { TallySum } from "../verify/checkup.ts";
import type { KeptSnapshot } from "./catalog.ts";

export interface SnapshotStats {
  readonly snapshots: number;
  /** Content of all snapshots, each as it would lie on a disk, holes included. */
  readonly logicalBytes: number;
  /** Content of their chunks, each once. */
  readonly uniqueBytes: number;
  /** What all that they need takes in packs: chunks, lists of chunks, folders. */
  readonly storedBytes: number;
  readonly chunks: number;
  /** Folders and lists of chunks; of each, bytes before and after the step. */
  readonly nodes: TallySum;
  /** Chunks by the way in which they are stored. */
  readonly steps: { readonly raw: TallySum; readonly zstd: TallySum; readonly delta: TallySum };
  /** How many chunks have up to so many bytes and more than half of it; powers of two, ascending. */
  readonly histogram: readonly { readonly bytesMax: number; readonly chunks: number }[];
}

/** Of these snapshots. Reads every folder and list of chunks that they need, and each record's head. STORE_MISSING, STORE_CORRUPT. */
export async function snapshotStats(store: PackStore, snapshots: readonly KeptSnapshot[]): Promise<SnapshotStats> {
  const { nodes, chunksBySize, ...steps } = await store.tally(snapshots.map(({ tree }) => tree));
  const sum = (of: (step: TallySum) => number): number => of(steps.raw) + of(steps.zstd) + of(steps.delta);
  return {
    snapshots: snapshots.length,
    logicalBytes: snapshots.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    uniqueBytes: sum(({ rawBytes }) => rawBytes),
    storedBytes: sum(({ storedBytes }) => storedBytes) + nodes.storedBytes,
    chunks: sum(({ objects }) => objects),
    nodes,
    steps,
    histogram: chunksBySize.flatMap((chunks, power) => (chunks === 0 ? [] : [{ bytesMax: 2 ** power, chunks }])),
  };
}
