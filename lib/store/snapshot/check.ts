/** Whether all that snapshots, and whatever else is named, need is there: what `verify` asks beyond packs [T10]. */
import type { Hash } from "../../base/index.ts";
import type { PackStore } from "../pack/store.ts";
import type { CheckupOptions } from "../verify/checkup.ts";
import type { DamagedRef, SnapshotCatalog } from "./catalog.ts";

/** An object that must be there whole, and by whose name. */
export interface NeededRoot {
  readonly id: Hash;
  readonly by: string;
}

export interface NeedsCheck extends Omit<CheckupOptions, "onLack"> {
  /** Besides all snapshots. */
  readonly needed?: readonly NeededRoot[];
  /** Canonical bytes, and whose they are: of what they name, what is there must be whole. */
  readonly naming?: { readonly by: string; readonly contents: () => Iterable<Uint8Array> };
  readonly onDamaged: (ref: DamagedRef) => void;
  readonly onLack: (lack: LackOf) => void;
}

export interface LackOf {
  readonly id: Hash;
  /** Of those that need it, the first that was found. */
  readonly by: string;
  readonly isDamaged: boolean;
  readonly what: string;
}

/** Walks from all names down to the chunks, whose bytes are not read. */
export async function checkNamed(
  store: PackStore,
  catalog: SnapshotCatalog,
  { needed = [], naming, onDamaged, onLack, ...options }: NeedsCheck,
): Promise<{ readonly snapshots: number }> {
  const snapshots = await catalog.all(onDamaged);
  const names = new Map<Hash, string>(needed.map(({ id, by }) => [id, by]));
  for (const { name, id, tree } of snapshots) names.set(tree, `snapshot ${name}@${id}`);
  const roots = { whole: async () => [...names.keys()], naming: naming?.contents ?? (() => []) };
  await store.checkNeeds(roots, {
    ...options,
    onLack: ({ root, ...lack }) => onLack({ ...lack, by: names.get(root) ?? `${naming?.by}, which names ${root}` }),
  });
  return { snapshots: snapshots.length };
}
