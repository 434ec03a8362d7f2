/**
 * Accounting's merge test: the journal of the state after the merge is given to a program that knows nothing
 * of this one, and its balances must be the state's.
 */
import type { State, Verdict } from "../../sdk/index.ts";
import { decimalOf } from "./journal.ts";
import { settingsIn, wholeJournal } from "./pages.ts";

/** Balances of a journal, "<account>/<currency>" → decimal text; zero balances are left out. Rejects with what is wrong. */
export type LedgerProgram = (journal: string) => Promise<LedgerAnswer>;

export type LedgerAnswer = { readonly balances: Readonly<Record<string, string>> } | { readonly complaint: string };

const FINDINGS_MAX = 20;

export async function judge(after: State, program: LedgerProgram): Promise<Verdict> {
  const answer = await program(await wholeJournal(after));
  if ("complaint" in answer) return { verdict: "FAIL", findings: [`ledger: ${answer.complaint.slice(0, 900)}`] };
  const findings = await differences(after, answer.balances);
  return findings.length === 0 ? { verdict: "PASS" } : { verdict: "FAIL", findings: findings.slice(0, FINDINGS_MAX) };
}

async function differences(after: State, theirs: Readonly<Record<string, string>>): Promise<string[]> {
  const { currencies } = await settingsIn(after);
  const ours = new Map<string, string>();
  for await (const [key, value] of after.scan("balance/")) {
    const place = key.slice("balance/".length);
    const [, currency = ""] = place.split("/");
    ours.set(place, decimalOf(value as number, currencies[currency]?.digits ?? 0));
  }
  const places = [...new Set([...ours.keys(), ...Object.keys(theirs)])].sort();
  return places.flatMap((place) => {
    const [own = "0", other = "0"] = [ours.get(place), theirs[place]];
    return own === other ? [] : [`${place}: the books say ${own}, ledger says ${other}`];
  });
}
