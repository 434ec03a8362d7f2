/** What the node shows of its ledger, as JSON: rows of the log, one block in full. Reads only. */
import { GdoError, type Hash, type PublicKey } from "../../base/index.ts";
import { type Block, jsonFromCanonical, verifyBlock } from "../../codec/index.ts";
import type { LedgerDb, ListRow } from "../../db/index.ts";
import {
  type Act,
  authorOf,
  MERGE_APP,
  parentIds,
  parseEntryPayload,
  parseMerge,
  parseTake,
  parseVote,
} from "../../ledger/index.ts";
import { blockDetail } from "./block-detail.ts";
import { type Standing, Standings } from "./block-standing.ts";
import { LogEdges } from "./log-edges.ts";

export interface LogRow extends Standing {
  readonly id: Hash;
  readonly kind: string;
  readonly app?: string;
  readonly acts?: readonly string[];
  /** Of a request to take another branch: which, and up to which height. */
  readonly asks?: string;
  readonly author: PublicKey;
  /** Name of the device and its principal, by the charter of now. */
  readonly name: string;
  readonly principal: string;
  readonly l: string;
  readonly n: number;
  readonly c: number;
  readonly timeMs: number;
  readonly parents: readonly Hash[];
  /** What a picture joins it to, of what is listed, too; none in a list of void entries. */
  readonly edges?: readonly Hash[];
  /** Of an entry: the branch that it is for. */
  readonly branch?: string;
  readonly merge?: {
    readonly branch: string;
    readonly h: number;
    readonly included: number;
    readonly logs: number;
    readonly void: number;
    /** Other branches that it takes, and up to which height. */
    readonly from?: readonly string[];
  };
  readonly vote?: { readonly branch: string; readonly h: number; readonly r: number; readonly phase: string };
  /** Of a void entry in a list of such: what validators that refused its merge say. */
  readonly logs?: readonly { readonly voter: string; readonly code: string; readonly log: Hash }[];
}

const PAGE_DEFAULT = 50;
const PAGE_MAX = 5_000;

export interface LogQuery {
  /** Only what concerns it. */
  readonly branch?: string | undefined;
  readonly limit?: number | undefined;
  /** A page's `next`, or the id of a block or its beginning: only what is older. */
  readonly before?: number | string | undefined;
  readonly voidOnly?: boolean | undefined;
}

export interface LogPage {
  readonly rows: readonly LogRow[];
  readonly next?: number;
}

/** A page may be short, or empty, and yet not the last: that is the one without `next`. NOT_FOUND, AMBIGUOUS. */
export function logPage(db: LedgerDb, query: LogQuery, self?: PublicKey): LogPage {
  const { branch, limit = PAGE_DEFAULT, voidOnly = false } = query;
  const before = typeof query.before === "string" ? db.row(resolveBlock(db, query.before))?.cursor : query.before;
  const named = { ...(branch === undefined ? {} : { branch }), ...(before === undefined ? {} : { before }) };
  const { rows, next } = db.list({ ...named, limit: Math.min(Math.max(1, limit), PAGE_MAX), voidOnly });
  const standings = new Standings(db, self);
  const edges = new LogEdges(db, branch);
  const shown = branch === undefined ? rows : rows.filter(({ block }) => edges.isListed(block));
  return {
    rows: shown.map((row) => ({
      ...logRow(db, row, standings.of(row)),
      ...(voidOnly ? { logs: refusals(db, branch, row) } : { edges: edges.of(row) }),
    })),
    ...(next === undefined ? {} : { next }),
  };
}

/** What refused a merge of that height, where validators kept a log of it. */
function refusals(db: LedgerDb, line: string | undefined, { block, h }: ListRow): NonNullable<LogRow["logs"]> {
  const branch = line?.replace(/@.*/, "") ?? parseEntryPayload(block.d).branch;
  return db.votes(branch, h ?? 0).flatMap(({ author, vote }) => {
    if (vote.phase !== "attest" || vote.verdict !== "FAIL" || vote.log === null) return [];
    const voter = authorOf(db.charterAt(), author)?.principal ?? "";
    return [{ voter, code: vote.code ?? "", log: vote.log }];
  });
}

function logRow(db: LedgerDb, { block }: ListRow, standing: Standing): LogRow {
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
    ...standing,
    ...mergeOf(block),
    ...voteOf(block),
  };
}

function entryOf(block: Block): Pick<LogRow, "app" | "acts" | "asks" | "branch"> {
  if (block.k !== "entry") return {};
  const { app, acts, branch } = parseEntryPayload(block.d);
  return { app, branch, acts: acts.map(({ type }) => type), ...(app === MERGE_APP ? askedBy(acts) : {}) };
}

/** Nothing for one that is no request; it is void. */
function askedBy(acts: readonly Act[]): Pick<LogRow, "asks"> {
  try {
    const { branch, h } = parseTake(acts);
    return { asks: `${branch}@${h}` };
  } catch (error) {
    if (error instanceof GdoError) return {};
    throw error;
  }
}

function mergeOf(block: Block): Pick<LogRow, "merge"> {
  if (block.k !== "merge") return {};
  const { branch, h, entries, void: voided, included, from } = parseMerge(block.d);
  const sources = from.map((source) => `${source.branch}@${source.h}`);
  const merge = { branch, h, included: entries, logs: included.length, void: voided };
  return { merge: { ...merge, ...(sources.length === 0 ? {} : { from: sources }) } };
}

function voteOf(block: Block): Pick<LogRow, "vote"> {
  if (block.k !== "vote") return {};
  const { branch, h, r, phase } = parseVote(block.d);
  return { vote: { branch, h, r, phase } };
}

/** One block by its id or a unique beginning of it. NOT_FOUND, AMBIGUOUS, INPUT_INVALID. */
export function showBlock(db: LedgerDb, prefix: string, self?: PublicKey): Record<string, unknown> {
  const block = db.block(resolveBlock(db, prefix));
  if (block === undefined) throw new GdoError("NOT_FOUND", `no block begins with ${prefix}`, { hint: "gdo log" });
  const row = db.row(block.id);
  return {
    ...(row === undefined ? {} : logRow(db, row, new Standings(db, self).of(row))),
    ...(block.k === "entry" && row?.h !== undefined
      ? { included: { branch: parseEntryPayload(block.d).branch, h: row.h } }
      : {}),
    ...takenBy(db, block),
    ...blockDetail(db, block),
    payload: jsonFromCanonical(block.d),
    bodyBytes: block.body.length,
    signature: verifyBlock(block) ? "valid" : "bad",
  };
}

/** Branches that have taken an entry from the one that it is for. */
function takenBy(db: LedgerDb, block: Block): Record<string, unknown> {
  const own = block.k === "entry" ? parseEntryPayload(block.d).branch : "";
  const others = db.placesOf(block.id).filter(({ branch }) => branch.replace(/@.*/, "") !== own);
  return others.length === 0 ? {} : { takenBy: others };
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
