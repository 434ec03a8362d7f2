/**
 * One history for each dapp of the project, with all in it on which versions of Node.js could differ: text beyond
 * ASCII, sorting, dates, sums, refusals. Made from a seed, the same each time.
 */
import { decide, encodeSwipe, swipeEvent } from "../../lib/access/index.ts";
import { jsonFromCanonical } from "../../lib/codec/index.ts";
import { TRIAL_TIME_MS, type TrialEntry, type TrialEvent, type TrialState } from "../../lib/dapp/index.ts";

export interface History {
  readonly others?: Readonly<Record<string, TrialState>>;
  readonly merges: readonly { readonly entries: readonly TrialEntry[]; readonly events?: readonly TrialEvent[] }[];
  /** Asked when all is merged. */
  readonly query: readonly [name: string, args: unknown];
}

const PEOPLE = [
  "ada",
  "bob",
  "kim",
  "Zoë",
  "Łukasz",
  "İpek",
  "Straße",
  "ß",
  "ﬁnn",
  "Å",
  "日本",
  "𝒳eno",
  "Ωmega",
  "eve 💡",
];
const RIGHTS = ["append", "quota", "members", "accounts", "training", "door"];
const DAY_MS = 86_400_000;

/** Numbers below `end`, one after the other (Lehmer's generator). */
function numbers(seed: number): (end: number) => number {
  let state = seed;
  return (end) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % end;
  };
}

const dateOf = (day: number): string => new Date(TRIAL_TIME_MS + day * DAY_MS).toISOString().slice(0, 10);
const office = (...acts: TrialEntry["acts"]): TrialEntry => ({ by: "office", rights: RIGHTS, acts });
const personOf = (next: (end: number) => number): string => PEOPLE[next(PEOPLE.length)] as string;
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

function quota(): History {
  const next = numbers(1);
  const use = (): TrialEntry => ({ by: personOf(next), acts: [["use", { amount: 1 + next(30) }]] });
  const limit = (): TrialEntry => office(["limit", { member: personOf(next), max: next(400) }]);
  const some = (): TrialEntry => (next(5) === 0 ? limit() : use());
  return { merges: times(3, () => ({ entries: times(60, some) })), query: ["used", "Zoë"] };
}

function membership(): History {
  const next = numbers(2);
  const refOf = (index: number): string => index.toString(16).padStart(32, "0");
  const put = (id: string): TrialEntry =>
    office(["person.put", { id, name: `${id} ${id.toLowerCase()}`, level: next(256) - 128, status: "active" }]);
  const card = (index: number): TrialEntry =>
    office(["credential.put", { ref: refOf(index % 20), person: personOf(next), status: "active" }]);
  const waive = (): TrialEntry => office(["dues.waive", { id: personOf(next), reason: "é versus e\u0301" }]);
  const paid = (): TrialEvent => ({
    app: "accounting",
    event: { type: "dues", person: personOf(next), untilMs: TRIAL_TIME_MS + next(400) * DAY_MS },
  });
  return {
    merges: [
      { entries: PEOPLE.slice(2).map(put), events: times(8, paid) },
      { entries: [...times(40, card), ...times(6, waive)], events: times(8, paid) },
    ],
    query: ["list", {}],
  };
}

function accounting(): History {
  const next = numbers(3);
  const plan = { currency: "EUR", months: 1, amount: 2500, account: "income:dues", membership: true };
  const accounts = ["assets:bank", "assets:cash", "income:dues", "expenses:rent", "equity:retained"];
  const opening = office(
    ["currency.put", { currency: "EUR", digits: 2 }],
    ...accounts.map((account) => ["account.open", { account }] as const),
    ["plan.put", { plan: "monthly", ...plan }],
  );
  const post = (index: number): TrialEntry => {
    const amount = 1 + next(9_000);
    const accountsOf = [accounts[next(2)], accounts[2 + next(2)]];
    const postings = accountsOf.map((account, at) => ({
      account,
      currency: "EUR",
      amount: at === 0 ? amount : -amount,
    }));
    const person = personOf(next);
    const dues = accountsOf[1] === "income:dues" ? { dues: [{ person, plan: "monthly", amount }] } : {};
    return office([
      "transaction.post",
      { id: `t${index % 50}`, date: dateOf(next(300) - 250), payee: person, postings, ...dues },
    ]);
  };
  const reverse = (): TrialEntry =>
    office(["transaction.reverse", { id: `r${next(50)}`, of: `t${next(50)}`, date: dateOf(60) }]);
  const close = office(["period.close", { until: dateOf(-100), into: "equity:retained" }]);
  return {
    merges: [
      { entries: [opening, ...times(60, post)] },
      { entries: [...times(8, reverse), close, ...times(20, (index) => post(100 + index))] },
    ],
    query: ["journal", {}],
  };
}

function certification(): History {
  const next = numbers(4);
  const courses = ["safety", "laser", "lathe"];
  const teach = courses.map((course, at) => [
    "course.put",
    {
      course,
      name: `The ${course}`,
      description: "d",
      criteria: "c",
      trainers: ["max", "rosa"],
      prerequisites: courses.slice(0, at),
      validDays: 30 + at,
    },
  ]) as unknown as TrialEntry["acts"];
  const acts = ["certificate.sign-off", "certificate.sign-off", "certificate.renew", "certificate.revoke"];
  const certify = (): TrialEntry => {
    const type = acts[next(acts.length)] as string;
    const about = { person: personOf(next), course: courses[next(3)] };
    const body = type.endsWith("revoke") ? { ...about, reason: "ﬁre" } : { ...about, on: dateOf(-next(40)) };
    return { by: next(4) === 0 ? "max" : "rosa", acts: [[type, body]] };
  };
  return {
    merges: [{ entries: [office(...teach)] }, ...times(2, () => ({ entries: times(60, certify) }))],
    query: ["person", { person: "Łukasz", at: TRIAL_TIME_MS }],
  };
}

/** Swipes at doors that have no snapshot yet, and what the snapshot comes to. */
function door(): History {
  const next = numbers(5);
  const persons = PEOPLE.map((id, at) => [`person/${id}`, { name: id, level: at, status: "active" }] as const);
  const cards = PEOPLE.map((person, at) => {
    const ref = at.toString(16).padStart(32, "a");
    return [`credential/${ref}`, { person, status: "active" }] as const;
  });
  const grant = (index: number): TrialEntry =>
    office([
      "grant.set",
      { door: `Tür ${index}`, minLevel: next(200) - 100, certificates: ["laser", "ångström"].slice(0, 1 + next(2)) },
    ]);
  const swipe = (index: number): TrialEntry => {
    const where = `Tür ${next(4)}`;
    const ref = next(20).toString(16).padStart(32, "a");
    const circumstances = {
      reader: "r",
      quality: "system",
      mono: 5n,
      boot: 1,
      bits: 26,
      latencyUs: 9,
      door: where,
    } as const;
    const asked = { frame: { ok: true }, ref, door: where, wallMs: TRIAL_TIME_MS, clockQuality: "system" } as const;
    const event = swipeEvent({ ...circumstances, at: TRIAL_TIME_MS + index }, decide(undefined, asked));
    return { by: "front", acts: [["swipe", jsonFromCanonical(encodeSwipe(event))]] };
  };
  const edition = { generation: 1, height: 2, issuedMs: 5, softMs: 6, hardMs: 7 };
  return {
    others: { membership: Object.fromEntries([...persons, ...cards]) },
    merges: [{ entries: times(6, grant) }, { entries: times(40, swipe) }],
    query: ["policy", edition],
  };
}

export const DAPP_HISTORIES: Readonly<Record<string, () => History>> = {
  quota,
  membership,
  accounting,
  certification,
  door,
};
