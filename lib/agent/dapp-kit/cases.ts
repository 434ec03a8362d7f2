/** test/cases.yaml: merges to try in the container, and what they must come to. Pure. */
import { parseDocument } from "yaml";
import * as z from "zod";
import { GdoError } from "../../base/index.ts";

const state = z.record(z.string().min(1), z.unknown());
const act = z.tuple([z.string().min(1).max(64), z.unknown()]);
const entry = z.strictObject({
  by: z.string().min(1),
  rights: z.array(z.string()).optional(),
  acts: z.array(act).min(1).max(256),
  timeMs: z.int().optional(),
});
const trialCase = z.strictObject({
  name: z.string().min(1),
  before: state.default({}),
  form: z.int().min(1).optional(),
  others: z.record(z.string(), state).default({}),
  events: z.array(z.strictObject({ app: z.string(), event: z.unknown() })).default([]),
  entries: z.array(entry).default([]),
  void: z.record(z.string().regex(/^[1-9][0-9]*$/, "is the number of an entry, from 1"), z.string()).default({}),
  after: state.optional(),
  emits: z.array(z.unknown()).optional(),
});
const file = z.array(trialCase);

export type TrialCase = z.infer<typeof trialCase>;

/** INPUT_INVALID names the place. */
export function parseCases(text: string, name: string): TrialCase[] {
  const document = parseDocument(text, { uniqueKeys: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw new GdoError("INPUT_INVALID", `${name}: ${problem.message.split("\n")[0]}`);
  const checked = file.safeParse(document.toJS());
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new GdoError("INPUT_INVALID", `${name}: ${issue?.path.join(".")}: ${issue?.message}`);
}

/** Where two JSON values differ: a line a place, what was wanted before what came. */
export function differences(wanted: unknown, got: unknown, place: string): string[] {
  if (isObject(wanted) && isObject(got)) {
    const names = [...new Set([...Object.keys(wanted), ...Object.keys(got)])].sort();
    return names.flatMap((name) => differences(wanted[name], got[name], `${place} ${name}`));
  }
  const [one, other] = [wanted, got].map((value) => (value === undefined ? "nothing" : JSON.stringify(value)));
  return one === other ? [] : [`${place}: wanted ${one}, got ${other}`];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
