/**
 * `gdo verify`: packs and index, all that is kept by name, every block of the ledger, and the door's own
 * log, against themselves [T10][T11].
 */
import { existsSync } from "node:fs";
import { relative } from "node:path";
import * as z from "zod";
import { GdoError, type Hash } from "../../base/index.ts";
import { LedgerDb } from "../../db/index.ts";
import { checkNamed, RecentPuts, Refs, SnapshotCatalog, Throttle } from "../../store/index.ts";
import type { GdoNode } from "../node.ts";
import { ledgerContents } from "./upkeep.ts";
import { type KeptPoint, readPoint, removePoint, writePoint } from "./verify-point.ts";

export const VERIFY_PARAMS = z.strictObject({
  depth: z.enum(["quick", "structure", "full"]).default("full"),
  rateBytes: z.int().min(1).optional(),
  restart: z.boolean().default(false),
  /** By which the caller asks how far it is. */
  job: z.string().max(64).optional(),
});
export type VerifyParams = z.infer<typeof VERIFY_PARAMS>;

export interface Damage {
  readonly what: string;
  /** File, and the place in it where that is known; or whoever needs it. */
  readonly where: string;
  readonly id?: string;
}

export interface VerifiedHome {
  readonly objects: number;
  readonly blocks: number;
  readonly snapshots: number;
  readonly bad: readonly Damage[];
  /** Needed and not there: peers may have it. */
  readonly missing: readonly { readonly id: Hash; readonly where: string }[];
  readonly badCount: number;
  readonly missingCount: number;
  /** When what it went on with was begun. */
  readonly goneOnFromMs?: number;
}

/** More are counted and not named: the answer is one line. */
const NAMED_MAX = 10_000;
/** What is done within this time may have to be done again after a crash. */
const SAVE_EVERY_MS = 1000;
/** Keys of the charter's state, before the name. */
const DAPP = "dapp/";

interface Progress {
  readonly bytes: number;
  readonly bytesTotal: number;
}

/** The verifications of one node, one at a time. */
export class Verifier {
  readonly #node: GdoNode;
  #running: { readonly job: string | undefined; progress?: Progress } | undefined;

  constructor(node: GdoNode) {
    this.#node = node;
  }

  /** How far a verification is; nothing when there is none of that name, or it is done. */
  progress(job: string): Partial<Progress> {
    return this.#running?.job === job ? (this.#running.progress ?? {}) : {};
  }

  /** REFUSED while another one runs; IO; the signal's reason. */
  async verify(params: VerifyParams, signal?: AbortSignal): Promise<VerifiedHome> {
    if (this.#running !== undefined) throw new GdoError("REFUSED", "the store is being verified already");
    const running: { readonly job: string | undefined; progress?: Progress } = { job: params.job };
    this.#running = running;
    const onProgress = (progress: Progress): void => {
      running.progress = progress;
    };
    try {
      return await new Verification(this.#node, params, { signal, onProgress }).run();
    } finally {
      this.#running = undefined;
    }
  }
}

class Verification {
  readonly #node: GdoNode;
  readonly #params: VerifyParams;
  readonly #signal: AbortSignal | undefined;
  readonly #onProgress: (progress: Progress) => void;
  readonly #pace: ((bytes: number) => Promise<void>) | undefined;
  readonly #bad: Damage[] = [];
  readonly #missing: { id: Hash; where: string }[] = [];
  #badCount = 0;
  #missingCount = 0;

  constructor(
    node: GdoNode,
    params: VerifyParams,
    { signal, onProgress }: { signal: AbortSignal | undefined; onProgress: (progress: Progress) => void },
  ) {
    this.#node = node;
    this.#params = params;
    this.#signal = signal;
    this.#onProgress = onProgress;
    if (params.rateBytes === undefined) return;
    const throttle = new Throttle(node.parts.clock, params.rateBytes);
    this.#pace = (bytes) => throttle.spend(bytes, signal);
  }

  async run(): Promise<VerifiedHome> {
    const { objects, ...from } = await this.#packs();
    const snapshots = this.#params.depth === "quick" ? await this.#refs() : await this.#needs();
    const blocks = this.#params.depth === "quick" ? 0 : this.#ledgers();
    return {
      objects,
      blocks,
      snapshots,
      bad: this.#bad,
      missing: this.#missing,
      badCount: this.#badCount,
      missingCount: this.#missingCount,
      ...from,
    };
  }

  #tell(damage: Damage): void {
    this.#badCount += 1;
    if (this.#bad.length < NAMED_MAX) this.#bad.push(damage);
  }

  async #packs(): Promise<{ objects: number; goneOnFromMs?: number }> {
    if (this.#params.depth === "full") return this.#allBytes();
    const { objects } = await this.#store({ depth: "quick" });
    return { objects };
  }

  async #allBytes(): Promise<{ objects: number; goneOnFromMs?: number }> {
    const { paths, clock } = this.#node.parts;
    const path = paths.verifyPoint;
    if (this.#params.restart) removePoint(path);
    const from = readPoint(path);
    const startedMs = from?.startedMs ?? Math.floor(clock.nowMs());
    let unsaved: KeptPoint | undefined;
    let savedMs = clock.nowMs();
    const save = (): void => {
      if (unsaved !== undefined) writePoint(path, unsaved);
      unsaved = undefined;
      savedMs = clock.nowMs();
    };
    try {
      const { objects } = await this.#store({
        depth: "full",
        from,
        onPoint: (point) => {
          unsaved = { ...point, startedMs };
          if (Math.abs(clock.nowMs() - savedMs) >= SAVE_EVERY_MS) save();
        },
      });
      unsaved = undefined;
      removePoint(path);
      return { objects, ...(from === undefined ? {} : { goneOnFromMs: startedMs }) };
    } finally {
      save();
    }
  }

  #store(options: Parameters<GdoNode["parts"]["store"]["verify"]>[1]): Promise<{ objects: number }> {
    const { store } = this.#node.parts;
    const all = { ...options, pace: this.#pace, signal: this.#signal, onProgress: this.#onProgress };
    return store.verify(({ pack, offset, what, id }) => {
      this.#tell({ what, where: `packs/${pack} at byte ${offset}`, ...(id === undefined ? {} : { id }) });
    }, all);
  }

  #catalog(): SnapshotCatalog {
    return new SnapshotCatalog(new Refs(this.#node.parts.paths.refs));
  }

  readonly #onDamagedRef = ({ path, why }: { path: string; why: string }): void =>
    this.#tell({ what: why, where: relative(this.#node.parts.paths.root, path) });

  async #refs(): Promise<number> {
    return (await this.#catalog().all(this.#onDamagedRef)).length;
  }

  async #needs(): Promise<number> {
    const { store, clock, paths, db } = this.#node.parts;
    const puts = await new RecentPuts(new Refs(paths.refs)).ids(clock.nowMs());
    // Who votes on no branch runs no dapp, and does without the images.
    const dapps = this.#node.isValidator() ? [...db.charterAt().scan(DAPP)] : [];
    const { snapshots } = await checkNamed(store, this.#catalog(), {
      needed: [
        ...puts.map((id) => ({ id, by: `put ${id}` })),
        ...dapps.map(([key, value]) => {
          return { id: (value as { tree: Hash }).tree, by: `dapp ${key.slice(DAPP.length)}` };
        }),
      ],
      naming: { by: "the ledger", contents: () => ledgerContents(this.#node.parts) },
      pace: this.#pace,
      signal: this.#signal,
      onDamaged: this.#onDamagedRef,
      onLack: ({ id, by, isDamaged, what }) => {
        if (isDamaged) return this.#tell({ what, where: by, id });
        this.#missingCount += 1;
        if (this.#missing.length < NAMED_MAX) this.#missing.push({ id, where: by });
      },
    });
    return snapshots;
  }

  #ledgers(): number {
    const { db, paths } = this.#node.parts;
    const blocks = this.#ledger(db, "ledger.db");
    if (!existsSync(paths.doorDb)) return blocks;
    const door = LedgerDb.open(paths.doorDb, { readOnly: true }); // Beside the door process, which writes it.
    try {
      return blocks + this.#ledger(door, "door.db (ledger of the door)");
    } finally {
      door.close();
    }
  }

  #ledger(db: LedgerDb, file: string): number {
    const { blocks, bad } = db.verify();
    for (const { id, what } of bad) this.#tell({ what, where: file, ...(id === undefined ? {} : { id }) });
    return blocks;
  }
}
