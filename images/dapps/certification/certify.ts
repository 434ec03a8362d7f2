/** Sign-off, renewal and revocation: by a trainer of the course or whoever has the right "training". */
import {
  addDays,
  type Canonical,
  type Draft,
  dateField,
  type Entry,
  integer,
  msOfDate,
  optional,
  Refusal,
  readFields,
  text,
} from "../../sdk/index.ts";
import { RIGHT } from "./courses.ts";
import { courseId, personId, TIME_MAX } from "./fields.ts";
import {
  asCanonical,
  type Certificate,
  type Course,
  certificateIn,
  certificateKey,
  courseIn,
  obstacles,
  revokePlace,
  standingOf,
  takePlace,
} from "./state.ts";

/** A sign-off may be dated back as far, for what was written on paper while nobody was on line. */
const BACK_MS = 31 * 86_400_000;
/** Clocks of devices differ by a day at most. */
const AHEAD_MS = 86_400_000;
/** Renewed within this time before its end, a certificate loses nothing of it. */
const RENEW_EARLY_MS = 60 * 86_400_000;

interface SignOff {
  readonly person: string;
  readonly course: string;
  readonly on: string;
  readonly untilMs?: number | undefined;
}

const checks = { person: personId, course: courseId, on: dateField, untilMs: optional(integer(0, TIME_MAX)) };

export async function signOff(body: Canonical, draft: Draft, entry: Entry): Promise<void> {
  const given = readFields(body, checks);
  const course = await mayCertify(draft, given, entry);
  const atMs = msOfDate(given.on) as number;
  const known = await certificateIn(draft, given.person, given.course);
  if (standingOf(known, atMs) === "active")
    throw new Refusal(`${given.person} holds ${given.course} already: renew it`);
  put(draft, given, {
    id: entry.id,
    place: await takePlace(draft),
    on: given.on,
    sinceMs: atMs,
    by: entry.principal,
    renewals: 0,
    ...until(given, course, atMs),
  });
}

export async function renew(body: Canonical, draft: Draft, entry: Entry): Promise<void> {
  const given = readFields(body, checks);
  const course = await mayCertify(draft, given, entry);
  const known = await certificateIn(draft, given.person, given.course);
  if (known === undefined || known.revoked !== undefined) {
    throw new Refusal(`${given.person} has no certificate of ${given.course} to renew: sign them off`);
  }
  const onMs = msOfDate(given.on) as number;
  const isEarly = known.untilMs !== undefined && known.untilMs > onMs && known.untilMs - onMs <= RENEW_EARLY_MS;
  const { untilMs: _, ...kept } = known;
  const place = known.place ?? (await takePlace(draft));
  const renewed = { ...kept, place, on: given.on, by: entry.principal, renewals: known.renewals + 1 };
  put(draft, given, { ...renewed, ...until(given, course, isEarly ? (known.untilMs as number) : onMs) });
}

export async function revoke(body: Canonical, draft: Draft, entry: Entry): Promise<void> {
  const { person, course, reason } = readFields(body, { person: personId, course: courseId, reason: text(400) });
  requireTrainer(await courseIn(draft, course), course, entry);
  const known = await certificateIn(draft, person, course);
  if (known === undefined) throw new Refusal(`${person} has no certificate of ${course}`);
  if (known.revoked !== undefined) throw new Refusal(`it was revoked by ${known.revoked.by}`);
  if (known.place !== undefined) revokePlace(draft, known.place);
  put(draft, { person, course }, { ...known, revoked: { by: entry.principal, reason } });
}

/** A trainer other than the person, a course that is given, a date that can be, and every prerequisite held. */
async function mayCertify(draft: Draft, { person, course: id, on, untilMs }: SignOff, entry: Entry): Promise<Course> {
  const course = await courseIn(draft, id);
  requireTrainer(course, id, entry);
  if (entry.principal === person) throw new Refusal("nobody signs off themselves");
  if (course.retired === true) throw new Refusal(`${id} is not given any more`);
  const onMs = msOfDate(on) as number;
  if (onMs > entry.timeMs + AHEAD_MS) throw new Refusal(`${on} is still to come`);
  if (onMs < entry.timeMs - BACK_MS) throw new Refusal(`${on} is more than a month ago`);
  if (untilMs !== undefined && untilMs <= onMs) throw new Refusal("untilMs is before the sign-off");
  const [first] = await obstacles(draft, { person, course, atMs: onMs });
  if (first !== undefined) throw new Refusal(`${person} needs ${first.course} first: ${first.standing}`);
  return course;
}

function requireTrainer(course: Course, id: string, { principal, rights }: Entry): void {
  if (course.trainers.includes(principal) || rights.includes(RIGHT)) return;
  throw new Refusal(`${principal} is no trainer of ${id}`);
}

/** What the course gives, or less where the trainer says so. */
function until({ untilMs }: SignOff, { validDays }: Course, fromMs: number): { untilMs?: number } {
  const whole = validDays === undefined ? undefined : addDays(fromMs, validDays);
  if (untilMs === undefined) return whole === undefined ? {} : { untilMs: whole };
  return { untilMs: Math.min(untilMs, whole ?? untilMs) };
}

function put(draft: Draft, { person, course }: { person: string; course: string }, certificate: Certificate): void {
  draft.put(certificateKey(person, course), asCanonical(certificate));
  const { untilMs = null, revoked } = certificate;
  draft.emit({ type: "certificate", person, course, untilMs, revoked: revoked !== undefined });
}
