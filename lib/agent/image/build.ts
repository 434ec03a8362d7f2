/** Images built from a base, packages and folders. Rules: docs/design/dapps.md. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Hash, isHash } from "../../base/index.ts";
import {
  baseImage,
  DEBIAN_ARCHITECTURES,
  type ImageOrigin,
  ImageTree,
  InstalledPackages,
  type PackageSource,
  packagesMissing,
  readFolder,
} from "../../dapp/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import type { ChunkStore } from "../../store/index.ts";
import { putImage, readImage } from "./tree-store.ts";

export interface ImageBuilderOptions {
  readonly store: ChunkStore;
  /** Remembers the trees of bases that were made before. */
  readonly db: Pick<LedgerDb, "meta" | "setMeta">;
}

export class ImageBuilder {
  readonly #store: ChunkStore;
  readonly #db: ImageBuilderOptions["db"];
  #packages: PackageSource | undefined;

  constructor({ store, db }: ImageBuilderOptions) {
    this.#store = store;
    this.#db = db;
  }

  /** The tree of an origin with a folder laid over it. INPUT_INVALID for an unknown base, NOT_FOUND for missing packages. */
  async build({ under, packages }: ImageOrigin, folder: string): Promise<Hash> {
    const lower = "oci" in under ? (under.oci as Hash) : await this.#base(under.base);
    const image = new ImageTree(await readImage(this.#store, lower));
    this.#place(packages, image);
    image.lay(readFolder(folder));
    const tree = await putImage(this.#store, image.root);
    await this.#store.commit();
    return tree;
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
    const tree = await this.#made(make, (image) => {
      this.#place(packages, image);
      finish?.(image);
    });
    this.#db.setMeta(key, tree);
    return tree;
  }

  async #made(make: (folder: string) => void, complete: (image: ImageTree) => void): Promise<Hash> {
    const folder = mkdtempSync(join(tmpdir(), "gdo-base-"));
    try {
      make(folder);
      const image = new ImageTree(readFolder(folder));
      complete(image);
      const tree = await putImage(this.#store, image.root);
      await this.#store.commit();
      return tree;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  #place(names: readonly string[], image: ImageTree): void {
    for (const each of this.#closure(names)) this.#source().place(each, image);
  }

  #closure(names: readonly string[]) {
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
