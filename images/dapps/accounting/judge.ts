/**
 * Accounting's merge test: the journal of the state after the merge is given to a program that knows nothing
 * of this one, and its balances must be the state's. Of a period that is closed nothing changes any more, so
 * the journal begins with its balances, which were compared in the merge that closed it.
 */
import type { Input, State, Verdict } from "../../sdk/index.ts";
import type { Posting } from "./fields.ts";
import { decimalOf } from "./journal.ts";
import { journalPart, type Part, settingsIn } from "./pages.ts";
import { amountsIn, closedIn } from "./state.ts";

/** Balances of a journal, "<account>/<currency>" → decimal text; zero balances are left out. Rejects with what is wrong. */
export type LedgerProgram = (journal: string) => Promise<LedgerAnswer>;

export type LedgerAnswer = { readonly balances: Readonly<Record<string, string>> } | { readonly complaint: string };

const FINDINGS_MAX = 20;

export async function judge(
  { entries }: Pick<Input, "entries">,
  { before, after }: { readonly before: State; readonly after: State },
  program: LedgerProgram,
): Promise<Verdict> {
  const part = await unchecked(entries, before);
  const until = (await closedIn(after))?.until;
  const isClosing = until !== undefined && until !== (await closedIn(before))?.until;
  const findings = [
    ...(await compare(after, part, { program, own: await amountsIn(after, "balance") })),
    ...(isClosing ? await compare(after, { ...part, until }, { program, own: await amountsIn(after, "base") }) : []),
  ];
  return findings.length === 0 ? { verdict: "PASS" } : { verdict: "FAIL", findings: findings.slice(0, FINDINGS_MAX) };
}

/** From the last period that was closed on, or all where somebody says something of a day before that. */
async function unchecked(entries: Input["entries"], before: State): Promise<Part> {
  const closed = await closedIn(before);
  if (closed?.hasBase !== true) return {};
  const isOfThen = entries.some(({ acts }) =>
    acts.some(([type, body]) => type === "balance.assert" && (body as { date: string }).date <= closed.until),
  );
  return isOfThen ? {} : { since: closed.until, base: await amountsIn(before, "base") };
}

/** What the program says of a part of the books, beside what the state says. */
async function compare(
  after: State,
  part: Part,
  { program, own }: { readonly program: LedgerProgram; readonly own: readonly Posting[] },
): Promise<string[]> {
  const answer = await program(await journalPart(after, part));
  if ("complaint" in answer) return [`ledger: ${answer.complaint.slice(0, 900)}`];
  const { currencies } = await settingsIn(after);
  const ours = new Map(
    own.map(({ account, currency, amount }) => [
      `${account}/${currency}`,
      decimalOf(amount, currencies[currency]?.digits ?? 0),
    ]),
  );
  const theirs = answer.balances;
  const places = [...new Set([...ours.keys(), ...Object.keys(theirs)])].sort();
  return places.flatMap((place) => {
    const [mine = "0", other = "0"] = [ours.get(place), theirs[place]];
    return mine === other ? [] : [`${place}: the books say ${mine}, ledger says ${other}`];
  });
}
