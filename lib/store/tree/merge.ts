/** Layers of folders into one, as a container's image is made of several. */
import { compareBytes, GdoError, type Hash, toHex } from "../../base/index.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { encodeTreeNode, type TreeEntry, type TreeNode } from "./node.ts";
import { readTree } from "./path.ts";

/**
 * The tree in which a later layer wins: its files replace, its folders are joined with the earlier
 * ones' and their attributes win. INPUT_INVALID for no layers.
 */
export async function mergeTrees(store: ChunkStore, layers: readonly Hash[]): Promise<Hash> {
  const [first, ...others] = layers;
  if (first === undefined) throw new GdoError("INPUT_INVALID", "no trees to merge");
  let merged = first;
  for (const layer of others) merged = await mergeTwo(store, merged, layer);
  return merged;
}

async function mergeTwo(store: ChunkStore, lower: Hash, upper: Hash): Promise<Hash> {
  if (lower === upper) return lower;
  const [below, above] = [await readTree(store, lower), await readTree(store, upper)];
  const entries = new Map(below.entries.map((entry) => [toHex(entry.name), entry]));
  for (const entry of above.entries) {
    const name = toHex(entry.name);
    entries.set(name, await mergeEntry(store, entries.get(name), entry));
  }
  const sorted = [...entries.values()].sort((a, b) => compareBytes(a.name, b.name));
  const node: TreeNode = { attributes: above.attributes, entries: sorted };
  return store.put("tree", encodeTreeNode(node));
}

async function mergeEntry(store: ChunkStore, lower: TreeEntry | undefined, upper: TreeEntry): Promise<TreeEntry> {
  if (lower?.type !== "directory" || upper.type !== "directory") return upper;
  return { ...upper, id: await mergeTwo(store, lower.id, upper.id) };
}
