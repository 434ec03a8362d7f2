import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { contradictionOf, decodePolicy, decodeSignedPolicy } from "../../lib/access/index.ts";
import { runDoor } from "../../lib/agent/door/process.ts";
import { type Hash, silentLog } from "../../lib/base/index.ts";
import { verifyBlock } from "../../lib/codec/index.ts";
import { edgesOf, type LevelChange } from "../../lib/device/index.ts";
import { MemoryStore, putBlob } from "../../lib/store/index.ts";
import {
  CARD_MEMBER,
  CARD_STRUCK_OUT,
  CARD_UNKNOWN,
  endOf,
  isAlive,
  makeDoorHome,
  readDoorLog,
  START_MS,
  startDoor,
  swipesOf,
  until,
} from "../support/door-home.ts";
import { flip, w26 } from "../support/policy-fixtures.ts";

test("[A3] door: a swipe is decided, logged, then struck, and the strike ends on its own", async (t) => {
  const home = await makeDoorHome(t);
  const door = await startDoor(t, home);
  const levels: LevelChange[] = [];
  home.board.onLevel((change) => void levels.push(change));
  home.board.advance(START_MS + 60_000);
  const granted = await home.board.play("front-door", edgesOf(w26(CARD_MEMBER)));
  t.is(granted.logged, 1); // Entry 0 is the boot.
  t.true(granted.edgeToStrikeUs! >= 4_000); // The gap that ends the frame is part of it.
  t.true(granted.decisionUs! >= 0 && granted.decisionUs! < granted.edgeToStrikeUs!);
  home.board.advance(START_MS + 120_000);
  await until(() => levels.length === 2);
  t.deepEqual(
    levels.map(({ line, high, by }) => [line, high, by]),
    [
      ["front-strike", true, "door"],
      ["front-strike", false, "door"],
    ],
  );
  const pulseMs = levels[1]!.wallMs - levels[0]!.wallMs;
  t.true(pulseMs >= 4_999 && pulseMs <= 5_001, `${pulseMs} ms`);
  door.child.kill("SIGTERM");
  t.is(await endOf(door), 0);
  const [swipe] = swipesOf(readDoorLog(home));
  t.like(swipe, { door: "front", reader: "front-door", outcome: "grant", person: "bob", quality: "steered", boot: 1 });
  t.true(swipe!.at >= START_MS + 60_000 && swipe!.at < START_MS + 120_000);
});

test("[A1] door: each swipe's entry says outcome and reason, and only grants strike", async (t) => {
  const home = await makeDoorHome(t);
  const door = await startDoor(t, home);
  const highs: string[] = [];
  home.board.onLevel(({ line, high }) => void (high && highs.push(line)));
  const play = (reader: string, bits: string) => home.board.play(reader, edgesOf(bits));
  await play("front-door", w26(CARD_STRUCK_OUT));
  await play("front-door", w26(CARD_UNKNOWN));
  await play("front-door", flip(w26(CARD_MEMBER), 9));
  await play("front-door", w26(CARD_MEMBER).slice(1));
  await play("laser-1", w26(CARD_MEMBER));
  t.deepEqual(highs, []);
  const report = await home.board.play("front-door", []);
  t.deepEqual(report, { logged: null, edgeToStrikeUs: null, decisionUs: null });
  await play("front-door", w26(CARD_MEMBER));
  t.deepEqual(highs, ["front-strike"]);
  door.child.kill("SIGTERM");
  await endOf(door);
  t.deepEqual(
    swipesOf(readDoorLog(home)).map(({ outcome, reason, bits }) => [outcome, reason, bits]),
    [
      ["deny", "credential_denied", 26],
      ["deny", "unknown_credential", 26],
      ["frame_error", "frame_parity", 26],
      ["frame_error", "frame_length", 25],
      ["deny", "level_too_low", 26],
      ["grant", "granted", 26],
    ],
  );
});

test("[A2] door: every logged decision follows from the policy that its entry names", async (t) => {
  const home = await makeDoorHome(t);
  const door = await startDoor(t, home);
  for (const card of [CARD_MEMBER, CARD_UNKNOWN, CARD_STRUCK_OUT]) {
    await home.board.play("front-door", edgesOf(w26(card)));
  }
  door.child.kill("SIGTERM");
  await endOf(door);
  const bytes = decodeSignedPolicy(new Uint8Array(readFileSync(home.paths.doorPolicy))).policy;
  const inForce = { id: (await putBlob(new MemoryStore(), bytes)).id as Hash, policy: decodePolicy(bytes) };
  const swipes = swipesOf(readDoorLog(home));
  t.is(swipes.length, 3);
  for (const swipe of swipes) {
    t.is(swipe.policy, inForce.id);
    t.is(contradictionOf(swipe, inForce), undefined);
  }
});

test("[L4] door: its log is one chain of signed entries on top of the charter, across restarts", async (t) => {
  const home = await makeDoorHome(t);
  for (let run = 0; run < 2; run += 1) {
    const door = await startDoor(t, home);
    await home.board.play("front-door", edgesOf(w26(CARD_MEMBER)));
    door.child.kill("SIGTERM");
    t.is(await endOf(door), 0);
  }
  const acts = readDoorLog(home);
  t.deepEqual(
    acts.map(({ type }) => type),
    ["boot", "swipe", "boot", "swipe"],
  );
  t.deepEqual(
    swipesOf(acts).map(({ boot }) => boot),
    [1, 2],
  );
  for (const [index, { block }] of acts.entries()) {
    t.true(verifyBlock(block));
    t.is(block.n, index);
    t.is(block.b, acts[index - 1]?.block.id ?? null);
    t.is(block.l, acts[0]!.block.l);
  }
});

test("[A6] door: no card number and no plain hash of one is in any file of the home, nor in what it says", async (t) => {
  const home = await makeDoorHome(t);
  const door = await startDoor(t, home);
  const cards = [CARD_MEMBER, CARD_STRUCK_OUT, CARD_UNKNOWN];
  for (const card of cards) await home.board.play("front-door", edgesOf(w26(card)));
  const files = readdirSync(home.root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const texts = files.map((file) => readFileSync(join(file.parentPath, file.name)).toString("latin1"));
  door.child.kill("SIGTERM");
  await endOf(door);
  texts.push(door.errors(), ...files.map((file) => readSafely(join(file.parentPath, file.name))));
  t.true(
    texts.some((text) => text.includes("unknown_credential")),
    "the log is among the files",
  );
  for (const card of cards) {
    const digest = createHash("sha224").update(String(card).padStart(10, "0")).digest();
    const number = Buffer.from([card >>> 16, (card >>> 8) & 255, card & 255]).toString("latin1");
    const forms = [
      String(card),
      card.toString(16),
      w26(card),
      digest.toString("hex"),
      digest.toString("latin1"),
      digest.toString("base64"),
    ];
    for (const form of forms)
      t.false(
        texts.some((text) => text.includes(form)),
        `card ${card} as ${form.length} characters`,
      );
    const asInteger = `\x1a\x00${number}`; // As canonical CBOR writes it.
    t.false(texts.some((text) => text.includes(asInteger)));
  }
});

function readSafely(path: string): string {
  try {
    return readFileSync(path).toString("latin1");
  } catch {
    return ""; // Locks and write-ahead logs go with the process.
  }
}

test("[A4] door: told to end, it releases its strikes first and leaves no process behind", async (t) => {
  const home = await makeDoorHome(t);
  const door = await startDoor(t, home);
  const { edgeToStrikeUs } = await home.board.play("front-door", edgesOf(w26(CARD_MEMBER)));
  t.not(edgeToStrikeUs, null);
  t.true(home.board.levels.get("front-strike"));
  const levels: LevelChange[] = [];
  home.board.onLevel((change) => void levels.push(change));
  door.child.kill("SIGINT");
  t.is(await endOf(door), 0);
  t.like(levels[0], { line: "front-strike", high: false, by: "door" });
  t.false(isAlive(door.guardianPid));
});

test("[A4] door: a guardian that dies is replaced", async (t) => {
  const home = await makeDoorHome(t);
  const door = await runDoor({ root: home.root, log: silentLog });
  t.teardown(() => door.close());
  const first = door.guardianPid!;
  process.kill(first, "SIGKILL");
  await until(() => door.guardianPid !== undefined && door.guardianPid !== first);
  t.true(isAlive(door.guardianPid!));
  const report = await home.board.play("front-door", edgesOf(w26(CARD_MEMBER)));
  t.is(report.logged, 1);
});

test("door: one process a home", async (t) => {
  const home = await makeDoorHome(t);
  const door = await runDoor({ root: home.root, log: silentLog });
  t.teardown(() => door.close());
  await t.throwsAsync(runDoor({ root: home.root, log: silentLog }), { code: "HOME_LOCKED" });
});

test("door: a reader on sysfs is refused with the reason, and the home is free again", async (t) => {
  const home = await makeDoorHome(t, { lines: "onoff", board: undefined, clock: "system", startMs: undefined });
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await t.throwsAsync(runDoor({ root: home.root, log: silentLog }), {
      code: "LINE_INVALID",
      message: /front-door.*lost/,
    });
  }
});

test("door: without its board it does not start, and says so", async (t) => {
  const home = await makeDoorHome(t);
  await home.board.close();
  await t.throwsAsync(runDoor({ root: home.root, log: silentLog }), { code: "LINE_INVALID", message: /board/ });
});

test("[A1] door: without a policy, or with a torn one, it denies and logs", async (t) => {
  const home = await makeDoorHome(t);
  writeFileSync(home.paths.doorPolicy, home.signed().subarray(0, 300));
  const door = await startDoor(t, home);
  const report = await home.board.play("front-door", edgesOf(w26(CARD_MEMBER)));
  t.is(report.edgeToStrikeUs, null);
  door.child.kill("SIGTERM");
  await endOf(door);
  t.like(swipesOf(readDoorLog(home))[0], { outcome: "deny", reason: "policy_missing", policy: null });
  t.regex(door.errors(), /refused/);
});

test("door: a board that goes away and comes back finds the lines low and the readers open", async (t) => {
  const home = await makeDoorHome(t);
  const door = await startDoor(t, home);
  await home.board.play("front-door", edgesOf(w26(CARD_MEMBER)));
  t.true(home.board.levels.get("front-strike"));
  home.board.disconnect();
  await until(() => home.board.levels.get("front-strike") === false);
  await home.board.connected("front-door");
  const report = await home.board.play("front-door", edgesOf(w26(CARD_MEMBER)));
  t.is(report.logged, 2);
  door.child.kill("SIGTERM");
  t.is(await endOf(door), 0);
});
