/** TypeScript types of a dapp's acts and commands, from its schemas: what the host has checked a handler may take as it is. Pure. */
import type { Schema } from "./vet.ts";

/** By act type or command: the schema, vetted. */
export type NamedSchemas = Readonly<Record<string, Schema>>;

const SIMPLE: Readonly<Record<string, string>> = {
  string: "string",
  integer: "number",
  number: "number",
  boolean: "boolean",
  null: "null",
};
const ANYTHING = "Canonical";

type Fields = Readonly<Record<string, unknown>>;

/** The text of a module with the types `Acts` and `Commands`. `sdk` is where `Canonical` comes from. */
export function typesModule(acts: NamedSchemas, commands: NamedSchemas, sdk: string): string {
  const body = `${mapType("Acts", acts)}\n${mapType("Commands", commands)}`;
  const header =
    "/** Acts and commands as their schemas say. Made by `gdo dapp types`: change the schemas, not this. */\n";
  const needs = new RegExp(`\\b${ANYTHING}\\b`).test(body) ? `import type { ${ANYTHING} } from "${sdk}";\n` : "";
  return `${header}${needs}\n${body}`;
}

function mapType(name: string, schemas: NamedSchemas): string {
  const lines = Object.entries(schemas).map(
    ([key, schema]) => `  readonly ${keyText(key)}: ${typeOf(schema, schema)};\n`,
  );
  return `export type ${name} = {\n${lines.join("")}};\n`;
}

function keyText(name: string): string {
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name) ? name : JSON.stringify(name);
}

function typeOf(schema: unknown, root: Schema): string {
  if (schema === false) return "never";
  if (typeof schema !== "object" || schema === null) return ANYTHING;
  const parts = partsOf(schema as Fields, root).filter((part) => part !== ANYTHING);
  return parts.length === 0 ? ANYTHING : parts.map((part) => grouped(part, parts.length > 1)).join(" & ");
}

/** All of these hold at once. */
function partsOf(schema: Fields, root: Schema): string[] {
  const { $ref, allOf = [], anyOf, oneOf } = schema;
  const unions = [anyOf, oneOf].filter((list) => Array.isArray(list)) as unknown[][];
  return [
    ownType(schema, root),
    ...($ref === undefined ? [] : [typeOf(definition(String($ref), root), root)]),
    ...(allOf as unknown[]).map((each) => typeOf(each, root)),
    ...unions.map((list) => union(list.map((each) => typeOf(each, root)))),
  ];
}

function definition(reference: string, root: Schema): unknown {
  const defs = typeof root === "object" ? (root["$defs"] as Fields) : {};
  return defs[reference.slice("#/$defs/".length)];
}

function ownType(schema: Fields, root: Schema): string {
  if (schema["const"] !== undefined) return literal(schema["const"]);
  if (Array.isArray(schema["enum"])) return union(schema["enum"].map(literal));
  const types = [schema["type"] ?? (schema["properties"] === undefined ? [] : "object")].flat();
  return types.length === 0 ? ANYTHING : union(types.map((type) => typeNamed(String(type), schema, root)));
}

function literal(value: unknown): string {
  return typeof value === "object" && value !== null ? ANYTHING : JSON.stringify(value);
}

function union(types: readonly string[]): string {
  const each = [...new Set(types)];
  return each.includes(ANYTHING) || each.length === 0 ? ANYTHING : each.join(" | ");
}

function grouped(type: string, isNeeded: boolean): string {
  return isNeeded && type.includes(" | ") ? `(${type})` : type;
}

function typeNamed(type: string, schema: Fields, root: Schema): string {
  if (type === "array") return listType(schema, root);
  if (type === "object") return objectType(schema, root);
  return SIMPLE[type] ?? ANYTHING;
}

function listType({ prefixItems, items }: Fields, root: Schema): string {
  const rest = typeOf(items ?? true, root);
  if (!Array.isArray(prefixItems)) return `readonly ${grouped(rest, true)}[]`;
  const first = prefixItems.map((each) => typeOf(each, root));
  const more = items === false ? [] : [`...${grouped(rest, true)}[]`];
  return `readonly [${[...first, ...more].join(", ")}]`;
}

function objectType({ properties = {}, required = [], additionalProperties }: Fields, root: Schema): string {
  const fields = Object.entries(properties as Fields).map(([name, schema]) => {
    const isNeeded = (required as readonly unknown[]).includes(name);
    return `readonly ${keyText(name)}${isNeeded ? "" : "?"}: ${typeOf(schema, root)}`;
  });
  if (fields.length > 0) return `{ ${fields.join("; ")} }`;
  return `{ readonly [key: string]: ${typeOf(additionalProperties ?? true, root)} }`;
}
