/**
 * What a merge takes from other branches: what is final there up to a merge, not void there, and not in the branch
 * yet [L20]. A function of merges that were applied, so every node comes to the same.
 */
import type { Statement } from "better-sqlite3";
import { GdoError, type Hash } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import {
  type FrozenLog,
  MERGE_APP,
  type MergeSource,
  parseEntryPayload,
  type SourcesView,
} from "../../ledger/index.ts";
import type { Tables } from "../apply-merge.ts";
import type { Connection } from "../connection.ts";
import type { BranchRow } from "./branches.ts";
import { blockOfRow, type StoredBlock } from "./rows.ts";

/** Heights of one line. */
interface Span {
  readonly line: number;
  readonly from: number;
  readonly to: number;
}

export interface TakenEntry {
  readonly seq: number;
  readonly block: Block;
}

type StoredTaken = StoredBlock & { seq: number };

export class SourceTable {
  readonly #upTo: Statement<[number, number], { h: number }>;
  readonly #set: Statement<[number, number, number]>;
  readonly #all: Statement<[number], { source: number; h: number }>;
  readonly #within: Statement<[number, number, number], StoredTaken>;
  readonly #memberAt: Statement<[number, number], { h: number }>;

  constructor({ raw }: Connection) {
    this.#upTo = raw.prepare("SELECT h FROM sources WHERE branch = ? AND source = ?");
    this.#set = raw.prepare("INSERT OR REPLACE INTO sources (branch, source, h) VALUES (?, ?, ?)");
    this.#all = raw.prepare("SELECT source, h FROM sources WHERE branch = ? ORDER BY source");
    this.#within = raw.prepare(
      `SELECT m.block AS seq, b.body, b.sig FROM members m INDEXED BY members_in_order
       CROSS JOIN blocks b ON b.seq = m.block
       WHERE m.branch = ? AND m.h BETWEEN ? AND ?
         AND NOT EXISTS (SELECT 1 FROM voids v WHERE v.branch = m.branch AND v.block = m.block)
       ORDER BY m.h, m.position`,
    );
    this.#memberAt = raw.prepare("SELECT h FROM members WHERE branch = ? AND block = ?");
  }

  /** Height up to which a line has all of another by its merges; 0 where it has taken nothing. */
  upTo(line: number, source: number): number {
    return this.#upTo.get(line, source)?.h ?? 0;
  }

  set(line: number, source: number, h: number): void {
    this.#set.run(line, source, h);
  }

  /** Of each line that it has taken from. */
  of(line: number): { readonly source: number; readonly h: number }[] {
    return this.#all.all(line);
  }

  /** What is in the line by merges of these heights and not void there. */
  within({ line, from, to }: Span): TakenEntry[] {
    return this.#within
      .all(line, from, to)
      .map((row) => ({ seq: row.seq, block: blockOfRow(row, `in row ${row.seq}`) }));
  }

  /** Height at which an entry came into a line. */
  memberAt(line: number, seq: number): number | undefined {
    return this.#memberAt.get(line, seq)?.h;
  }
}

/** A line with all its history: its own merges, those of what it was forked at up to there, and so on. */
function lineage({ branches }: Tables, row: BranchRow): Span[] {
  const spans: Span[] = [{ line: row.id, from: 1, to: Number.MAX_SAFE_INTEGER }];
  for (let origin = row.origin; origin !== null; ) {
    const place = branches.placeOf(origin);
    if (place === undefined) break;
    spans.push({ line: place.branch, from: 1, to: place.h });
    origin = branches.byId(place.branch)?.origin ?? null;
  }
  return spans;
}

function heldUpTo(tables: Tables, row: BranchRow, source: number): number {
  const own = lineage(tables, row).find(({ line }) => line === source)?.to ?? 0;
  return Math.max(own, tables.sources.upTo(row.id, source));
}

/** The entries that a merge of the line takes by `from`, each once. LEDGER_ORPHAN where one is not final here. */
export function takenFrom(
  tables: Tables,
  row: BranchRow,
  from: readonly MergeSource[],
  frozen: readonly FrozenLog[],
): TakenEntry[] {
  const held = lineage(tables, row);
  const isHeld = (seq: number): boolean =>
    held.some(({ line, to }) => (tables.sources.memberAt(line, seq) ?? Number.POSITIVE_INFINITY) <= to);
  const found = new Map<number, TakenEntry>();
  for (const span of from.flatMap((source) => spansOf(tables, row, source))) {
    for (const entry of tables.sources.within(span)) {
      const { block } = entry;
      const { app, branch } = parseEntryPayload(block.d);
      // Who asked there has not asked here; and what is for this branch comes by its own ranges, if not yet, then later.
      const isElsewhere = app !== MERGE_APP && branch !== row.takes;
      if (isElsewhere && !isHeld(entry.seq) && !isFrozen(tables, row, block, frozen)) found.set(entry.seq, entry);
    }
  }
  return [...found.values()];
}

/** [L6] From where the branch has frozen a log, or freezes it by this merge, nothing of it is taken. */
function isFrozen({ evidence }: Tables, { id }: BranchRow, { a, l, n }: Block, frozen: readonly FrozenLog[]): boolean {
  const now = frozen.find((each) => each.author === a && each.l === l)?.n;
  return n >= (now ?? evidence.frozenAt(id, a, l) ?? Number.POSITIVE_INFINITY);
}

/** From where the line has the source on; what that was forked at the first time only, and where it has not got it. */
function spansOf(tables: Tables, row: BranchRow, { branch, h, id }: MergeSource): Span[] {
  const { blocks, branches } = tables;
  const seq = blocks.seqOf(id);
  const place = seq === undefined ? undefined : branches.placeOf(seq);
  const source = place === undefined ? undefined : branches.byId(place.branch);
  if (place === undefined || source?.takes !== branch || place.h !== h)
    throw new GdoError("LEDGER_ORPHAN", `${branch} is not final up to its merge ${id} here`);
  const history =
    heldUpTo(tables, row, source.id) === 0 ? lineage(tables, source) : lineage(tables, source).slice(0, 1);
  return history
    .map(({ line, to }) => ({
      line,
      from: heldUpTo(tables, row, line) + 1,
      to: Math.min(to, line === source.id ? h : to),
    }))
    .filter(({ from, to }) => from <= to);
}

/** Whether a line has all of another's merge by taking from it, or from what was forked at it: no merge of its own. */
export function hasTaken(tables: Tables, row: BranchRow, merge: number): boolean {
  const { branches, sources } = tables;
  const place = branches.placeOf(merge);
  if (place === undefined) return false;
  const isIn = ({ line, to }: Span): boolean => line === place.branch && place.h <= to;
  if (lineage(tables, row).some(isIn)) return false;
  return sources.of(row.id).some(({ source, h }) => {
    const [own, ...older] = lineage(tables, branches.byId(source) as BranchRow);
    return (own !== undefined && isIn({ ...own, to: h })) || older.some(isIn);
  });
}

/** Notes how far the line has them now. */
export function noteTaken({ blocks, branches, sources }: Tables, row: BranchRow, from: readonly MergeSource[]): void {
  for (const { id, h } of from) {
    const place = branches.placeOf(blocks.seqOf(id) as number);
    if (place !== undefined) sources.set(row.id, place.branch, h);
  }
}

/** What the ledger's rules ask. */
export function sourcesView(tables: Tables, row: BranchRow | undefined): SourcesView {
  const { blocks, branches } = tables;
  return {
    place: (merge: Hash) => {
      const seq = blocks.seqOf(merge);
      const place = seq === undefined ? undefined : branches.placeOf(seq);
      const source = place === undefined ? undefined : branches.byId(place.branch);
      return place === undefined || source === undefined
        ? undefined
        : { line: source.name, branch: source.takes, h: place.h };
    },
    upTo: (line) => {
      const source = row === undefined ? undefined : branches.find(line);
      return row === undefined || source === undefined ? 0 : heldUpTo(tables, row, source.id);
    },
  };
}
