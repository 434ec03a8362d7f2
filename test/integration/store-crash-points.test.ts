import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { equalBytes, type Hash, utf8 } from "../../lib/base/index.ts";
import { objectId, PackStore } from "../../lib/store/index.ts";
import {
  buildFaultShim,
  type CrashPoint,
  crashPoint,
  crashPoints,
  type Fault,
  isSpared,
} from "../support/crash-points.ts";
import { STEPS } from "../support/store-step-contents.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PROGRAM = fileURLToPath(new URL("../support/store-steps.js", import.meta.url));
const CONTENTS = new Map<Hash, Uint8Array>(STEPS.flat().map((bytes) => [objectId("chunk", bytes), bytes]));
const AFTER = utf8("after the fault");

/** What the process had been told is durable. */
function durableIds(output: string): Hash[] {
  const lines = output.slice(0, output.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line.startsWith("durable ")).flatMap((line) => line.split(" ").slice(1) as Hash[]);
}

async function assertHolds(t: ExecutionContext, store: PackStore, ids: Iterable<Hash>, where: string): Promise<void> {
  for (const id of ids) {
    t.true(equalBytes((await store.get(id)).bytes, CONTENTS.get(id) ?? AFTER), `${where}: ${id}`);
  }
  const bad: string[] = [];
  await store.verify((place) => bad.push(`${place.pack} ${place.offset} ${place.what}`));
  t.deepEqual(bad, [], where);
}

/** A reader sees all that was committed, and a writer goes on from there. */
async function assertSound(t: ExecutionContext, point: CrashPoint, where: string): Promise<void> {
  const dir = join(point.home, "packs");
  const durable = durableIds(point.output);
  if (durable.length > 0) {
    const reader = await PackStore.open(dir, { readOnly: true });
    await assertHolds(t, reader, durable, `${where}, read`);
    await reader.close();
  }
  const writer = await PackStore.open(dir);
  await writer.put("chunk", AFTER);
  for (const bytes of CONTENTS.values()) await writer.put("chunk", bytes); // What is half there is put again.
  await writer.commit();
  await writer.close();
  const again = await PackStore.open(dir, { readOnly: true });
  await assertHolds(t, again, [...CONTENTS.keys(), objectId("chunk", AFTER)], `${where}, written`);
  await again.close();
}

/** Tries a fault at each call; gives the calls it struck. */
async function strike(
  t: ExecutionContext,
  fault: Fault,
  check: (point: CrashPoint, where: string) => void,
): Promise<string[]> {
  const folder = await temporaryFolder(t);
  const struck: string[] = [];
  const shim = buildFaultShim(folder);
  for await (const point of crashPoints({ shim, fault, program: PROGRAM, folder })) {
    const call = point.calls.at(-1) ?? "";
    const where = `${fault} at call ${point.calls.length}, ${call}`;
    check(point, where);
    await assertSound(t, point, where);
    struck.push(call);
  }
  t.log(`${struck.length} points: ${struck.join(", ")}`);
  return struck;
}

/** The fault struck calls of each of these names: else the shim was passed by and nothing tested. */
function assertStruck(t: ExecutionContext, struck: readonly string[], expected: readonly string[]): void {
  t.deepEqual(
    expected.filter((name) => !struck.some((call) => call.startsWith(`${name} `))),
    [],
    struck.join(", "),
  );
}

/** A process that met the fault, did not lie about it, and ended with everything stored. */
function assertDone(t: ExecutionContext, { status, output }: CrashPoint, refusal: string, where: string): void {
  t.is(status, 0, where);
  t.is(output.match(/^refused .*$/m)?.[0] ?? "", refusal, where);
  t.true(output.endsWith("done\n"), where);
  t.deepEqual(new Set(durableIds(output)), new Set(CONTENTS.keys()), where);
}

for (const fault of ["kill", "power"] as const) {
  test(`[T10] ${fault} at every call: what was committed is there, verify is clean, writing goes on`, async (t) => {
    const struck = await strike(t, fault, (point, where) => t.is(point.signal, "SIGKILL", where));
    assertStruck(t, struck, ["mkdir", "open", "write", "fsync", "fdatasync"]);
  });
}

test("[T10] a kill in the middle of every write leaves at most a torn tail, which the next writer cuts off", async (t) => {
  const struck = await strike(t, "tear", (point, where) => t.is(point.signal, "SIGKILL", where));
  assertStruck(t, struck, ["write"]);
});

test("[T10] no space at every write: the writer says so, tries again and loses nothing", async (t) => {
  const struck = await strike(t, "enospc", (point, where) => {
    assertDone(t, point, isSpared(point.calls.at(-1) ?? "") ? "" : "refused STORE_FULL", where);
  });
  assertStruck(t, struck, ["mkdir", "open", "write"]);
});

test("[T8] a folder whose maker was killed before it was durable is made durable by the next writer", async (t) => {
  const folder = await temporaryFolder(t);
  const run = { shim: buildFaultShim(folder), fault: "power", program: PROGRAM, folder, made: "packs" } as const;
  const whole = await crashPoint(run, 0);
  t.deepEqual(whole.calls.slice(0, 1), ["fsync power-0"]); // The name of what is made there.
  const point = await crashPoint(run, whole.calls.length);
  t.is(point.signal, "SIGKILL");
  t.true(durableIds(point.output).length > 0);
  await assertSound(t, point, "after power was lost");
});

test("[T7] a write that takes only a part of its bytes is gone on with", async (t) => {
  const struck = await strike(t, "short", (point, where) => assertDone(t, point, "", where));
  assertStruck(t, struck, ["write"]);
});

test("[T8] a sync that fails is told, never taken for done; a store opened anew goes on", async (t) => {
  const struck = await strike(t, "eio", (point, where) =>
    assertDone(t, point, isSpared(point.calls.at(-1) ?? "") ? "" : "refused IO", where),
  );
  assertStruck(t, struck, ["fsync", "fdatasync"]);
});
