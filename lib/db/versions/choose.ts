/**
 * Which version of a log a merge took [L6]. Its ranges are numbers; of a number that was used twice, the set of its
 * ids tells which block it means. What it took becomes the log's line, unless another branch took another version.
 */
import { GdoError, type Hash } from "../../base/index.ts";
import { includedRoot, type MergePayload } from "../../ledger/index.ts";
import type { BranchRow, BranchTable, Candidate } from "../tables/branches.ts";
import type { Alternate, AlternateTable } from "./alternates.ts";

/** What one range of a merge may mean. */
interface Version {
  readonly entries: readonly Candidate[];
  /** What of it is beside the log, from its end; empty for the log's line. */
  readonly beside: readonly Alternate[];
}

/** A range of a merge, with the log's row. */
export interface TakenRange {
  readonly log: number;
  readonly next: number;
  readonly from: number;
  readonly to: number;
}

interface WhatMerged extends Pick<MergePayload, "entries" | "heads" | "set"> {
  readonly ranges: readonly TakenRange[];
  /** From other branches. */
  readonly taken: readonly Candidate[];
}

interface Tables {
  readonly branches: BranchTable;
  readonly alternates: AlternateTable;
}

/** Combinations of versions that are tried: of so many logs that are forked at once as the bound on one device's allows. */
const TRIES_MAX = 1024;

/** The entries that a merge means by its ranges. Throws LEDGER_FORM when no version that is held has its set. */
export function chooseVersions(
  tables: Tables,
  { takes }: BranchRow,
  { ranges, taken, entries: count, heads, set }: WhatMerged,
): { readonly entries: readonly Candidate[]; readonly beside: readonly (readonly Alternate[])[] } {
  const options = ranges.map((range) => versionsOf(tables, takes, range));
  const named = options.map((versions) => inHeads(versions, heads));
  const isNarrower = named.some((versions, index) => versions.length < (options[index]?.length ?? 0));
  for (const some of isNarrower ? [named, options] : [options]) {
    let tries = 0;
    for (const choice of combinations(some)) {
      const entries = [...choice.flatMap((version) => version.entries), ...taken];
      if (entries.length === count && includedRoot(entries.map(({ id }) => id)) === set)
        return { entries, beside: choice.map(({ beside }) => beside).filter((chain) => chain.length > 0) };
      tries += 1;
      if (tries === TRIES_MAX) break;
    }
  }
  throw new GdoError("LEDGER_FORM", "its ranges hold other entries than its set names");
}

/** Its heads say of some logs which version the merge took. */
function inHeads(versions: readonly Version[], heads: readonly Hash[]): readonly Version[] {
  const named = versions.filter(({ entries }) => heads.includes(entries.at(-1)?.id as Hash));
  return named.length === 0 ? versions : named;
}

function versionsOf({ branches, alternates }: Tables, takes: string, { log, next, from, to }: TakenRange): Version[] {
  const line = branches.candidates(takes, log, { from, to });
  const versions: Version[] = to < next ? [{ entries: line, beside: [] }] : [];
  for (const end of alternates.ofNumber(log, to)) {
    const beside = alternates.down(end);
    const first = beside.at(-1)?.n ?? to;
    const rows = beside.filter(({ n }) => n >= from).map(({ block }) => block);
    const own = branches.candidatesAt(takes, rows);
    versions.push({ entries: [...line.filter(({ n }) => n < first), ...own], beside });
  }
  return versions;
}

/** Lazily: mostly the first is the one. */
function* combinations(options: readonly (readonly Version[])[], from = 0): Generator<Version[]> {
  const own = options[from];
  if (own === undefined) return yield [];
  // The rest is walked anew for each version of this one: few logs have more than one.
  for (const version of own) for (const rest of combinations(options, from + 1)) yield [version, ...rest];
}
