/**
 * A branch's final entries as a feed with a cursor: each once, in the branch's order, whatever restarts between.
 * A cursor is a place in that order, "height.position": nothing is kept for a reader. Entries that wait have no
 * place yet; who asks for them gets them all, as the next merge would take them, whenever they have changed.
 */
import { GdoError, type Hash } from "../../base/index.ts";
import { type Block, jsonFromCanonical } from "../../codec/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import { authorOf, MAIN_BRANCH, parseEntryPayload, type StateView } from "../../ledger/index.ts";
import type { TentativeStates } from "../../node/index.ts";

/** An entry that waits: where it will stand, and whether it will be void, may change. */
export interface WaitingEvent {
  readonly branch: string;
  readonly id: Hash;
  readonly app: string;
  readonly acts: readonly { readonly type: string; readonly body: unknown }[];
  readonly name: string;
  readonly principal: string;
  readonly timeMs: number;
  /** Why the entry is void, or would be. */
  readonly reason?: string;
}

export interface FeedEvent extends WaitingEvent {
  /** To go on after this event. */
  readonly cursor: string;
  readonly h: number;
  /** In its merge's order [L12]. */
  readonly position: number;
}

export interface FeedPage {
  readonly events: readonly FeedEvent[];
  /** After the last of them. */
  readonly cursor: string;
  readonly isMore: boolean;
}

export interface FeedPageWithWaiting extends FeedPage {
  /** All that waits, in its order of now; absent where it is what the reader knows, or finals are still to come. */
  readonly tentative?: readonly WaitingEvent[];
  /** To be given as `known` the next time. */
  readonly known?: string;
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
export function eventPage(db: LedgerDb, query: FeedQuery): FeedPage {
  const { branch = MAIN_BRANCH, from = "0.0", limit = PAGE_MAX } = query;
  const [, h, position] = CURSOR.exec(from) ?? [];
  if (h === undefined) throw new GdoError("INPUT_INVALID", `not a cursor: ${from}`, { hint: "gdo events --json" });
  const size = Math.min(limit, PAGE_MAX);
  const rows = db.membersAfter(branch, { h: Number(h), position: Number(position) }, size);
  const charter = db.charterAt();
  const events = rows.map(
    ({ block, h: height, position: place, void: reason }): FeedEvent => ({
      cursor: `${height}.${place}`,
      ...{ h: height, position: place },
      ...eventOf(charter, branch, block, reason),
    }),
  );
  return { events, cursor: events.at(-1)?.cursor ?? from, isMore: rows.length === size };
}

/** As eventPage, and what waits, once the reader has all that is final. */
export async function eventsWithWaiting(
  db: LedgerDb,
  states: TentativeStates,
  query: FeedQuery & { readonly known?: string | undefined },
): Promise<FeedPageWithWaiting> {
  const { branch = MAIN_BRANCH, known } = query;
  // First what waits: what becomes final meanwhile is then in the page, and not in between.
  const { key, entries } = await states.at(branch);
  const page = eventPage(db, query);
  if (page.isMore) return page;
  if (key === known) return { ...page, known: key };
  const charter = db.charterAt();
  const finals = new Set(page.events.map(({ id }) => id));
  const waiting = entries.filter(({ block }) => !finals.has(block.id));
  return {
    ...page,
    tentative: waiting.map(({ block, reason }) => eventOf(charter, branch, block, reason)),
    known: key,
  };
}

function eventOf(charter: StateView, branch: string, block: Block, reason: string | undefined): WaitingEvent {
  const { app, acts } = parseEntryPayload(block.d);
  const { name = "", principal = "" } = authorOf(charter, block.a) ?? {};
  return {
    ...{ branch, id: block.id, app },
    acts: acts.map(({ type, body }) => ({ type, body: jsonFromCanonical(body) })),
    ...{ name, principal, timeMs: block.t[0] },
    ...(reason === undefined ? {} : { reason }),
  };
}
