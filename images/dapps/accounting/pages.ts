/** The journal out of the state, whole or in pages. */
import type { Draft, State } from "../../sdk/index.ts";
import type { Posting } from "./fields.ts";
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

/** Which part of the books: what is after `since`, over the balances at its end, and no later than `until`. */
export interface Part {
  readonly since?: string | undefined;
  readonly base?: readonly Posting[];
  readonly until?: string;
}

/** A part of the journal that stands by itself: the declarations, the balances that it begins with, and what follows. */
export async function journalPart(state: State, { since, base = [], until = "~" }: Part = {}): Promise<string> {
  const { currencies, accounts } = await settingsIn(state);
  const pieces = [journalHead(currencies, accounts)];
  if (since !== undefined && base.length > 0)
    pieces.push(journalOf("opening", { date: since, payee: "Opening", postings: base }, currencies));
  const due = (await assertionsIn(state)).filter(({ date }) => date > (since ?? "") && date <= until);
  const assertUpTo = assertionWriter(due, pieces, currencies);
  for await (const [place, transaction] of transactionsIn(state, since)) {
    const [date = "", id = ""] = place.split("/");
    if (date > until) break;
    assertUpTo(date);
    pieces.push(journalOf(id, transaction, currencies));
  }
  assertUpTo("~");
  return pieces.join("");
}

/** In the order of dates; of those after `since` nothing earlier is read. */
async function* transactionsIn(state: State, since?: string): AsyncGenerator<readonly [place: string, Transaction]> {
  for (const prefix of since === undefined ? [""] : prefixesAfter(since)) {
    for await (const [key, value] of state.scan(`journal/${prefix}`))
      yield [key.slice("journal/".length), value as unknown as Transaction];
  }
}

/** With these, in this order, begins every date after one: 2026-11-23 to -29, 2026-11-3, 2026-12 to -19, … */
export function prefixesAfter(date: string): string[] {
  return [...date].flatMap((_, index) => {
    const place = date.length - 1 - index;
    const digit = date.charCodeAt(place) - "0".charCodeAt(0);
    const larger = digit >= 0 && digit <= 9 ? "0123456789".slice(digit + 1) : "";
    return [...larger].map((next) => date.slice(0, place) + next);
  });
}

/** Writes what was asserted before a date, each time it is called, once. */
function assertionWriter(
  assertions: Assertion[],
  pieces: string[],
  currencies: Settings["currencies"],
): (date: string) => void {
  return (date) => {
    while (assertions[0] !== undefined && assertions[0].date < date) {
      const { date: on, ...asserted } = assertions.shift() as Assertion;
      pieces.push(journalAssertion(on, asserted, currencies[asserted.currency] as Currency));
    }
  };
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
  const assertUpTo = assertionWriter(assertions, pieces, currencies);
  let count = 0;
  let last = after;
  for await (const [place, transaction] of transactionsIn(state)) {
    if (place <= after) continue;
    const [date = "", id = ""] = place.split("/");
    if (count === limit) return { text: pieces.join(""), next: last };
    assertUpTo(date);
    pieces.push(journalOf(id, transaction, currencies));
    count += 1;
    last = place;
  }
  assertUpTo("~");
  return { text: pieces.join(""), next: null };
}
