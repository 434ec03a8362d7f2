/** What a body says, and reading a decoded body into it: whatever no block may have is refused. */
import { GdoError, HASH_BYTES, type Hash, hashOf32, type PublicKey, publicKeyOf32, toHex } from "../base/index.ts";
import type { Canonical, CanonicalMap } from "./canonical.ts";

export const BLOCK_KINDS = ["charter", "entry", "merge", "vote", "checkpoint", "link", "evidence"] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

/** What a body says. The letters are its keys. */
export interface BlockFields {
  readonly v: 1;
  /** Kind. */
  readonly k: BlockKind;
  /** Organisation: the id of its charter; null only in the charter itself. */
  readonly o: Hash | null;
  /** Author: a device's key. */
  readonly a: PublicKey;
  /** Incarnation of the author's log, 16 hex digits. */
  readonly l: string;
  /** Sequence number in the log, from 0. */
  readonly n: number;
  /** The author's previous block in this log; null exactly when n is 0. */
  readonly b: Hash | null;
  /** Other parents, ascending, without `b`. */
  readonly p: readonly Hash[];
  /** Lamport clock [L4]. */
  readonly c: number;
  /** Wall time: advice, never authority [L5]. */
  readonly t: BlockTime;
  /** Payload; its shape depends on the kind. */
  readonly d: Canonical;
}

/** Milliseconds since 1970, plus or minus how many (null: unknown), number of the boot. */
export type BlockTime = readonly [ms: number, plusMinus: number | null, boot: number];

const FIELDS = ["a", "b", "c", "d", "k", "l", "n", "o", "p", "t", "v"];
export const LOG_BYTES = 8;

function refuse(why: string): GdoError {
  return new GdoError("LEDGER_FORM", `block: ${why}`);
}

/** The fields of a body. Throws LEDGER_FORM. */
export function parseFields(body: Canonical, parentsMax: number): BlockFields {
  const map = checkKeys(body);
  if (map["v"] !== 1) throw refuse("v is not 1");
  const k = kind(map["k"]);
  const o = hashOrNull(map["o"], "o");
  const n = count(map["n"], "n");
  const b = hashOrNull(map["b"], "b");
  const p = parents(map["p"], parentsMax);
  const [c, t] = [count(map["c"], "c"), time(map["t"])];
  const fields: BlockFields = {
    v: 1,
    k,
    o,
    a: author(map["a"]),
    l: log(map["l"]),
    n,
    b,
    p,
    c,
    t,
    d: map["d"] as Canonical,
  };
  checkTogether(fields);
  return fields;
}

/**
 * The fields of the block that is made of these, as parseFields would read them: nobody else's arrays. `d`: the
 * payload as it is read. Throws LEDGER_FORM for what no block may have.
 */
export function ownFields({ k, o, a, l, n, b, p, c, t }: BlockFields, d: Canonical, parentsMax: number): BlockFields {
  if (p.length > parentsMax) throw tooMany(p.length, parentsMax);
  const fields: BlockFields = {
    v: 1,
    k: kind(k),
    o,
    a,
    l,
    n: count(n, "n"),
    b,
    p: [...p],
    c: count(c, "c"),
    t: time(t),
    d,
  };
  checkTogether(fields);
  return fields;
}

/** What fields say of each other. */
function checkTogether({ k, o, n, b, p, c }: BlockFields): void {
  if ((o === null) !== (k === "charter"))
    throw refuse(o === null ? "o is null outside a charter" : "a charter names an organisation");
  if ((b === null) !== (n === 0)) throw refuse("b must be null exactly when n is 0");
  // Hex has the order of the bytes.
  if (p.some((id, index) => index > 0 && (p[index - 1] as Hash) >= id)) throw refuse("parents out of order or double");
  if (b !== null && p.includes(b)) throw refuse("p repeats b");
  if (k !== "charter" && b === null && p.length === 0) throw refuse("only a charter has no parents");
  if (c === 0) throw refuse("c is 0");
}

function checkKeys(body: Canonical): CanonicalMap {
  if (typeof body !== "object" || body === null || Array.isArray(body) || body instanceof Uint8Array)
    throw refuse("not a map");
  const map = body as CanonicalMap;
  const keys = Object.keys(map);
  if (keys.length !== FIELDS.length || FIELDS.some((field) => !(field in map)))
    throw refuse(`its keys are ${keys.sort().join(" ")}`);
  return map;
}

function kind(value: Canonical | undefined): BlockKind {
  const found = BLOCK_KINDS.find((name) => name === value);
  if (found === undefined) throw refuse("unknown kind");
  return found;
}

function hash(value: Canonical | undefined, field: string): Hash {
  if (value instanceof Uint8Array && value.length === HASH_BYTES) return hashOf32(value);
  throw refuse(`${field} is not 32 bytes`);
}

function hashOrNull(value: Canonical | undefined, field: string): Hash | null {
  return value === null ? null : hash(value, field);
}

function author(value: Canonical | undefined): PublicKey {
  if (value instanceof Uint8Array && value.length === HASH_BYTES) return publicKeyOf32(value);
  throw refuse("a is not 32 bytes");
}

function log(value: Canonical | undefined): string {
  if (value instanceof Uint8Array && value.length === LOG_BYTES) return toHex(value);
  throw refuse("l is not 8 bytes");
}

function count(value: Canonical | undefined, field: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw refuse(`${field} is not a count`);
}

function parents(value: Canonical | undefined, parentsMax: number): Hash[] {
  if (!Array.isArray(value)) throw refuse("p is not an array");
  if (value.length > parentsMax) throw tooMany(value.length, parentsMax);
  return (value as readonly Canonical[]).map((item) => hash(item, "a parent"));
}

function tooMany(parentCount: number, parentsMax: number): GdoError {
  return refuse(`${parentCount} parents, more than ${parentsMax}`);
}

function time(value: Canonical | undefined): BlockTime {
  if (!Array.isArray(value) || value.length !== 3) throw refuse("t is not [ms, ±ms, boot]");
  const [ms, plusMinus, boot] = value as readonly Canonical[];
  // Wall time may be wrong, also before 1970 [L5].
  if (typeof ms !== "number" || !Number.isSafeInteger(ms)) throw refuse("the time is not in milliseconds");
  return [ms, plusMinus === null ? null : count(plusMinus, "±ms"), count(boot, "boot")];
}
