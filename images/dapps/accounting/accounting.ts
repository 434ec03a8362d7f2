/**
 * The books: double entry in integers of the smallest unit, several currencies, each balanced on its own;
 * accounts must be opened, so that a slip of the pen makes none. The right "accounts" is needed for every
 * act. Dues are events for membership. Rules: docs/design/dapps.md.
 */
import {
  type Act,
  type Canonical,
  type Command,
  commandsOf,
  type Dapp,
  type Draft,
  type Entry,
  fold,
  type Handler,
  integer,
  optional,
  Refusal,
  readFields,
  requireRight,
  tryActs,
  yesOrNo,
} from "../../sdk/index.ts";
import { assertBalance, closePeriod } from "./close.ts";
import { AMOUNT_MAX, accountName, currencyCode, noteField, planName } from "./fields.ts";
import { judge, type LedgerProgram } from "./judge.ts";
import { type DuesPaid, duesPayment } from "./pay.ts";
import { postTransaction, reverseTransaction } from "./post.ts";
import { queries } from "./queries.ts";
import { asCanonical, currencyIn, requireAccount } from "./state.ts";

const RIGHT = "accounts";
const DIGITS_MAX = 8;

async function putCurrency(body: Canonical, draft: Draft): Promise<void> {
  const { currency, digits } = readFields(body, { currency: currencyCode, digits: integer(0, DIGITS_MAX) });
  const known = (await draft.get(`currency/${currency}`)) as { digits: number } | undefined;
  if (known !== undefined && known.digits !== digits) throw new Refusal(`${currency} has ${known.digits} digits`);
  draft.put(`currency/${currency}`, { digits });
}

/** Opening one that is open changes its note, so that imports may say what they need. */
async function openAccount(body: Canonical, draft: Draft): Promise<void> {
  const { account, note } = readFields(body, { account: accountName, note: noteField });
  draft.put(`account/${account}`, note === undefined ? {} : { note });
}

async function putPlan(body: Canonical, draft: Draft): Promise<void> {
  const { plan, ...rest } = readFields(body, {
    plan: planName,
    amount: integer(1, AMOUNT_MAX),
    currency: currencyCode,
    account: accountName,
    months: optional(integer(1, 60)),
    days: optional(integer(1, 1830)),
    membership: yesOrNo,
  });
  if ((rest.months === undefined) === (rest.days === undefined)) throw new Refusal("a plan has months or days");
  if (!rest.account.startsWith("income:")) throw new Refusal("account must be one below income");
  await currencyIn(draft, rest.currency);
  await requireAccount(draft, rest.account);
  draft.put(`plan/${plan}`, asCanonical(rest));
}

function byTreasurer(handler: Handler): Handler {
  return (body, draft, entry: Entry) => {
    requireRight(entry, RIGHT);
    return handler(body, draft, entry);
  };
}

const handlers = {
  "currency.put": byTreasurer(putCurrency),
  "account.open": byTreasurer(openAccount),
  "plan.put": byTreasurer(putPlan),
  "transaction.post": byTreasurer(postTransaction),
  "transaction.reverse": byTreasurer(reverseTransaction),
  "balance.assert": byTreasurer(assertBalance),
  "period.close": byTreasurer(closePeriod),
};

/** Somebody's dues, paid into an account: one period of the plan, today, where nothing else is said. */
const pay: Command = async (args, state, actor) => {
  const acts: Act[] = [["transaction.post", await duesPayment(args as unknown as DuesPaid, state, actor)]];
  await tryActs(handlers, acts, { state, actor });
  return acts;
};

/** With a program that reads the journal and gives its balances: the merge test's second opinion. */
export function accountingWith(program: LedgerProgram): Dapp {
  return {
    reduce: (input, state) => fold(input, state, handlers),
    test: (input, before, after) => judge(input, { before, after }, program),
    commands: { ...commandsOf(handlers), pay },
    queries,
  };
}
