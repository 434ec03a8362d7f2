import test from "ava";
import { type Canonical, type Entry, msOfDate } from "../../../sdk/index.ts";
import { ask, entryOf, Harness, MemoryState, merge, withSchemas } from "../../../sdk/testing.ts";
import { stampOf } from "../badge.ts";
import { certification as plain } from "../certification.ts";

/** Where the schemas are written; this runs from dist/images/dapps/certification/test. */
const folder = new URL("../../../../../images/dapps/certification/", import.meta.url);
const certification = withSchemas(plain, folder);

const NOW = msOfDate("2026-06-01") as number;
const DAY_MS = 86_400_000;
const DAY = (date: string): number => msOfDate(date) as number;

type Act = Entry["acts"][number];
const course = (id: string, more: Record<string, Canonical> = {}): Act => [
  "course.put",
  {
    course: id,
    name: `The ${id}`,
    description: `How to use the ${id}`,
    criteria: "Shown to the trainer",
    trainers: ["rosa"],
    prerequisites: [],
    ...more,
  },
];
const by = (principal: string, ...acts: Act[]): Entry => entryOf(acts, { principal, rights: ["append"], timeMs: NOW });
const office = (...acts: Act[]): Entry => entryOf(acts, { timeMs: NOW });
const signOff = (person: string, id: string, on = "2026-06-01", more: Record<string, Canonical> = {}): Act => [
  "certificate.sign-off",
  { person, course: id, on, ...more },
];
const renew = (person: string, id: string, on = "2026-06-01"): Act => ["certificate.renew", { person, course: id, on }];
const revoke = (person: string, id: string): Act => [
  "certificate.revoke",
  { person, course: id, reason: "burnt the table" },
];
const reasons = (outcomes: readonly { void?: string }[]): (string | undefined)[] => outcomes.map((item) => item.void);

/** Safety, and a laser that needs it and must be renewed each year. */
async function school(...entries: Entry[]) {
  const courses = office(course("safety"), course("laser", { prerequisites: ["safety"], validDays: 365 }));
  return merge(certification, [courses, ...entries], new MemoryState("certification"));
}

test("a trainer signs off who holds what the course needs, until the course says", async (t) => {
  const { outcomes, verdict, after } = await school(
    by("rosa", signOff("kim", "safety")),
    by("rosa", signOff("kim", "laser")),
  );
  t.deepEqual(reasons(outcomes), [undefined, undefined, undefined]);
  t.is(verdict.verdict, "PASS");
  t.deepEqual(outcomes[2]?.events, [
    { type: "certificate", person: "kim", course: "laser", untilMs: NOW + 365 * DAY_MS, revoked: false },
  ]);
  t.like(await ask(certification, "person", { person: "kim", at: NOW }, after), {
    laser: { standing: "active", by: "rosa", untilMs: NOW + 365 * DAY_MS },
    safety: { standing: "active" },
  });
});

const REFUSED: readonly [what: string, entry: Entry, reason: RegExp][] = [
  ["by somebody who trains something else", by("max", signOff("kim", "safety")), /max is no trainer of safety/],
  ["of oneself", by("rosa", signOff("rosa", "safety")), /nobody signs off themselves/],
  ["without what the course needs", by("rosa", signOff("kim", "laser")), /kim needs safety first: missing/],
  ["for a course that is not there", by("rosa", signOff("kim", "lathe")), /there is no course lathe/],
  ["of the day after tomorrow", by("rosa", signOff("kim", "safety", "2026-06-03")), /still to come/],
  ["of two months ago", by("rosa", signOff("kim", "safety", "2026-04-01")), /more than a month ago/],
  [
    "that ends before it begins",
    by("rosa", signOff("kim", "safety", "2026-06-01", { untilMs: 5 })),
    /before the sign-off/,
  ],
  [
    "with a field that nobody knows",
    by("rosa", signOff("kim", "safety", "2026-06-01", { grade: 1 })),
    /no field grade/,
  ],
];

for (const [what, entry, reason] of REFUSED) {
  test(`a sign-off ${what} is void, with the reason`, async (t) => {
    const { outcomes, after } = await school(entry);
    t.regex(outcomes[1]?.void ?? "", reason);
    t.deepEqual(await ask(certification, "holders", { course: "safety", at: NOW }, after), []);
  });
}

test("a prerequisite that has expired or was revoked does not count", async (t) => {
  const short = by("rosa", signOff("kim", "safety", "2026-05-20", { untilMs: DAY("2026-05-25") }));
  t.deepEqual(
    reasons((await school(short, by("rosa", signOff("kim", "laser")))).outcomes)[2],
    "certificate.sign-off: kim needs safety first: expired",
  );
  const taken = [by("rosa", signOff("kim", "safety")), by("rosa", revoke("kim", "safety"))];
  t.deepEqual(
    reasons((await school(...taken, by("rosa", signOff("kim", "laser")))).outcomes)[3],
    "certificate.sign-off: kim needs safety first: revoked",
  );
});

test("expiry is a time that is compared with the asker's: nothing happens here when it passes", async (t) => {
  const { after } = await school(by("rosa", signOff("kim", "safety")), by("rosa", signOff("kim", "laser")));
  const standingAt = async (at: number): Promise<unknown> =>
    ((await ask(certification, "person", { person: "kim", at }, after)) as { laser: { standing: string } }).laser
      .standing;
  const endMs = NOW + 365 * DAY_MS;
  t.is(await standingAt(endMs - 1), "active");
  t.is(await standingAt(endMs), "expired");
  t.deepEqual(await ask(certification, "expiring", { at: endMs - DAY_MS }, after), [
    { person: "kim", course: "laser", untilMs: endMs },
  ]);
  t.deepEqual(await ask(certification, "holders", { course: "laser", at: endMs }, after), []);
});

test("who renews early loses nothing; who renews late begins anew; what was revoked is not renewed", async (t) => {
  const { after } = await school(by("rosa", signOff("kim", "safety")), by("rosa", signOff("kim", "laser")));
  const endMs = NOW + 365 * DAY_MS;
  const untilOf = async (on: string): Promise<unknown> => {
    const entry = entryOf([renew("kim", "laser", on)], { principal: "rosa", rights: [], timeMs: DAY(on) });
    const renewed = await merge(certification, [entry], after);
    t.is(renewed.verdict.verdict, "PASS");
    const { laser } = (await ask(certification, "person", { person: "kim", at: DAY(on) }, renewed.after)) as {
      laser: { untilMs: number; renewals: number };
    };
    t.is(laser.renewals, 1);
    return laser.untilMs;
  };
  t.is(await untilOf("2027-05-01"), endMs + 365 * DAY_MS, "a month before its end");
  t.is(await untilOf("2027-07-01"), DAY("2027-07-01") + 365 * DAY_MS, "a month after its end");
  t.is(await untilOf("2026-07-01"), DAY("2026-07-01") + 365 * DAY_MS, "long before: no years are hoarded");
  const gone = await merge(
    certification,
    [by("rosa", revoke("kim", "laser")), by("rosa", renew("kim", "laser"))],
    after,
  );
  t.deepEqual(reasons(gone.outcomes), [
    undefined,
    "certificate.renew: kim has no certificate of laser to renew: sign them off",
  ]);
});

test("what was revoked says by whom and why, ends at once, and may be signed off again", async (t) => {
  const { outcomes, after } = await school(
    by("rosa", signOff("kim", "safety")),
    by("rosa", revoke("kim", "safety")),
    by("rosa", revoke("kim", "safety")),
  );
  t.deepEqual(outcomes[2]?.events, [
    { type: "certificate", person: "kim", course: "safety", untilMs: null, revoked: true },
  ]);
  t.is(outcomes[3]?.void, "certificate.revoke: it was revoked by rosa");
  t.like(await ask(certification, "person", { person: "kim", at: NOW }, after), {
    safety: { standing: "revoked", revoked: { by: "rosa", reason: "burnt the table" } },
  });
  const again = await merge(certification, [by("rosa", signOff("kim", "safety"))], after);
  t.like(await ask(certification, "person", { person: "kim", at: NOW }, again.after), {
    safety: { standing: "active" },
  });
});

test("courses: only with the right, of courses that are there, and none needs itself", async (t) => {
  const { outcomes } = await school(
    by("rosa", course("lathe")),
    office(course("lathe", { prerequisites: ["welding"] })),
    office(course("safety", { prerequisites: ["laser"] })),
    office(course("safety", { retired: true })),
    by("rosa", signOff("kim", "safety")),
  );
  t.deepEqual(reasons(outcomes).slice(1), [
    "course.put: rosa does not have the right training",
    "course.put: there is no course welding",
    "course.put: laser needs safety itself",
    undefined,
    "certificate.sign-off: safety is not given any more",
  ]);
});

test("what a person may not yet: the obstacles, named", async (t) => {
  const { after } = await school();
  t.like(await ask(certification, "person", { person: "kim", at: NOW }, after), {
    laser: { standing: "missing", obstacles: [{ course: "safety", standing: "missing" }] },
    safety: { standing: "missing", obstacles: [] },
  });
});

test("the merge test finds a certificate that nobody else signed, and one that ends before it begins", async (t) => {
  const after = new MemoryState("certification");
  after.set("course/safety", { name: "s" });
  const entry = by("rosa", signOff("kim", "safety"));
  const input = { height: 1, seed: "5".repeat(64), entries: [entry], events: [] };
  const findingsOf = async () => {
    const verdict = await certification.test?.(input, after, after);
    return verdict?.verdict === "FAIL" ? verdict.findings : [];
  };
  t.regex((await findingsOf())[0] ?? "", /there is no certificate of safety for kim/);
  after.set("certificate/kim/safety", { by: "kim", sinceMs: 1 });
  t.regex((await findingsOf())[0] ?? "", /kim signed off themselves/);
  after.set("certificate/kim/safety", { by: "rosa", sinceMs: 1, untilMs: 1 });
  t.regex((await findingsOf())[0] ?? "", /ends before it begins/);
  after.set("certificate/kim/safety", { by: "rosa", sinceMs: 1, untilMs: 2 });
  t.deepEqual(await findingsOf(), []);
});

test("a badge is an OpenBadgeCredential of the certificate; nothing is made of what was revoked", async (t) => {
  const { after } = await school(by("rosa", signOff("kim", "safety")), by("rosa", signOff("kim", "laser")));
  const { badge } = (await ask(certification, "badge", { person: "kim", course: "laser" }, after)) as { badge: object };
  t.like(badge, {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
    type: ["VerifiableCredential", "OpenBadgeCredential"],
    validFrom: "2026-06-01T00:00:00Z",
    validUntil: "2027-06-01T00:00:00Z",
    credentialSubject: {
      type: ["AchievementSubject"],
      achievement: { type: ["Achievement"], name: "The laser", criteria: { narrative: "Shown to the trainer" } },
    },
  });
  const { after: gone } = await merge(certification, [by("rosa", revoke("kim", "laser"))], after);
  const refused = await ask(certification, "badge", { person: "kim", course: "laser" }, gone);
  t.deepEqual(refused, { badge: null, why: "the certificate was revoked by rosa" });
});

test("each certificate has a place in the status list for good; a place that was revoked stays so", async (t) => {
  const { after } = await school(
    by("rosa", signOff("kim", "safety")),
    by("rosa", signOff("max", "safety")),
    by("rosa", revoke("kim", "safety")),
    by("rosa", signOff("kim", "safety")),
    by("rosa", renew("max", "safety")),
  );
  t.deepEqual(await ask(certification, "statuses", null, after), { count: 3, revoked: [0] });
  const placeOf = async (person: string, state: MemoryState): Promise<unknown> =>
    ((await ask(certification, "badge", { person, course: "safety" }, state)) as { place: unknown }).place;
  t.deepEqual([await placeOf("kim", after), await placeOf("max", after)], [2, 1]);
  after.set("certificate/old/safety", { id: "x", on: "2026-05-01", sinceMs: 1, by: "rosa", renewals: 0 });
  t.is(await placeOf("old", after), null, "signed off by an earlier version");
  const { after: renewed } = await merge(certification, [by("rosa", renew("old", "safety"))], after);
  t.is(await placeOf("old", renewed), 3);
});

test("stamps are those of ISO 8601", (t) => {
  for (const ms of [0, 1, 86_399_999, 951_782_400_000, 1_771_243_384_123, 4_102_444_799_000])
    t.is(stampOf(ms), new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z"));
});

test("award signs off whoever does not hold the course and renews whoever does, today; by a trainer alone [D7]", async (t) => {
  const dapp = await Harness.open(plain, folder);
  const rosa = { by: "rosa", rights: ["append"] };
  const rights = ["append", "training"];
  const [, about] = course("safety", { validDays: 10 });
  await dapp.merge([{ by: "office", rights, acts: await dapp.command("course.put", about, { by: "office", rights }) }]);
  const kim = { person: "kim", course: "safety" };
  const on = "2023-11-14"; // The day of TRIAL_TIME_MS.
  for (const type of ["certificate.sign-off", "certificate.renew"]) {
    const acts = await dapp.command("award", kim, rosa);
    t.deepEqual(acts, [[type, { ...kim, on }]]);
    t.deepEqual((await dapp.merge([{ ...rosa, acts }])).voids, {});
  }
  await dapp.merge([
    { ...rosa, acts: await dapp.command("certificate.revoke", { ...kim, reason: "burnt the table" }, rosa) },
  ]);
  t.is((await dapp.command("award", kim, rosa))[0]?.[0], "certificate.sign-off");
  const refused = (name: string, args: object, by: string, message: string) =>
    t.throwsAsync(dapp.command(name, args, { by, rights: ["append"] }), {
      message: `certification ${name}: ${message}`,
    });
  await refused("award", kim, "max", "max is no trainer of safety");
  await refused("award", { ...kim, course: "laser" }, "rosa", "there is no course laser");
  await refused("award", { course: "safety" }, "rosa", "person is missing");
  await refused("course.put", about as object, "rosa", "rosa does not have the right training");
});
