/** `gdo verify`: every object of the store, what each snapshot needs, every block of the ledger, and the door's own log, against themselves. */
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { LedgerDb } from "../db/index.ts";
import { checkSnapshots, Refs, SnapshotCatalog } from "../store/index.ts";
import type { GdoNode } from "./node.ts";

export interface Damage {
  readonly what: string;
  /** File, and the place in it where that is known. */
  readonly where: string;
  readonly id?: string;
}

export interface VerifiedHome {
  readonly objects: number;
  readonly blocks: number;
  readonly snapshots: number;
  readonly bad: readonly Damage[];
}

export async function verifyHome({ parts: { db, store, paths } }: GdoNode): Promise<VerifiedHome> {
  const bad: Damage[] = [];
  const { objects } = await store.verify(({ pack, offset, what, id }) =>
    bad.push({ what, where: `packs/${pack} at byte ${offset}`, ...(id === undefined ? {} : { id }) }),
  );
  const { snapshots } = await checkSnapshots(store, new SnapshotCatalog(new Refs(paths.refs)), {
    onDamaged: ({ path, why }) => bad.push({ what: why, where: relative(paths.root, path) }),
    onLack: ({ snapshot, id, why }) => bad.push({ what: why, where: `snapshot ${snapshot}`, id }),
  });
  let blocks = report(db, "ledger.db", bad);
  if (existsSync(paths.doorDb)) {
    const door = LedgerDb.open(paths.doorDb, { readOnly: true }); // Beside the door process, which writes it.
    try {
      blocks += report(door, "door.db (ledger of the door)", bad);
    } finally {
      door.close();
    }
  }
  return { objects, blocks, snapshots, bad };
}

function report(db: LedgerDb, file: string, bad: Damage[]): number {
  const { blocks, bad: found } = db.verify();
  bad.push(...found.map(({ id, what }) => ({ what, where: file, id })));
  return blocks;
}
