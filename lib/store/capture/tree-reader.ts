/** The second pass over a folder: everything in it into the store [T4]. */
import type { BigIntStats } from "node:fs";
import { type FileHandle, readlink } from "node:fs/promises";
import type { ProfileName } from "../../addon.ts";
import { GdoError, type Hash } from "../../base/index.ts";
import { putBlobFile } from "../blob/blob-file.ts";
import type { PutBlob } from "../blob/blob-writer.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { DEFAULT_PROFILE } from "../file-store.ts";
import { attributesOf, readXattrs } from "../tree/attributes.ts";
import { displayPath } from "../tree/name.ts";
import { type Attributes, encodeTreeNode, type FileEntry, type Origin, type TreeEntry } from "../tree/node.ts";
import { readTree } from "../tree/path.ts";
import { openSource, readPieces } from "./file-source.ts";
import type { LinkGroups } from "./link-groups.ts";
import { type NoteKind, noteOfFailure, type OnNote } from "./note.ts";
import { type Child, Visit, type VisitRules } from "./visit.ts";

export interface ReadingRules extends VisitRules {
  readonly profile?: ProfileName;
  /** Attributes that every entry gets instead of its own, and no extended ones. */
  readonly fixed?: Partial<Pick<Attributes, "uid" | "gid" | "mtimeNs">>;
  /** Told of what is not kept as it was. What it throws ends the reading. */
  readonly onNote: OnNote;
  /** Of a reading that may be followed by another: wall time now. Files then remember where they were. */
  readonly nowNs?: () => bigint;
  /** Reads again what is where it was, and looks as it did. */
  readonly rereadAll?: boolean;
  /** Ends the reading with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each file as it was read, or found unchanged. */
  readonly onFile?: (change: FileChange, sizeBytes: number) => void;
  /** Told of content as it is read, or found unchanged. */
  readonly onBytes?: (bytes: number) => void;
}

export type FileChange = "new" | "changed" | "unchanged";

type Content = Pick<FileEntry, "id" | "sizeBytes" | "origin" | "attributes">;
type Before = ReadonlyMap<string, TreeEntry>;

const NOTHING: Before = new Map();
/** A file system's clock may stand still so long: what is written then may look as if it had not been. */
const FINE_TICK_NS = 20_000_000n;
const COARSE_TICK_NS = 2_000_000_000n;
const SECOND_NS = 1_000_000_000n;

export class TreeReader {
  readonly #store: ChunkStore;
  readonly #groups: LinkGroups;
  readonly #rules: ReadingRules;
  /** Content of files with several names, by group: each is read once. */
  readonly #linked = new Map<string, Content>();

  constructor(store: ChunkStore, groups: LinkGroups, rules: ReadingRules) {
    this.#store = store;
    this.#groups = groups;
    this.#rules = rules;
  }

  /** The tree of a folder. `previous` is the tree of an earlier reading of it. */
  async read(path: Buffer, stats: BigIntStats, previous?: Hash): Promise<Hash> {
    return this.#folder(await Visit.open(path, stats, this.#rules), stats, previous);
  }

  async #folder(visit: Visit, stats: BigIntStats, previous: Hash | undefined): Promise<Hash> {
    try {
      const attributes = this.#attributes(stats, visit.self);
      const entries = await this.#entries(visit, await this.#before(previous));
      return await this.#putFolder(visit, { attributes, entries });
    } finally {
      await visit.close();
    }
  }

  async #entries(visit: Visit, before: Before): Promise<TreeEntry[]> {
    const entries: TreeEntry[] = [];
    try {
      for await (const child of visit.children(this.#rules.onNote)) {
        this.#rules.signal?.throwIfAborted();
        const entry = await this.#child(visit, child, before.get(keyOfName(child.name)));
        if (entry !== undefined) entries.push(entry);
      }
    } catch (error) {
      this.#rules.onNote(noteOfFailure(visit.shown, error));
    }
    return entries;
  }

  /** A folder with more entries than an object can hold is kept empty and told. */
  async #putFolder(visit: Visit, node: { attributes: Attributes; entries: TreeEntry[] }): Promise<Hash> {
    try {
      return await this.#store.put("tree", encodeTreeNode(node));
    } catch (error) {
      if (!(error instanceof GdoError) || error.code !== "INPUT_INVALID") throw error;
      this.#note("unreadable", visit.shown, `it has ${node.entries.length} entries, more than a tree can hold`);
      return this.#store.put("tree", encodeTreeNode({ ...node, entries: [] }));
    }
  }

  async #before(previous: Hash | undefined): Promise<Before> {
    if (previous === undefined || !this.#store.has(previous)) return NOTHING;
    const { entries } = await readTree(this.#store, previous);
    return new Map(entries.map((entry) => [keyOfName(entry.name), entry]));
  }

  async #child(visit: Visit, child: Child, before: TreeEntry | undefined): Promise<TreeEntry | undefined> {
    try {
      if (child.stats.isDirectory()) return await this.#childFolder(visit, child, before);
      return await this.#leaf(child, before);
    } catch (error) {
      this.#rules.onNote(noteOfFailure(child.shown, error));
      return undefined;
    }
  }

  async #childFolder(visit: Visit, child: Child, before: TreeEntry | undefined): Promise<TreeEntry> {
    const { name, stats } = child;
    const previous = before?.type === "directory" ? before.id : undefined;
    const inner = await visit.enter(child, this.#rules.onNote);
    if (inner !== undefined) return { type: "directory", name, id: await this.#folder(inner, stats, previous) };
    const attributes = this.#attributes(stats, child.at);
    return { type: "directory", name, id: await this.#store.put("tree", encodeTreeNode({ attributes, entries: [] })) };
  }

  async #leaf(child: Child, before: TreeEntry | undefined): Promise<TreeEntry | undefined> {
    const { name, stats, at } = child;
    const linkGroup = this.#groups.of(stats);
    const head = { name, ...(linkGroup === undefined ? {} : { linkGroup }) };
    if (stats.isFile()) return { type: "file", ...head, ...(await this.#file(child, before, linkGroup)) };
    if (stats.isSocket()) return this.#note("skipped", child.shown, "a socket is not kept");
    const attributes = this.#attributes(stats, at);
    if (stats.isSymbolicLink()) {
      return { type: "symlink", ...head, attributes, target: await readlink(at, { encoding: "buffer" }) };
    }
    if (stats.isFIFO()) return { type: "fifo", ...head, attributes };
    const type = stats.isBlockDevice() ? "block" : "character";
    return { type, ...head, attributes, ...deviceNumbers(stats.rdev) };
  }

  async #file(child: Child, before: TreeEntry | undefined, linkGroup: string | undefined): Promise<Content> {
    const known = linkGroup === undefined ? undefined : this.#linked.get(linkGroup);
    if (known !== undefined) this.#rules.onBytes?.(known.sizeBytes);
    const content = known ?? this.#unchanged(child, before) ?? (await this.#readFile(child, before));
    if (linkGroup !== undefined) this.#linked.set(linkGroup, content);
    this.#rules.onFile?.(changeOf(before, content.id), content.sizeBytes);
    return content;
  }

  /** What the earlier reading kept, if nothing speaks for a change since. */
  #unchanged({ stats, at }: Child, before: TreeEntry | undefined): Content | undefined {
    if (this.#rules.rereadAll || before?.type !== "file" || before.origin === undefined) return undefined;
    const { inode, ctimeNs } = before.origin;
    const isSame = inode === stats.ino && ctimeNs === stats.ctimeNs && before.attributes.mtimeNs === stats.mtimeNs;
    if (!isSame || BigInt(before.sizeBytes) !== stats.size || !this.#store.has(before.id)) return undefined;
    this.#rules.onBytes?.(before.sizeBytes);
    const { id, sizeBytes, origin } = before;
    return { id, sizeBytes, origin, attributes: this.#attributes(stats, at) };
  }

  async #readFile(child: Child, before: TreeEntry | undefined): Promise<Content> {
    const handle = await openSource(child.at);
    try {
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) throw Object.assign(new Error("ESTALE: it is no file any more"), { code: "ESTALE" });
      const attributes = this.#attributes(stats, handle.fd);
      const { id, sizeBytes } = await this.#put(handle, Number(stats.size), this.#heldBlob(before));
      const origin = this.#originOf(stats, await handle.stat({ bigint: true }));
      if (origin === undefined) this.#note("changed", child.shown, "it changed while it was read");
      return { id, sizeBytes, attributes, ...(isKept(origin) ? { origin } : {}) };
    } finally {
      await handle.close();
    }
  }

  #heldBlob(before: TreeEntry | undefined): Hash | undefined {
    return before?.type === "file" && this.#store.has(before.id) ? before.id : undefined;
  }

  /** What changed since `previous` is stored as a difference to it [T6]. */
  async #put(handle: FileHandle, sizeBytesMax: number, previous: Hash | undefined): Promise<PutBlob> {
    let told = 0;
    const onProgress = (doneBytes: number): void => {
      this.#rules.onBytes?.(doneBytes - told);
      told = doneBytes;
    };
    const { profile = DEFAULT_PROFILE, signal } = this.#rules;
    try {
      const blob = await putBlobFile(this.#store, handle, { profile, sizeBytesMax, previous, onProgress, signal });
      onProgress(blob.sizeBytes);
      return blob;
    } catch (error) {
      // Whose failure it was: the file's own shows again, and is told as such.
      signal?.throwIfAborted();
      if (error instanceof GdoError) for await (const _ of readPieces(handle, sizeBytesMax));
      throw error;
    }
  }

  /** undefined when the file has changed; "fresh" when a change now might not show later. */
  #originOf(stats: BigIntStats, after: BigIntStats): Origin | "fresh" | undefined {
    const isSame = after.size === stats.size && after.mtimeNs === stats.mtimeNs && after.ctimeNs === stats.ctimeNs;
    if (!isSame) return undefined;
    const tickNs = stats.ctimeNs % SECOND_NS === 0n ? COARSE_TICK_NS : FINE_TICK_NS;
    const nowNs = this.#rules.nowNs?.();
    if (nowNs === undefined || nowNs - stats.ctimeNs < tickNs) return "fresh";
    return { inode: stats.ino, ctimeNs: stats.ctimeNs };
  }

  #attributes(stats: BigIntStats, file: Buffer | number): Attributes {
    if (this.#rules.fixed !== undefined) return { ...attributesOf(stats), ...this.#rules.fixed };
    return attributesOf(stats, readXattrs(file));
  }

  #note(kind: NoteKind, path: Uint8Array, why: string): undefined {
    this.#rules.onNote({ kind, path: displayPath(path), why });
    return undefined;
  }
}

function changeOf(before: TreeEntry | undefined, id: Hash): FileChange {
  if (before === undefined) return "new";
  return before.type === "file" && before.id === id ? "unchanged" : "changed";
}

function isKept(origin: Origin | "fresh" | undefined): origin is Origin {
  return typeof origin === "object";
}

function keyOfName(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.length).toString("latin1");
}

/** Linux packs both numbers into one, in this order of bits. */
function deviceNumbers(rdev: bigint): { major: number; minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
