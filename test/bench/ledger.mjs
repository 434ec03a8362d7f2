/**
 * The figures of the ledger beside those of its peers, in one run: `npm run bench:ledger -- [--quick] [--part
 * append|take|merge|serve]` after a build; --quick takes a tenth. Appending, taking in from others, merging, and a large ledger on disk. What
 * passes between nodes is sync.mjs'. Prints, asserts nothing.
 */
import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { joinHome, openHome } from "../../dist/lib/agent/index.js";
import { silentLog } from "../../dist/lib/base/index.js";
import { encodeEnvelope, verifyBlocks } from "../../dist/lib/codec/index.js";
import { LedgerDb } from "../../dist/lib/db/index.js";
import { admit } from "../../dist/lib/ledger/index.js";
import { Chain } from "../../dist/lib/node/index.js";
import { inParts, makeEntries, makeOrganisation, mergeAll, officeLog, payloadOf } from "./ledger-made.mjs";
import { gitFastImport, hypercore, SqliteAlone } from "./ledger-peers.mjs";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false }, part: { type: "string" } } });
const scale = values.quick ? 0.1 : 1;
const SINGLE = 2_000;
const WARM = 14_000 * scale;
const TURN = 100;
const BATCHED = 20_000 * (values.quick ? 0.5 : 1);
const TAKEN = 100_000 * scale;
const [MERGE_SMALL, MERGE_LARGE] = [10_000 * scale, 100_000 * scale];
const HELD = 1_000_000 * scale;
const HELD_KEYS = 50_000 * scale;
const LOOKUPS = 10_000;
const BATCH = 1_000;
const PART = 5_000;
/** Rows that gdo log asks for at a time. */
const PAGE_ROWS = 500;
const folder = mkdtempSync(join(tmpdir(), "gdo-bench-"));

/** "met" or "missed" where there is a goal. */
function line(what, value, unit, { atLeast, atMost } = {}) {
  const goal = atLeast ?? atMost;
  const isMet = atLeast === undefined ? value <= atMost : value >= atLeast;
  const judged = goal === undefined ? "" : `${atLeast === undefined ? "≤" : "≥"} ${goal}: ${isMet ? "met" : "missed"}`;
  const shown = value >= 100 ? Math.round(value).toString() : value.toPrecision(3);
  console.log(`${what.padEnd(58)} ${shown.padStart(9)} ${unit.padEnd(4)} ${judged}`);
}

/** Processor time of the last work that was timed: says more than the clock where others use the machine, too. */
let cpuSeconds = 0;

async function seconds(work) {
  const startCpu = process.cpuUsage();
  const startMs = performance.now();
  await work();
  const tookMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(startCpu);
  cpuSeconds = (user + system) / 1e6;
  return tookMs / 1000;
}

function openDb(name, { charter }) {
  const db = LedgerDb.open(join(folder, `${name}.db`));
  db.ingest([charter]);
  return db;
}

/** By turns, since a disk is not as fast at all times; before Node.js has compiled what runs often, and after. */
async function appending(organisation) {
  const db = openDb("own", organisation);
  const log = officeLog(db, organisation);
  const { body } = log.append("entry", payloadOf(0), [organisation.charter]);
  const alone = new SqliteAlone(folder);
  const took = await appendingByTurns(log, (n) => alone.add(n, body));
  alone.close();
  db.close();
  const peer = await hypercore(folder, { single: SINGLE, batched: BATCHED, body: Buffer.from(body) });
  for (const [name, { own, cpu, plain, count }] of Object.entries(took)) {
    line(`append: sign, one entry a durable commit, ${name}`, count / own, "/s");
    line("  in processor time", count / cpu, "/s");
    line("  SQLite alone, one row a durable commit, same pragmas", count / plain, "/s");
    line("  ratio to SQLite alone", plain / own, "×", { atLeast: 0.7 });
  }
  const first = took[`the first ${SINGLE}`];
  line(`  hypercore, one append after another, not durable, ${SINGLE}`, peer.one, "/s");
  line("  ratio to hypercore", first.count / first.own / peer.one, "×");
  await batching(organisation, peer, body.length);
  line("hypercore: replicate what it has, in one process", peer.replicate, "/s");
}

async function appendingByTurns(log, addAlone) {
  const took = {};
  for (let start = 0; start < SINGLE + WARM; start += TURN) {
    const name = start < SINGLE ? `the first ${SINGLE}` : "the next";
    took[name] ??= { own: 0, cpu: 0, plain: 0, count: 0 };
    const sum = took[name];
    sum.own += await seconds(() => {
      for (let n = start; n < start + TURN; n += 1) log.append("entry", payloadOf(n + 1), []);
    });
    sum.cpu += cpuSeconds;
    sum.plain += await seconds(() => {
      for (let n = start; n < start + TURN; n += 1) addAlone(n);
    });
    sum.count += TURN;
  }
  return took;
}

async function batching(organisation, peer, bodyBytes) {
  const db = openDb("batch", organisation);
  const log = officeLog(db, organisation);
  const payloads = Array.from({ length: BATCHED }, (_, n) => payloadOf(n));
  const took = await seconds(() => {
    for (const part of inParts(payloads, BATCH)) log.appendAll("entry", part, [organisation.charter]);
  });
  const cpu = cpuSeconds;
  db.close();
  line(`append in batches of ${BATCH}: sign, one durable commit each`, BATCHED / took, "/s", { atLeast: 20_000 });
  line("  in processor time", BATCHED / cpu, "/s");
  line("  hypercore, one batch", peer.batch, "/s");
  line("  git fast-import, as many commits", await gitFastImport(folder, BATCHED, bodyBytes), "/s");
}

async function takingIn(organisation) {
  const envelopes = [];
  for (const block of makeEntries(organisation, TAKEN)) envelopes.push(encodeEnvelope(block));
  for (const signatures of ["newest", "each"]) {
    const db = openDb(`taken-${signatures}`, organisation);
    let admitted = 0;
    const took = await seconds(() => {
      for (const part of inParts(envelopes, BATCH)) {
        // A copy: an envelope that has been read is remembered by its array.
        const fresh = part.map((envelope) => envelope.slice());
        const admission = admit(fresh, db.admitView(organisation.charter.id), { signatures });
        admitted += db.ingest(admission.admitted).added.length;
      }
    });
    if (admitted !== TAKEN) throw new Error(`${admitted} of ${TAKEN} were admitted`);
    const goal = signatures === "newest" ? { atLeast: 20_000 } : {};
    const count = `${TAKEN} blocks of ${organisation.devices.length} logs`;
    line(`take in ${count}, signatures: ${signatures}`, TAKEN / took, "/s", goal);
    line("  in processor time", TAKEN / cpuSeconds, "/s");
    db.close();
  }
  await takingInOnThreads(organisation, envelopes);
}

/** As a node does it: every signature, on other threads, while what came before is taken in. */
async function takingInOnThreads(organisation, envelopes) {
  const db = openDb("taken-threads", organisation);
  const none = () => {};
  const events = { settled: none, onMerged: none, refused: none };
  const chain = new Chain({
    ledger: db,
    organisation: organisation.charter.id,
    log: silentLog,
    verifyBlocks,
    ...events,
  });
  const took = await seconds(async () => {
    let before;
    for (const part of inParts(envelopes, BATCH)) {
      const taking = chain.take(part.map((envelope) => envelope.slice()));
      await before;
      before = taking;
    }
    await before;
  });
  if (db.countEntries() !== TAKEN) throw new Error(`${db.countEntries()} of ${TAKEN} were taken in`);
  db.close();
  line("  signatures: each, on other threads", TAKEN / took, "/s");
  line("  in processor time", TAKEN / cpuSeconds, "/s");
}

async function merging(organisation) {
  const took = [];
  for (const count of [MERGE_SMALL, MERGE_LARGE]) {
    const db = openDb(`merge-${count}`, organisation);
    for (const part of inParts(makeEntries(organisation, count, { isSigned: false }), PART)) db.ingest(part);
    const log = officeLog(db, organisation);
    let merges = 0;
    const wall = await seconds(async () => {
      merges = await mergeAll(db, organisation, log);
    });
    took.push(wall);
    const goal = count === 10_000 ? { atMost: 1 } : {};
    line(`merge of ${count} entries, a key each, ${merges} merges`, wall, "s", goal);
    line("  processor time", cpuSeconds, "s");
    db.close();
  }
  line("  ratio of the two", took[1] / took[0], "×", { atMost: 11 });
}

/** A home whose ledger holds many merged entries. */
async function makeHeld(organisation) {
  const root = join(folder, "home");
  const charterEnvelope = encodeEnvelope(organisation.charter);
  await joinHome({ root, charterEnvelope, credentialKey: new Uint8Array(32), config: { name: "held" } });
  const db = LedgerDb.open(openHome(root).ledgerDb);
  db.ingest([organisation.charter]);
  const log = officeLog(db, organisation);
  const entries = makeEntries(organisation, HELD, { isSigned: false, keyOf: (number) => number % HELD_KEYS });
  for (const part of inParts(entries, PART)) {
    db.ingest(part.map((block) => ({ block, isChecked: false })));
    await mergeAll(db, organisation, log);
  }
  const state = db.state("people");
  const took = await seconds(() => {
    for (let n = 0; n < LOOKUPS; n += 1) {
      if (state.get(`person/person${(n * 7919) % HELD_KEYS}`) === undefined) throw new Error("a key is missing");
    }
  });
  db.close();
  line(`state look-up among ${HELD_KEYS} keys, of ${HELD} entries`, (took / LOOKUPS) * 1000, "ms", { atMost: 0.1 });
  return root;
}

/** Until the first page has come; what is older is not waited for. */
async function firstPage(gdo, root) {
  const child = spawn(gdo, ["--home", root, "log"], { stdio: ["ignore", "pipe", "inherit"] });
  let rows = 0;
  for await (const text of child.stdout.setEncoding("utf8")) {
    rows += text.split("\n").length - 1;
    if (rows >= PAGE_ROWS) break; // Which closes the pipe.
  }
  if (rows < PAGE_ROWS) throw new Error(`${rows} rows of gdo log`);
}

async function serving(organisation) {
  const root = await makeHeld(organisation);
  const startMs = performance.now();
  const child = fork(new URL("ledger-serve.mjs", import.meta.url), [root]);
  const [{ entries, residentBytes }] = await once(child, "message");
  if (entries !== HELD) throw new Error(`${entries} of ${HELD} entries are held`);
  line(`start to serving with ${HELD} entries, Node.js included`, (performance.now() - startMs) / 1000, "s", {
    atMost: 2,
  });
  line("  resident memory", residentBytes / 1e6, "MB", { atMost: 150 });
  const gdo = new URL("../../bin/gdo", import.meta.url).pathname;
  const page = await seconds(() => firstPage(gdo, root));
  line(`  first page of gdo log, ${PAGE_ROWS} rows, Node.js included`, page, "s", { atMost: 0.3 });
  const bare = await seconds(() => execFileSync(process.execPath, ["-e", "0"]));
  line("  Node.js that does nothing", bare, "s");
  child.send("end");
  await once(child, "exit");
}

const PARTS = { append: appending, take: takingIn, merge: merging, serve: serving };

try {
  console.log(
    `load of the machine: ${loadavg()[0].toFixed(1)}${values.quick ? "; --quick: a tenth of everything" : ""}`,
  );
  const organisation = makeOrganisation(20);
  for (const [name, work] of Object.entries(PARTS)) {
    if (values.part === undefined || values.part === name) await work(organisation);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
