/** Schemas of dapps: which may be, and what is said of a value that does not fit. */
import { readFileSync } from "node:fs";
import test from "ava";
import fc from "fast-check";
import { namedSchemas, parseManifest, typesModule } from "../../lib/dapp/index.ts";
import { schemaCompiler } from "../../lib/dapp/schema/check.ts";
import { compilePattern } from "../../lib/dapp/schema/pattern.ts";

const compile = await schemaCompiler();
const FILE = "schemas/a.json";

/** The words with which a schema is refused, or a value does not fit it; "fits" when it does. */
function said(schema: unknown, value: unknown = null): string {
  try {
    return compile(typeof schema === "string" ? schema : JSON.stringify(schema), FILE)(value) ?? "fits";
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    return `${code} ${message}`;
  }
}

const add = {
  type: "object",
  properties: {
    amount: { type: "integer", minimum: 1, maximum: 100 },
    note: { type: "string", maxLength: 3 },
    lines: {
      type: "array",
      maxItems: 2,
      items: { type: "object", required: ["to"], properties: { to: { type: "string" } } },
    },
  },
  required: ["amount"],
  additionalProperties: false,
};

test("[D6] what does not fit is named by its place, in words that do not come from the validator", (t) => {
  const cases: [unknown, string][] = [
    [{ amount: 1 }, "fits"],
    [null, "its body must be a map"],
    [{}, "amount is missing"],
    [{ amount: "1" }, "amount must be an integer"],
    [{ amount: 0 }, "amount must be at least 1"],
    [{ amount: 101 }, "amount must be at most 100"],
    [{ amount: 1, note: "long" }, "note must have at most 3 characters"],
    [{ amount: 1, note: "🧲🧲🧲" }, "fits"],
    [{ amount: 1, colour: 1 }, "there is no field colour"],
    [{ amount: 1, lines: [{ to: "a" }, {}] }, "lines[1].to is missing"],
    [{ amount: 1, lines: [{ to: "a" }, { to: 7 }] }, "lines[1].to must be text"],
    [{ amount: 1, lines: [1, 2, 3] }, "lines must have at most 2 items"],
  ];
  for (const [value, words] of cases) t.is(said(add, value), words);
});

test("[D6] of several faults the one nearest the root is named, whatever the order of the fields", (t) => {
  t.is(said(add, { note: "long", lines: [1] }), "amount is missing");
  t.is(said(add, { lines: [1], colour: 1, amount: 1 }), "there is no field colour");
});

test("[D6] a name that every object inherits is no field", (t) => {
  t.is(said({ required: ["constructor"] }, {}), "constructor is missing");
  t.is(said({ properties: { toString: { type: "integer" } } }, {}), "fits");
});

test("[D6] enumerations, constants and alternatives", (t) => {
  t.is(said({ enum: ["a", 2] }, "b"), 'its body must be one of "a", 2');
  t.is(said({ properties: { kind: { const: "x" } } }, { kind: 1 }), 'kind must be "x"');
  t.is(
    said({ anyOf: [{ type: "string" }, { type: "object", required: ["a"] }] }, {}),
    "its body fits none of its alternatives",
  );
  t.is(
    said(
      { properties: { a: { $ref: "#/$defs/id" } }, $defs: { id: { type: "string", pattern: "^[a-z]+$" } } },
      { a: "A" },
    ),
    "a must match ^[a-z]+$",
  );
});

test("[D6] a schema that could take long, lead out or say different things is refused, by its place", (t) => {
  const deep = Object.fromEntries(
    Array.from({ length: 20 }, (_, n) => [
      `d${n}`,
      n === 19 ? true : { allOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] },
    ]),
  );
  const cases: [unknown, string][] = [
    ["{", "is no JSON: "],
    [[], "a schema is true, false or an object"],
    [{ format: "date" }, "the keyword format is not supported"],
    [{ properties: { a: { typ: "x" } } }, "properties.a: the keyword typ is not supported"],
    [{ properties: [] }, "properties: must be an object of schemas"],
    [{ $ref: "https://example.org/x.json" }, "$ref: must name one of the file's own #/$defs/…"],
    [{ $ref: "#/$defs/a", $defs: { a: { items: { $ref: "#/$defs/a" } } } }, "$defs.a.items.$ref: a refers to itself"],
    [{ $ref: "#/$defs/d0", $defs: deep }, "comes to more than 4000 parts"],
    [{ items: { pattern: "(?=a)" } }, "items.pattern: a pattern looks around or names a group, which is not supported"],
    [{ pattern: "(a)\\1" }, "pattern: a pattern has \\1, which is not supported"],
    [{ pattern: "\\p{L}" }, "pattern: a pattern has \\p, which is not supported"],
    [{ pattern: "((a{250}){250})" }, "pattern: a pattern has more than 1000 states"],
    [{ uniqueItems: true }, "uniqueItems needs maxItems of at most 1000 beside it"],
    [
      { $schema: "http://json-schema.org/draft-07/schema#" },
      "$schema must be https://json-schema.org/draft/2020-12/schema",
    ],
    [{ type: "text" }, "schema is invalid"],
  ];
  for (const [schema, words] of cases) {
    const answer = said(schema);
    t.true(answer.startsWith(`DAPP_MANIFEST ${FILE}`) && answer.includes(words), `${words} <> ${answer}`);
  }
});

test("[D6] a pattern matches what JavaScript's own matches", (t) => {
  const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\d", "\\w", "[a-c1-]", "\\.", "(?:a|b)", "(b|)");
  const piece = fc
    .tuple(atom, fc.constantFrom("", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "{1,}"))
    .map((two) => two.join(""));
  const chain = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(""));
  const pattern = fc
    .tuple(fc.constantFrom("", "^"), chain, fc.constantFrom("", `|a`, "$"), fc.constantFrom("", "$"))
    .map((all) => all.join(""))
    .filter((text) => !text.endsWith("$$"));
  const text = fc
    .array(fc.constantFrom("a", "b", "c", "1", ".", "-", "\n", "é"), { maxLength: 6 })
    .map((all) => all.join(""));
  fc.assert(
    fc.property(
      pattern,
      text,
      (source, sample) => compilePattern(source)(sample) === new RegExp(source, "u").test(sample),
    ),
    { numRuns: 2000 },
  );
  t.pass();
});

test("[D6] a pattern that takes JavaScript's own for ever takes time by the length of the text", (t) => {
  t.false(compilePattern("^(a|a)*(a*)*$")(`${"a".repeat(20_000)}b`));
});

test("types say what a schema says", (t) => {
  const typeOf = (schema: object): string => typesModule({ a: schema as never }, {}, "gdo/sdk").split("\n")[3] ?? "";
  const cases: [object, string][] = [
    [{ type: "string" }, "string"],
    [{ type: ["integer", "null"] }, "number | null"],
    [{ enum: ["x", 2] }, '"x" | 2'],
    [{ type: "array", items: { enum: [1, 2] } }, "readonly (1 | 2)[]"],
    [{ type: "array", prefixItems: [{ type: "string" }], items: false }, "readonly [string]"],
    [{ type: "object", properties: { "a-b": { type: "boolean" } } }, '{ readonly "a-b"?: boolean }'],
    [{ $ref: "#/$defs/id", $defs: { id: { type: "string" } } }, "string"],
    [{ anyOf: [{ type: "string" }, { type: "null" }], type: "string" }, "string & (string | null)"],
  ];
  for (const [schema, type] of cases) t.is(typeOf(schema), `  readonly a: ${type};`);
  t.true(typesModule({ a: true }, {}, "gdo/sdk").includes('import type { Canonical } from "gdo/sdk";'));
});

test("the example's types are those of its schemas", async (t) => {
  const manifest = parseManifest(readFileSync("images/examples/typescript/dapp.yaml", "utf8"));
  const text = async (path: string): Promise<string> => readFileSync(`images/examples/contract/${path}`, "utf8");
  const { acts, commands } = await namedSchemas(manifest, text);
  t.is(readFileSync("images/examples/typescript/src/acts.ts", "utf8"), typesModule(acts, commands, "gdo/sdk"));
});
