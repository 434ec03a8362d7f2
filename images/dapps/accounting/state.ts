/**
 * What accounting keeps. Amounts are integers of the smallest unit; dates are text, so that the byte order
 * of the keys is the order of time.
 *
 *   currency/<code>                       {digits}
 *   account/<name>                        {note?}
 *   plan/<name>                           {amount, currency, account, months | days, membership}
 *   journal/<date>/<id>                   the transaction
 *   id/<id>                               {date, reversedBy?}
 *   day/<account>/<currency>/<date>       what the day changed
 *   balance/<account>/<currency>          all days together; absent when zero
 *   assertion/<account>/<currency>/<date> the balance at the end of the date, as somebody has seen it
 *   payment/<person>/<plan>/<date>/<id>   {amount, price, months?, days?}
 *   dues/<person>/<plan>                  {untilMs, credit, membership}
 *   closed                                {until, hasBase}
 *   base/<account>/<currency>             the balance at the end of that date; absent when zero
 */
import { type Canonical, type Draft, keyPart, Refusal, type State } from "../../sdk/index.ts";
import type { DuesPart, Posting } from "./fields.ts";

export interface Currency {
  /** Decimal places: 2 means that the smallest unit is a hundredth. */
  readonly digits: number;
}

export interface Plan {
  readonly amount: number;
  readonly currency: string;
  /** The income account that dues are paid to. */
  readonly account: string;
  readonly months?: number;
  readonly days?: number;
  /** Whether it makes a member active, or pays for something else, as a locker. */
  readonly membership: boolean;
}

export interface Transaction {
  readonly date: string;
  readonly payee: string;
  readonly note?: string;
  readonly postings: readonly Posting[];
  readonly dues?: readonly DuesPart[];
  /** The id of the transaction that this one undoes. */
  readonly reverses?: string;
  /** Closes a period. */
  readonly closing?: boolean;
}

export interface TransactionPlace {
  readonly date: string;
  readonly reversedBy?: string;
}

export interface DuesStanding {
  /** Dues are paid until here; undefined before the first whole period. */
  readonly untilMs?: number;
  /** Paid, but not enough for a period yet. */
  readonly credit: number;
  readonly membership: boolean;
}

type From = State | Draft;

export async function currencyIn(from: From, code: string): Promise<Currency> {
  const found = (await from.get(`currency/${code}`)) as Currency | undefined;
  if (found === undefined) throw new Refusal(`there is no currency ${code}: currency.put makes it`);
  return found;
}

export async function planIn(from: From, name: string): Promise<Plan> {
  const found = (await from.get(`plan/${name}`)) as Plan | undefined;
  if (found === undefined) throw new Refusal(`there is no plan ${name}`);
  return found;
}

export async function requireAccount(from: From, name: string): Promise<void> {
  if ((await from.get(`account/${name}`)) === undefined) {
    throw new Refusal(`there is no account ${name}: account.open makes it`);
  }
}

export async function placeIn(from: From, id: string): Promise<TransactionPlace | undefined> {
  return (await from.get(`id/${id}`)) as TransactionPlace | undefined;
}

export async function transactionIn(from: From, id: string): Promise<Transaction | undefined> {
  const place = await placeIn(from, id);
  return place === undefined ? undefined : ((await from.get(`journal/${place.date}/${id}`)) as unknown as Transaction);
}

export interface Closed {
  readonly until: string;
  /** Absent where an earlier version closed the books. */
  readonly hasBase?: boolean;
}

export async function closedIn(from: From): Promise<Closed | undefined> {
  return (await from.get("closed")) as Closed | undefined;
}

export async function closedUntil(from: From): Promise<string | undefined> {
  return (await closedIn(from))?.until;
}

/** Balances now, or those with which the open period begins; none is zero. */
export async function amountsIn(from: From, kind: "balance" | "base"): Promise<Posting[]> {
  const found: Posting[] = [];
  for await (const [key, value] of from.scan(`${kind}/`)) {
    const [, account = "", currency = ""] = key.split("/");
    found.push({ account, currency, amount: value as number });
  }
  return found;
}

/** Sum of the days up to and with a date. */
export async function balanceOn(
  from: From,
  { account, currency }: Omit<Posting, "amount">,
  date: string,
): Promise<number> {
  let sum = 0;
  const prefix = `day/${account}/${currency}/`;
  for await (const [key, value] of from.scan(prefix)) {
    if (key.slice(prefix.length) > date) break;
    sum += value as number;
  }
  return sum;
}

/** Prefix of the payments and standings of one person and perhaps one plan. */
export function ofPerson(kind: "payment" | "dues", person: string, plan?: string): string {
  return `${kind}/${keyPart(person)}/${plan === undefined ? "" : plan}`;
}

export function asCanonical(value: object): Canonical {
  return value as unknown as Canonical;
}
