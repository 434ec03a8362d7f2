/** Images built from a base, packages and folders, as recipes and manifests say. Rules: docs/design/dapps.md. */
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, sep } from "node:path";
import { GdoError, type Hash, isHash } from "../../base/index.ts";
import {
  baseImage,
  DEBIAN_ARCHITECTURES,
  type DebianPackage,
  type ImageOrigin,
  ImageTree,
  InstalledPackages,
  type Manifest,
  type PackageSource,
  packagesMissing,
  parseRecipe,
  placeSettings,
  type Recipe,
  readFolder,
  readNode,
} from "../../dapp/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import type { ChunkStore } from "../../store/index.ts";
import { putImage, readImage } from "./tree-store.ts";

export interface ImageBuilderOptions {
  readonly store: ChunkStore;
  /** Remembers the trees of bases that were made before. */
  readonly db: Pick<LedgerDb, "meta" | "setMeta">;
}

/**
 * Errors of all: INPUT_INVALID for an unknown base, NOT_FOUND for missing packages or files,
 * DAPP_MANIFEST for a recipe that is none, STORE_MISSING for a tree that is not here.
 */
export class ImageBuilder {
  readonly #store: ChunkStore;
  readonly #db: ImageBuilderOptions["db"];
  #packages: PackageSource | undefined;

  constructor({ store, db }: ImageBuilderOptions) {
    this.#store = store;
    this.#db = db;
  }

  /** The tree of a dapp: what its manifest names, with the dapp's folder laid over it. */
  async dapp(image: Manifest["image"], folder: string): Promise<Hash> {
    const made =
      "recipe" in image ? await this.#cooked(folder, readRecipe(join(folder, image.recipe))) : await this.#over(image);
    made.lay(readFolder(folder));
    return this.put(made);
  }

  /** The tree of a recipe's file. */
  async recipe(file: string): Promise<Hash> {
    return this.put(await this.#cooked(join(file, ".."), readRecipe(file)));
  }

  /** Stores an image; durable when it resolves. */
  async put({ root }: ImageTree): Promise<Hash> {
    const tree = await putImage(this.#store, root);
    await this.#store.commit();
    return tree;
  }

  async #cooked(folder: string, { copy, environment, ...origin }: Recipe): Promise<ImageTree> {
    const image = await this.#over(origin);
    for (const [from, to] of copy) layCopy(image, sourceOf(folder, from), to);
    placeSettings(image, { environment, run: [] });
    return image;
  }

  async #over({ under, packages }: ImageOrigin): Promise<ImageTree> {
    const lower = "oci" in under ? (under.oci as Hash) : await this.#base(under.base);
    const image = new ImageTree(await readImage(this.#store, lower));
    this.#place(packages, image);
    return image;
  }

  /** Made once for each state of what it is made from. */
  async #base(name: string): Promise<Hash> {
    const { edition, make, packages, finish } = baseImage(name);
    const versions = this.#closure(packages).map((each) => `${each.name}_${each.version}_${each.architecture}`);
    const state = createHash("sha256")
      .update([edition, process.arch, ...versions].join("\n"))
      .digest("hex");
    const key = `image.base.${name}.${state}`;
    const known = this.#db.meta(key);
    if (known !== undefined && isHash(known) && this.#store.has(known)) return known;
    const folder = mkdtempSync(join(tmpdir(), "gdo-base-"));
    try {
      make(folder);
      const image = new ImageTree(readFolder(folder));
      this.#place(packages, image);
      finish?.(image);
      const tree = await this.put(image);
      this.#db.setMeta(key, tree);
      return tree;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  #place(names: readonly string[], image: ImageTree): void {
    for (const each of this.#closure(names)) this.#source().place(each, image);
  }

  #closure(names: readonly string[]): readonly DebianPackage[] {
    if (names.length === 0) return [];
    const { packages, missing } = this.#source().closure(names);
    if (missing.length > 0) throw packagesMissing(missing);
    return packages;
  }

  #source(): PackageSource {
    this.#packages ??= new InstalledPackages(DEBIAN_ARCHITECTURES[process.arch] ?? process.arch);
    return this.#packages;
  }
}

function readRecipe(file: string): Recipe {
  if (!existsSync(file)) throw new GdoError("NOT_FOUND", `there is no recipe ${file}`);
  return parseRecipe(readFileSync(file, "utf8"), file);
}

/** The real path of what a recipe copies: beside the recipe, wherever links on the way lead. */
function sourceOf(folder: string, from: string): string {
  const root = realpathSync(folder);
  const path = join(root, from);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new GdoError("NOT_FOUND", `image.yaml: copy: there is no ${from} beside the recipe`);
  }
  const parent = realpathSync(join(path, ".."));
  if (parent === root || parent.startsWith(`${root}${sep}`)) return join(parent, basename(path));
  throw new GdoError("INPUT_INVALID", `image.yaml: copy: ${from} leads out of the recipe's folder`);
}

/** A folder's content goes into the folder `to`; a file becomes `to`, or goes into it when it ends with a slash. */
function layCopy(image: ImageTree, from: string, to: string): void {
  const node = readNode(from);
  if (node === undefined) throw new GdoError("INPUT_INVALID", `image.yaml: copy: ${from} is no file, folder or link`);
  if (node.type !== "folder") image.put(to.endsWith("/") ? `${to}${basename(from)}` : to, node);
  else {
    image.putFolder(to);
    image.lay(node, to);
  }
}
