/**
 * A branch's final entries as a feed with a cursor: each once, in the branch's order, whatever restarts between.
 * A cursor is a place in that order, "height.position": nothing is kept for a reader. (Entries that wait for a
 * merge are not in it: their place is not known yet.)
 */
import { GdoError, type Hash } from "../../base/index.ts";
import { jsonFromCanonical } from "../../codec/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import { authorOf, MAIN_BRANCH, parseEntryPayload } from "../../ledger/index.ts";

export interface FeedEvent {
  /** To go on after this event. */
  readonly cursor: string;
  readonly branch: string;
  readonly h: number;
  /** In its merge's order [L12]. */
  readonly position: number;
  readonly id: Hash;
  readonly app: string;
  readonly acts: readonly { readonly type: string; readonly body: unknown }[];
  readonly name: string;
  readonly principal: string;
  readonly timeMs: number;
  /** Why the entry is void. */
  readonly reason?: string;
}

export interface FeedQuery {
  readonly branch?: string | undefined;
  /** Events after this one; default: from the first. */
  readonly from?: string | undefined;
  readonly limit?: number | undefined;
}

const PAGE_MAX = 1_000;
const CURSOR = /^(\d{1,15})\.(\d{1,15})$/;

/** At most `limit` events, and the cursor after them. NOT_FOUND: no such branch. INPUT_INVALID: no cursor. */
export function eventPage(db: LedgerDb, query: FeedQuery): { events: FeedEvent[]; cursor: string; isMore: boolean } {
  const { branch = MAIN_BRANCH, from = "0.0", limit = PAGE_MAX } = query;
  const [, h, position] = CURSOR.exec(from) ?? [];
  if (h === undefined) throw new GdoError("INPUT_INVALID", `not a cursor: ${from}`, { hint: "gdo events --json" });
  const size = Math.min(limit, PAGE_MAX);
  const rows = db.membersAfter(branch, { h: Number(h), position: Number(position) }, size);
  const charter = db.charterAt();
  const events = rows.map(({ block, h: height, position: place, void: reason }): FeedEvent => {
    const { app, acts } = parseEntryPayload(block.d);
    const { name = "", principal = "" } = authorOf(charter, block.a) ?? {};
    return {
      cursor: `${height}.${place}`,
      ...{ branch, h: height, position: place, id: block.id, app },
      acts: acts.map(({ type, body }) => ({ type, body: jsonFromCanonical(body) })),
      ...{ name, principal, timeMs: block.t[0] },
      ...(reason === undefined ? {} : { reason }),
    };
  });
  return { events, cursor: events.at(-1)?.cursor ?? from, isMore: rows.length === size };
}
