/**
 * What rows of one list say against each other: one card twice, one member with two levels. In doubt a
 * card is denied and a level is the lower one; every row concerned is reported. Pure.
 */
import type { DoorbotProblem, DoorbotRow } from "./doorbot-rows.ts";

export interface Settled {
  readonly rows: readonly DoorbotRow[];
  readonly problems: readonly DoorbotProblem[];
}

/** Settles members' levels, then repeated cards: a repeat must not take its lower level with it. Rows keep their order. */
export function settleConflicts(rows: readonly DoorbotRow[]): Settled {
  const levels = settleEach(rows, (row) => row.member, settleLevels);
  const cards = settleEach(levels.rows, (row) => row.hash, settleCard);
  return { rows: cards.rows, problems: [...levels.problems, ...cards.problems] };
}

function settleEach(
  rows: readonly DoorbotRow[],
  keyOf: (row: DoorbotRow) => string,
  settle: (group: readonly DoorbotRow[]) => Settled,
): Settled {
  const groups = new Map<string, DoorbotRow[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  const settled = [...groups.values()].map((group) =>
    group.length === 1 ? { rows: group, problems: [] } : settle(group),
  );
  const byLine = (a: { line: number }, b: { line: number }): number => a.line - b.line;
  return {
    rows: settled.flatMap((part) => part.rows).sort(byLine),
    problems: settled.flatMap((part) => part.problems),
  };
}

/** Rows that name one card: a plain repeat counts once, anything else denies the card. */
function settleCard(group: readonly DoorbotRow[]): Settled {
  const lines = listLines(group);
  if (new Set(group.map((row) => row.verdict)).size > 1)
    return denyAll(group, `${lines} give one card different verdicts`);
  if (new Set(group.map((row) => row.member)).size > 1)
    return denyAll(group, `${lines} give one card to different members`);
  const repeats = group
    .slice(1)
    .map((row) => ({ line: row.line, what: `${lines} repeat one card of one member`, effect: "ignored" as const }));
  return { rows: group.slice(0, 1), problems: repeats };
}

function denyAll(group: readonly DoorbotRow[], reason: string): Settled {
  return {
    rows: group.map((row) => ({
      ...row,
      verdict: "denied",
      reason: row.reason === undefined ? reason : `${row.reason}; ${reason}`,
    })),
    problems: group.map((row) => ({ line: row.line, what: reason, effect: "denied" })),
  };
}

/** Rows of one member: the lowest level that any of them states is the member's. */
function settleLevels(group: readonly DoorbotRow[]): Settled {
  const stated = group.map((row) => row.level).filter((level) => level !== undefined);
  const lowest = stated.length === 0 ? undefined : Math.min(...stated);
  if (lowest === undefined || group[0]?.member === "") return { rows: group, problems: [] };
  const lowered = group.filter((row) => row.level !== undefined && row.level !== lowest);
  const what = `${listLines(group)} give one member different levels; the lowest, ${lowest}, counts`;
  return {
    rows: group.map((row) => ({ ...row, level: lowest })),
    problems: lowered.map((row) => ({ line: row.line, what, effect: "lowered" })),
  };
}

const LINES_NAMED_MAX = 20;

function listLines(group: readonly DoorbotRow[]): string {
  const lines = group.slice(0, LINES_NAMED_MAX).map((row) => row.line);
  const rest = group.length > LINES_NAMED_MAX ? ` and ${group.length - LINES_NAMED_MAX} more` : "";
  return `lines ${lines.join(", ")}${rest}`;
}
