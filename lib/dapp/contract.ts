/**
 * What a dapp takes in: the schemas of its acts and commands, which its manifest names and its tree holds.
 * The host keeps it, so that a dapp in any language gets only what fits. Rules: docs/design/dapps.md.
 */
import { GdoError } from "../base/index.ts";
import type { Manifest } from "./manifest.ts";
import { type Check, type CompileSchema, schemaCompiler } from "./schema/check.ts";
import type { NamedSchemas } from "./schema/types.ts";
import { readSchema, type Schema } from "./schema/vet.ts";

const REASON_CHARS_MAX = 256;
const NAME_CHARS_SHOWN = 64;

/** Text of a file of the dapp, by its path. */
export type ReadText = (path: string) => Promise<string>;

/** One act or argument list, in the JSON form of canonical values. */
export type WireAct = readonly [type: string, body: unknown];

export class Contract {
  readonly #acts: ReadonlyMap<string, Check>;
  readonly #commands: ReadonlyMap<string, Check>;

  private constructor(acts: ReadonlyMap<string, Check>, commands: ReadonlyMap<string, Check>) {
    this.#acts = acts;
    this.#commands = commands;
  }

  /** DAPP_MANIFEST when a schema is not there or not one that a dapp may have. */
  static async load({ accepts, commands }: Manifest, read: ReadText): Promise<Contract> {
    const byFile = new Map<string, Check>();
    let compile: CompileSchema | undefined;
    const checkOf = async (file: string): Promise<Check> => {
      compile ??= await schemaCompiler();
      const check = byFile.get(file) ?? compile(await textOf(read, file), file);
      byFile.set(file, check);
      return check;
    };
    const acts = new Map<string, Check>();
    for (const [type, file] of Object.entries(accepts)) acts.set(type, await checkOf(file));
    const named = new Map<string, Check>();
    for (const [name, { schema }] of Object.entries(commands)) named.set(name, await checkOf(schema));
    return new Contract(acts, named);
  }

  /** Why an entry with these acts is void: the first act that does not fit. A dapp that lists no acts takes any. */
  whyVoid(acts: readonly WireAct[]): string | undefined {
    if (this.#acts.size === 0) return undefined;
    for (const [type, body] of acts) {
      const check = this.#acts.get(type);
      if (check === undefined) return `there is no act ${type.slice(0, NAME_CHARS_SHOWN)}`;
      const why = check(body);
      if (why !== undefined) return `${type}: ${why}`.slice(0, REASON_CHARS_MAX).normalize("NFC");
    }
    return undefined;
  }

  /** Why a command cannot be called with these arguments. */
  whyNotArgs(command: string, args: unknown): string | undefined {
    return this.#commands.get(command)?.(args);
  }
}

/** Schemas of acts and commands as they stand in their files, vetted. DAPP_MANIFEST as `Contract.load`. */
export async function namedSchemas(
  { accepts, commands }: Manifest,
  read: ReadText,
): Promise<{ acts: NamedSchemas; commands: NamedSchemas }> {
  const acts: Record<string, Schema> = {};
  for (const [type, file] of Object.entries(accepts)) acts[type] = readSchema(await textOf(read, file), file);
  const named: Record<string, Schema> = {};
  for (const [name, { schema }] of Object.entries(commands))
    named[name] = readSchema(await textOf(read, schema), schema);
  return { acts, commands: named };
}

async function textOf(read: ReadText, file: string): Promise<string> {
  try {
    return await read(file);
  } catch (cause) {
    throw new GdoError("DAPP_MANIFEST", `dapp.yaml names ${file}, which cannot be read`, { cause });
  }
}
