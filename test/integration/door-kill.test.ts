import test from "ava";
import { SeededRng } from "../../lib/base/index.ts";
import { edgesOf, type FrameReport } from "../../lib/device/index.ts";
import {
  CARD_MEMBER,
  CARD_UNKNOWN,
  type DoorHome,
  endOf,
  isAlive,
  makeDoorHome,
  readDoorLog,
  startDoor,
  swipesOf,
  until,
} from "../support/door-home.ts";
import { w26 } from "../support/policy-fixtures.ts";

const SEED = Number(process.env.GDO_TEST_SEED ?? 20_261);
const KILLS = 6;
const STRIKES = ["front-strike", "laser-relay"];

interface Played {
  readonly card: number;
  readonly report: FrameReport;
}

/** Plays cards until the door is gone; gives the frames that it said were dealt with. */
async function playUntilGone({ board }: DoorHome, rng: SeededRng): Promise<Played[]> {
  const done: Played[] = [];
  for (;;) {
    const card = rng.next() < 0.7 ? CARD_MEMBER : CARD_UNKNOWN;
    try {
      done.push({ card, report: await board.play("front-door", edgesOf(w26(card))) });
    } catch {
      return done;
    }
  }
}

test.serial(
  `[A3][L7] door: kill -9 at any moment loses no acknowledged swipe and doubles none (seed ${SEED})`,
  async (t) => {
    const rng = new SeededRng(SEED);
    const home = await makeDoorHome(t);
    const done: Played[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const door = await startDoor(t, home);
      const playing = playUntilGone(home, rng);
      await new Promise((resolve) => setTimeout(resolve, rng.next() * 400));
      door.child.kill("SIGKILL");
      t.is(await endOf(door), "SIGKILL");
      done.push(...(await playing));
      // [A4] The guardian outlives the door for just as long as it takes to lock it.
      await until(() => !isAlive(door.guardianPid) && home.board.safes === kill + 1);
      for (const strike of STRIKES) t.false(home.board.levels.get(strike), strike);
    }
    const acts = readDoorLog(home);
    t.deepEqual(
      acts.map(({ block }) => block.n),
      acts.map((_, index) => index),
      "numbers without a gap or a double",
    );
    t.true(done.length > KILLS, `${done.length} frames were dealt with before the kills`);
    for (const { card, report } of done) {
      const at = acts.filter(({ block }) => block.n === report.logged);
      t.is(at.length, 1, `entry ${report.logged}`);
      t.like(swipesOf(at)[0], { cred: home.refOf(card), outcome: card === CARD_MEMBER ? "grant" : "deny" });
    }
    const numbers = done.map(({ report }) => report.logged);
    t.is(new Set(numbers).size, numbers.length, "no two frames are one entry");
  },
);

test.serial(
  "[A4] door: kill -9 while unlocked: the guardian releases the strike, and the next start stays locked",
  async (t) => {
    const home = await makeDoorHome(t);
    const door = await startDoor(t, home);
    await home.board.play("front-door", edgesOf(w26(CARD_MEMBER)));
    t.true(home.board.levels.get("front-strike"));
    const released = new Promise<string>((resolve) => home.board.onLevel(({ high, by }) => high || resolve(by)));
    door.child.kill("SIGKILL");
    t.is(await released, "safe");
    const highs: string[] = [];
    home.board.onLevel(({ line, high }) => void (high && highs.push(line)));
    const next = await startDoor(t, home);
    await home.board.play("front-door", edgesOf(w26(CARD_UNKNOWN)));
    t.deepEqual(highs, []);
    next.child.kill("SIGTERM");
    t.is(await endOf(next), 0);
  },
);

test.serial("[A4] door: killed together with its guardian, the next start asserts the safe level", async (t) => {
  const home = await makeDoorHome(t);
  const door = await startDoor(t, home);
  await home.board.play("front-door", edgesOf(w26(CARD_MEMBER)));
  door.child.kill("SIGSTOP");
  process.kill(door.guardianPid, "SIGKILL");
  door.child.kill("SIGKILL");
  await endOf(door);
  t.true(home.board.levels.get("front-strike"), "a level outlives its process, as hardware does");
  const next = await startDoor(t, home);
  t.false(home.board.levels.get("front-strike"));
  next.child.kill("SIGTERM");
  await endOf(next);
});
