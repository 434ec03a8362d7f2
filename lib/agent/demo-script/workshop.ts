/**
 * The lathe of the demo: it asks for paid dues and a certificate. Kim's dues have lapsed and so has the
 * certificate; Robin has paid, and is certified until noon, which comes while the lathe is cut off. Pure.
 */
import { LATHE } from "./cast.ts";
import { DAY_MS, type Frame } from "./day.ts";

const HOUR_MS = 3_600_000;
/** Robin's certificate is a trainer's for the morning. */
const CERTIFIED_UNTIL_MS = 12 * HOUR_MS;
const PRICE = 2500;
const KIM_PAID_DAYS_AGO = 45;
const KIM_TRAINED_DAYS_AGO = 20;
const ROBIN_PAID_DAYS_AGO = 10;

const KIM = { who: "Kim", bits: "11000111000010010000101101" };
const ROBIN = { who: "Robin", bits: "10100111000100011110101111" };

/** Who holds a card to the lathe, and when. Their cards are those of workshop.csv. */
const VISITS = [
  { ...KIM, atMs: 7.5 * HOUR_MS },
  { ...ROBIN, atMs: 8 * HOUR_MS },
  { ...ROBIN, atMs: 11 * HOUR_MS },
  { ...KIM, atMs: 11.5 * HOUR_MS },
  { ...ROBIN, atMs: 12.5 * HOUR_MS },
];

/** The day's frames with those at the lathe among them, as far as the day goes. */
export function withVisits(day: readonly Frame[]): Frame[] {
  const [fromMs, toMs] = [day[0]?.atMs ?? 0, day.at(-1)?.atMs ?? 0];
  const visits = VISITS.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs).map((visit) => ({
    ...visit,
    reader: LATHE,
  }));
  return [...day, ...visits].sort((a, b) => a.atMs - b.atMs);
}

interface AppActs {
  readonly app: string;
  readonly acts: readonly { readonly type: string; readonly body: object }[];
}

/** What the office records before the day of which `midnightMs` is the beginning; `dateOf` gives a moment's date. */
export function workshopActs(midnightMs: number, dateOf: (ms: number) => string): AppActs[] {
  const ago = (days: number): string => dateOf(midnightMs - days * DAY_MS);
  const act = (type: string, body: object): AppActs["acts"][number] => ({ type, body });
  const paid = (person: string, days: number) => {
    const [bank, income] = [PRICE, -PRICE].map((amount) => ({ currency: "EUR", amount }));
    const postings = [
      { account: "assets:bank", ...bank },
      { account: "income:dues", ...income },
    ];
    const dues = [{ person, plan: "monthly", amount: PRICE }];
    return act("transaction.post", { id: `dues-${person}`, date: ago(days), payee: person, postings, dues });
  };
  const plan = { plan: "monthly", amount: PRICE, currency: "EUR", account: "income:dues", months: 1, membership: true };
  const course = { course: LATHE, name: "The lathe", trainers: ["office"], prerequisites: [], validDays: 365 };
  const shown = { description: "Turning wood without harm", criteria: "Turned a candlestick under the trainer's eyes" };
  const signOff = (person: string, days: number, untilMs: number) =>
    act("certificate.sign-off", { person, course: LATHE, on: ago(days), untilMs });
  return [
    {
      app: "accounting",
      acts: [
        act("currency.put", { currency: "EUR", digits: 2 }),
        act("account.open", { account: "assets:bank" }),
        act("account.open", { account: "income:dues" }),
        act("plan.put", plan),
        paid("kim", KIM_PAID_DAYS_AGO),
        paid("robin", ROBIN_PAID_DAYS_AGO),
      ],
    },
    {
      app: "certification",
      acts: [
        act("course.put", { ...course, ...shown }),
        signOff("kim", KIM_TRAINED_DAYS_AGO, midnightMs - DAY_MS),
        signOff("robin", 1, midnightMs + CERTIFIED_UNTIL_MS),
      ],
    },
    { app: "door", acts: [act("grant.set", { door: LATHE, minLevel: 0, membership: true, certificates: [LATHE] })] },
  ];
}
