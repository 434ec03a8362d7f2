/** The node's store as its other parts need it: images for dapps. */
import type { ImageEntry, ImageStore } from "../../dapp/index.ts";
import { type ChunkStore, displayName, readBlob, readTree, type TreeEntry } from "../../store/index.ts";

export { type RequestObjects, RootFetcher, readObjects } from "../../store/index.ts";

/** Images out of the store; what has no place in an image is left out. */
export function imageStore(store: ChunkStore): ImageStore {
  return {
    entries: async (tree) => (await readTree(store, tree)).entries.flatMap((entry) => imageEntry(entry)),
    file: (blob) => readBlob(store, blob),
  };
}

const FOLDER_MODE = 0o755;

function imageEntry(entry: TreeEntry): ImageEntry[] {
  const name = displayName(entry);
  switch (entry.type) {
    case "file":
      return [{ type: "file", name, mode: entry.attributes.mode, id: entry.id }];
    case "directory":
      return [{ type: "folder", name, mode: FOLDER_MODE, id: entry.id }];
    case "symlink":
      return [{ type: "link", name, target: Buffer.from(entry.target).toString("utf8") }];
    default:
      return [];
  }
}
