/**
 * A process that takes a small store through all that a writer does, and reports on standard output what it
 * was told is durable: node store-steps.js HOME. When the disk fails, it does what a caller should: after a
 * full disk it tries the same again, after anything else it opens the store anew and tries again.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { GdoError } from "../../lib/base/index.ts";
import { PackStore } from "../../lib/store/index.ts";
import { STEPS } from "./store-step-contents.ts";

const ATTEMPTS_MAX = 3; // One fault is let in; a second try may meet what the first left behind.
const PACK_BYTES_MAX = 30_000;
const [home = ""] = process.argv.slice(2);
const dir = join(home, "packs");
let store: PackStore | undefined;

async function openStore(): Promise<PackStore> {
  store ??= await PackStore.open(dir, { packBytesMax: PACK_BYTES_MAX });
  return store;
}

async function closeStore(): Promise<void> {
  const open = store;
  store = undefined;
  await open?.close();
}

/** Runs a step until it succeeds; tells each refusal by its code. */
async function insist(step: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof GdoError) || attempt === ATTEMPTS_MAX) throw error;
      writeSync(1, `refused ${error.code}\n`);
      if (error.code !== "STORE_FULL") await closeStore().catch(() => undefined);
    }
  }
}

for (const contents of STEPS) {
  await insist(async () => {
    const open = await openStore();
    const ids: string[] = [];
    for (const bytes of contents) ids.push(await open.put("chunk", bytes));
    await open.commit();
    writeSync(1, `durable ${ids.join(" ")}\n`);
  });
  // Twice a step begins with a store just opened, and so with a pack that is continued.
  if (contents !== STEPS[1]) await insist(closeStore);
}
writeSync(1, "done\n");
