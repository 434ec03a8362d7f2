/** The transaction that says that somebody has paid their dues. */
import { createHash } from "node:crypto";
import { type Actor, type Canonical, dateOfMs, type State } from "../../sdk/index.ts";
import { planIn } from "./state.ts";

/** As the command's schema has it. */
export interface DuesPaid {
  readonly person: string;
  readonly plan: string;
  /** The account that received it. */
  readonly into: string;
  readonly amount?: number;
  readonly date?: string;
  readonly note?: string;
}

/** Named after who says it and when, so that two treasurers who take two payments do not meet. Throws a Refusal. */
export async function duesPayment(given: DuesPaid, state: State, { author, timeMs }: Actor): Promise<Canonical> {
  const { person, plan: name, into, date = dateOfMs(timeMs), note } = given;
  const plan = await planIn(state, name);
  const { amount = plan.amount } = given;
  const told = createHash("sha256").update([author, timeMs, person, name].join("\0")).digest("hex");
  const { currency } = plan;
  return {
    id: `pay-${date}-${told.slice(0, 16)}`,
    date,
    payee: payeeOf(person),
    ...(note === undefined ? {} : { note }),
    postings: [
      { account: into, currency, amount },
      { account: plan.account, currency, amount: -amount },
    ],
    dues: [{ person, plan: name, amount }],
  };
}

/** A person's id may have what a payee may not. */
function payeeOf(person: string): string {
  return person.replaceAll(/[\p{Cc};\s]+/gu, " ").trim() || "Dues";
}
