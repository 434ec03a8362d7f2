/**
 * What certification keeps.
 *
 *   course/<course>                  {name, description, criteria, trainers, prerequisites, validDays?, retired?}
 *   certificate/<person>/<course>    {id, place?, on, sinceMs, untilMs?, by, renewals, revoked?: {by, reason}}
 *   statuses                         {count}: how many places in the status list are taken
 *   revoked/<place>                  true, for good
 *
 * A certificate without untilMs does not expire. Expiry changes nothing here: it is a time that whoever asks
 * compares with its own, so a door decides by its own clock while it is cut off.
 */
import { type Canonical, type Draft, keyPart, nameOfKeyPart, Refusal, type State } from "../../sdk/index.ts";

export interface Course {
  readonly name: string;
  readonly description: string;
  /** What somebody must show to be signed off. */
  readonly criteria: string;
  /** Principals who may sign off. */
  readonly trainers: readonly string[];
  /** Courses that must be held when this one is signed off or renewed. */
  readonly prerequisites: readonly string[];
  /** How long a certificate holds; without it, for good. */
  readonly validDays?: number;
  /** Nobody is signed off any more; certificates stay. */
  readonly retired?: boolean;
}

export interface Certificate {
  /** The entry of the first sign-off: its name for good. */
  readonly id: string;
  /** Its place in the status list. Absent of one that an earlier version signed off, until it is renewed. */
  readonly place?: number;
  /** The date of the last sign-off or renewal. */
  readonly on: string;
  readonly sinceMs: number;
  readonly untilMs?: number;
  /** The principal who signed off last. */
  readonly by: string;
  readonly renewals: number;
  readonly revoked?: { readonly by: string; readonly reason: string };
}

export type Standing = "active" | "expired" | "revoked" | "missing";

type From = State | Draft;

export async function courseIn(from: From, course: string): Promise<Course> {
  const found = (await from.get(`course/${course}`)) as Course | undefined;
  if (found === undefined) throw new Refusal(`there is no course ${course}`);
  return found;
}

export function certificateKey(person: string, course = ""): string {
  return `certificate/${keyPart(person)}/${course}`;
}

export async function certificateIn(from: From, person: string, course: string): Promise<Certificate | undefined> {
  return (await from.get(certificateKey(person, course))) as Certificate | undefined;
}

export function standingOf(certificate: Certificate | undefined, atMs: number): Standing {
  if (certificate === undefined) return "missing";
  if (certificate.revoked !== undefined) return "revoked";
  return certificate.untilMs !== undefined && certificate.untilMs <= atMs ? "expired" : "active";
}

export interface Held {
  readonly person: string;
  readonly course: string;
  readonly certificate: Certificate;
}

/** All certificates, or one person's. */
export async function* certificates(from: State, person?: string): AsyncGenerator<Held> {
  for await (const [key, value] of from.scan(person === undefined ? "certificate/" : certificateKey(person))) {
    const [, part = "", course = ""] = key.split("/");
    yield { person: nameOfKeyPart(part), course, certificate: value as unknown as Certificate };
  }
}

/** What stands in the way of a sign-off at a moment: prerequisites that are not held, with how they stand. */
export async function obstacles(
  from: From,
  { person, course, atMs }: { person: string; course: Course; atMs: number },
): Promise<{ course: string; standing: Standing }[]> {
  const found: { course: string; standing: Standing }[] = [];
  for (const needed of course.prerequisites) {
    const standing = standingOf(await certificateIn(from, person, needed), atMs);
    if (standing !== "active") found.push({ course: needed, standing });
  }
  return found;
}

const PLACE_DIGITS = 9;

/** The next place in the status list; no place is given twice. */
export async function takePlace(draft: Draft): Promise<number> {
  const { count } = await placesIn(draft);
  draft.put("statuses", { count: count + 1 });
  return count;
}

async function placesIn(from: From): Promise<{ count: number }> {
  return ((await from.get("statuses")) as { count: number } | undefined) ?? { count: 0 };
}

export function revokePlace(draft: Draft, place: number): void {
  draft.put(`revoked/${String(place).padStart(PLACE_DIGITS, "0")}`, true);
}

/** How many places there are, and which of them were revoked, in order. */
export async function statusesIn(from: State): Promise<{ count: number; revoked: number[] }> {
  const revoked: number[] = [];
  for await (const [key] of from.scan("revoked/")) revoked.push(Number(key.slice("revoked/".length)));
  return { ...(await placesIn(from)), revoked };
}

export function asCanonical(value: object): Canonical {
  return value as unknown as Canonical;
}
