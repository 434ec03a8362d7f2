/** `gdo log`: the blocks held, newest first, read and printed page by page. */
import type { Api } from "../../../agent/index.ts";
import { GdoError } from "../../../base/index.ts";
import { type CommandSpec, type Session, withApi } from "../../command.ts";
import { moment, uniqueDigits } from "../../ids.ts";
import { Lanes } from "../../text/graph.ts";
import { wholeNumber } from "../../values.ts";

/** One block as the agent's `log` gives it. */
export interface LogRow {
  readonly id: string;
  readonly kind: string;
  readonly app?: string;
  readonly acts?: readonly string[];
  /** Of a request to take another branch: which, and up to which height. */
  readonly asks?: string;
  readonly name?: string;
  readonly author: string;
  readonly n: number;
  readonly timeMs: number;
  readonly parents: readonly string[];
  readonly edges?: readonly string[];
  readonly branch?: string;
  readonly status: string;
  readonly reason?: string;
  readonly seenBy?: number;
  readonly attested?: { count: number; q: number };
  readonly lines?: number;
  readonly merge?: {
    branch: string;
    h: number;
    included: number;
    logs: number;
    void: number;
    from?: readonly string[];
  };
  readonly vote?: { branch: string; h: number; r: number; phase: string };
  readonly logs?: readonly { voter: string; code: string; log: string }[];
}

interface Page {
  readonly rows: readonly LogRow[];
  readonly next?: unknown;
}

const PAGE_ROWS = 500;

function what(row: LogRow): string {
  if (row.merge !== undefined) {
    const { branch, h, included, logs, void: voids, from: sources = [] } = row.merge;
    const from = logs > 1 ? ` of ${logs} logs` : "";
    const took = sources.length === 0 ? "" : `, with ${sources.join(", ")}`;
    return `merge ${branch}@${h}: ${included} ${included === 1 ? "entry" : "entries"}${from}${took}${voids === 0 ? "" : `, ${voids} void`}`;
  }
  if (row.vote !== undefined) return `${row.vote.phase} ${row.vote.branch}@${row.vote.h} round ${row.vote.r}`;
  if (row.app === undefined) return row.kind;
  return `${row.app} ${(row.acts ?? []).join(" ")}${row.asks === undefined ? "" : ` ${row.asks}`}`;
}

/** Final is the rule and goes unsaid; so does that a vote is held. */
export function standingText({ status, reason, seenBy, attested, lines }: LogRow): string {
  if (status === "void") return `void: ${reason ?? "no reason given"}`;
  if (status === "frozen") return `frozen: ${reason ?? "its log is cut off"}`;
  if (status === "seen") return `seen by ${seenBy}`;
  if (status === "attested") return `attested ${attested?.count}/${attested?.q}`;
  if (status === "merged") return lines === undefined ? "merged, not final yet" : `merged by ${lines}`;
  if (status === "passed-over") return "passed over";
  return status === "final" || status === "held" ? "" : status;
}

export function rowText(row: LogRow, digits: number): string {
  const who = `${row.name || row.author.slice(0, 12)}:${row.n}`;
  const standing = standingText(row);
  const head = `${row.id.slice(0, digits)}  ${moment(row.timeMs)}  ${who}  ${what(row)}`;
  const logs = (row.logs ?? []).map(({ voter, code, log: id }) => `    ${voter} refused ${code}: gdo cat ${id}`);
  return [standing === "" ? head : `${head}  ${standing}`, ...logs].join("\n");
}

const MARKS: Readonly<Record<string, string>> = { merge: "M", charter: "C", entry: "*", vote: "v", evidence: "!" };

/** An entry that is not final, or void, has a mark of its own; so has a merge that is not applied. */
function markOf({ kind, status }: LogRow): string {
  if (status === "void") return "x";
  if (kind === "entry" && status !== "final") return "o";
  return kind === "merge" && status !== "final" ? "m" : (MARKS[kind] ?? "o");
}

/** With lanes, a row and what joins below it; without, the row. */
function liner(isGraph: boolean): (row: LogRow, digits: number) => string {
  if (!isGraph) return rowText;
  const lanes = new Lanes();
  return (row, digits) => {
    const { node, below } = lanes.take({ id: row.id, parents: row.edges ?? row.parents, mark: markOf(row) });
    return [`${node}  ${rowText(row, digits)}`, ...below].join("\n");
  };
}

interface Query {
  readonly branch: unknown;
  readonly before: unknown;
  readonly limit: number;
  readonly voidOnly: boolean;
}

async function* pages(api: Api, { branch, before: first, limit, voidOnly }: Query): AsyncGenerator<Page> {
  let left = limit;
  let before = first;
  do {
    const range = before === undefined ? {} : { before };
    const named = branch === undefined ? {} : { branch };
    const page = (await api.call("log", { ...named, ...range, voidOnly, limit: Math.min(left, PAGE_ROWS) })) as Page;
    yield page;
    left -= page.rows.length;
    before = page.next;
  } while (before !== undefined && before !== null && left > 0);
}

async function print(session: Session, api: Api, query: Query, isGraph: boolean): Promise<void> {
  const line = liner(isGraph);
  for await (const { rows } of pages(api, query)) {
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
    { flags: "--void", about: "only entries that merges found void, with the reason" },
    { flags: "--before <id>", about: "only blocks that came here before this one" },
    {
      flags: "--limit <n>",
      about: "at most so many (default: all)",
      parse: wholeNumber("--limit", 1, 1e12),
      default: undefined,
    },
  ],
  exits: { 3: "there is no home", 10: "no such branch or block", 11: "several ids begin so" },
  example: "gdo log --graph --limit 40",
  async run(session, { args: [branch], options }) {
    const isGraph = options.graph === true;
    const voidOnly = options.void === true;
    if (isGraph && voidOnly) throw new GdoError("USAGE", "--void lists entries that no line joins: leave out --graph");
    const limit = (options.limit as number | undefined) ?? Number.POSITIVE_INFINITY;
    const query = { branch, before: (options.before as string | undefined)?.toLowerCase(), limit, voidOnly };
    await withApi(session, (api) => print(session, api, query, isGraph));
    return 0;
  },
};
