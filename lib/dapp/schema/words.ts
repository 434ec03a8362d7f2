/**
 * Why a value does not fit its schema, in words of this project: the reason stands in the merge's outputs,
 * so it must not change with the version of the validator. Pure.
 */
/** What ajv says of one failed keyword; the rest of its report is not used. */
export interface Fault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  integer: "an integer",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  null: "null",
};
const WORDS_MAX = 160;

type Params = Fault["params"];

/** What the place must be, by the keyword that failed. */
const MUST: Readonly<Record<string, (params: Params) => string>> = {
  type: ({ type }) =>
    `must be ${[type]
      .flat()
      .map((name) => TYPES[String(name)] ?? String(name))
      .join(" or ")}`,
  enum: ({ allowedValues }) =>
    `must be one of ${(allowedValues as unknown[]).map((value) => JSON.stringify(value)).join(", ")}`,
  const: ({ allowedValue }) => `must be ${JSON.stringify(allowedValue)}`,
  pattern: ({ pattern }) => `must match ${pattern}`,
  minLength: ({ limit }) => `must have at least ${counted(limit, "character")}`,
  maxLength: ({ limit }) => `must have at most ${counted(limit, "character")}`,
  minItems: ({ limit }) => `must have at least ${counted(limit, "item")}`,
  maxItems: ({ limit }) => `must have at most ${counted(limit, "item")}`,
  minProperties: ({ limit }) => `must have at least ${counted(limit, "field")}`,
  maxProperties: ({ limit }) => `must have at most ${counted(limit, "field")}`,
  minimum: ({ limit }) => `must be at least ${limit}`,
  maximum: ({ limit }) => `must be at most ${limit}`,
  exclusiveMinimum: ({ limit }) => `must be more than ${limit}`,
  exclusiveMaximum: ({ limit }) => `must be less than ${limit}`,
  multipleOf: ({ multipleOf }) => `must be a multiple of ${multipleOf}`,
  uniqueItems: () => "has an item twice",
  contains: () => "lacks an item that it must have",
  propertyNames: ({ propertyName }) => `must not have a field called ${propertyName}`,
  anyOf: () => "fits none of its alternatives",
  oneOf: () => "must fit exactly one of its alternatives",
  not: () => "is what it must not be",
  "false schema": () => "must be absent",
};

function counted(limit: unknown, what: string): string {
  return `${limit} ${what}${limit === 1 ? "" : "s"}`;
}

/** Faults of the alternatives themselves would only say why each of them is none. */
const ALTERNATIVES = ["anyOf", "oneOf"];

/** The fault to name among all of them: nearest the root, whatever order they were found in. */
export function sayFault(faults: readonly Fault[], value: unknown): string {
  const ranked = faults.map((fault) => {
    const depth = fault.instancePath.split("/").length;
    const rank = ALTERNATIVES.includes(fault.keyword) ? 0 : 1;
    return { depth, rank, words: wordsOf(fault, placeOf(fault, value)) };
  });
  ranked.sort((a, b) => a.depth - b.depth || a.rank - b.rank || (a.words < b.words ? -1 : Number(a.words > b.words)));
  return ranked[0]?.words ?? "does not fit";
}

function wordsOf({ keyword, params }: Fault, place: string): string {
  const inner = (name: unknown): string => (place === "" ? String(name) : `${place}.${name}`);
  if (keyword === "required") return `${inner(params["missingProperty"])} is missing`;
  if (keyword === "additionalProperties") return `there is no field ${inner(params["additionalProperty"])}`;
  const say = Object.hasOwn(MUST, keyword) ? MUST[keyword] : undefined;
  const words = say?.(params) ?? `does not fit (${keyword})`;
  return `${place === "" ? "its body" : place} ${words}`.slice(0, WORDS_MAX);
}

/** A JSON pointer as a person writes it: lines[3].amount. */
function placeOf({ instancePath }: Fault, value: unknown): string {
  let place = "";
  let here = value;
  for (const token of instancePath.split("/").slice(1)) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    const isItem = Array.isArray(here);
    here = (here as Readonly<Record<string, unknown>>)[name];
    if (isItem) place += `[${name}]`;
    else place += place === "" ? name : `.${name}`;
  }
  return place.length > WORDS_MAX / 2 ? `…${place.slice(-WORDS_MAX / 2)}` : place;
}
