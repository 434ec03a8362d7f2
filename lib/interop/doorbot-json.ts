/**
 * doorbot's access list v1: a JSON array of objects. Text that is not that, as a whole, imports nothing.
 * Errors carry no `cause`: the engine's message quotes the text, and the text holds card numbers [A6]. Pure.
 */
import { GdoError, utf8 } from "../base/index.ts";
import type { ReadRow } from "./doorbot-rows.ts";
import { type JsonElement, scanArray } from "./json-lines.ts";

/** SHA-224 in hex digits. */
export type Sha224Of = (bytes: Uint8Array) => string;

/** All that doorbot writes. Another key may be the rest of two rows that damage joined. */
const KEYS = new Set([
  ...["tagid", "tag_ident", "raw_tag_id", "allowed", "warning", "member", "nickname"],
  ...["plan", "last_accessed", "level", "endorsements"],
]);

/** Throws GdoError INPUT_INVALID on text that is no array of objects with fields of the right types. */
export function readDoorbotJson(text: string, sha224Of?: Sha224Of): ReadRow[] {
  const list = parse(text);
  if (!Array.isArray(list)) throw new GdoError("INPUT_INVALID", "not a doorbot access list: the JSON is not an array");
  const elements = scanArray(text);
  return list.map((item: unknown, index) => readItem(item, elements[index] as JsonElement, sha224Of));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = /position (\d+)/.exec(String(error))?.[1];
    const line = text.slice(0, position === undefined ? text.length : Number(position)).split("\n").length;
    throw new GdoError("INPUT_INVALID", `not a doorbot access list: the JSON breaks off or is wrong at line ${line}`);
  }
}

function readItem(item: unknown, { line, keys }: JsonElement, sha224Of?: Sha224Of): ReadRow {
  if (typeof item !== "object" || item === null || Array.isArray(item)) throw wrongType(line, "the row", "an object");
  const fields = item as Record<string, unknown>;
  const hash = field(fields, "tagid", line, ["string"]) as string | undefined;
  const number = field(fields, "tag_ident", line, ["string", "number"]) as string | number | undefined;
  const faults = keyFaults(keys);
  if (sha224Of !== undefined && number !== undefined && sha224Of(utf8(String(number))) !== hash)
    faults.push("tagid is not the SHA-224 of tag_ident");
  return {
    line,
    member: field(fields, "member", line, ["string"]) as string | undefined,
    level: field(fields, "level", line, ["number"]) as number | undefined,
    allowed: allowedOf(field(fields, "allowed", line, ["string", "boolean"]) as string | boolean | undefined),
    hash,
    faults,
  };
}

/** Nothing of a key's text is told: where a row is damaged, it may be a card's number [A6]. */
function keyFaults(keys: readonly string[]): string[] {
  const faults: string[] = [];
  if (new Set(keys).size !== keys.length) faults.push("the row states one key twice");
  if (!keys.every((key) => KEYS.has(key))) faults.push("the row states a key that doorbot does not write");
  return faults;
}

/** `false` is one of the server's own ways to say denied in this format. */
function allowedOf(value: string | boolean | undefined): string | boolean | undefined {
  return value === false || value === "false" ? "denied" : value;
}

/** A field that is null or absent is undefined; one of another type spoils the list. */
function field(fields: Record<string, unknown>, name: string, line: number, types: readonly string[]): unknown {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (!types.includes(typeof value)) throw wrongType(line, name, types.join(" or "));
  return value;
}

function wrongType(line: number, name: string, type: string): GdoError {
  return new GdoError(
    "INPUT_INVALID",
    `not a doorbot access list: at line ${line}, ${name} is not ${type.includes(" ") ? type : `a ${type}`}`,
  );
}
