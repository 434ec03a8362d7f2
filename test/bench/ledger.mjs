/**
 * Entries a second: appended durably one by one and in batches, beside SQLite alone with the same pragmas;
 * taken in from another; synced from one agent to another through the embedded broker. `node
 * test/bench/ledger.mjs` after a build. Prints, asserts nothing.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { initHome, joinHome, openHome, readSecret, runAgent } from "../../dist/lib/agent/index.js";
import { OwnLog } from "../../dist/lib/agent/own-log.js";
import { readCharter } from "../../dist/lib/agent/setup.js";
import { SystemClock, SystemRng, silentLog } from "../../dist/lib/base/index.js";
import { generateKey } from "../../dist/lib/codec/index.js";
import { LedgerDb } from "../../dist/lib/db/index.js";
import { admit, entryPayload } from "../../dist/lib/ledger/index.js";

const SINGLE = 1_000;
const SYNCED = 20_000;
const folder = mkdtempSync(join(tmpdir(), "gdo-bench-"));
const payload = entryPayload("door", [{ type: "swipe", body: { door: "front-door", at: 1, note: "x".repeat(200) } }]);

function report(what, count, ms, beside = "") {
  console.log(
    `${what.padEnd(52)} ${Math.round((count / ms) * 1000)
      .toString()
      .padStart(8)} /s ${beside}`,
  );
  return count / ms;
}

function sqliteAlone(bodyBytes) {
  const db = new Database(join(folder, "alone.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE t (id BLOB PRIMARY KEY, body BLOB)");
  const insert = db.prepare("INSERT INTO t VALUES (?, ?)");
  const start = performance.now();
  for (let n = 0; n < SINGLE; n += 1) insert.run(Buffer.from(`${n}`.padStart(32)), Buffer.alloc(bodyBytes));
  const ms = performance.now() - start;
  db.close();
  return report("SQLite alone, one row a commit, WAL, FULL", SINGLE, ms);
}

async function office() {
  const root = join(folder, "office");
  await initHome({
    root,
    organisation: "Bench",
    nodeName: "office",
    config: { embeddedBroker: { host: "127.0.0.1", port: 0 }, merge: { everyMs: 3_600_000 } },
  });
  return root;
}

function appendSingly(root) {
  const paths = openHome(root);
  const charter = readCharter(paths);
  const db = LedgerDb.open(join(folder, "own.db"));
  db.ingest([charter]);
  const { pair } = generateKey();
  const log = new OwnLog({ db, pair, organisation: charter.id, clock: new SystemClock(), rng: new SystemRng() });
  const blocks = [log.append("entry", payload, [charter])];
  const start = performance.now();
  for (let n = 0; n < SINGLE; n += 1) blocks.push(log.append("entry", payload, []));
  const rate = report("append: sign, one entry a durable commit", SINGLE, performance.now() - start);
  db.close();
  return { rate, bodyBytes: blocks[1].body.length };
}

/** Blocks of a device that the charter knows, verified and stored. */
async function takeIn(root) {
  const paths = openHome(root);
  const charter = readCharter(paths);
  const source = LedgerDb.open(join(folder, "source.db"));
  source.ingest([charter]);
  const { keyFromSeed } = await import("../../dist/lib/codec/index.js");
  const pair = keyFromSeed(readSecret(paths.nodeKey));
  const log = new OwnLog({
    db: source,
    pair,
    organisation: charter.id,
    clock: new SystemClock(),
    rng: new SystemRng(),
  });
  const made = performance.now();
  for (let n = 0; n < 2_000; n += 1) log.append("entry", payload, n === 0 ? [charter] : []);
  report("  (made for it, one a commit)", 2_000, performance.now() - made);
  const envelopes = source.range(pair.publicKey, log.incarnation, 0, 2_000, Number.MAX_SAFE_INTEGER);
  for (const signatures of ["each", "newest"]) {
    const target = LedgerDb.open(join(folder, `target-${signatures}.db`));
    target.ingest([charter]);
    const start = performance.now();
    const { admitted } = admit(envelopes, target.admitView(charter.id), { signatures });
    target.ingest(admitted);
    report(`take in 2000 of one log, signatures: ${signatures}`, admitted.length, performance.now() - start);
    target.close();
  }
  source.close();
}

async function sync(root) {
  const agent = await runAgent({ root, log: silentLog });
  const paths = openHome(root);
  const other = join(folder, "other");
  const { nodeKey } = await joinHome({
    root: other,
    charterEnvelope: new Uint8Array(readFileSync(paths.charter)),
    credentialKey: readSecret(paths.credentialKey),
    config: { name: "other", broker: { url: `mqtt://127.0.0.1:${agent.brokerPort}` } },
  });
  await agent.api.call("admit", {
    principals: [{ id: "other", roles: ["device"] }],
    devices: [{ key: nodeKey, name: "other", principal: "other" }],
  });
  await agent.api.call("merge", {});
  const acts = [{ type: "principal.add", body: { id: "nobody", roles: [], note: "x".repeat(150) } }];
  for (let n = 0; n < SYNCED; n += 1) await agent.api.call("append", { app: "charter", acts });
  // What the office published while it appended goes through its own broker first.
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  const started = performance.now();
  const follower = await runAgent({ root: other, log: silentLog });
  let entries = 0;
  while (entries < SYNCED) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    ({ entries } = await follower.api.call("status", {}));
  }
  report(
    `sync ${SYNCED} entries to an empty node, one process`,
    entries,
    performance.now() - started,
    "(start of the agent included)",
  );
  await follower.close();
  await agent.close();
}

try {
  const root = await office();
  const { rate, bodyBytes } = appendSingly(root);
  console.log(`${"ratio to SQLite alone".padEnd(52)} ${(rate / sqliteAlone(bodyBytes)).toFixed(2).padStart(8)}`);
  await takeIn(root);
  await sync(root);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
