/**
 * A recipe for an image, image.yaml: what it is built over, and what is laid over that. An unknown key is
 * an error, and every message names the key. Pure. Rules: docs/design/dapps.md.
 */
import * as z from "zod";
import { GdoError } from "../../base/index.ts";
import { messageOf, readYaml } from "../yaml-text.ts";
import { isPackageName } from "./debian.ts";
import { environmentForm, isReserved } from "./settings.ts";
import { pathNames } from "./tree.ts";

export const RECIPE_FILE = "image.yaml";

/** What an image is built over, and Debian packages to lay over that. */
export interface ImageOrigin {
  /** The name of a base image, or a tree in the store. */
  readonly under: { readonly base: string } | { readonly oci: string };
  readonly packages: readonly string[];
}

export interface Recipe extends ImageOrigin {
  /** Path beside the recipe → path in the image, in the recipe's order. */
  readonly copy: readonly (readonly [from: string, to: string])[];
  readonly environment: Readonly<Record<string, string>>;
}

export const hex64 = z.string().regex(/^[0-9a-f]{64}$/, "is a tree id, 64 hex digits");
export const baseName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "is the name of a base image, as in node");
const packageName = z.string().refine(isPackageName, "is the name of a Debian package, as in ledger");
export const packageNames = z.array(packageName).max(64).default([]);

const beside = z.string().refine((path) => isBeside(path), "is a path beside the recipe, without ..");
const inside = z.string().refine((path) => path.startsWith("/") && isPath(path), "is a path in the image, as in /app");

const recipe = z.strictObject({
  base: z.union([hex64, baseName], { error: "is the name of a base image, as in node, or a tree id" }),
  packages: packageNames,
  copy: z.record(beside, inside).default({}),
  environment: environmentForm
    .refine((given) => !Object.keys(given).some(isReserved), "HOME, TMPDIR, LANG, LC_ALL and TZ are the same for all")
    .default({}),
});

/** DAPP_MANIFEST names the file as `name` does, the key, and what it should be. */
export function parseRecipe(text: string, name: string = RECIPE_FILE): Recipe {
  const checked = recipe.safeParse(readYaml(text, name));
  if (!checked.success) throw new GdoError("DAPP_MANIFEST", `${name}: ${messageOf(checked.error)}`);
  const { base, packages, copy, environment } = checked.data;
  const under = hex64.safeParse(base).success ? { oci: base } : { base };
  return { under, packages, copy: Object.entries(copy), environment };
}

function isBeside(path: string): boolean {
  return path !== "" && !path.startsWith("/") && isPath(path);
}

function isPath(path: string): boolean {
  try {
    pathNames(path);
    return true;
  } catch {
    return false;
  }
}
