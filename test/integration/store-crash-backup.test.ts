import { appendFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { FakeClock, SeededRng } from "../../lib/base/index.ts";
import { checkout, PackStore, Refs, SnapshotCatalog, takeSnapshot } from "../../lib/store/index.ts";
import { buildFaultShim, type CrashPoint, crashPoints, type Fault } from "../support/crash-points.ts";
import { describeFolder } from "../support/folder-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PROGRAM = fileURLToPath(new URL("../support/backup-steps.js", import.meta.url));
const LATER_MS = 2_000_000;

/** Two versions of a small folder. */
function makeFolders(folder: string): string[] {
  const [first, second] = [join(folder, "first"), join(folder, "second")];
  mkdirSync(join(first, "sub"), { recursive: true });
  writeFileSync(join(first, "noise"), new SeededRng(41).bytes(40_000));
  writeFileSync(join(first, "sub", "text"), "a line\n".repeat(500));
  cpSync(first, second, { recursive: true });
  appendFileSync(join(second, "sub", "text"), "one line more\n");
  return [first, second];
}

function keptIds(output: string): string[] {
  return [...output.matchAll(/^kept ([0-9a-f]{64})$/gm)].map(([, id]) => id ?? "");
}

/** What was told as kept is there and restores; nothing half is listed; the next backup works. */
async function assertSound(t: ExecutionContext, point: CrashPoint, sources: readonly string[], where: string) {
  const catalog = new SnapshotCatalog(new Refs(join(point.home, "refs")));
  const damaged: string[] = [];
  const listed = await catalog.list("test", ({ path, why }) => damaged.push(`${path}: ${why}`));
  t.deepEqual(damaged, [], where);
  const ids = listed.map(({ id }) => id as string);
  for (const id of keptIds(point.output)) t.true(ids.includes(id), `${where}: ${id}`);
  const store = await PackStore.open(join(point.home, "packs"));
  for (const [index, { tree, source }] of listed.entries()) {
    const to = join(point.home, `out${index}`);
    await checkout(store, tree, to);
    t.deepEqual(describeFolder(Buffer.from(to)), describeFolder(Buffer.from(source)), where);
  }
  const options = { source: sources[1] ?? "", name: "test", host: "here", clock: new FakeClock(LATER_MS) };
  await takeSnapshot(store, catalog, options);
  t.is((await store.verify()).bad, 0, where);
  await store.close();
  t.is((await catalog.list("test")).length, listed.length + 1, where);
}

async function strike(t: ExecutionContext, fault: Fault, check: (point: CrashPoint, where: string) => void) {
  const folder = await temporaryFolder(t);
  const args = makeFolders(folder);
  const struck: string[] = [];
  const shim = buildFaultShim(folder);
  for await (const point of crashPoints({ shim, fault, program: PROGRAM, args, folder })) {
    const call = point.calls.at(-1) ?? "";
    const where = `${fault} at call ${point.calls.length}, ${call}`;
    check(point, where);
    await assertSound(t, point, args, where);
    struck.push(call);
  }
  t.log(`${struck.length} points: ${struck.join(", ")}`);
  t.true(struck.some((call) => call.includes(".new")) && struck.some((call) => call.includes(".pack")));
}

for (const fault of ["kill", "power"] as const) {
  test(`[T8] ${fault} at every call of a backup: what was kept restores, and nothing half is listed`, async (t) => {
    await strike(t, fault, (point, where) => t.is(point.signal, "SIGKILL", where));
  });
}

for (const [fault, refusal] of [
  ["enospc", "refused STORE_FULL"],
  ["eio", "refused IO"],
] as const) {
  test(`[T8] ${fault} at every call of a backup is told, and a second try succeeds`, async (t) => {
    await strike(t, fault, ({ status, output, calls }, where) => {
      t.is(status, 0, where);
      const mayBeSilent = calls.at(-1) === "write lock"; // What stands in the lock is a courtesy to others.
      t.true(output.includes(refusal) || mayBeSilent, `${where}: ${output}`);
      t.true(output.endsWith("done\n"), where);
      t.is(keptIds(output).length, 2, where);
    });
  });
}
