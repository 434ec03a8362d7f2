/** One snapshot of a folder: read, made durable, then kept by its ref [T5][T8]. */
import { lstat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Clock, Hash } from "../../base/index.ts";
import { equalBytes } from "../../base/index.ts";
import type { Note } from "../capture/note.ts";
import { statFolder } from "../capture/put.ts";
import { type ExclusionOptions, selectionOf } from "../capture/selection.ts";
import { Survey } from "../capture/survey.ts";
import { type FileChange, type ReadingRules, TreeReader } from "../capture/tree-reader.ts";
import { keyOf } from "../capture/visit.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { withIoErrors } from "../io-error.ts";
import { toPath } from "../tree/name.ts";
import { type KeptSnapshot, SnapshotCatalog } from "./catalog.ts";
import { DryStore } from "./dry-store.ts";

export interface SnapshotProgress {
  /** Known once the first pass over the folder is done. */
  readonly filesTotal?: number;
  readonly bytesTotal?: number;
  readonly files: number;
  readonly bytes: number;
}

export interface TakeSnapshotOptions {
  /** The folder, an absolute path. */
  readonly source: string;
  /** The series that the snapshot belongs to. */
  readonly name: string;
  readonly host: string;
  readonly clock: Clock;
  readonly exclusion?: ExclusionOptions;
  readonly oneFileSystem?: boolean;
  /** Folders that are kept empty: the store's own. */
  readonly closed?: readonly string[];
  /** Reads everything, keeps nothing. */
  readonly dryRun?: boolean;
  /** Reads again also what has not changed by its size, times and inode. */
  readonly rereadAll?: boolean;
  /** Ends the reading early; nothing is kept by name then. */
  readonly signal?: AbortSignal;
  readonly onNote?: (note: Note) => void;
  readonly onProgress?: (progress: SnapshotProgress) => void;
}

export interface TakenSnapshot {
  /** Absent after a dry run. */
  readonly id?: Hash;
  readonly tree: Hash;
  readonly previous?: Hash;
  readonly timeMs: number;
  readonly files: number;
  readonly bytes: number;
  readonly changes: Readonly<Record<FileChange, number>>;
  readonly notes: Readonly<Record<Note["kind"], number>>;
  /** Only of a dry run: what would be new to the store, before compression. */
  readonly newBytes?: number;
}

/**
 * Takes a snapshot. Files that are where they were, and look as they did, in the newest snapshot of the
 * same folder in the series are not read again. What cannot be read is told and counted, not an error.
 * NOT_FOUND, INPUT_INVALID for the folder or the name, STORE_FULL, IO.
 */
export async function takeSnapshot(
  store: ChunkStore,
  catalog: SnapshotCatalog,
  options: TakeSnapshotOptions,
): Promise<TakenSnapshot> {
  SnapshotCatalog.assertName(options.name);
  const timeMs = Math.floor(options.clock.nowMs());
  const stats = await statFolder(options.source, { hint: hintForFile(options) });
  const path = toPath(options.source);
  const previous = (await catalog.list(options.name)).findLast(({ source }) => equalBytes(source, path));
  const target = options.dryRun ? new DryStore(store) : store;
  const count = new Count(options);
  const rules = await rulesOf(options, count);
  const tree = await withIoErrors(`cannot read ${options.source}`, async () => {
    const survey = await Survey.of(path, stats, rules);
    count.surveyed(survey);
    return new TreeReader(target, survey.groups, rules).read(path, stats, previous?.tree);
  });
  const taken = { tree, timeMs, ...count.result(), ...(previous === undefined ? {} : { previous: previous.id }) };
  if (target instanceof DryStore) return { ...taken, newBytes: target.newBytes };
  options.signal?.throwIfAborted();
  await store.commit(); // The ref comes last [T8].
  return { ...taken, id: await keep(catalog, options, taken, previous) };
}

/** One file alone: its folder, and in it nothing else. */
function hintForFile({ source, name }: TakeSnapshotOptions): string {
  return `gdo backup '${dirname(source)}' --to ${name} --exclude '/*' --exclude '!/${basename(source)}'`;
}

function keep(
  catalog: SnapshotCatalog,
  { name, host, source }: TakeSnapshotOptions,
  { tree, timeMs, files, bytes, notes }: Omit<TakenSnapshot, "id">,
  previous: KeptSnapshot | undefined,
): Promise<Hash> {
  return catalog.add(name, {
    tree,
    timeMs,
    host,
    source: toPath(source),
    files,
    sizeBytes: bytes,
    lacking: notes.unreadable,
    ...(previous === undefined ? {} : { previous: previous.id }),
  });
}

async function rulesOf(options: TakeSnapshotOptions, count: Count): Promise<ReadingRules> {
  const { exclusion = {}, oneFileSystem = false, rereadAll = false, closed = [], clock } = options;
  const folders = await Promise.all(closed.map((path) => lstat(path, { bigint: true })));
  return {
    selection: selectionOf(exclusion),
    oneFileSystem,
    rereadAll,
    signal: options.signal,
    closed: new Set(folders.map(keyOf)),
    nowNs: () => BigInt(Math.floor(clock.nowMs())) * 1_000_000n,
    onNote: (note) => count.note(note),
    onFile: (change) => count.file(change),
    onBytes: (bytes) => count.read(bytes),
  };
}

class Count {
  readonly #options: TakeSnapshotOptions;
  readonly #changes: Record<FileChange, number> = { new: 0, changed: 0, unchanged: 0 };
  readonly #notes: Record<Note["kind"], number> = { unreadable: 0, vanished: 0, changed: 0, skipped: 0 };
  #files = 0;
  #bytes = 0;
  #totals: { filesTotal: number; bytesTotal: number } | undefined;

  constructor(options: TakeSnapshotOptions) {
    this.#options = options;
  }

  surveyed({ files, bytes }: Survey): void {
    this.#totals = { filesTotal: files, bytesTotal: bytes };
    this.#tell();
  }

  note(note: Note): void {
    this.#notes[note.kind] += 1;
    this.#options.onNote?.(note);
  }

  file(change: FileChange): void {
    this.#changes[change] += 1;
    this.#files += 1;
    this.#tell();
  }

  read(bytes: number): void {
    this.#bytes += bytes;
    this.#tell();
  }

  result(): Pick<TakenSnapshot, "files" | "bytes" | "changes" | "notes"> {
    return { files: this.#files, bytes: this.#bytes, changes: this.#changes, notes: this.#notes };
  }

  #tell(): void {
    this.#options.onProgress?.({ files: this.#files, bytes: this.#bytes, ...this.#totals });
  }
}
