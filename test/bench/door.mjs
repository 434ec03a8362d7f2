/**
 * Measures the door: `node test/bench/door.mjs` after a build. Decisions at 240,000 credentials in
 * process; last edge to strike, start to first swipe, and kill -9 to released with real processes.
 * Prints one JSON object a line.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const dist = new URL("../../dist/", import.meta.url);
const load = (path) => import(new URL(path, dist));
const access = await load("lib/access/index.js");
const { credentialMac } = await load("lib/agent/apps/credential-mac.js");
const { homePaths, readSecret } = await load("lib/agent/home/home.js");
const { initHome, readNodeKey } = await load("lib/agent/home/setup.js");
const { edgesOf, LineBoard } = await load("lib/device/index.js");

const CREDENTIALS = 240_000;
const DECISIONS = 20_000;
const SWIPES = 200;
const ROUNDS = 10;
const MEMBER = 4_134_419;
const HOUR_MS = 3_600_000;

const say = (type, fields) => console.log(JSON.stringify({ type, ...fields }));

function spread(values, digits = 3) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part) => Number(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(digits));
  return { p50: at(0.5), p99: at(0.99), max: at(1), count: sorted.length };
}

function w26(card) {
  const data = card.toString(2).padStart(24, "0");
  const ones = (text) => text.replaceAll("0", "").length;
  return `${ones(data.slice(0, 12)) % 2}${data}${1 - (ones(data.slice(12)) % 2)}`;
}

const credentialOf = (card) => access.parseFrame(w26(card)).credential;

function policyFor(mac, count) {
  const people = Array.from({ length: count }, (_, index) => ({ id: `member-${index}`, level: 0 }));
  const credentials = people.map(({ id }, index) => ({
    ref: access.credentialRef(mac, credentialOf(MEMBER + index)),
    person: id,
  }));
  const nowMs = Date.now();
  const times = { issuedMs: nowMs - HOUR_MS, softMs: nowMs + 24 * HOUR_MS, hardMs: nowMs + 336 * HOUR_MS };
  return access.encodePolicy({
    generation: 1,
    height: 1,
    ...times,
    doors: { front: { minLevel: 0 } },
    people,
    credentials,
  });
}

function measureDecisions() {
  const mac = credentialMac(new Uint8Array(32).fill(1));
  const bytes = policyFor(mac, CREDENTIALS);
  const readStart = performance.now();
  const inForce = { id: "ab".repeat(32), policy: access.decodePolicy(bytes) };
  const readMs = performance.now() - readStart;
  const times = [];
  for (let run = 0; run < DECISIONS; run += 1) {
    const bits = w26(MEMBER + ((run * 7919) % (CREDENTIALS * 2)));
    const start = performance.now();
    const frame = access.parseFrame(bits);
    const ref = access.credentialRef(mac, frame.credential);
    access.decide(inForce, { frame, ref, door: "front", wallMs: Date.now(), clockQuality: "system" });
    times.push(performance.now() - start);
  }
  const memoryMB = Math.round(process.memoryUsage().rss / 2 ** 20);
  say("decisions", {
    credentials: CREDENTIALS,
    policyBytes: bytes.length,
    readMs: Math.round(readMs),
    decisionMs: spread(times, 4),
    memoryMB,
  });
}

async function makeHome(folder, boardPath) {
  const root = join(folder, "home");
  const doors = [{ id: "front", reader: "front-door", strike: "front-strike", unlockMs: 1000 }];
  const door = { lines: "simulated", board: boardPath, clock: "system", onLogFailure: "deny", doors };
  await initHome({ root, organisation: "Bench", nodeName: "front-door", config: { door } });
  const paths = homePaths(root);
  const mac = credentialMac(readSecret(paths.credentialKey));
  const signed = access.signPolicy(policyFor(mac, 400), readNodeKey(paths));
  writeFileSync(paths.doorPolicy, access.encodeSignedPolicy(signed));
  return root;
}

function startDoor(root) {
  const main = new URL("test/support/door-main.js", dist).pathname;
  return spawn(process.execPath, [main, root], { stdio: ["pipe", "ignore", "inherit"] });
}

async function measureProcess() {
  const folder = mkdtempSync(join(tmpdir(), "gdo-bench-"));
  const boardPath = join(folder, "board.sock");
  const board = await LineBoard.listen(boardPath);
  const root = await makeHome(folder, boardPath);
  const [starts, kills] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    const child = startDoor(root);
    await board.connected("front-door");
    await board.play("front-door", edgesOf(w26(MEMBER)));
    starts.push(performance.now() - start);
    if (round === 0) await measureSwipes(board);
    const safe = new Promise((resolve) => board.onLevel(({ by }) => by === "safe" && resolve(performance.now())));
    const killed = performance.now();
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    kills.push((await safe) - killed);
    await exited;
  }
  say("process", { startToFirstSwipeMs: spread(starts, 0), killToReleasedMs: spread(kills, 1) });
  await board.close();
  rmSync(folder, { recursive: true });
}

async function measureSwipes(board) {
  const reports = [];
  for (let swipe = 0; swipe < SWIPES; swipe += 1) {
    reports.push(await board.play("front-door", edgesOf(w26(MEMBER + (swipe % 400)))));
  }
  const ms = (key) => spread(reports.map((report) => report[key] / 1000));
  say("swipes", { intervalMs: 1, gapMs: 4, edgeToStrikeMs: ms("edgeToStrikeUs"), decisionMs: ms("decisionUs") });
}

measureDecisions();
await measureProcess();
