/**
 * A process that puts one file into a store: node session-steps.js HOME TEMPLATE PACK_BYTES_MAX FILE [PREVIOUS].
 * The store in the folder TEMPLATE is copied to HOME/packs first; PREVIOUS is the blob of an earlier version.
 */
import { execFileSync } from "node:child_process";
import { writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Hash } from "../../lib/base/index.ts";
import { PackStore } from "../../lib/store/index.ts";

const [home = "", template = "", packBytesMax = "", path = "", previous] = process.argv.slice(2);
const dir = join(home, "packs");
// Not under the shim: its calls are none of the session's.
execFileSync("cp", ["-a", template, dir], { env: { PATH: process.env.PATH } });
const store = await PackStore.open(dir, { packBytesMax: Number(packBytesMax) });
const file = await open(path);
const { id } = await store.putFile(file.fd, { profile: "min8-16k", previous: previous as Hash | undefined });
await file.close();
await store.commit();
writeSync(1, `durable ${id}\n`);
await store.close();
writeSync(1, "done\n");
