/** Courses: who keeps the list of them, and that no course needs itself. */
import {
  type Canonical,
  type Draft,
  type Entry,
  integer,
  list,
  oneLine,
  optional,
  Refusal,
  readFields,
  requireRight,
  text,
  yesOrNo,
} from "../../sdk/index.ts";
import { courseId, principalId } from "./fields.ts";
import { asCanonical, type Course, courseIn } from "./state.ts";

export const RIGHT = "training";
const DAYS_MAX = 36_525;

/** Makes a course or changes it; what was signed off before stays as it is. */
export async function putCourse(body: Canonical, draft: Draft, entry: Entry): Promise<void> {
  requireRight(entry, RIGHT);
  const { course: id, ...course } = readFields(body, {
    course: courseId,
    name: oneLine(100),
    description: text(2000),
    criteria: text(4000),
    trainers: list(principalId, 64),
    prerequisites: list(courseId, 16),
    validDays: optional(integer(1, DAYS_MAX)),
    retired: optional(yesOrNo),
  });
  for (const needed of course.prerequisites) {
    if (await needs(draft, needed, id)) throw new Refusal(`${needed} needs ${id} itself`);
  }
  draft.put(`course/${id}`, asCanonical(course));
}

/** Whether one course needs another, by way of any others. REFUSED when a course on the way is not there. */
async function needs(draft: Draft, from: string, wanted: string, seen = new Set<string>()): Promise<boolean> {
  if (from === wanted) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  const { prerequisites }: Course = await courseIn(draft, from);
  for (const each of prerequisites) if (await needs(draft, each, wanted, seen)) return true;
  return false;
}
