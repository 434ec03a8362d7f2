/**
 * That a device is revoked: what it knows of it itself, by its own ledger or by a peer's farewell, and what it tells
 * another one. docs/design/sync.md, "A device that was revoked".
 */
import type { Hash, PublicKey } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import {
  authorOf,
  CHARTER_BRANCH,
  type CharterStep,
  castBy,
  certificateOf,
  commitsOn,
  encodeFarewell,
  findRevocation,
  governors,
  type Revocation,
  revokedByFarewell,
  type StateView,
  validatorsOf,
} from "../../ledger/index.ts";
import { pendingCharter } from "./tentative-charter.ts";

/** Durable, in the database's few texts. */
const META = "revoked";

export interface OwnRevocation extends Revocation {
  /** Of the charter's merge that says so; null while it waits to be merged. */
  readonly h: number | null;
  /** What to do about it. */
  readonly todo: string;
}

/** That this device is revoked, by what it holds or was told; undefined while it is not. */
export function ownRevocation(db: LedgerDb, device: PublicKey): OwnRevocation | undefined {
  return rememberedRevocation(db) ?? finalRevocation(db, device) ?? pendingRevocation(db, device);
}

/** As a farewell told it, in whatever run. */
export function rememberedRevocation(db: LedgerDb): OwnRevocation | undefined {
  const kept = db.meta(META);
  return kept === undefined ? undefined : (JSON.parse(kept) as OwnRevocation);
}

function finalRevocation(db: LedgerDb, device: PublicKey): OwnRevocation | undefined {
  const h = heightOfRevocation(db, device);
  if (h === undefined) return undefined;
  const found = findRevocation(blocksOf(db, db.members(CHARTER_BRANCH, h)), db.charterAt(h - 1), device);
  return found === undefined ? undefined : { ...found, h, todo: todoAfter(db.charterAt(h), device) };
}

function pendingRevocation(db: LedgerDb, device: PublicKey): OwnRevocation | undefined {
  const { entries, state } = pendingCharter(db);
  if (authorOf(state, device)?.revoked !== true) return undefined;
  const found = findRevocation(entries, db.charterAt(), device);
  return found === undefined ? undefined : { ...found, h: null, todo: todoAfter(state, device) };
}

/** The charter's height as of which it is revoked: once it is, it stays so. */
function heightOfRevocation(db: LedgerDb, device: PublicKey): number | undefined {
  const isRevokedAt = (h: number): boolean => authorOf(db.charterAt(h), device)?.revoked === true;
  let high = db.merges(CHARTER_BRANCH);
  if (high === 0 || !isRevokedAt(high)) return undefined;
  for (let low = 0; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (isRevokedAt(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Whoever governs can let a new device in; a key that was revoked never comes back. */
function todoAfter(charter: StateView, device: PublicKey): string {
  const person = authorOf(charter, device)?.principal ?? "";
  const who = governors(charter).join(" or ") || "who governs";
  const isGone = (charter.get(`principal/${person}`) as { removed?: boolean } | undefined)?.removed === true;
  const invite = isGone ? "gdo invite NEWNAME --role ROLE" : `gdo invite ${person}`;
  return `ask ${who} for a new invitation (${invite}), then here: gdo --home NEW join TOKEN`;
}

/** What the log, the status and a refused command say. */
export function revokedWords({ by, atMs, h }: OwnRevocation): string {
  const at = Math.abs(atMs) <= DATE_MS_MAX ? ` on ${new Date(atMs).toISOString().slice(0, 10)}` : "";
  const place = h === null ? "not final yet" : `charter height ${h}`;
  return `this device was revoked by ${by}${at} (${place}): what it says counts for nothing any more, what it holds stays`;
}

/** A clock may say anything [L5]; beyond this there are no dates. */
const DATE_MS_MAX = 8.64e15;

/** What a revoked device that knows the charter up to a height may be told; undefined where it knows, or is not revoked. */
export function farewellTo(db: LedgerDb, device: PublicKey, knownH: number): Uint8Array | undefined {
  const h = heightOfRevocation(db, device);
  return h === undefined || h <= knownH ? undefined : encodeFarewell(stepsOf(db, knownH, h));
}

function* stepsOf(db: LedgerDb, afterH: number, lastH: number): Iterable<CharterStep> {
  for (let h = afterH + 1; h <= lastH; h += 1) {
    const merge = db.block(db.mergeAt(CHARTER_BRANCH, h) as Hash);
    if (merge === undefined) return;
    yield { merge, entries: blocksOf(db, db.members(CHARTER_BRANCH, h)), votes: certificate(db, h, merge.id) };
  }
}

/** No more votes than prove it. */
function certificate(db: LedgerDb, h: number, merge: Hash): Block[] {
  const charter = db.charterAt(h - 1);
  const validators = validatorsOf(charter, CHARTER_BRANCH);
  if (validators?.mode !== "quorum") return [];
  const cast = castBy(charter, commitsOn(merge, db.votes(CHARTER_BRANCH, h)));
  return blocksOf(db, certificateOf(cast, merge, validators)?.votes ?? []);
}

function blocksOf(db: LedgerDb, ids: readonly Hash[]): Block[] {
  return ids.flatMap((id) => db.block(id) ?? []);
}

/** Judges a farewell by the charter that is held, and remembers what it proves. Throws LEDGER_FORM, LEDGER_SIGNATURE. */
export function hearFarewell(
  db: LedgerDb,
  bytes: Uint8Array,
  { organisation, device }: { readonly organisation: Hash; readonly device: PublicKey },
): OwnRevocation | undefined {
  const known = { organisation, head: db.head(CHARTER_BRANCH), state: db.charterAt() };
  const found = revokedByFarewell(bytes, known, device);
  if (found === undefined) return undefined;
  const { by, entry, atMs, h, charter } = found;
  const own: OwnRevocation = { by, entry, atMs, h, todo: todoAfter(charter, device) };
  db.setMeta(META, JSON.stringify(own));
  return own;
}
