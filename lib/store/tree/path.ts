/** Finding one's way: what a folder lists, and what "ID:path" names. */
import { compareBytes, GdoError, type Hash, utf8 } from "../../base/index.ts";
import { getKind } from "../blob/blob-reader.ts";
import type { ChunkStore, ObjectKind } from "../chunk-store.ts";
import { displayPath } from "./name.ts";
import {
  type Attributes,
  type DirectoryEntry,
  decodeTreeNode,
  encodeTreeNode,
  type TreeEntry,
  type TreeNode,
} from "./node.ts";

/** An entry with its attributes, which for a folder are in the folder's own node; undefined if that is not held. */
export type ListedEntry =
  | Exclude<TreeEntry, DirectoryEntry>
  | (DirectoryEntry & { readonly attributes: Attributes | undefined });

/** An object that a text names, and the entry by which it was found, if any. */
export interface Resolved {
  readonly id: Hash;
  readonly kind: ObjectKind;
  readonly entry?: TreeEntry;
}

/** STORE_MISSING, STORE_CORRUPT, INPUT_INVALID when the id is not a tree's. */
export async function readTree(store: ChunkStore, id: Hash): Promise<TreeNode> {
  return decodeTreeNode(await getKind(store, id, "tree"));
}

/** Stores one folder; what its entries name is stored before it. INPUT_INVALID for more entries than a tree can hold. */
export async function putTreeNode(store: ChunkStore, node: TreeNode): Promise<Hash> {
  return store.put("tree", encodeTreeNode(node));
}

/** The entries of a folder, by name. */
export async function list(store: ChunkStore, id: Hash): Promise<ListedEntry[]> {
  const listed: ListedEntry[] = [];
  for (const entry of (await readTree(store, id)).entries) {
    if (entry.type !== "directory") listed.push(entry);
    else listed.push({ ...entry, attributes: await folderAttributes(store, entry.id) });
  }
  return listed;
}

async function folderAttributes(store: ChunkStore, id: Hash): Promise<Attributes | undefined> {
  return store.has(id) ? (await readTree(store, id)).attributes : undefined;
}

/**
 * Finds "ID" or "ID:path"; the id may be shortened while unique. Links are not followed.
 * NOT_FOUND, AMBIGUOUS, INPUT_INVALID.
 */
export async function resolvePath(store: ChunkStore, text: string): Promise<Resolved> {
  const colon = text.indexOf(":");
  const id = resolveId(store, colon < 0 ? text : text.slice(0, colon));
  const { kind } = await store.get(id);
  let found: Resolved = { id, kind };
  const names = colon < 0 ? [] : text.slice(colon + 1).split("/");
  for (const name of names.filter((part) => part !== "")) found = await step(store, found, name, text);
  return found;
}

const IDS_SHOWN_MAX = 4;

function resolveId(store: ChunkStore, prefix: string): Hash {
  const ids = store.resolvePrefix(prefix);
  const [id] = ids;
  if (id === undefined) throw new GdoError("NOT_FOUND", `nothing in the store has an id that begins with ${prefix}`);
  if (ids.length === 1) return id;
  const some = ids.slice(0, IDS_SHOWN_MAX).join(", ");
  const more = ids.length > IDS_SHOWN_MAX ? ` and ${ids.length - IDS_SHOWN_MAX} more` : "";
  throw new GdoError("AMBIGUOUS", `${prefix} begins ${ids.length} ids: ${some}${more}`, { hint: "give more digits" });
}

async function step(store: ChunkStore, at: Resolved, name: string, text: string): Promise<Resolved> {
  if (at.kind !== "tree") throw new GdoError("NOT_FOUND", `${text}: there is no folder to look for ${name} in`);
  const wanted = utf8(name);
  const entry = (await readTree(store, at.id)).entries.find((candidate) => compareBytes(candidate.name, wanted) === 0);
  if (entry === undefined) throw new GdoError("NOT_FOUND", `${text}: there is no ${name}`);
  switch (entry.type) {
    case "file":
      return { id: entry.id, kind: "blob", entry };
    case "directory":
      return { id: entry.id, kind: "tree", entry };
    case "symlink":
      throw new GdoError("NOT_FOUND", `${text}: ${name} is a symbolic link to ${displayPath(entry.target)}`);
    default:
      throw new GdoError("NOT_FOUND", `${text}: ${name} is a ${entry.type} and has no content`);
  }
}

/** Whether a tree holds something by these names. STORE_MISSING, STORE_CORRUPT. */
export async function holdsNames(store: ChunkStore, tree: Hash, names: readonly Uint8Array[]): Promise<boolean> {
  let folder: Hash | undefined = tree;
  for (const name of names) {
    if (folder === undefined) return false;
    const entry: TreeEntry | undefined = (await readTree(store, folder)).entries.find(
      (candidate) => compareBytes(candidate.name, name) === 0,
    );
    if (entry === undefined) return false;
    folder = entry.type === "directory" ? entry.id : undefined;
  }
  return true;
}

/** A name for people and JSON: a byte that is not UTF-8 is written as \xff. */
export function displayName(entry: { readonly name: Uint8Array }): string {
  return displayPath(entry.name);
}
