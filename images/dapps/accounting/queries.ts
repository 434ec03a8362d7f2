/** What accounting answers. Amounts are integers of the smallest unit; `settings` has the digits. */
import {
  type Canonical,
  dateField,
  integer,
  list,
  nameOfKeyPart,
  optional,
  type Query,
  readFields,
  type State,
  text,
} from "../../sdk/index.ts";
import { accountName, personId, transactionId } from "./fields.ts";
import { journalPage, settingsIn } from "./pages.ts";
import { asCanonical, type DuesStanding, ofPerson, placeIn, type Transaction, transactionIn } from "./state.ts";

const ITEMS_MAX = 500;
const IDS_MAX = 2000;
const TIME_MAX = Number.MAX_SAFE_INTEGER;
const WEEK_MS = 7 * 86_400_000;

/** {account: {currency: amount}} */
async function accounts(args: Canonical, state: State): Promise<Canonical> {
  const { on } = readFields(args ?? {}, { on: optional(dateField) });
  const found: Record<string, Record<string, number>> = Object.create(null);
  const prefix = on === undefined ? "balance/" : "day/";
  for await (const [key, value] of state.scan(prefix)) {
    const [, account = "", currency = "", date = ""] = key.split("/");
    if (on !== undefined && date > on) continue;
    found[account] ??= Object.create(null) as Record<string, number>;
    const balances = found[account] as Record<string, number>;
    balances[currency] = (balances[currency] ?? 0) + (value as number);
  }
  return found;
}

async function register(args: Canonical, state: State): Promise<Canonical> {
  const checks = { account: accountName, after: optional(text(100)), limit: optional(integer(1, ITEMS_MAX)) };
  const { account, after = "", limit = ITEMS_MAX } = readFields(args, checks);
  const items: Canonical[] = [];
  for await (const [key, value] of state.scan("journal/")) {
    const place = key.slice("journal/".length);
    const transaction = value as unknown as Transaction;
    if (place <= after || !transaction.postings.some((posting) => posting.account === account)) continue;
    items.push(asCanonical({ place, ...transaction }));
    if (items.length === limit) break;
  }
  return items;
}

async function dues(args: Canonical, state: State): Promise<Canonical> {
  const { person } = readFields(args, { person: personId });
  const plans: Record<string, Canonical> = Object.create(null);
  const prefix = ofPerson("dues", person);
  for await (const [key, value] of state.scan(prefix)) plans[key.slice(prefix.length)] = value;
  return { person, plans };
}

/** The treasurer's list: whose membership has lapsed at a moment, or will within a week. */
async function lapsing(args: Canonical, state: State): Promise<Canonical> {
  const checks = { at: integer(0, TIME_MAX), within: optional(integer(0, TIME_MAX)) };
  const { at, within = WEEK_MS } = readFields(args, checks);
  const untilOf = new Map<string, number>();
  for await (const [key, value] of state.scan("dues/")) {
    const { membership, untilMs = 0 } = value as unknown as DuesStanding;
    const person = nameOfKeyPart(key.split("/")[1] ?? "");
    if (membership) untilOf.set(person, Math.max(untilOf.get(person) ?? 0, untilMs));
  }
  const due = [...untilOf].filter(([, untilMs]) => untilMs <= at + within).sort(([, a], [, b]) => a - b);
  return due.map(([person, untilMs]) => ({ person, untilMs, lapsed: untilMs <= at }));
}

async function transaction(args: Canonical, state: State): Promise<Canonical> {
  const { id } = readFields(args, { id: transactionId });
  const found = await transactionIn(state, id);
  return found === undefined ? null : asCanonical({ id, ...found, ...(await placeIn(state, id)) });
}

async function known(args: Canonical, state: State): Promise<Canonical> {
  const { ids } = readFields(args, { ids: list(transactionId, IDS_MAX) });
  const there = await Promise.all(ids.map(async (id) => ((await placeIn(state, id)) === undefined ? [] : [id])));
  return there.flat();
}

async function journal(args: Canonical, state: State): Promise<Canonical> {
  const checks = { after: optional(text(100)), limit: optional(integer(1, 10_000)) };
  const { after = "", limit = 10_000 } = readFields(args ?? {}, checks);
  return journalPage(state, { after, limit });
}

export const queries: Readonly<Record<string, Query>> = {
  accounts,
  register,
  dues,
  lapsing,
  transaction,
  known,
  journal,
  settings: async (_, state) => asCanonical(await settingsIn(state)),
};
