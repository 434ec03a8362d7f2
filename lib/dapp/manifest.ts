/**
 * The manifest of a dapp, dapp.yaml: what it is called, what runs, what it may read, its limits. An
 * unknown key is an error, and every message names the key. Pure. Rules: docs/design/dapps.md.
 */
import * as z from "zod";
import { GdoError } from "../base/index.ts";
import { baseName, hex64, type ImageOrigin, packageNames } from "./image/recipe.ts";
import { parseBytes, parseMs } from "./quantity.ts";
import { messageOf, readYaml } from "./yaml-text.ts";

const MANIFEST_FILE = "dapp.yaml";
const MIB = 1024 ** 2;
/** A container below this cannot even be started. */
const MEMORY_BYTES_MIN = 16 * MIB;
const MEMORY_BYTES_MAX = 4096 * MIB;
const PIDS_MAX = 4096;
const CPU_MAX = 64;
const WALL_MS_MAX = 3_600_000;
const FORM_MAX = 1_000_000;

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, "takes a to z, 0 to 9 and -, starts with a letter and has at most 32 characters");
const version = z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/, "is three numbers with points, as in 1.4.0");
const actType = z
  .string()
  .regex(/^[a-z][a-z0-9._-]{0,63}$/, "is no act type: a to z, 0 to 9 and . _ -, at most 64 characters");
const callName = z
  .string()
  .regex(/^[a-z][A-Za-z0-9._-]{0,63}$/, "is no name: letters, digits and . _ -, at most 64 characters");
const schemaPath = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*\.json$/,
    "is a path in the dapp, as in schemas/add.json",
  );
const right = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "is the name of a right, as in append");
const command = z.array(z.string().min(1).max(4096)).min(1).max(64);

function amount(parse: (text: string) => number | undefined, range: { min: number; max: number; says: string }) {
  return z.string({ error: `is an amount with its unit, ${range.says}` }).transform((text, context) => {
    const value = parse(text);
    if (value !== undefined && value >= range.min && value <= range.max) return value;
    context.addIssue({ code: "custom", message: `is an amount with its unit, ${range.says}` });
    return z.NEVER;
  });
}

const memory = amount(parseBytes, { min: MEMORY_BYTES_MIN, max: MEMORY_BYTES_MAX, says: "16MiB to 4GiB" });
const scratch = amount(parseBytes, { min: 4096, max: MEMORY_BYTES_MAX, says: "4KiB to 4GiB" });
const state = amount(parseBytes, { min: 1, max: MEMORY_BYTES_MAX, says: "1B to 4GiB" });
const wall = amount(parseMs, { min: 1, max: WALL_MS_MAX, says: "1ms to 60min" });

const LIMITS_DEFAULT = {
  memory: 64 * MIB,
  pids: 32,
  cpu: 0.5,
  wall: 10_000,
  state: 64 * MIB,
  scratch: 16 * MIB,
} as const;

const limits = z.strictObject({
  memory: memory.default(LIMITS_DEFAULT.memory),
  pids: z.int().min(1).max(PIDS_MAX).default(LIMITS_DEFAULT.pids),
  cpu: z.number().min(0.01).max(CPU_MAX).default(LIMITS_DEFAULT.cpu),
  wall: wall.default(LIMITS_DEFAULT.wall),
  state: state.default(LIMITS_DEFAULT.state),
  scratch: scratch.default(LIMITS_DEFAULT.scratch),
});

const recipeFile = z
  .string()
  .regex(/^[A-Za-z0-9_][\w.-]{0,127}\.yaml$/, "is the name of a recipe beside dapp.yaml, as in image.yaml");
const image = z.union(
  [
    z.strictObject({ base: baseName, packages: packageNames, run: command }),
    z.strictObject({ oci: hex64, packages: packageNames, run: command }),
    z.strictObject({ recipe: recipeFile, run: command }),
  ],
  { error: "has `run`, one of `base`, `oci` and `recipe`, and beside the first two may have `packages`" },
);

const schema = z.strictObject({
  name,
  version,
  image,
  accepts: z.record(actType, schemaPath).default({}),
  reads: z.array(name).max(32).default([]),
  commands: z.record(callName, z.strictObject({ schema: schemaPath, right })).default({}),
  queries: z.record(callName, z.string()).default({}),
  form: z.int().min(1).max(FORM_MAX).default(1),
  tests: z.array(z.literal("test")).max(1).default([]),
  limits: limits.default(LIMITS_DEFAULT),
  class: z.enum(["gate", "advisory"]).default("advisory"),
  page: z.string().optional(),
});

/** What a container and its calls may use. */
export interface DappLimits {
  readonly memoryBytes: number;
  readonly pids: number;
  /** Processors, as in 0.5. */
  readonly cpu: number;
  /** Wall time of one call, the start of the container included. */
  readonly wallMs: number;
  readonly stateBytes: number;
  readonly scratchBytes: number;
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  /** What the dapp is laid over; or a file that says it. */
  readonly image: ImageOrigin | { readonly recipe: string };
  /** The program and its arguments; the path is one inside the image. */
  readonly run: readonly string[];
  /** Act types that entries of this dapp may have, each with the path of its JSON Schema. Empty: any. */
  readonly accepts: Readonly<Record<string, string>>;
  /** Dapps whose events it is given and whose state it may ask for. */
  readonly reads: readonly string[];
  readonly commands: Readonly<Record<string, { readonly schema: string; readonly right: string }>>;
  /** Queries, each with one line that says what it gives. */
  readonly queries: Readonly<Record<string, string>>;
  /** Of its state; see form.ts. */
  readonly form: number;
  readonly hasTest: boolean;
  readonly limits: DappLimits;
  readonly class: "gate" | "advisory";
  readonly page: string | undefined;
}

/** Reads dapp.yaml; DAPP_MANIFEST names the key and what it should be. */
export function parseManifest(text: string): Manifest {
  const checked = schema.safeParse(readYaml(text, MANIFEST_FILE));
  if (!checked.success) throw new GdoError("DAPP_MANIFEST", `dapp.yaml: ${messageOf(checked.error)}`);
  const { image: where, limits: given, tests, page, ...rest } = checked.data;
  const { run, ...origin } = where;
  if (rest.reads.includes(rest.name)) throw new GdoError("DAPP_MANIFEST", "dapp.yaml: reads: names the dapp itself");
  return { ...rest, image: originOf(origin), run, hasTest: tests.length > 0, page, limits: limitsOf(given) };
}

function originOf(given: Omit<z.infer<typeof image>, "run">): Manifest["image"] {
  if ("recipe" in given) return given as { recipe: string };
  const { packages, ...under } = given as ImageOrigin["under"] & Pick<ImageOrigin, "packages">;
  return { under, packages };
}

function limitsOf({ memory, pids, cpu, wall, state, scratch }: z.infer<typeof limits>): DappLimits {
  return { memoryBytes: memory, pids, cpu, wallMs: wall, stateBytes: state, scratchBytes: scratch };
}
