/**
 * Asking a branch to take from another: an entry of the built-in app `merge`, for the branch that is to take, with
 * one act ["take", {branch, height, merge}]. Its merge names what is taken in `from`. Pure.
 */
import { bytesOf, GdoError, type Hash } from "../../base/index.ts";
import { countOf, hashAt, mapWith, nameOf } from "../shape.ts";
import type { Act, LedgerEntry, StateView } from "../types.ts";
import type { MergePayload, MergeSource } from "./merge.ts";
import { lineOf, policyOf, principalOf, validatorsOf } from "./validators.ts";

/** The built-in app of requests; no dapp has this name, and no state. */
export const MERGE_APP = "merge";
const TAKE = "take";

/** A merge that was applied, by its place. */
export interface SourcePlace {
  readonly line: string;
  readonly branch: string;
  readonly h: number;
}

/** What is known of other branches, for one that may take from them. */
export interface SourcesView {
  /** Undefined while no such merge is applied here. */
  place(merge: Hash): SourcePlace | undefined;
  /** Height up to which the branch has all of that line; 0 where it has taken nothing. */
  upTo(line: string): number;
}

/** The act by which all of a branch up to one of its merges is asked for. */
export function takeAct({ branch, h, id }: MergeSource): Act {
  return { type: TAKE, body: { branch, height: h, merge: bytesOf(id) } };
}

/** What an entry of the app asks for. Throws LEDGER_FORM. */
export function parseTake(acts: readonly Act[]): MergeSource {
  const [act, ...rest] = acts;
  if (act?.type !== TAKE || rest.length > 0)
    throw new GdoError("LEDGER_FORM", `an entry of ${MERGE_APP} has one act, ${TAKE}`);
  const map = mapWith(act.body, ["branch", "height", "merge"], `the body of ${TAKE}`);
  return {
    branch: nameOf(map["branch"], "branch"),
    h: countOf(map["height"], "height"),
    id: hashAt(map["merge"], "merge"),
  };
}

export interface RequestsView {
  readonly branch: string;
  readonly line: string;
  /** By which the merge judges its authors. */
  readonly charter: StateView;
  readonly sources: SourcesView;
}

export interface Asked {
  /** What the merge that has these requests takes; ascending by branch. */
  readonly from: readonly MergeSource[];
  /** Requests that are void, and why. */
  readonly refused: ReadonlyMap<Hash, string>;
  /** Whether one asks for what is not final here yet: it has to wait. */
  readonly isEarly: boolean;
}

/** What the requests among entries, in their order [L12], ask a merge to take. */
export function weighRequests(entries: readonly LedgerEntry[], view: RequestsView): Asked {
  const found = new Map<string, { readonly line: string; readonly source: MergeSource }>();
  const refused = new Map<Hash, string>();
  let isEarly = false;
  for (const entry of entries.filter(({ app, refused: why }) => app === MERGE_APP && why === undefined)) {
    const weighed = weigh(entry, view);
    if (weighed === "early") isEarly = true;
    else if (typeof weighed === "string") refused.set(entry.id, weighed);
    else {
      const known = found.get(weighed.source.branch);
      if (known !== undefined && known.line !== weighed.line)
        refused.set(entry.id, `this merge takes from ${known.line} already; ask again for ${weighed.line}`);
      else if (known === undefined || known.source.h < weighed.source.h) found.set(weighed.source.branch, weighed);
    }
  }
  const from = [...found.values()].map(({ source }) => source);
  return { from: from.sort((x, y) => (x.branch < y.branch ? -1 : 1)), refused, isEarly };
}

/** Where what is asked for stands, or why it is not taken. */
function weigh(
  { acts, author }: LedgerEntry,
  view: RequestsView,
): { readonly line: string; readonly source: MergeSource } | "early" | (string & {}) {
  const source = readTake(acts);
  if (typeof source === "string") return source;
  const principal = principalOf(view.charter, author);
  if (principal === undefined || !mayAsk(principal, view))
    return `${principal ?? "its author"} may not merge ${view.line}; ask one who may: gdo branch ${view.branch}`;
  const place = view.sources.place(source.id);
  if (place === undefined) return "early";
  return whyNotTake(source, view) ?? { line: place.line, source };
}

function readTake(acts: readonly Act[]): MergeSource | string {
  try {
    return parseTake(acts);
  } catch (error) {
    if (error instanceof GdoError) return error.message;
    throw error;
  }
}

/** Those who merge a branch decide what it takes, and when. */
function mayAsk(principal: string, { charter, branch, line }: RequestsView): boolean {
  const validators = validatorsOf(charter, branch);
  if (validators?.mode === "open") return lineOf(charter, branch, principal) === line;
  return validators?.principals.includes(principal) ?? false;
}

/** Why a branch does not take what is named; undefined where it does. `place` of its merge must be known. */
export function whyNotTake({ branch: source, h, id }: MergeSource, view: RequestsView): string | undefined {
  const { branch, line, charter, sources } = view;
  if (!policyOf(charter, branch)?.mergeFrom.includes(source))
    return `${branch} does not take from ${source}; gdo branch ${branch} --merge-from ${source} lets it`;
  const place = sources.place(id);
  if (place?.branch !== source || place.h !== h)
    return `it names no merge of ${source} at height ${h}; gdo branch ${source}`;
  const upTo = sources.upTo(place.line);
  return upTo >= h ? `${line} has taken ${place.line} up to height ${upTo} already; there is nothing to do` : undefined;
}

/** Why a merge may not take what it says, or has to wait for it; undefined where it may. */
export function judgeSources(
  { from }: Pick<MergePayload, "from">,
  view: RequestsView,
): { readonly why: string; readonly isEarly: boolean } | undefined {
  for (const source of from) {
    if (
      policyOf(view.charter, view.branch)?.mergeFrom.includes(source.branch) &&
      view.sources.place(source.id) === undefined
    )
      return { why: `${source.branch} is not final up to height ${source.h} here yet`, isEarly: true };
    const why = whyNotTake(source, view);
    if (why !== undefined) return { why, isEarly: false };
  }
  return undefined;
}
