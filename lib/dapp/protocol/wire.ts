/**
 * The JSON form of calls and answers. Values are in the JSON form of canonical values; what a dapp
 * answers is checked here before anything else sees it. Pure.
 */
import { GdoError, type Hash } from "../../base/index.ts";
import {
  type Canonical,
  type CanonicalMap,
  canonicalFromJson,
  encodeCanonical,
  jsonFromCanonical,
} from "../../codec/index.ts";
import type {
  Act,
  AppInput,
  AppVerdict,
  EntryOutcome,
  LedgerEntry,
  ReduceResult,
  StateChange,
} from "../../ledger/index.ts";

const KEY_CHARS_MAX = 512;
const REASON_CHARS_MAX = 256;
/** As many as one entry may have. */
const ACTS_MAX = 256;
const FINDINGS_MAX = 1000;
const FINDING_CHARS_MAX = 1000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const BEYOND_ASCII = /[^\u0000-\u007f]/;
const PLAIN_DEPTH_MAX = 8;
/** Lone surrogates, which UTF-8 cannot carry: a state key with one would change on its way to the disk. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** One entry as a dapp gets it. */
export interface WireEntry {
  readonly id: Hash;
  readonly acts: readonly (readonly [type: string, body: unknown])[];
}

export interface WireInput {
  readonly height: number;
  readonly seed: Hash;
  readonly entries: readonly WireEntry[];
  readonly events: readonly unknown[];
}

/** Parameters of `reduce` and `test`. `at` is the place in the merge, by which entries and events mix. */
export function inputToWire({ height, seed, entries, events, order }: AppInput): WireInput {
  const places = new Map(order.map((id, index) => [id, index]));
  const wireEvents = events.map(({ app, entry, event }) => {
    return { app, entry, at: places.get(entry) ?? -1, event: jsonFromCanonical(event) };
  });
  const wireEntries = entries.map((entry) => entryToWire(entry, places.get(entry.id) ?? -1));
  return { height, seed, entries: wireEntries, events: wireEvents };
}

function entryToWire(entry: LedgerEntry, at: number): WireEntry {
  const { id, author, principal, rights, timeMs, app, acts } = entry;
  const wireActs = acts.map(({ type, body }) => [type, jsonFromCanonical(body)] as const);
  const fields = { id, at, author, principal, rights, time: timeMs, app, acts: wireActs };
  return fields;
}

/** A canonical value of an answer; DAPP_ERROR when it has no canonical form. */
export function valueFromWire(value: unknown, what: string): Canonical {
  try {
    const canonical = canonicalFromJson(value);
    if (!isPlain(canonical, 0)) encodeCanonical(canonical); // Finds what only the encoding refuses: depth, half characters.
    return canonical;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new GdoError("DAPP_ERROR", `${what} has no canonical form: ${why}`, { cause });
  }
}

/** Certainly no nesting and no text that an encoding would refuse. */
function isPlain(value: Canonical, depth: number): boolean {
  if (typeof value === "string") return !BEYOND_ASCII.test(value);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return true;
  if (depth >= PLAIN_DEPTH_MAX) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
  const map = value as CanonicalMap;
  return Object.keys(map).every((key) => !BEYOND_ASCII.test(key) && isPlain(map[key] as Canonical, depth + 1));
}

/** Checks the answer to `reduce` against the entries that were asked about. */
export function reduceResultFromWire(value: unknown, entries: readonly Hash[]): ReduceResult {
  const { outcomes, changes } = mapOf(value, "the answer to reduce");
  const byId = new Map(
    listOf(outcomes, "outcomes")
      .map((item) => outcomeFromWire(item))
      .map((item) => [item.id, item]),
  );
  const isComplete = byId.size === entries.length && listOf(outcomes, "outcomes").length === entries.length;
  const ordered = entries.flatMap((id) => byId.get(id) ?? []);
  if (!isComplete || ordered.length !== entries.length) {
    throw new GdoError("DAPP_ERROR", "the answer to reduce does not have one outcome for each entry");
  }
  return { outcomes: ordered, changes: changesFromWire(changes) };
}

function changesFromWire(changes: unknown): StateChange[] {
  return listOf(changes, "changes").map((item, index) => changeFromWire(item, index));
}

/** Checks the answer to `migrate`. */
export function migrationFromWire(value: unknown): readonly StateChange[] {
  return changesFromWire(mapOf(value, "the answer to migrate").changes);
}

function outcomeFromWire(value: unknown): EntryOutcome {
  const { id, void: reason, events = [] } = mapOf(value, "an outcome");
  if (typeof id !== "string") throw new GdoError("DAPP_ERROR", "an outcome names no entry");
  const given = listOf(events, "events").map((event, index) => valueFromWire(event, `event ${index} of entry ${id}`));
  if (reason === undefined) return { id: id as Hash, events: given };
  if (typeof reason !== "string" || reason === "" || reason.length > REASON_CHARS_MAX) {
    throw new GdoError("DAPP_ERROR", `entry ${id} is void without a reason of 1 to ${REASON_CHARS_MAX} characters`);
  }
  return { id: id as Hash, void: reason.normalize("NFC"), events: given };
}

function changeFromWire(value: unknown, index: number): StateChange {
  const [key, item, ...rest] = listOf(value, `change ${index}`);
  const isKeySound = typeof key === "string" && key !== "" && key.length <= KEY_CHARS_MAX && !LONE_SURROGATE.test(key);
  if (!isKeySound || key !== key.normalize("NFC") || rest.length > 0) {
    throw new GdoError("DAPP_ERROR", `change ${index} has no key of 1 to ${KEY_CHARS_MAX} characters in NFC`);
  }
  // Null deletes, so no key ever holds null; the same is so in a merge's blob of changes.
  return [key, item === undefined || item === null ? undefined : valueFromWire(item, `the value of ${key}`)];
}

/** The answer to `command`: acts as their JSON and as values, or why it is refused. */
export function commandAnswerFromWire(
  value: unknown,
): { readonly refused: string } | { readonly acts: readonly Act[] } {
  const { acts, refused } = mapOf(value, "the answer to command");
  if (refused !== undefined) {
    if (typeof refused === "string" && refused !== "") return { refused: refused.slice(0, REASON_CHARS_MAX) };
    throw new GdoError("DAPP_ERROR", "the answer to command refuses without a reason");
  }
  const made = listOf(acts, "acts of the answer to command").map((item, index) => {
    const [type, body, ...rest] = listOf(item, `act ${index}`);
    if (typeof type !== "string" || rest.length > 0)
      throw new GdoError("DAPP_ERROR", `act ${index} is no [type, body]`);
    return { type, body: valueFromWire(body, `the body of act ${index}`) };
  });
  if (made.length === 0 || made.length > ACTS_MAX)
    throw new GdoError("DAPP_ERROR", `the answer to command has ${made.length} acts, not 1 to ${ACTS_MAX}`);
  return { acts: made };
}

export function verdictFromWire(value: unknown): AppVerdict {
  const { verdict, findings } = mapOf(value, "the answer to test");
  if (verdict === "PASS") return { verdict };
  if (verdict !== "FAIL") throw new GdoError("DAPP_ERROR", "the answer to test is neither PASS nor FAIL");
  const texts = listOf(findings, "findings").slice(0, FINDINGS_MAX);
  return { verdict, findings: texts.map((text) => String(text).slice(0, FINDING_CHARS_MAX)) };
}

/** A JSON object; DAPP_ERROR names what should have been one. */
export function mapOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new GdoError("DAPP_ERROR", `${what} is no object`);
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new GdoError("DAPP_ERROR", `${what}: no list`);
}
