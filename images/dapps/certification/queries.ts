/** What certification answers. A moment is always the asker's: there is no clock here [D3]. */
import { type Canonical, integer, optional, type Query, readFields, type State } from "../../sdk/index.ts";
import { badgeOf } from "./badge.ts";
import { courseId, personId, TIME_MAX } from "./fields.ts";
import {
  asCanonical,
  type Course,
  certificateIn,
  certificates,
  courseIn,
  obstacles,
  standingOf,
  statusesIn,
} from "./state.ts";

const MONTH_MS = 30 * 86_400_000;
const time = integer(0, TIME_MAX);

async function coursesIn(state: State): Promise<Record<string, Course>> {
  const found: Record<string, Course> = Object.create(null);
  for await (const [key, value] of state.scan("course/"))
    found[key.slice("course/".length)] = value as unknown as Course;
  return found;
}

/** {course: {standing, untilMs?, …, obstacles}}: what somebody holds, what not, and what stands in the way of it. */
async function person(args: Canonical, state: State): Promise<Canonical> {
  const { person: who, at } = readFields(args, { person: personId, at: time });
  const found: Record<string, Canonical> = Object.create(null);
  for (const [id, course] of Object.entries(await coursesIn(state))) {
    const certificate = await certificateIn(state, who, id);
    const standing = standingOf(certificate, at);
    const missing = standing === "active" ? [] : await obstacles(state, { person: who, course, atMs: at });
    found[id] = asCanonical({ name: course.name, standing, ...certificate, obstacles: missing });
  }
  return found;
}

async function holders(args: Canonical, state: State): Promise<Canonical> {
  const { course, at } = readFields(args, { course: courseId, at: time });
  const found: Canonical[] = [];
  for await (const held of certificates(state)) {
    if (held.course !== course || standingOf(held.certificate, at) !== "active") continue;
    found.push({ person: held.person, untilMs: held.certificate.untilMs ?? null });
  }
  return found;
}

async function expiring(args: Canonical, state: State): Promise<Canonical> {
  const { at, within = MONTH_MS } = readFields(args, { at: time, within: optional(time) });
  const found: { person: string; course: string; untilMs: number }[] = [];
  for await (const { person: who, course, certificate } of certificates(state)) {
    const { untilMs, revoked } = certificate;
    if (untilMs === undefined || revoked !== undefined || untilMs < at || untilMs > at + within) continue;
    found.push({ person: who, course, untilMs });
  }
  return asCanonical(found.sort((a, b) => a.untilMs - b.untilMs));
}

/** {badge, place}, or {badge: null, why} where there is no certificate, or it was revoked. */
async function badge(args: Canonical, state: State): Promise<Canonical> {
  const { person: who, course } = readFields(args, { person: personId, course: courseId });
  const certificate = await certificateIn(state, who, course);
  if (certificate === undefined) return { badge: null, why: `${who} has no certificate of ${course}` };
  const { revoked } = certificate;
  if (revoked !== undefined) return { badge: null, why: `the certificate was revoked by ${revoked.by}` };
  const about = await courseIn(state, course);
  return asCanonical({ badge: badgeOf({ person: who, course, about, certificate }), place: certificate.place ?? null });
}

export const queries: Readonly<Record<string, Query>> = {
  courses: async (_, state) => asCanonical(await coursesIn(state)),
  person,
  holders,
  expiring,
  badge,
  statuses: async (_, state) => asCanonical(await statusesIn(state)),
};
