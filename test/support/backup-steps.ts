/**
 * A process that backs up folders, one after the other into one series, and reports on standard
 * output which snapshots it was told are kept: node backup-steps.js HOME FOLDER... It goes on after a fault as
 * store-steps does.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { FakeClock, GdoError } from "../../lib/base/index.ts";
import { PackStore, Refs, SnapshotCatalog, takeSnapshot } from "../../lib/store/index.ts";

const ATTEMPTS_MAX = 3;
const FIRST_MS = 1_000_000;
const [home = "", ...sources] = process.argv.slice(2);
const catalog = new SnapshotCatalog(new Refs(join(home, "refs")));

/** One backup in a store opened for it. */
async function backup(source: string, timeMs: number): Promise<void> {
  const store = await PackStore.open(join(home, "packs"));
  try {
    const options = { source, name: "test", host: "here", clock: new FakeClock(timeMs) };
    const { id } = await takeSnapshot(store, catalog, options);
    writeSync(1, `kept ${id}\n`);
  } finally {
    await store.close().catch(() => undefined); // What was kept is committed before.
  }
}

async function insist(step: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof GdoError) || attempt === ATTEMPTS_MAX) throw error;
      writeSync(1, `refused ${error.code}\n`);
    }
  }
}

for (const [index, source] of sources.entries()) await insist(() => backup(source, FIRST_MS + index));
writeSync(1, "done\n");
