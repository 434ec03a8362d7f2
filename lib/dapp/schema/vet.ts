/**
 * Which JSON Schemas a dapp may bring: those whose check takes bounded time and says the same on every
 * node. So: no reference out of the file, no recursion, no keyword that is not listed, patterns of the
 * regular subset. Pure. Rules: docs/design/dapps.md.
 */
import { GdoError } from "../../base/index.ts";
import { compilePattern } from "./pattern.ts";

const SCHEMA_CHARS_MAX = 64 * 1024;
/** Subschemas, each counted as often as it is referred to. */
const PARTS_MAX = 4000;
/** Comparing every item with every other takes the square of this. */
const UNIQUE_ITEMS_MAX = 1000;
const DIALECT = "https://json-schema.org/draft/2020-12/schema";

export type Schema = boolean | { readonly [keyword: string]: unknown };

const ONE = ["not", "if", "then", "else", "items", "contains", "propertyNames", "additionalProperties"];
const MANY = ["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED = ["properties", "$defs"];
const PLAIN = [
  ...["$schema", "$ref", "$comment", "title", "description", "default", "examples"],
  ...["type", "enum", "const", "required", "pattern", "minLength", "maxLength"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  ...["minItems", "maxItems", "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties"],
];
const KNOWN = new Set([...ONE, ...MANY, ...NAMED, ...PLAIN]);
const REFERENCE = /^#\/\$defs\/([A-Za-z][A-Za-z0-9_-]{0,63})$/;

/** Reads the text of a schema file. DAPP_MANIFEST names the file and the place in it. */
export function readSchema(text: string, file: string): Schema {
  if (text.length > SCHEMA_CHARS_MAX) throw new GdoError("DAPP_MANIFEST", `${file} is longer than 64 KiB`);
  let schema: Schema;
  try {
    schema = JSON.parse(text) as Schema;
  } catch (cause) {
    throw new GdoError("DAPP_MANIFEST", `${file} is no JSON: ${(cause as Error).message}`, { cause });
  }
  new Vetting(schema, file).run();
  return schema;
}

class Vetting {
  readonly #root: Schema;
  readonly #file: string;
  /** Definitions being counted: meeting one again is a loop. */
  readonly #open = new Set<string>();
  #parts = 0;

  constructor(root: Schema, file: string) {
    this.#root = root;
    this.#file = file;
  }

  run(): void {
    this.#vet(this.#root, "");
  }

  #refuse(path: string, why: string): GdoError {
    return new GdoError("DAPP_MANIFEST", `${this.#file}: ${path === "" ? "" : `${path}: `}${why}`);
  }

  #vet(schema: unknown, path: string): void {
    if (++this.#parts > PARTS_MAX) throw this.#refuse("", `comes to more than ${PARTS_MAX} parts`);
    if (typeof schema === "boolean") return;
    if (!isMap(schema)) throw this.#refuse(path, "a schema is true, false or an object");
    const strange = Object.keys(schema).find((keyword) => !KNOWN.has(keyword));
    if (strange !== undefined) throw this.#refuse(path, `the keyword ${strange} is not supported`);
    this.#vetPlain(schema, path);
    for (const keyword of ONE) if (Object.hasOwn(schema, keyword)) this.#vet(schema[keyword], at(path, keyword));
    for (const keyword of MANY) this.#vetAll(schema[keyword], at(path, keyword), Array.isArray, "a list");
    for (const keyword of NAMED) this.#vetAll(schema[keyword], at(path, keyword), isMap, "an object");
  }

  #vetAll(value: unknown, path: string, isRight: (value: unknown) => boolean, what: string): void {
    if (value === undefined) return;
    if (!isRight(value)) throw this.#refuse(path, `must be ${what} of schemas`);
    for (const [name, schema] of Object.entries(value as object)) this.#vet(schema, at(path, name));
  }

  #vetPlain(schema: Readonly<Record<string, unknown>>, path: string): void {
    const { $schema = DIALECT, $ref, pattern, uniqueItems, maxItems } = schema;
    if ($schema !== DIALECT) throw this.#refuse(path, `$schema must be ${DIALECT}`);
    if (pattern !== undefined) this.#vetPattern(pattern, at(path, "pattern"));
    if (uniqueItems === true && !(typeof maxItems === "number" && maxItems <= UNIQUE_ITEMS_MAX))
      throw this.#refuse(path, `uniqueItems needs maxItems of at most ${UNIQUE_ITEMS_MAX} beside it`);
    if ($ref !== undefined) this.#vetReference($ref, at(path, "$ref"));
  }

  #vetPattern(pattern: unknown, path: string): void {
    try {
      compilePattern(String(pattern));
    } catch (cause) {
      throw this.#refuse(path, (cause as Error).message);
    }
  }

  #vetReference(reference: unknown, path: string): void {
    const [, name = ""] = REFERENCE.exec(String(reference)) ?? [];
    const defs = isMap(this.#root) ? this.#root["$defs"] : undefined;
    if (!isMap(defs) || !Object.hasOwn(defs, name))
      throw this.#refuse(path, "must name one of the file's own #/$defs/…");
    if (this.#open.has(name)) throw this.#refuse(path, `${name} refers to itself`);
    this.#open.add(name);
    this.#vet(defs[name], `$defs.${name}`);
    this.#open.delete(name);
  }
}

function at(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
