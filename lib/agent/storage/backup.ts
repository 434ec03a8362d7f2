/** Snapshots of folders into a node's store, and which of them are forgotten: what `backup` and `forget` call. */
import { hostname } from "node:os";
import * as z from "zod";
import { GdoError, type Hash } from "../../base/index.ts";
import {
  type KeptSnapshot,
  type Note,
  Refs,
  type RetentionPolicy,
  retained,
  SnapshotCatalog,
  type SnapshotProgress,
  takeSnapshot,
} from "../../store/index.ts";
import type { NodeParts } from "../node-parts.ts";

const PATTERNS_MAX = 10_000;
const PATTERN_FILE_CHARACTERS_MAX = 1024 * 1024;
/** More are counted and not named: the answer is one line. */
const NOTES_MAX = 10_000;

export const BACKUP_PARAMS = z.strictObject({
  path: z.string().refine((path) => path.startsWith("/"), "must be an absolute path"),
  name: z.string(),
  /** By which the caller asks how far it is. */
  job: z.string().max(64).optional(),
  exclude: z.array(z.string().max(4096)).max(PATTERNS_MAX).default([]),
  /** Contents of files of patterns, base64. */
  excludeFiles: z.array(z.base64().max(PATTERN_FILE_CHARACTERS_MAX)).max(64).default([]),
  oneFileSystem: z.boolean().default(false),
  rereadAll: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});

export const PROGRESS_PARAMS = z.strictObject({ job: z.string().max(64) });

const count = z.int().min(0).max(1_000_000).optional();
export const FORGET_PARAMS = z.strictObject({
  name: z.string(),
  last: count,
  hourly: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
  dryRun: z.boolean().default(false),
});

export type BackupParams = z.infer<typeof BACKUP_PARAMS>;
export type ForgetParams = z.infer<typeof FORGET_PARAMS>;

export interface ForgetReport {
  readonly kept: readonly SnapshotRow[];
  readonly removed: readonly SnapshotRow[];
}

export interface SnapshotRow {
  readonly id: string;
  readonly timeMs: number;
  /** Why it stays: last, hourly, … */
  readonly reasons: readonly string[];
}

/** The backups of one node. Several may run at once; the store takes their objects in turn. */
export class Backups {
  readonly #parts: NodeParts;
  readonly #catalog: SnapshotCatalog;
  readonly #progress = new Map<string, SnapshotProgress>();

  readonly #onForget: (tree: Hash) => void;

  /** `onForget` is told before a snapshot of that tree goes. */
  constructor(parts: NodeParts, onForget: (tree: Hash) => void) {
    this.#parts = parts;
    this.#onForget = onForget;
    this.#catalog = new SnapshotCatalog(new Refs(parts.paths.refs));
  }

  /** Errors as takeSnapshot; the signal's reason when that ended it: then nothing is kept by name. */
  async backup(
    { path, name, job, exclude, excludeFiles, ...options }: BackupParams,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const { store, clock, paths } = this.#parts;
    const before = await store.sizeBytes();
    const notes: Omit<Note, "cause">[] = [];
    const exclusion = { patterns: exclude, files: excludeFiles.map((text) => Buffer.from(text, "base64")) };
    try {
      const taken = await takeSnapshot(store, this.#catalog, {
        ...options,
        ...(signal === undefined ? {} : { signal }),
        source: path,
        name,
        host: hostname(),
        clock,
        exclusion,
        closed: [paths.packs],
        onNote: ({ kind, path: where, why }) => {
          if (notes.length < NOTES_MAX) notes.push({ kind, path: where, why });
        },
        onProgress: (progress) => {
          if (job !== undefined) this.#progress.set(job, progress);
        },
      });
      return { name, ...taken, told: notes, storedBytes: (await store.sizeBytes()) - before };
    } finally {
      if (job !== undefined) this.#progress.delete(job);
    }
  }

  /** How far a backup is; nothing when there is none of that name, or it is done. */
  progress(job: string): Partial<SnapshotProgress> {
    return this.#progress.get(job) ?? {};
  }

  /** REFUSED when the policy asks for nothing: everything would go. NOT_FOUND. */
  async forget({ name, dryRun, ...numbers }: ForgetParams): Promise<ForgetReport> {
    const policy = Object.fromEntries(
      Object.entries(numbers).filter(([, value]) => value !== undefined),
    ) as RetentionPolicy;
    if (Object.values(policy).every((value) => value === 0)) {
      throw new GdoError("REFUSED", "nothing would be kept", { hint: `gdo forget ${name} --keep-last 1` });
    }
    const snapshots = await this.#catalog.list(name);
    if (snapshots.length === 0) {
      throw new GdoError("NOT_FOUND", `nothing is kept under ${name}`, { hint: "gdo snapshots" });
    }
    const reasons = retained(snapshots, policy);
    const row = (snapshot: KeptSnapshot): SnapshotRow => {
      return { id: snapshot.id, timeMs: snapshot.timeMs, reasons: reasons.get(snapshot) ?? [] };
    };
    const stays = (snapshot: KeptSnapshot): boolean => (reasons.get(snapshot) ?? []).length > 0;
    const going = snapshots.filter((snapshot) => !stays(snapshot));
    for (const snapshot of dryRun ? [] : going) {
      this.#onForget(snapshot.tree);
      await this.#catalog.remove(snapshot);
    }
    return { kept: snapshots.filter(stays).map(row), removed: going.map(row) };
  }
}
