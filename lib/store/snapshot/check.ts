/** Whether all that snapshots need is there: what `verify` asks beyond the packs themselves [T10]. */
import { GdoError, type Hash } from "../../base/index.ts";
import { blobLinks, decodeBlobNode } from "../blob-node.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { decodeTreeNode, treeLinks } from "../tree/node.ts";
import type { DamagedRef, SnapshotCatalog } from "./catalog.ts";

/** Something that a snapshot needs and that is not held, or is damaged. */
export interface Lack {
  /** NAME@ID of the first snapshot that needs it. */
  readonly snapshot: string;
  readonly id: Hash;
  readonly why: string;
}

/** Walks all snapshots' trees down to their chunks, whose bytes are not read. */
export async function checkSnapshots(
  store: ChunkStore,
  catalog: SnapshotCatalog,
  tell: { readonly onDamaged: (ref: DamagedRef) => void; readonly onLack: (lack: Lack) => void },
): Promise<{ readonly snapshots: number }> {
  const snapshots = await catalog.all(tell.onDamaged);
  const seen = new Set<Hash>();
  for (const { name, id, tree } of snapshots) {
    await walk(store, tree, seen, (lacking, why) => tell.onLack({ snapshot: `${name}@${id}`, id: lacking, why }));
  }
  return { snapshots: snapshots.length };
}

async function walk(
  store: ChunkStore,
  root: Hash,
  seen: Set<Hash>,
  onLack: (id: Hash, why: string) => void,
): Promise<void> {
  const queue = [root];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    try {
      const { nodes, chunks } = await needsOf(store, id);
      queue.push(...nodes.filter((each) => !seen.has(each)));
      for (const lacking of store.missing(chunks)) onLack(lacking, `chunk ${lacking} is not in the store`);
    } catch (error) {
      if (!(error instanceof GdoError)) throw error;
      onLack(id, error.message);
    }
  }
}

async function needsOf(store: ChunkStore, id: Hash): Promise<{ nodes: Hash[]; chunks: Hash[] }> {
  const { kind, bytes } = await store.get(id);
  if (kind === "tree") return { nodes: treeLinks(decodeTreeNode(bytes)), chunks: [] };
  const node = decodeBlobNode(bytes);
  const links = blobLinks(node);
  return node.level === 0 ? { nodes: [], chunks: links } : { nodes: links, chunks: [] };
}
