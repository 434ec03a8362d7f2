import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { bytesOf, concatBytes, equalBytes, type Hash, SeededRng } from "../../lib/base/index.ts";
import { encodeCanonical } from "../../lib/codec/index.ts";
import { PackStore, readBlobBytes } from "../../lib/store/index.ts";
import { buildFaultShim, type CrashPoint, crashPoints, type Fault, isSpared } from "../support/crash-points.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PROGRAM = fileURLToPath(new URL("../support/collect-steps.js", import.meta.url));
const PACK_BYTES_MAX = 30_000;
const BLOB_BYTES_MAX = 1_000_000;
/** 71,000 bytes stay, and less than as much again in packs that are more than half alive; of 127,000. */
const CLEANED_BYTES_MAX = 100_000;

interface Template {
  readonly dir: string;
  readonly live: ReadonlyMap<Hash, Uint8Array>;
}

async function putFile(store: PackStore, path: string, bytes: Uint8Array, previous?: Hash): Promise<Hash> {
  await writeFile(path, bytes);
  const handle = await open(path, "r");
  try {
    const given = previous === undefined ? {} : { previous };
    return (await store.putFile(handle.fd, { profile: "min8-16k", ...given })).id;
  } finally {
    await handle.close();
  }
}

/** A store with a pack that is dead, some under half alive, and a live file that leans on a dead one. */
async function makeTemplate(folder: string): Promise<Template> {
  const dir = join(folder, "template");
  const store = await PackStore.open(dir, { packBytesMax: PACK_BYTES_MAX });
  const rng = new SeededRng(21);
  const [old, noise] = [rng.bytes(60_000), rng.bytes(40_000)];
  const renewed = concatBytes([old.subarray(0, 20_000), rng.bytes(30), old.subarray(20_000)]);
  const oldId = await putFile(store, join(folder, "file"), old);
  await putFile(store, join(folder, "file"), noise);
  const small = [rng.bytes(5_000), rng.bytes(15_000), rng.bytes(6_000)] as const;
  const first = await store.put("chunk", small[0]);
  await store.put("chunk", small[1]);
  const third = await store.put("chunk", small[2]);
  const fileId = await putFile(store, join(folder, "file"), renewed, oldId);
  await store.close();
  return {
    dir,
    live: new Map([
      [fileId, renewed],
      [first, small[0]],
      [third, small[2]],
    ]),
  };
}

async function assertLive(t: ExecutionContext, store: PackStore, { live }: Template, where: string): Promise<void> {
  for (const [id, bytes] of live) {
    const { kind, bytes: held } = await store.get(id);
    const content = kind === "blob" ? await readBlobBytes(store, id, BLOB_BYTES_MAX) : held;
    t.true(equalBytes(content, bytes), `${where}: ${id}`);
  }
  const bad: string[] = [];
  await store.verify((place) => bad.push(`${place.pack} ${place.offset} ${place.what}`));
  t.deepEqual(bad, [], where);
}

/** All that is needed is there, and the next cleaning does what is left. */
async function assertSound(
  t: ExecutionContext,
  { home }: CrashPoint,
  template: Template,
  where: string,
): Promise<void> {
  const dir = join(home, "packs");
  const reader = await PackStore.open(dir, { readOnly: true });
  await assertLive(t, reader, template, `${where}, read`);
  await reader.close();
  const store = await PackStore.open(dir, { packBytesMax: PACK_BYTES_MAX });
  const named = encodeCanonical([...template.live.keys()].map(bytesOf));
  const roots = { whole: async () => [], naming: () => [named] };
  for (let left = 1, runs = 0; left > 0; runs += 1) {
    left = (await store.collect({ roots })).leftPacks;
    t.true(runs < 3, where);
  }
  await assertLive(t, store, template, `${where}, cleaned`);
  t.true((await store.sizeBytes()) < CLEANED_BYTES_MAX, where);
  await store.close();
}

async function strike(
  t: ExecutionContext,
  fault: Fault,
  check: (point: CrashPoint, where: string) => void,
): Promise<string[]> {
  const folder = await temporaryFolder(t);
  const template = await makeTemplate(folder);
  const struck: string[] = [];
  const shim = buildFaultShim(folder);
  const args = [template.dir, ...template.live.keys()];
  for await (const point of crashPoints({ shim, fault, program: PROGRAM, args, folder })) {
    const call = point.calls.at(-1) ?? "";
    const where = `${fault} at call ${point.calls.length}, ${call}`;
    check(point, where);
    await assertSound(t, point, template, where);
    struck.push(call);
  }
  t.log(`${struck.length} points: ${struck.join(", ")}`);
  return struck;
}

for (const fault of ["kill", "power", "tear"] as const) {
  test(`[T11] ${fault} at every call of a cleaning: what is needed is there, and the next goes on`, async (t) => {
    const struck = await strike(t, fault, (point, where) => t.is(point.signal, "SIGKILL", where));
    if (fault === "tear") return;
    for (const name of ["open", "write", "fsync", "fdatasync", "unlink"]) {
      t.true(
        struck.some((call) => call.startsWith(`${name} `)),
        name,
      );
    }
  });
}

for (const [fault, refusal] of [
  ["enospc", "refused STORE_FULL"],
  ["eio", "refused IO"],
] as const) {
  test(`[T11] ${fault} at every call of a cleaning is told, and a second try succeeds`, async (t) => {
    await strike(t, fault, ({ status, output, calls }, where) => {
      t.is(status, 0, where);
      const mayBeSilent = isSpared(calls.at(-1) ?? "");
      t.true(output.includes(refusal) || mayBeSilent, `${where}: ${output}`);
      t.true(output.endsWith("done\n"), where);
    });
  });
}
