/** Three validators as real processes, with a real broker and real containers. */
import { setTimeout as sleep } from "node:timers/promises";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { SeededRng } from "../../lib/base/index.ts";
import { containersMissing } from "../support/dapp-containers.ts";
import { makeValidators, type ValidatorProcess, type Validators } from "../support/validators.ts";

const missing = containersMissing();
const test = (missing === undefined ? anyTest.serial : anyTest.serial.skip) as TestFn;

/** Waits for as long as it takes; the test runner notices a wait without end. */
async function until(look: () => Promise<boolean>, everyMs = 100): Promise<void> {
  while (!(await look())) await sleep(everyMs);
}

const atHeight = (h: number, ...validators: readonly ValidatorProcess[]): Promise<void> =>
  until(async () => {
    const heights = await Promise.all(validators.map((each) => each.branch()));
    return heights.every((branch) => branch.h >= h && branch.pending === 0);
  });

/** All run, and have the dapp. */
async function begin({ ana, all, ballots }: Validators): Promise<void> {
  for (const each of all) await each.start();
  await ana.call("installDapp", { path: ballots });
  await until(async () => (await Promise.all(all.map((each) => each.branch("charter")))).every(({ h }) => h === 1));
}

/** [L7] One vote a phase, a round and a validator. */
function doubleVotes(validator: ValidatorProcess, heights: number): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (let h = 1; h <= heights; h += 1) {
    for (const { author, vote } of validator.votes(h)) {
      const place = `${author.slice(0, 8)} ${h} ${vote.r} ${vote.phase}`;
      if (seen.has(place)) twice.push(place);
      seen.add(place);
    }
  }
  return twice;
}

test("[L14] [L20] killing one changes nothing, two stops finality alone, all is finished later, and a branch is taken", async (t) => {
  const validators = await makeValidators(t);
  const { ana, ben, cleo, all } = validators;
  await begin(validators);
  await ben.append("one");
  await atHeight(1, ...all);
  await cleo.kill();
  await ana.append("two");
  await atHeight(2, ana, ben);
  await ben.kill();
  await ana.append("three");
  await ana.append("bad idea");
  await until(async () => (await ana.branch()).waits !== undefined);
  const { merges } = (await ana.call("merge", { branch: "main" })) as { merges: { waits?: string }[] };
  t.regex(merges[0]?.waits ?? "", /more of |is to propose a merge/);
  await until(async () => (await ana.branch()).away?.join() === "ben,cleo");
  const { h, pending, waits, tolerates } = await ana.branch();
  t.deepEqual([h, pending], [2, 2]);
  t.is(tolerates, "1 of 3 may be away, none may lie");
  t.regex(waits ?? "", /^(its tests need|final needs) \d more of |is to propose a merge/);
  await Promise.all([ben.start(), cleo.start()]);
  await atHeight(3, ...all);
  for (const each of all) {
    const { rows } = (await each.call("log", { branch: "main" })) as {
      rows: { app?: string; status: string; reason?: string }[];
    };
    const voided = rows.filter(({ status }) => status === "void");
    t.deepEqual(
      voided.map(({ app, reason }) => `${app}: ${reason}`),
      ["ballots: test failed: bad idea is no ballot"],
    );
  }
  t.is((await rootsOf(all)).size, 1);
  await takesTrial(t, validators);
});

async function rootsOf(all: readonly ValidatorProcess[]): Promise<Set<string>> {
  const roots = all.map(async (each) => ((await each.call("status")) as { stateRoot: string }).stateRoot);
  return new Set(await Promise.all(roots));
}

/** [L20] With the processes of the test above: at one validator's `gdo merge --from` all take the other branch, once. */
async function takesTrial(t: ExecutionContext, { ana, ben, all }: Validators): Promise<void> {
  await ana.append("tried", "trial");
  await until(async () => (await Promise.all(all.map((each) => each.branch("trial")))).every(({ h }) => h === 1));
  const h = (await ben.branch()).h + 1; // Whether two entries came by one merge or by two, is chance.
  t.regex(await ben.gdo("merge", "main", "--from", "trial"), new RegExp(`^main(@${h}: | is at height ${h}: )`));
  await atHeight(h, ...all);
  for (const each of all) {
    const { rows } = (await each.call("log", { branch: "main" })) as {
      rows: { app?: string; status: string; merge?: { h: number; included: number; from?: string[] } }[];
    };
    const [taking] = rows.filter(({ merge, status }) => merge?.h === h && status === "final");
    t.like(taking?.merge, { included: 2, from: ["trial@1"] });
    t.is(rows.filter(({ app, status }) => app === "ballots" && status === "final").length, 4);
  }
  t.is((await rootsOf(all)).size, 1);
  t.regex(
    await ben.gdo("merge", "main", "--from", "trial"),
    new RegExp(`^nothing to merge: main stays at height ${h}`),
  );
}

interface Shown {
  readonly votes?: readonly {
    readonly voter: string;
    readonly differences?: readonly { readonly place: string; readonly one?: unknown; readonly other?: unknown }[];
  }[];
}

test("[L14] two validators that disagree on a test see both outputs side by side", async (t) => {
  const validators = await makeValidators(t);
  const { ana, ben } = validators;
  await begin(validators);
  await ben.append("place");
  const differences = async (): Promise<unknown[]> => {
    const found: unknown[] = [];
    for (const event of ana.events.filter(({ type }) => type === "mismatch")) {
      const { votes = [] } = (await ana.call("show", { id: event.merge })) as Shown;
      found.push(...votes.flatMap(({ voter, differences: list = [] }) => list.map((each) => ({ voter, ...each }))));
    }
    return found;
  };
  await until(async () => (await differences()).length > 0);
  const [first] = await differences();
  t.like(first as object, { app: "ballots", place: "state ballot/place" });
  const { voter, one, other } = first as { voter: string; one: string; other: string };
  t.is(other, voter);
  t.true(["ana", "ben", "cleo"].includes(one) && one !== other, one);
});

test("[L7] kill -9 at any moment of append, vote, lock and commit never makes a second vote", async (t) => {
  const validators = await makeValidators(t);
  const { ana, ben, cleo, all } = validators;
  await begin(validators);
  await cleo.kill(); // So that nothing becomes final without the one who is killed next.
  const rng = new SeededRng(7);
  let appended = 0;
  for (let cut = 0; cut < 12; cut += 1) {
    const [victim, writer] = cut % 2 === 0 ? [ana, ben] : [ben, ana];
    const { h } = await writer.branch();
    await writer.append(`ballot ${appended++}`);
    // Its first vote is a proposal or an attest, its last a commit, after a lock.
    const votesMin = Math.floor(rng.next() * 4);
    await until(async () => victim.ownVotes(h + 1) >= votesMin || (await writer.branch()).h > h, 2);
    await victim.kill();
    await victim.start();
  }
  await cleo.start();
  await until(async () => (await Promise.all(all.map((each) => each.branch()))).every(({ pending }) => pending === 0));
  const { h } = await ana.branch();
  t.true(h > 0);
  for (const each of all) t.deepEqual(doubleVotes(each, h), []);
  const { entries } = (await ana.call("status")) as { entries: number };
  t.is(entries, appended + 1); // The dapp's installation.
});
