/** What happened to a device's own log, in words for whoever runs it. Pure. */
import type { LogCut } from "../../ledger/index.ts";
import type { LogTurn } from "../../node/index.ts";

const FACTS: Readonly<Record<string, string>> = {
  board: "this home came to another board",
  database: "this home has lost its ledger, and what it had said and voted with it",
  disk: "this home came to another disk or SD card",
  machine: "this home came to another machine",
  mark: "the files of this home are a copy, or were put back from a backup",
};

/** Why the log goes on in a new incarnation, and from where. */
export function turnWords({ cause, before: [l, n] }: LogTurn): string {
  const from = n < 0 ? `log ${l} held nothing` : `log ${l} is held up to number ${n}`;
  return `${causeWords(cause)}; ${from}, and this device goes on in a log of its own`;
}

function causeWords(cause: LogTurn["cause"]): string {
  if (cause.type === "moved") return cause.facts.map((fact) => FACTS[fact] ?? `its ${fact} is another`).join("; ");
  if (cause.type === "behind")
    return `others hold number ${cause.n} of this device, which this home does not: it was put back to an older state, or a copy of it runs`;
  return `others hold another block with number ${cause.n} of this device: a copy of this home signed it`;
}

/** Two copies run at once. */
export function twinWords([one, other]: readonly [string, string]): string {
  return `alarm: two copies of this device run at once, with the logs ${one} and ${other}: stop one of them`;
}

/** A log that is frozen, and why. */
export function cutWords({ author, l, n, evidence }: LogCut, name: string): string {
  const who = name === "" ? author.slice(0, 12) : name;
  return `alarm: ${who} signed two blocks with number ${n}: its log ${l} counts up to there and no further (gdo show ${evidence.slice(0, 12)})`;
}
