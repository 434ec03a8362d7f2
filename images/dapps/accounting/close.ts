/** What holds the books still: balances that somebody has seen, and periods that are over. */
import { type Canonical, type Draft, dateField, Refusal, readFields } from "../../sdk/index.ts";
import { accountName, amountField, currencyCode, type Posting } from "./fields.ts";
import { book } from "./post.ts";
import { amountsIn, balanceOn, closedUntil, currencyIn, requireAccount } from "./state.ts";

/** "The bank's statement says so": true now, and from now on, since nothing more is posted there up to that date. */
export async function assertBalance(body: Canonical, draft: Draft): Promise<void> {
  const checks = { account: accountName, currency: currencyCode, date: dateField, amount: amountField };
  const { account, currency, date, amount } = readFields(body, checks);
  await requireAccount(draft, account);
  await currencyIn(draft, currency);
  const balance = await balanceOn(draft, { account, currency }, date);
  if (balance !== amount) {
    throw new Refusal(`${account} has ${balance} ${currency} on ${date}, not ${amount} (in the smallest unit)`);
  }
  draft.put(`assertion/${account}/${currency}/${date}`, amount);
}

/** Carries income and expenses up to a date into an equity account, and locks the books up to it. */
export async function closePeriod(body: Canonical, draft: Draft): Promise<void> {
  const { until, into } = readFields(body, { until: dateField, into: accountName });
  if (!into.startsWith("equity:")) throw new Refusal("into must be an account below equity");
  await requireAccount(draft, into);
  const before = await closedUntil(draft);
  if (before !== undefined && until <= before) throw new Refusal(`the books are closed up to ${before} already`);
  const postings = await carried(draft, until, into);
  if (postings.length > 0)
    await book(draft, `close-${until}`, { date: until, payee: `Close ${until}`, postings, closing: true });
  await settleBase(draft, until);
  draft.put("closed", { until, hasBase: true });
}

/** What the next period begins with. */
async function settleBase(draft: Draft, until: string): Promise<void> {
  for (const { account, currency } of await amountsIn(draft, "base")) draft.delete(`base/${account}/${currency}`);
  for (const [place, sum] of await sumsUnder(draft, "", until)) if (sum !== 0) draft.put(`base/${place}`, sum);
}

async function carried(draft: Draft, until: string, into: string): Promise<Posting[]> {
  const sums = new Map<string, number>();
  for (const root of ["income", "expenses"]) {
    for (const [place, sum] of await sumsUnder(draft, root, until)) sums.set(place, sum);
  }
  const postings: Posting[] = [];
  const totals = new Map<string, number>();
  for (const [place, sum] of sums) {
    if (sum === 0) continue;
    const [account = "", currency = ""] = place.split("/");
    postings.push({ account, currency, amount: -sum });
    totals.set(currency, (totals.get(currency) ?? 0) + sum);
  }
  for (const [currency, amount] of totals) if (amount !== 0) postings.push({ account: into, currency, amount });
  return postings;
}

/** Per "<account>/<currency>" below a root, or of all. */
async function sumsUnder(draft: Draft, root: string, until: string): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  for await (const [key, value] of draft.scan(`day/${root}`)) {
    const [, account = "", currency = "", date = ""] = key.split("/");
    if (date > until || (root !== "" && account.split(":")[0] !== root)) continue;
    sums.set(`${account}/${currency}`, (sums.get(`${account}/${currency}`) ?? 0) + (value as number));
  }
  return sums;
}
