/** Cleaning a node's store: what its snapshots, its ledger and what was put lately need stays, the rest goes [T11]. */
import { existsSync } from "node:fs";
import * as z from "zod";
import { bytesOf, GdoError, type Hash } from "../../base/index.ts";
import { encodeCanonical } from "../../codec/index.ts";
import { LedgerDb } from "../../db/index.ts";
import { type Collected, type CollectProgress, RecentPuts, Refs, SnapshotCatalog } from "../../store/index.ts";
import { ImageCatalog } from "../image/catalog.ts";
import { clearCache } from "../image/images.ts";
import type { NodeParts } from "../node-parts.ts";

export const GC_PARAMS = z.strictObject({
  dryRun: z.boolean().default(false),
  budgetBytes: z.int().min(1).optional(),
  /** By which the caller asks how far it is. */
  job: z.string().max(64).optional(),
});

export class Upkeep {
  readonly #parts: NodeParts;
  readonly #catalog: SnapshotCatalog;
  readonly #images: ImageCatalog;
  readonly #puts: RecentPuts;
  readonly #fetching: () => Iterable<readonly Hash[]>;
  /** Trees of snapshots that were forgotten while the store is cleaned: work under way may build on them. */
  #spared: Hash[] | undefined;
  #progress: (CollectProgress & { readonly job: string }) | undefined;

  /** `fetching`: lists of objects that something needs which is not in the store yet. */
  constructor(parts: NodeParts, fetching: () => Iterable<readonly Hash[]>) {
    this.#parts = parts;
    this.#fetching = fetching;
    const refs = new Refs(parts.paths.refs);
    this.#catalog = new SnapshotCatalog(refs);
    this.#images = new ImageCatalog(refs);
    this.#puts = new RecentPuts(refs);
  }

  /** REFUSED while another one runs. Errors as PackStore.collect; STORE_CORRUPT for a damaged ref. */
  async gc({ job, ...options }: z.infer<typeof GC_PARAMS>, signal?: AbortSignal): Promise<Collected> {
    if (this.#spared !== undefined) throw new GdoError("REFUSED", "the store is being cleaned already");
    this.#spared = [];
    try {
      const { store, clock } = this.#parts;
      if (!options.dryRun) await this.#puts.expire(clock.nowMs());
      if (!options.dryRun) await clearCache(this.#parts);
      const recent = await this.#puts.ids(clock.nowMs());
      return await store.collect({
        ...options,
        signal,
        onProgress: (progress) => {
          if (job !== undefined) this.#progress = { job, ...progress };
        },
        roots: { whole: () => this.#snapshots(), naming: () => this.#naming(recent) },
      });
    } finally {
      this.#spared = undefined;
      this.#progress = undefined;
    }
  }

  /** How far a cleaning is; nothing while what is needed is being found, and when there is none of that name. */
  progress(job: string): Partial<CollectProgress> {
    return this.#progress?.job === job ? this.#progress : {};
  }

  /** A snapshot is about to be forgotten. */
  spare(tree: Hash): void {
    this.#spared?.push(tree);
  }

  async #snapshots(): Promise<Hash[]> {
    const kept = await this.#catalog.all(({ path, why }) => {
      throw new GdoError("STORE_CORRUPT", `nothing is removed: what ${path} keeps cannot be told: ${why}`, {
        hint: "gdo verify",
      });
    });
    const images = await this.#images.all();
    return [...new Set([...[...kept, ...images].map(({ tree }) => tree), ...(this.#spared ?? [])])];
  }

  *#naming(recent: readonly Hash[]): Generator<Uint8Array> {
    yield encodeCanonical(recent.map(bytesOf));
    for (const ids of this.#fetching()) yield encodeCanonical(ids.map(bytesOf)); // One list at a time: all are long.
    yield* ledgerContents(this.#parts);
  }
}

/** Everything in the ledgers of a home that may name an object, as canonical bytes. */
export function* ledgerContents({ db, paths }: NodeParts): Generator<Uint8Array> {
  yield* db.contents();
  if (!existsSync(paths.doorDb)) return;
  const door = LedgerDb.open(paths.doorDb, { readOnly: true }); // Beside the door process, which writes it.
  try {
    yield* door.contents();
  } finally {
    door.close();
  }
}
