/**
 * Goes through all that names need without reading chunks [T10], natively: a byte and an offset in memory
 * for each record, whatever the names need. One at a time on a store, and never beside a cleaning.
 */
import type { CheckupStep, NativePackStore, NativeWalkPart } from "../../addon.ts";
import { bytesOf, concatBytes, GdoError, type Hash, hashOf32 } from "../../base/index.ts";
import type { CollectionRoots } from "../collect/collection.ts";
import { readContents } from "../pack/catalog.ts";
import type { PackFiles } from "../pack/files.ts";
import { isGone, withStoreErrors } from "../pack/native-error.ts";

/** Something that is needed and cannot be had. */
export interface Lack {
  readonly id: Hash;
  /** The first that was found to need it, by name. */
  readonly root: Hash;
  /** Else it is not in the store. */
  readonly isDamaged: boolean;
  readonly what: string;
}

export interface CheckupOptions {
  readonly onLack: (lack: Lack) => void;
  /** Told of bytes that were read; makes the reading wait. */
  readonly pace?: ((bytes: number) => Promise<void> | void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CheckedStore {
  readonly native: NativePackStore;
  readonly files: PackFiles;
}

/** Records that are needed, by the way in which they are stored. */
export interface Tally {
  readonly nodes: TallySum;
  readonly raw: TallySum;
  readonly zstd: TallySum;
  readonly delta: TallySum;
  /** At `n`: chunks that have up to 2^n bytes and more than half of it. */
  readonly chunksBySize: readonly number[];
}

export interface TallySum {
  readonly objects: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
}

const OBJECTS_AT_ONCE = 512;
const NAMING_BYTES = 1024 * 1024;

/** What `whole` names must be there; of what `naming` names, what is there must be whole. IO; the signal's reason. */
export function checkNeeds(store: CheckedStore, roots: CollectionRoots, options: CheckupOptions): Promise<void> {
  return withCheckup(store, options, async (checkup) => {
    await checkup.step("roots", concatBytes((await roots.whole()).map(bytesOf)));
    await checkup.walk();
    let batch: Uint8Array[] = [];
    let heldBytes = 0;
    const lookAt = async (): Promise<void> => {
      await checkup.step("rootsIn", concatBytes(batch));
      [batch, heldBytes] = [[], 0];
      await checkup.walk();
    };
    for (const bytes of roots.naming()) {
      batch.push(bytes);
      heldBytes += bytes.length;
      if (heldBytes >= NAMING_BYTES) await lookAt();
    }
    await lookAt();
  });
}

/** Counts what these need, each record once: that which counts. STORE_MISSING, STORE_CORRUPT when it is not all there. */
export function tallyNeeds(store: CheckedStore, roots: readonly Hash[]): Promise<Tally> {
  const onLack = ({ isDamaged, what }: Lack): never => {
    throw new GdoError(isDamaged ? "STORE_CORRUPT" : "STORE_MISSING", what, { hint: "gdo verify" });
  };
  return withCheckup(store, { onLack }, async (checkup) => {
    await checkup.step("roots", concatBytes(roots.map(bytesOf)));
    await checkup.walk();
    const sums = new Float64Array(GROUPS * 3 + SIZES);
    for (const pack of checkup.packs) {
      const counts = (await checkup.step("count", pack)) as Float64Array;
      for (const [index, count] of counts.entries()) sums[index] = (sums[index] ?? 0) + count;
    }
    return tallyOf(sums);
  });
}

const GROUPS = 4;
const SIZES = 33;

function tallyOf(sums: Float64Array): Tally {
  const sumAt = (group: number): TallySum => {
    const [objects = 0, rawBytes = 0, storedBytes = 0] = sums.subarray(3 * group, 3 * group + 3);
    return { objects, rawBytes, storedBytes };
  };
  const chunksBySize = [...sums.subarray(3 * GROUPS)];
  return { nodes: sumAt(0), raw: sumAt(1), zstd: sumAt(2), delta: sumAt(3), chunksBySize };
}

interface Checkup {
  readonly packs: readonly number[];
  step(step: CheckupStep, ...args: readonly unknown[]): Promise<unknown>;
  /** Until nothing is left to look at. */
  walk(): Promise<void>;
}

async function withCheckup<T>(
  store: CheckedStore,
  options: CheckupOptions,
  task: (checkup: Checkup) => Promise<T>,
): Promise<T> {
  const step: Checkup["step"] = (name, ...args) => {
    options.signal?.throwIfAborted();
    return withStoreErrors(async () => store.native.check(name, ...args));
  };
  const walk = async (): Promise<void> => {
    for (let isDone = false; !isDone; ) {
      const part = (await step("walk", OBJECTS_AT_ONCE)) as NativeWalkPart;
      for (const { id, root, ...lack } of part.lacks)
        options.onLack({ ...lack, id: hashOf32(id), root: hashOf32(root) });
      await options.pace?.(part.readBytes);
      isDone = part.isDone;
    }
  };
  await step("begin");
  try {
    return await task({ packs: await tellPacks(store), step, walk });
  } finally {
    store.native.check("end");
  }
}

/** Of a reader, a pack may be gone by now. */
async function tellPacks({ native, files }: CheckedStore): Promise<number[]> {
  const told: number[] = [];
  for (const pack of await files.list()) {
    try {
      const { rows, endBytes } = await readContents(files, pack);
      native.check("pack", pack, rows, endBytes);
      told.push(pack);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return told;
}
