/** Transactions into the books: balanced, in open accounts, in a period that is open, and never twice. */
import {
  type Canonical,
  type Draft,
  dateField,
  dateOfMs,
  type Entry,
  oneLine,
  optional,
  Refusal,
  readFields,
} from "../../sdk/index.ts";
import { payDues } from "./dues.ts";
import {
  AMOUNT_MAX,
  asItCame,
  type DuesPart,
  noteField,
  type Posting,
  payeeField,
  readDues,
  readPostings,
  transactionId,
} from "./fields.ts";
import {
  asCanonical,
  closedUntil,
  currencyIn,
  placeIn,
  planIn,
  requireAccount,
  type Transaction,
  transactionIn,
} from "./state.ts";

/** Clocks of devices differ; a date further ahead than this is a slip of the pen. */
const AHEAD_MS = 366 * 86_400_000;

export async function postTransaction(body: Canonical, draft: Draft, entry: Entry): Promise<void> {
  const { id, postings, dues, ...fields } = readFields(body, {
    id: transactionId,
    date: dateField,
    payee: payeeField,
    note: noteField,
    postings: asItCame,
    dues: asItCame,
  });
  if (fields.date > dateOfMs(entry.timeMs + AHEAD_MS))
    throw new Refusal(`date ${fields.date} is more than a year ahead`);
  const parts = readDues(dues);
  const transaction = { ...fields, postings: readPostings(postings), ...(parts.length === 0 ? {} : { dues: parts }) };
  for (const { account } of transaction.postings) await requireAccount(draft, account);
  await requireDuesPaid(draft, transaction.postings, parts);
  await book(draft, id, transaction as Transaction);
  if (parts.length > 0) await payDues(draft, { id, date: fields.date, dues: parts, isUndone: false });
}

/** A transaction is never taken out: another one undoes it, and both stay to be seen. */
export async function reverseTransaction(body: Canonical, draft: Draft): Promise<void> {
  const checks = { id: transactionId, of: transactionId, date: dateField, note: optional(oneLine(400)) };
  const { id, of, date, note } = readFields(body, checks);
  const transaction = await transactionIn(draft, of);
  const place = await placeIn(draft, of);
  if (transaction === undefined || place === undefined) throw new Refusal(`there is no transaction ${of}`);
  if (place.reversedBy !== undefined) throw new Refusal(`${of} was reversed by ${place.reversedBy}`);
  if (transaction.reverses !== undefined) throw new Refusal(`${of} itself reverses ${transaction.reverses}`);
  if (transaction.closing === true) throw new Refusal(`${of} closes a period`);
  if (date < transaction.date) throw new Refusal(`it cannot be reversed before ${transaction.date}`);
  const postings = transaction.postings.map((posting) => ({ ...posting, amount: -posting.amount }));
  const { payee, dues = [] } = transaction;
  await book(draft, id, { date, payee, ...(note === undefined ? {} : { note }), postings, reverses: of });
  draft.put(`id/${of}`, { ...place, reversedBy: id });
  if (dues.length > 0) await payDues(draft, { id: of, date: transaction.date, dues, isUndone: true });
}

/** Writes one transaction whose accounts are there. */
export async function book(draft: Draft, id: string, transaction: Transaction): Promise<void> {
  const { date, postings } = transaction;
  if ((await placeIn(draft, id)) !== undefined) throw new Refusal(`the transaction ${id} is there already`);
  const until = await closedUntil(draft);
  if (until !== undefined && date <= until) throw new Refusal(`the books are closed up to ${until}`);
  await requireBalance(draft, postings);
  for (const posting of net(postings)) await change(draft, posting, date);
  draft.put(`journal/${date}/${id}`, asCanonical(transaction));
  draft.put(`id/${id}`, { date });
}

async function requireBalance(draft: Draft, postings: readonly Posting[]): Promise<void> {
  const sums = new Map<string, number>();
  for (const { currency, amount } of postings) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  for (const [currency, sum] of sums) {
    await currencyIn(draft, currency);
    if (sum !== 0) throw new Refusal(`it does not balance: ${sum} ${currency} (in the smallest unit) are over`);
  }
}

/** One posting an account and currency; those that cancel out change nothing. */
function net(postings: readonly Posting[]): Posting[] {
  const sums = new Map<string, Posting>();
  for (const posting of postings) {
    const key = `${posting.account}/${posting.currency}`;
    sums.set(key, { ...posting, amount: (sums.get(key)?.amount ?? 0) + posting.amount });
  }
  return [...sums.values()].filter(({ amount }) => amount !== 0);
}

async function change(draft: Draft, { account, currency, amount }: Posting, date: string): Promise<void> {
  const place = `${account}/${currency}`;
  for await (const [key] of draft.scan(`assertion/${place}/`)) {
    const asserted = key.slice(`assertion/${place}/`.length);
    if (asserted >= date) throw new Refusal(`the balance of ${account} in ${currency} was asserted on ${asserted}`);
  }
  add(draft, `day/${place}/${date}`, ((await draft.get(`day/${place}/${date}`)) as number | undefined) ?? 0, amount);
  add(draft, `balance/${place}`, ((await draft.get(`balance/${place}`)) as number | undefined) ?? 0, amount);
}

function add(draft: Draft, key: string, before: number, amount: number): void {
  const sum = before + amount;
  if (Math.abs(sum) > AMOUNT_MAX) throw new Refusal(`${key} would be larger than ${AMOUNT_MAX}`);
  if (sum === 0) draft.delete(key);
  else draft.put(key, sum);
}

/** Each plan's account receives, in this transaction, at least what the dues say was paid for the plan. */
async function requireDuesPaid(draft: Draft, postings: readonly Posting[], dues: readonly DuesPart[]): Promise<void> {
  const due = new Map<string, number>();
  for (const { plan: name, amount } of dues) {
    const { account, currency } = await planIn(draft, name);
    due.set(`${account} in ${currency}`, (due.get(`${account} in ${currency}`) ?? 0) + amount);
  }
  for (const [place, amount] of due) {
    const own = postings.filter(({ account, currency }) => `${account} in ${currency}` === place);
    const received = -own.reduce((sum, posting) => sum + posting.amount, 0);
    if (received < amount) throw new Refusal(`dues of ${amount} go to ${place}, which receives ${received}`);
  }
}
