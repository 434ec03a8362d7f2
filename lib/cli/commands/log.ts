/** `gdo log`: the blocks held, newest first, read and printed page by page. */
import type { Api } from "../../agent/index.ts";
import { type CommandSpec, type Session, withApi } from "../command.ts";
import { Lanes } from "../graph.ts";
import { moment, uniqueDigits } from "../ids.ts";
import { wholeNumber } from "../values.ts";

/** One block as the agent's `log` gives it. */
export interface LogRow {
  readonly id: string;
  readonly kind: string;
  readonly app?: string;
  readonly acts?: readonly string[];
  readonly name?: string;
  readonly author: string;
  readonly n: number;
  readonly timeMs: number;
  readonly parents: readonly string[];
  readonly status: string;
  readonly reason?: string;
  readonly merge?: { branch: string; h: number; included: number; void: number };
}

interface Page {
  readonly rows: readonly LogRow[];
  readonly next?: unknown;
}

const PAGE_ROWS = 500;

function what(row: LogRow): string {
  if (row.merge !== undefined) {
    const { branch, h, included, void: voids } = row.merge;
    return `merge ${branch}@${h}: ${included} entries${voids === 0 ? "" : `, ${voids} void`}`;
  }
  if (row.app === undefined) return row.kind;
  return `${row.app} ${(row.acts ?? []).join(" ")}`;
}

/** Final is the rule and goes unsaid. */
function verdict(row: LogRow): string {
  if (row.status === "void") return `  void: ${row.reason ?? "no reason given"}`;
  return row.status === "pending" ? "  pending" : "";
}

export function rowText(row: LogRow, digits: number): string {
  const who = `${row.name || row.author.slice(0, 12)}:${row.n}`;
  return `${row.id.slice(0, digits)}  ${moment(row.timeMs)}  ${who}  ${what(row)}${verdict(row)}`;
}

const MARKS: Readonly<Record<string, string>> = { merge: "M", charter: "C", entry: "*" };

/** With lanes, a row and what joins below it; without, the row. */
function liner(isGraph: boolean): (row: LogRow, digits: number) => string {
  if (!isGraph) return rowText;
  const lanes = new Lanes();
  return (row, digits) => {
    const { node, below } = lanes.take({ id: row.id, parents: row.parents, mark: MARKS[row.kind] ?? "o" });
    return [`${node}  ${rowText(row, digits)}`, ...below].join("\n");
  };
}

async function* pages(api: Api, branch: unknown, limit: number): AsyncGenerator<Page> {
  let left = limit;
  let before: unknown;
  do {
    const range = before === undefined ? {} : { before };
    const named = branch === undefined ? {} : { branch };
    const page = (await api.call("log", { ...named, ...range, limit: Math.min(left, PAGE_ROWS) })) as Page;
    yield page;
    left -= page.rows.length;
    before = page.next;
  } while (before !== undefined && before !== null && left > 0);
}

async function print(
  session: Session,
  api: Api,
  { branch, limit, isGraph }: { branch: unknown; limit: number; isGraph: boolean },
): Promise<void> {
  const line = liner(isGraph);
  for await (const { rows } of pages(api, branch, limit)) {
    const digits = uniqueDigits(rows.map(({ id }) => id));
    for (const row of rows) session.out.emit("block", { ...row }, () => line(row, digits));
    await session.out.drained();
  }
}

export const log: CommandSpec = {
  name: "log",
  summary: "The blocks that this home holds, newest first.",
  arguments: [{ form: "[branch]", about: "only what concerns this branch" }],
  options: [
    { flags: "--graph", about: "draw how logs and merges join" },
    {
      flags: "--limit <n>",
      about: "at most so many (default: all)",
      parse: wholeNumber("--limit", 1, 1e12),
      default: undefined,
    },
  ],
  exits: { 3: "there is no home", 10: "no such branch" },
  example: "gdo log --graph --limit 40",
  async run(session, { args: [branch], options }) {
    const limit = (options.limit as number | undefined) ?? Number.POSITIVE_INFINITY;
    await withApi(session, (api) => print(session, api, { branch, limit, isGraph: options.graph === true }));
    return 0;
  },
};
