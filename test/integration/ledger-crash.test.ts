/** kill -9 at random moments while a process appends: nothing that was said is lost, no number used twice. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "ava";
import { type Hash, SeededRng } from "../../lib/base/index.ts";
import { Connection } from "../../lib/db/connection.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { testKey } from "../support/ledger-fixtures.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SEED = 20261122;
const ROUNDS = 12;

/** Starts the process, kills it after so many lines and a moment; gives whole lines that it said. */
function killedAfter(path: string, lines: number, waitTurns: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "../support/append-loop.js"), path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said: string[] = [];
    const reader = createInterface({ input: child.stdout });
    reader.on("line", (line) => {
      if (line !== "ready") said.push(line);
      if (said.length < lines) return;
      // A few turns of the loop later, so that the kill falls anywhere within an append.
      let turns = waitTurns;
      const kill = (): void => void (turns-- > 0 ? queueMicrotask(kill) : child.kill("SIGKILL"));
      kill();
    });
    child.on("error", reject);
    reader.on("close", () => resolve(said));
  });
}

test(`[L7] what a killed process said was durable is there, seed ${SEED}`, async (t) => {
  const path = join(await temporaryFolder(t), "ledger.db");
  const rng = new SeededRng(SEED);
  const idOf = new Map<number, string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const said = await killedAfter(path, 1 + Math.floor(rng.next() * 150), Math.floor(rng.next() * 2000));
    t.true(said.length > 0);
    const db = LedgerDb.open(path);
    for (const line of said) {
      const [n, id] = line.split(" ") as [string, Hash];
      t.true(db.has(id), `round ${round}: number ${n}`);
      t.false(idOf.has(Number(n)), `round ${round}: number ${n} was used before`);
      idOf.set(Number(n), id);
    }
    const last = db.lastOf(testKey(1).publicKey, "00000000000000a1");
    t.true((last?.n ?? -1) >= Math.max(...idOf.keys()));
    t.deepEqual(db.verify().bad, []);
    db.close();
  }
});

test("[L7] an own block's commit waits for the disk, others' need not", async (t) => {
  const path = join(await temporaryFolder(t), "ledger.db");
  const connection = Connection.open(path, false);
  t.teardown(() => connection.close());
  const level = (): unknown => connection.raw.pragma("synchronous", { simple: true });
  const seen: unknown[] = [];
  connection.durably(() => seen.push(level()));
  connection.write(() => seen.push(level()));
  t.throws(() =>
    connection.durably(() => {
      throw new Error("undone");
    }),
  );
  connection.write(() => seen.push(level()));
  connection.durably(() => seen.push(level()));
  t.deepEqual(seen, [2, 1, 1, 2], "2 is FULL, 1 is NORMAL");
  t.is(connection.raw.pragma("journal_mode", { simple: true }), "wal");
});
