import { open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { concatBytes, equalBytes, type Hash, SeededRng } from "../../lib/base/index.ts";
import { PackStore, readBlobBytes } from "../../lib/store/index.ts";
import { buildFaultShim, type CrashPoint, crashPoints } from "../support/crash-points.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PROGRAM = fileURLToPath(new URL("../support/session-steps.js", import.meta.url));
const BLOB_BYTES_MAX = 1_000_000;

/** A store as a session finds it, and the file that the session puts. */
interface Session {
  readonly dir: string;
  readonly packBytesMax: number;
  readonly held: ReadonlyMap<Hash, Uint8Array>;
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly previous?: Hash;
}

async function putFile(store: PackStore, path: string, previous?: Hash): Promise<{ id: Hash; storedBytes: number }> {
  const handle = await open(path);
  try {
    return await store.putFile(handle.fd, { profile: "min8-16k", previous });
  } finally {
    await handle.close();
  }
}

/** As many sessions as there are contents, each of which leaves sealed packs and a run of the index. */
async function sessionAfter(folder: string, contents: readonly Uint8Array[], next: Uint8Array): Promise<Session> {
  const dir = join(folder, "template");
  const path = join(folder, "file");
  const packBytesMax = 8 * Math.min(...contents.map(({ length }) => length));
  const held = new Map<Hash, Uint8Array>();
  for (const bytes of contents) {
    const store = await PackStore.open(dir, { packBytesMax });
    await writeFile(path, bytes);
    held.set((await putFile(store, path)).id, bytes);
    await store.close();
  }
  await writeFile(path, next);
  return { dir, packBytesMax, held, path, bytes: next };
}

async function assertHolds(
  t: ExecutionContext,
  store: PackStore,
  blobs: Iterable<readonly [Hash, Uint8Array]>,
  where: string,
): Promise<void> {
  for (const [id, bytes] of blobs) t.true(equalBytes(await readBlobBytes(store, id, BLOB_BYTES_MAX), bytes), where);
  const bad: string[] = [];
  await store.verify((place) => bad.push(`${place.pack} ${place.offset} ${place.what}`));
  t.deepEqual(bad, [], where);
}

/** What the store had, and what the session was told is durable, is there; the next session puts the file. */
async function assertSound(t: ExecutionContext, point: CrashPoint, session: Session, where: string): Promise<void> {
  const dir = join(point.home, "packs");
  const durable = /^durable ([0-9a-f]{64})$/m.exec(point.output)?.[1] as Hash | undefined;
  const reader = await PackStore.open(dir, { readOnly: true });
  const promised = durable === undefined ? [] : [[durable, session.bytes] as const];
  await assertHolds(t, reader, [...session.held, ...promised], `${where}, read`);
  await reader.close();
  const writer = await PackStore.open(dir, { packBytesMax: session.packBytesMax });
  const { id } = await putFile(writer, session.path, session.previous);
  await writer.close();
  const again = await PackStore.open(dir, { readOnly: true });
  await assertHolds(t, again, [...session.held, [id, session.bytes]], `${where}, written`);
  await again.close();
}

async function strike(
  t: ExecutionContext,
  fault: "kill" | "power",
  make: (folder: string) => Promise<Session>,
): Promise<string[]> {
  const folder = await temporaryFolder(t);
  const session = await make(folder);
  const struck: string[] = [];
  const { dir, packBytesMax, path, previous } = session;
  const args = [dir, String(packBytesMax), path, ...(previous === undefined ? [] : [previous])];
  for await (const point of crashPoints({ shim: buildFaultShim(folder), fault, program: PROGRAM, args, folder })) {
    const call = point.calls.at(-1) ?? "";
    const where = `${fault} at call ${point.calls.length}, ${call}`;
    t.is(point.signal, "SIGKILL", where);
    await assertSound(t, point, session, where);
    struck.push(call);
  }
  t.log(`${struck.length} points: ${struck.join(", ")}`);
  return struck;
}

const rng = new SeededRng(31);
const file = rng.bytes(60_000);
const edited = concatBytes([file.subarray(0, 25_000), rng.bytes(40), file.subarray(25_000)]);
const small = Array.from({ length: 4 }, (_, index) => rng.bytes(300 + index));

/** A file that is stored as its difference to what the store has. */
async function updateSession(folder: string): Promise<Session> {
  const session = await sessionAfter(folder, [file], edited);
  return { ...session, packBytesMax: 30_000, previous: [...session.held.keys()][0] as Hash };
}

/** The fourth run of the index makes one of all. */
function mergeSession(folder: string): Promise<Session> {
  return sessionAfter(folder, small.slice(0, 3), small[3] as Uint8Array);
}

for (const fault of ["kill", "power"] as const) {
  test(`[T6] [T10] ${fault} at every call while a file is stored as a difference: all that was promised is there`, async (t) => {
    const struck = await strike(t, fault, updateSession);
    t.true(struck.some((call) => call.startsWith("fdatasync ")));
  });

  test(`[T9] [T10] ${fault} at every call while runs of the index are merged: nothing is lost or told damaged`, async (t) => {
    const struck = await strike(t, fault, mergeSession);
    for (const call of ["rename manifest", "unlink 00000001.run"]) t.true(struck.includes(call), call);
  });
}

test("[T6] [T9] the sessions of these tests do what they are for", async (t) => {
  const folder = await temporaryFolder(t);
  const { dir, path, previous } = await updateSession(folder);
  const store = await PackStore.open(dir);
  t.true((await putFile(store, path, previous)).storedBytes < 5_000);
  await store.close();
  const other = await temporaryFolder(t);
  const merged = await mergeSession(other);
  const runs = async (): Promise<number> => (await readdir(join(merged.dir, "index"))).filter(isRun).length;
  t.is(await runs(), 3);
  const writer = await PackStore.open(merged.dir, { packBytesMax: merged.packBytesMax });
  await putFile(writer, merged.path);
  await writer.close();
  t.is(await runs(), 1);
});

function isRun(name: string): boolean {
  return name.endsWith(".run");
}
