/**
 * Dues: what somebody has paid for a plan buys whole periods, one after the other; what does not fill a
 * period waits as credit. Worked out again from all payments each time, so that a payment that is undone
 * takes its period with it. Pure but for the draft.
 */
import { addDays, addMonths, type Draft, msOfDate, Refusal } from "../../sdk/index.ts";
import type { DuesPart } from "./fields.ts";
import { asCanonical, type DuesStanding, ofPerson, type Plan, planIn } from "./state.ts";

/** More at once is a slip of the pen. */
const PERIODS_AT_ONCE_MAX = 120;

export interface Payment {
  readonly date: string;
  readonly amount: number;
  /** Of one period, when it was paid. */
  readonly price: number;
  readonly months?: number;
  readonly days?: number;
}

/** In the order of dates. A late payer's period begins on the day of the payment, an early payer's when the last ends. */
export function settle(payments: readonly Payment[]): Pick<DuesStanding, "untilMs" | "credit"> {
  let untilMs: number | undefined;
  let credit = 0;
  for (const { date, amount, price, months = 0, days = 0 } of payments) {
    credit += amount;
    const periods = Math.floor(credit / price);
    if (periods === 0) continue;
    if (periods > PERIODS_AT_ONCE_MAX) {
      throw new Refusal(`it pays ${periods} periods at once; at most ${PERIODS_AT_ONCE_MAX}`);
    }
    credit -= periods * price;
    const startMs = Math.max(untilMs ?? 0, msOfDate(date) as number);
    untilMs = addDays(addMonths(startMs, periods * months), periods * days);
  }
  return untilMs === undefined ? { credit } : { untilMs, credit };
}

/** Notes or forgets the payments of a transaction, and tells until when dues are paid now. */
export async function payDues(
  draft: Draft,
  { id, date, dues, isUndone }: { id: string; date: string; dues: readonly DuesPart[]; isUndone: boolean },
): Promise<void> {
  for (const { person, plan, amount } of dues) {
    const key = `${ofPerson("payment", person, plan)}/${date}/${id}`;
    if (isUndone) draft.delete(key);
    else draft.put(key, asCanonical(paymentOf(amount, await planIn(draft, plan))));
  }
  for (const person of new Set(dues.map((part) => part.person))) {
    const plans = dues.filter((part) => part.person === person).map(({ plan }) => plan);
    for (const plan of new Set(plans)) await settlePlan(draft, person, plan);
    await tell(draft, person);
  }
}

function paymentOf(amount: number, { amount: price, months, days }: Plan): Omit<Payment, "date"> {
  return { amount, price, ...(months === undefined ? { days: days as number } : { months }) };
}

async function settlePlan(draft: Draft, person: string, plan: string): Promise<void> {
  const prefix = `${ofPerson("payment", person, plan)}/`;
  const payments: Payment[] = [];
  for await (const [key, value] of draft.scan(prefix)) {
    const [date = ""] = key.slice(prefix.length).split("/");
    payments.push({ ...(value as unknown as Payment), date });
  }
  const { membership } = await planIn(draft, plan);
  const key = ofPerson("dues", person, plan);
  if (payments.length === 0) draft.delete(key);
  else draft.put(key, asCanonical({ ...settle(payments), membership }));
}

/** The event that membership reads: the latest moment until which any plan that makes a member active is paid. */
async function tell(draft: Draft, person: string): Promise<void> {
  let untilMs = 0;
  for await (const [, value] of draft.scan(ofPerson("dues", person))) {
    const standing = value as unknown as DuesStanding;
    if (standing.membership) untilMs = Math.max(untilMs, standing.untilMs ?? 0);
  }
  draft.emit({ type: "dues", person, untilMs });
}
