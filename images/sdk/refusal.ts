/** Why an entry is void: thrown by a dapp's handlers, caught by `fold`. Anything else thrown is a bug. */
import type { Canonical, Entry } from "./types.ts";

export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** Refuses an entry whose author does not hold a right. */
export function requireRight({ principal, rights }: Entry, right: string): void {
  if (!rights.includes(right)) throw new Refusal(`${principal} does not have the right ${right}`);
}

/** One field of an act: what it must be, in words, and whether a value is that. */
export interface Check<T extends Canonical | undefined> {
  readonly says: string;
  accepts(value: Canonical | undefined): value is T;
}

/** Text of 1 to `max` characters. */
export function text(max: number): Check<string> {
  return {
    says: `text of 1 to ${max} characters`,
    accepts: (value): value is string => typeof value === "string" && value.length > 0 && value.length <= max,
  };
}

/** Text of this form; `says` describes it. */
export function matching(form: RegExp, says: string): Check<string> {
  return { says, accepts: (value): value is string => typeof value === "string" && form.test(value) };
}

export function integer(min: number, max: number): Check<number> {
  return {
    says: `an integer from ${min} to ${max}`,
    accepts: (value): value is number =>
      typeof value === "number" && Number.isInteger(value) && value >= min && value <= max,
  };
}

export function oneOf<T extends string>(...words: readonly T[]): Check<T> {
  return {
    says: words.join(" or "),
    accepts: (value): value is T => (words as readonly (Canonical | undefined)[]).includes(value),
  };
}

/** True or false. */
export const yesOrNo: Check<boolean> = {
  says: "true or false",
  accepts: (value): value is boolean => typeof value === "boolean",
};

/** A list of 0 to `max` items that each pass. */
export function list<T extends Canonical>(item: Check<T>, max: number): Check<readonly T[]> {
  return {
    says: `a list of at most ${max}, each ${item.says}`,
    accepts: (value): value is readonly T[] =>
      Array.isArray(value) && value.length <= max && value.every((each: Canonical) => item.accepts(each)),
  };
}

/** One line of 1 to `max` characters: no control characters, no spaces at its ends or two in a row. */
export function oneLine(max: number): Check<string> {
  return {
    says: `one line of 1 to ${max} characters`,
    accepts: (value): value is string =>
      typeof value === "string" && value.length <= max && value !== "" && !/\p{Cc}|^ | $| {2}/u.test(value),
  };
}

export function optional<T extends Canonical>(check: Check<T>): Check<T | undefined> {
  return {
    says: `${check.says}, or absent`,
    accepts: (value): value is T | undefined => value === undefined || check.accepts(value),
  };
}

type Fields<C> = { readonly [key in keyof C]: C[key] extends Check<infer T> ? T : never };

/** The fields of an act's body; a Refusal names the first that is wrong or that nobody knows. */
export function readFields<C extends Readonly<Record<string, Check<Canonical | undefined>>>>(
  body: Canonical,
  checks: C,
): Fields<C> {
  const isMap = typeof body === "object" && body !== null && !Array.isArray(body) && !(body instanceof Uint8Array);
  if (!isMap) throw new Refusal("its body is no map");
  const map = body as Readonly<Record<string, Canonical>>;
  for (const [key, check] of Object.entries(checks)) {
    const value = Object.hasOwn(map, key) ? map[key] : undefined;
    if (!check.accepts(value)) throw new Refusal(`${key} must be ${check.says}`);
  }
  const strange = Object.keys(map).find((key) => !Object.hasOwn(checks, key));
  if (strange !== undefined) throw new Refusal(`there is no field ${strange.slice(0, 40)}`);
  return map as Fields<C>;
}
