/** Images in memory into the store and out of it. */
import { compareBytes, type Hash } from "../../base/index.ts";
import { checkedMode, type ImageContent, type ImageFolder, type ImageNode, newFolder } from "../../dapp/index.ts";
import {
  type ChunkStore,
  displayName,
  putBlob,
  putPath,
  putTreeNode,
  readTree,
  type TreeEntry,
} from "../../store/index.ts";

/** Every entry's: the same files give the same tree on any machine and at any time. */
const FIXED = { uid: 0, gid: 0, mtimeNs: 0n } as const;
const FOLDER_MODE = 0o755;
const LINK_MODE = 0o777;

/** Stores a folder of an image with all in it; its tree. Durable after the store's next commit. */
export async function putImage(store: ChunkStore, { entries }: ImageFolder): Promise<Hash> {
  const stored: TreeEntry[] = [];
  for (const [name, node] of entries) stored.push(await entryOf(store, Buffer.from(name), node));
  stored.sort((a, b) => compareBytes(a.name, b.name));
  return putTreeNode(store, { attributes: { ...FIXED, mode: FOLDER_MODE }, entries: stored });
}

async function entryOf(store: ChunkStore, name: Uint8Array, node: ImageNode): Promise<TreeEntry> {
  if (node.type === "folder") return { type: "directory", name, id: await putImage(store, node) };
  if (node.type === "link") {
    const attributes = { ...FIXED, mode: LINK_MODE };
    return { type: "symlink", name, attributes, target: Buffer.from(node.target) };
  }
  const { id, sizeBytes } = await putContent(store, node.content);
  return { type: "file", name, attributes: { ...FIXED, mode: node.mode }, id, sizeBytes };
}

async function putContent(store: ChunkStore, content: ImageContent): Promise<{ id: Hash; sizeBytes: number }> {
  if ("id" in content) return content;
  if ("bytes" in content) return putBlob(store, content.bytes);
  const { id, sizeBytes = 0 } = await putPath(store, content.path);
  return { id, sizeBytes };
}

/** A stored image as folders in memory; its files stay in the store. STORE_MISSING, STORE_CORRUPT. */
export async function readImage(store: ChunkStore, tree: Hash): Promise<ImageFolder> {
  const folder = newFolder();
  for (const entry of (await readTree(store, tree)).entries) {
    const node = await nodeOf(store, entry);
    if (node !== undefined) folder.entries.set(displayName(entry), node);
  }
  return folder;
}

async function nodeOf(store: ChunkStore, entry: TreeEntry): Promise<ImageNode | undefined> {
  switch (entry.type) {
    case "directory":
      return readImage(store, entry.id);
    case "symlink":
      return { type: "link", target: Buffer.from(entry.target).toString("utf8") };
    case "file": {
      const { id, sizeBytes, attributes } = entry;
      return { type: "file", mode: checkedMode(attributes.mode), content: { id, sizeBytes } };
    }
    default:
      return undefined; // Devices and sockets have no place in an image.
  }
}
