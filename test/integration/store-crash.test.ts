import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import test from "ava";
import { blake3 } from "../../lib/addon.ts";
import { type Hash, hashOf32, SeededRng } from "../../lib/base/index.ts";
import { PackStore } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const WRITER = fileURLToPath(new URL("../support/store-writer.js", import.meta.url));
const ROUNDS = 12;

/** Runs a writer, kills it after it has reported `lines` and `delayMs` more, and gives the ids it called durable. */
async function killedWriter(dir: string, seed: number, lines: number, delayMs: number): Promise<Hash[]> {
  const child = spawn(process.execPath, [WRITER, dir, String(seed), "100000"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  let isKilled = false;
  child.stdout.on("data", (data: Buffer) => {
    output += data.toString();
    if (isKilled || output.split("\n").length <= lines) return;
    isKilled = true;
    setTimeout(() => child.kill("SIGKILL"), delayMs);
  });
  await once(child, "close");
  // A last line without its end was cut off in the middle of the report.
  const whole = output.slice(0, output.lastIndexOf("\n") + 1).split("\n");
  return whole.slice(1).flatMap((line) => line.split(" ").filter((id) => id !== "")) as Hash[];
}

test("[T10] kill -9 of a writer at any moment loses nothing that was committed and leaves a sound store", async (t) => {
  const dir = await temporaryFolder(t);
  const rng = new SeededRng(20);
  const durable = new Set<Hash>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const ids = await killedWriter(dir, round + 1, 2 + Math.floor(rng.next() * 30), Math.floor(rng.next() * 20));
    for (const id of ids) durable.add(id);
    const store = await PackStore.open(dir, { readOnly: true });
    for (const id of durable) t.is(hashOf32(blake3((await store.get(id)).bytes)), id);
    t.deepEqual(await verifyAll(store), [], `after round ${round}`);
    await store.close();
  }
  t.true(durable.size > ROUNDS * 4);
});

async function verifyAll(store: PackStore): Promise<string[]> {
  const bad: string[] = [];
  await store.verify((place) => bad.push(`${place.pack} ${place.offset} ${place.what}`));
  return bad;
}

test("a store has one writer: a second gets a clear error, and a killed one leaves no lock", async (t) => {
  const dir = await temporaryFolder(t);
  const child = spawn(process.execPath, [WRITER, dir, "1"], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  t.teardown(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  await t.throwsAsync(PackStore.open(dir), { code: "HOME_LOCKED", message: new RegExp(`process ${child.pid}`) });
  const reader = await PackStore.open(dir, { readOnly: true });
  await reader.close();
  child.stdout.resume();
  child.kill("SIGKILL");
  await closed;
  const store = await PackStore.open(dir);
  await t.throwsAsync(PackStore.open(dir), { code: "HOME_LOCKED" });
  await store.close();
});
