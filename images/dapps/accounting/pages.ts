/** The journal out of the state, whole or in pages. */
import type { Draft, State } from "../../sdk/index.ts";
import { journalAssertion, journalHead, journalOf } from "./journal.ts";
import { type Currency, closedUntil, type Plan, type Transaction } from "./state.ts";

export interface Settings {
  readonly currencies: Readonly<Record<string, Currency>>;
  readonly accounts: readonly string[];
  readonly plans: Readonly<Record<string, Plan>>;
  readonly closedUntil: string | null;
}

export async function settingsIn(from: State | Draft): Promise<Settings> {
  const read = async <T>(prefix: string): Promise<Record<string, T>> => {
    const found: Record<string, T> = Object.create(null);
    for await (const [key, value] of from.scan(prefix)) found[key.slice(prefix.length)] = value as T;
    return found;
  };
  return {
    currencies: await read<Currency>("currency/"),
    accounts: Object.keys(await read("account/")),
    plans: await read<Plan>("plan/"),
    closedUntil: (await closedUntil(from)) ?? null,
  };
}

interface Assertion {
  readonly date: string;
  readonly account: string;
  readonly currency: string;
  readonly amount: number;
}

async function assertionsIn(state: State): Promise<Assertion[]> {
  const found: Assertion[] = [];
  for await (const [key, amount] of state.scan("assertion/")) {
    const [, account = "", currency = "", date = ""] = key.split("/");
    found.push({ date, account, currency, amount: amount as number });
  }
  return found.sort((a, b) => (a.date < b.date ? -1 : Number(a.date > b.date)));
}

export async function wholeJournal(state: State): Promise<string> {
  return (await journalPage(state, { limit: Number.MAX_SAFE_INTEGER })).text;
}

/**
 * From after a place ("<date>/<id>") on, so many transactions. An assertion stands after the last
 * transaction of its date; the first page begins with the declarations.
 */
export async function journalPage(
  state: State,
  { after = "", limit }: { after?: string; limit: number },
): Promise<{ text: string; next: string | null }> {
  const { currencies, accounts } = await settingsIn(state);
  const [afterDate = ""] = after.split("/");
  const assertions = (await assertionsIn(state)).filter(({ date }) => date >= afterDate);
  const pieces = after === "" ? [journalHead(currencies, accounts)] : [];
  const assertUpTo = (date: string): void => {
    while (assertions[0] !== undefined && assertions[0].date < date) {
      const { date: on, ...asserted } = assertions.shift() as Assertion;
      pieces.push(journalAssertion(on, asserted, currencies[asserted.currency] as Currency));
    }
  };
  let count = 0;
  let last = after;
  for await (const [key, value] of state.scan("journal/")) {
    const place = key.slice("journal/".length);
    if (place <= after) continue;
    const [date = "", id = ""] = place.split("/");
    if (count === limit) return { text: pieces.join(""), next: last };
    assertUpTo(date);
    pieces.push(journalOf(id, value as unknown as Transaction, currencies));
    count += 1;
    last = place;
  }
  assertUpTo("~");
  return { text: pieces.join(""), next: null };
}
