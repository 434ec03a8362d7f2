/** Schemas made into checks by ajv. What ajv may be given is vetted first; what it finds is said in our words. */
import type { Ajv2020, ValidateFunction } from "ajv/dist/2020.js";
import { GdoError } from "../../base/index.ts";
import { compilePattern } from "./pattern.ts";
import { readSchema, type Schema } from "./vet.ts";
import { type Fault, sayFault } from "./words.ts";

/** Why a value, in the JSON form of canonical values, does not fit; undefined when it does. */
export type Check = (value: unknown) => string | undefined;

/** Compiles the texts of schema files, each with its name. DAPP_MANIFEST names the file and the place in it. */
export type CompileSchema = (text: string, file: string) => Check;

/** Loaded when a dapp has a schema: most commands of a node never need it. */
export async function schemaCompiler(): Promise<CompileSchema> {
  const { Ajv2020: Ajv } = await import("ajv/dist/2020.js");
  // ajv tells expressions apart by their text.
  const made = (pattern: string) => ({ test: compilePattern(pattern), toString: () => pattern });
  const regExp = Object.assign(made, { code: "" });
  const options = {
    ownProperties: true, // "constructor" is no field of a map that has none.
    strictTypes: false,
    strictTuples: false,
    logger: false,
    code: { regExp },
  } as const;
  const quick = new Ajv(options);
  let thorough: Ajv2020 | undefined;
  return (text, file) => {
    const schema = readSchema(text, file);
    const isFit = compile(quick, schema, file);
    let explain: ValidateFunction | undefined;
    return (value) => {
      if (isFit(value)) return undefined;
      // All faults, so that which one is named does not hang on the order in which they are found.
      thorough ??= new Ajv({ ...options, allErrors: true, validateSchema: false });
      explain ??= compile(thorough, schema, file);
      explain(value);
      return sayFault((explain.errors ?? []) as readonly Fault[], value);
    };
  };
}

function compile(ajv: Ajv2020, schema: Schema, file: string): ValidateFunction {
  try {
    return ajv.compile(schema);
  } catch (cause) {
    throw new GdoError("DAPP_MANIFEST", `${file}: ${(cause as Error).message}`, { cause });
  }
}
