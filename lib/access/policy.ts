/**
 * The policy snapshot: the one table from which a door decides, compiled from final state and kept as
 * bytes. Canonical CBOR, so that equal policies have equal bytes and one name. Pure; the name (a hash)
 * is the caller's. Rules: docs/design/door.md.
 *
 *   {v: 1, generation, height, issued, soft, hard, doors: {id: {minLevel}}, people, ids, credentials}
 *   {v: 2, …, doors: {id: {minLevel, grace?, certificates?}}, …, courses, terms}   where a door asks for more
 */
import { GdoError } from "../base/errors.ts";
import type { Hash } from "../base/hash.ts";
import { OBJECT_BYTES_MAX } from "../base/limits.ts";
import { type Canonical, type CanonicalMap, encodeCanonical } from "../codec/canonical.ts";
import { decodeCanonical } from "../codec/reader.ts";
import { type CredentialRow, CredentialTable, packCredentials } from "./credential-table.ts";
import { PeopleTable, type PersonRow, packPeople } from "./people-table.ts";
import { COURSES_MAX, packTerms, type TermRow, TermTable } from "./terms-table.ts";

/** Levels alone, as the first version of gdo wrote it. */
const VERSION_LEVELS = 1;
/** With dues and certificates. */
const VERSION_TERMS = 2;
const POLICY_DEPTH_MAX = 5;
/** More than a leap year is no grace any more. */
const GRACE_MS_MAX = 366 * 86_400_000;
const DOOR_CERTIFICATES_MAX = 16;
const DOORS_MAX = 1024;
/** Leaves room for the envelope within the bound on objects. */
const POLICY_BYTES_MAX = OBJECT_BYTES_MAX - 1024;

/** When a snapshot was made and how long it is good for; all milliseconds since 1970. */
export interface PolicyTimes {
  readonly issuedMs: number;
  /** Past this the door still decides, with an alarm. */
  readonly softMs: number;
  /** Past this only emergency credentials open, always with an alarm. */
  readonly hardMs: number;
}

export interface DoorRule {
  /** The lowest level that the door opens to. */
  readonly minLevel: number;
  /** Dues must be paid, and so long after they have lapsed the door still opens, with an alarm. Absent: no dues are asked for. */
  readonly graceMs?: number;
  /** Courses that must be certified; sorted, none twice. Absent: none. */
  readonly certificates?: readonly string[];
}

/** What the compiler of a snapshot puts in. */
export interface PolicySource extends PolicyTimes {
  /** Grows with every snapshot; a door refuses one that does not. */
  readonly generation: number;
  /** Height of the final merge whose state this is. */
  readonly height: number;
  readonly doors: Readonly<Record<string, DoorRule>>;
  readonly people: readonly PersonRow[];
  readonly credentials: readonly CredentialRow[];
  /** Those that no door asks for are left out. */
  readonly terms?: readonly TermRow[];
}

/** A snapshot as a door reads it. */
export interface Policy extends PolicyTimes {
  readonly generation: number;
  readonly height: number;
  readonly doors: ReadonlyMap<string, DoorRule>;
  readonly people: PeopleTable;
  readonly credentials: CredentialTable;
  /** Sorted; what doors ask for. */
  readonly courses: readonly string[];
  readonly terms: TermTable;
}

/** A snapshot and its name. */
export interface PolicyInForce {
  readonly id: Hash;
  readonly policy: Policy;
}

/** INPUT_INVALID names what does not fit: a repeated person or card, a card of nobody, times out of order. */
export function encodePolicy(source: PolicySource): Uint8Array {
  if (!areTimesInOrder(source))
    throw new GdoError("INPUT_INVALID", "a policy is issued before it goes stale and expires");
  const people = packPeople(source.people);
  const indexOf = new Map(people.order.map((id, index) => [id, index]));
  const head = {
    generation: source.generation,
    height: source.height,
    issued: source.issuedMs,
    soft: source.softMs,
    hard: source.hardMs,
    doors: encodeDoors(source.doors),
    people: people.records,
    ids: people.ids,
    credentials: packCredentials(source.credentials, (id) => indexOf.get(id)),
  };
  const rules = Object.values(source.doors);
  if (!rules.some(asksForMore)) return encodeCanonical({ v: VERSION_LEVELS, ...head });
  const courses = coursesOf(rules);
  const asked = (source.terms ?? []).filter(({ course }) => course !== undefined || rules.some(asksForDues));
  const terms = packTerms(asked, (id) => indexOf.get(id), courses);
  return encodeCanonical({ v: VERSION_TERMS, ...head, courses, terms });
}

function encodeDoors(doors: Readonly<Record<string, DoorRule>>): CanonicalMap {
  const rules = Object.entries(doors).map(([id, { minLevel, graceMs, certificates = [] }]) => {
    const grace = graceMs === undefined ? {} : { grace: graceMs };
    return [id, { minLevel, ...grace, ...(certificates.length === 0 ? {} : { certificates }) }] as const;
  });
  return Object.fromEntries(rules);
}

function asksForDues({ graceMs }: DoorRule): boolean {
  return graceMs !== undefined;
}

function asksForMore(rule: DoorRule): boolean {
  return asksForDues(rule) || (rule.certificates ?? []).length > 0;
}

/** What the doors ask for between them. */
function coursesOf(rules: Iterable<DoorRule>): string[] {
  return [...new Set([...rules].flatMap(({ certificates = [] }) => certificates))].sort();
}

function areTimesInOrder({ issuedMs, softMs, hardMs }: PolicyTimes): boolean {
  return issuedMs <= softMs && softMs <= hardMs;
}

/** Reads a snapshot; POLICY_INVALID on anything that encodePolicy would not have written. */
export function decodePolicy(bytes: Uint8Array): Policy {
  try {
    return readPolicy(decodeCanonical(bytes, { bytesMax: POLICY_BYTES_MAX, depthMax: POLICY_DEPTH_MAX }));
  } catch (cause) {
    if (cause instanceof GdoError && cause.code === "POLICY_INVALID") throw cause;
    throw new GdoError("POLICY_INVALID", "the policy cannot be read", { cause });
  }
}

const FIELDS_LEVELS = ["credentials", "doors", "generation", "hard", "height", "ids", "issued", "people", "soft", "v"];
const FIELDS_TERMS = [...FIELDS_LEVELS, "courses", "terms"].sort();

function readPolicy(value: Canonical): Policy {
  const map = mapOf(value, "the policy");
  const isTerms = map.v === VERSION_TERMS;
  if (!isTerms && map.v !== VERSION_LEVELS) throw new GdoError("POLICY_INVALID", "the policy is of an unknown version");
  if (Object.keys(map).toSorted().join() !== (isTerms ? FIELDS_TERMS : FIELDS_LEVELS).join())
    throw new GdoError("POLICY_INVALID", "the policy has other fields than it should");
  const people = new PeopleTable(bytesField(map, "people"), bytesField(map, "ids"));
  const times = {
    issuedMs: countField(map, "issued"),
    softMs: countField(map, "soft"),
    hardMs: countField(map, "hard"),
  };
  if (!areTimesInOrder(times)) throw new GdoError("POLICY_INVALID", "the policy's times are out of order");
  const doors = readDoors(map.doors);
  const courses = coursesOf(doors.values());
  const isOfItsVersion = [...doors.values()].some(asksForMore) === isTerms;
  const isWhole = !isTerms || (Array.isArray(map.courses) && map.courses.join("\n") === courses.join("\n"));
  if (!isOfItsVersion || !isWhole || courses.length > COURSES_MAX)
    throw new GdoError("POLICY_INVALID", "the policy's courses are not what its doors ask for");
  return {
    ...times,
    generation: countField(map, "generation"),
    height: countField(map, "height"),
    doors,
    people,
    credentials: CredentialTable.of(bytesField(map, "credentials"), people.size),
    courses,
    terms: new TermTable(isTerms ? bytesField(map, "terms") : new Uint8Array(), {
      people: people.size,
      courses: courses.length,
    }),
  };
}

function readDoors(value: Canonical | undefined): Map<string, DoorRule> {
  const entries = Object.entries(mapOf(value, "doors"));
  if (entries.length > DOORS_MAX) throw new GdoError("POLICY_INVALID", `a policy has at most ${DOORS_MAX} doors`);
  return new Map(entries.map(([id, rule]) => [id, readDoorRule(id, rule)]));
}

function readDoorRule(id: string, value: Canonical): DoorRule {
  const { minLevel, grace, certificates, ...rest } = mapOf(value, `door ${id}`);
  const isSound = typeof minLevel === "number" && Number.isInteger(minLevel) && Object.keys(rest).length === 0;
  if (!isSound || !isGrace(grace) || !areCourses(certificates))
    throw new GdoError("POLICY_INVALID", `door ${id} has a rule that is not understood`);
  return {
    minLevel,
    ...(grace === undefined ? {} : { graceMs: grace }),
    ...(certificates === undefined ? {} : { certificates }),
  };
}

function isGrace(value: Canonical | undefined): value is number | undefined {
  return value === undefined || (typeof value === "number" && value >= 0 && value <= GRACE_MS_MAX);
}

function areCourses(value: Canonical | undefined): value is readonly string[] | undefined {
  if (value === undefined) return true;
  if (!Array.isArray(value) || value.length === 0 || value.length > DOOR_CERTIFICATES_MAX) return false;
  return value.every((each, index) => {
    const before: Canonical | undefined = index === 0 ? "" : value[index - 1];
    return typeof each === "string" && !each.includes("\n") && (before as string) < each;
  });
}

function mapOf(value: Canonical | undefined, what: string): CanonicalMap {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
  if (!isMap) throw new GdoError("POLICY_INVALID", `${what} is no map`);
  return value as CanonicalMap;
}

function countField(map: CanonicalMap, key: string): number {
  const value = map[key];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new GdoError("POLICY_INVALID", `the policy's ${key} is no count`);
  }
  return value;
}

function bytesField(map: CanonicalMap, key: string): Uint8Array {
  const value = map[key];
  if (!(value instanceof Uint8Array)) throw new GdoError("POLICY_INVALID", `the policy's ${key} are no bytes`);
  return value;
}
