/**
 * A process that cleans a store: node collect-steps.js HOME TEMPLATE LIVE... The store in the folder TEMPLATE is
 * copied to HOME/packs first; LIVE are the ids that stay. It goes on after a fault as store-steps does.
 */
import { execFileSync } from "node:child_process";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { bytesOf, GdoError, type Hash } from "../../lib/base/index.ts";
import { encodeCanonical } from "../../lib/codec/index.ts";
import { PackStore } from "../../lib/store/index.ts";

const ATTEMPTS_MAX = 3;
const PACK_BYTES_MAX = 30_000;
const [home = "", template = "", ...live] = process.argv.slice(2);
const dir = join(home, "packs");
// Not under the shim: its calls are none of the cleaning's.
execFileSync("cp", ["-a", template, dir], { env: { PATH: process.env.PATH } });

async function clean(): Promise<void> {
  const store = await PackStore.open(dir, { packBytesMax: PACK_BYTES_MAX });
  try {
    const named = encodeCanonical((live as Hash[]).map(bytesOf));
    await store.collect({ roots: { whole: async () => [], naming: () => [named] } });
  } finally {
    await store.close();
  }
}

for (let attempt = 1; ; attempt += 1) {
  try {
    await clean();
    break;
  } catch (error) {
    if (!(error instanceof GdoError) || attempt === ATTEMPTS_MAX) throw error;
    writeSync(1, `refused ${error.code}\n`);
  }
}
writeSync(1, "done\n");
