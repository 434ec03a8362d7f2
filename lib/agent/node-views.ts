/** What the node shows of its ledger, as JSON: rows of the log, one block in full. Reads only. */
import { GdoError, type Hash, type PublicKey } from "../base/index.ts";
import { type Block, jsonFromCanonical, verifyBlock } from "../codec/index.ts";
import type { LedgerDb, ListRow } from "../db/index.ts";
import { authorOf, parentIds, parseEntryPayload, parseMerge } from "../ledger/index.ts";

export interface LogRow {
  readonly id: Hash;
  readonly kind: string;
  readonly app?: string;
  readonly acts?: readonly string[];
  readonly author: PublicKey;
  /** Name of the device and its principal, by the charter of now. */
  readonly name: string;
  readonly principal: string;
  readonly l: string;
  readonly n: number;
  readonly c: number;
  readonly timeMs: number;
  readonly parents: readonly Hash[];
  readonly status: "pending" | "final" | "void";
  readonly reason?: string;
  readonly merge?: { readonly branch: string; readonly h: number; readonly included: number; readonly void: number };
}

const PAGE_DEFAULT = 50;
const PAGE_MAX = 5_000;

export interface LogQuery {
  readonly branch?: string;
  readonly limit?: number;
  readonly before?: number;
}

export function logPage(db: LedgerDb, query: LogQuery): { rows: LogRow[]; next?: number } {
  const { branch, limit = PAGE_DEFAULT, before } = query;
  const size = Math.min(Math.max(1, limit), PAGE_MAX);
  const named = branch === undefined ? {} : { branch };
  const rows = db.list({ ...named, limit: size, ...(before === undefined ? {} : { before }) });
  const last = rows.length === size ? rows.at(-1) : undefined;
  return { rows: rows.map((row) => logRow(db, row)), ...(last === undefined ? {} : { next: last.cursor }) };
}

function logRow(db: LedgerDb, row: ListRow): LogRow {
  const { block } = row;
  const author = authorOf(db.charterAt(), block.a);
  return {
    id: block.id,
    kind: block.k,
    ...entryOf(block),
    author: block.a,
    name: author?.name ?? "",
    principal: author?.principal ?? "",
    l: block.l,
    n: block.n,
    c: block.c,
    timeMs: block.t[0],
    parents: parentIds(block),
    status: statusOf(row),
    ...(row.void === undefined ? {} : { reason: row.void }),
    ...mergeOf(block),
  };
}

function statusOf({ block, h, void: reason }: ListRow): LogRow["status"] {
  if (reason !== undefined) return "void";
  return block.k === "entry" && h === undefined ? "pending" : "final";
}

function entryOf(block: Block): Pick<LogRow, "app" | "acts"> {
  if (block.k !== "entry") return {};
  const { app, acts } = parseEntryPayload(block.d);
  return { app, acts: acts.map(({ type }) => type) };
}

function mergeOf(block: Block): Pick<LogRow, "merge"> {
  if (block.k !== "merge") return {};
  const { branch, h, entries, void: voided } = parseMerge(block.d);
  return { merge: { branch, h, included: entries, void: voided } };
}

/** One block by its id or a unique beginning of it. NOT_FOUND, AMBIGUOUS, INPUT_INVALID. */
export function showBlock(db: LedgerDb, prefix: string): Record<string, unknown> {
  const block = db.block(resolveBlock(db, prefix));
  if (block === undefined) throw new GdoError("NOT_FOUND", `no block begins with ${prefix}`, { hint: "gdo log" });
  const row = db.row(block.id);
  return {
    ...(row === undefined ? {} : logRow(db, row)),
    ...(block.k === "entry" && row?.h !== undefined
      ? { included: { branch: parseEntryPayload(block.d).branch, h: row.h } }
      : {}),
    payload: jsonFromCanonical(block.d),
    bodyBytes: block.body.length,
    signature: verifyBlock(block) ? "valid" : "bad",
  };
}

function resolveBlock(db: LedgerDb, prefix: string): Hash {
  const ids = db.resolvePrefix(prefix);
  const [id] = ids;
  if (id === undefined) throw new GdoError("NOT_FOUND", `no block begins with ${prefix}`, { hint: "gdo log" });
  if (ids.length > 1)
    throw new GdoError("AMBIGUOUS", `${prefix} begins ${ids.length} blocks: ${ids.slice(0, 4).join(", ")}`, {
      hint: "give more digits",
    });
  return id;
}
