/** The images of one node: built, taken in, given out, listed, let go. What `gdo image` calls. */
import { statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import * as z from "zod";
import { GdoError, type Hash } from "../../base/index.ts";
import {
  DEBIAN_ARCHITECTURES,
  type ImageFile,
  type ImageFolder,
  ImageTree,
  parseSettings,
  placeSettings,
  RECIPE_FILE,
  SETTINGS_BYTES_MAX,
  SETTINGS_PATH,
} from "../../dapp/index.ts";
import { putBlob, Refs, readBlob, readBlobBytes, resolvePath } from "../../store/index.ts";
import { installedDapps } from "../apps/working-apps.ts";
import type { NodeParts } from "../node-parts.ts";
import { ImageBuilder } from "./build.ts";
import { ImageCatalog } from "./catalog.ts";
import { readImage } from "./tree-store.ts";
import { unpack } from "./unpack.ts";

const path = z.string().refine(isAbsolute, "must be an absolute path");
const job = z.string().max(64).optional();

export const IMAGE_PARAMS = {
  imageBuild: z.strictObject({ path, name: z.string() }),
  imageImport: z.strictObject({ path, name: z.string(), tag: z.string().max(512).optional(), job }),
  imageImportProgress: z.strictObject({ job: z.string().max(64) }),
  imageExport: z.strictObject({ image: z.string().min(1).max(128), path, tag: z.string().optional() }),
  imageList: z.strictObject({}),
  imageRemove: z.strictObject({ names: z.array(z.string()).min(1).max(1000) }),
} as const;

type Params<M extends keyof typeof IMAGE_PARAMS> = z.infer<(typeof IMAGE_PARAMS)[M]>;

/** By which other tools take a variant of an architecture, too. */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const OCI_ARCHITECTURES: Readonly<Record<string, string>> = { ...DEBIAN_ARCHITECTURES, arm: "arm" };

export class NodeImages {
  readonly #parts: NodeParts;
  readonly #catalog: ImageCatalog;
  readonly #builder: ImageBuilder;
  readonly #onRemove: (tree: Hash) => void;
  readonly #progress = new Map<string, unknown>();

  /** `onRemove` is told before the name of a tree goes. */
  constructor(parts: NodeParts, onRemove: (tree: Hash) => void) {
    this.#parts = parts;
    this.#catalog = new ImageCatalog(new Refs(parts.paths.refs));
    this.#builder = new ImageBuilder(parts);
    this.#onRemove = onRemove;
  }

  /** From a recipe, or the folder that holds one. Errors as ImageBuilder. */
  async build({ path: given, name }: Params<"imageBuild">): Promise<unknown> {
    ImageCatalog.assertName(name);
    const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() === true;
    const tree = await this.#builder.recipe(isFolder ? join(given, RECIPE_FILE) : given);
    return this.#keep(name, tree);
  }

  /** Errors as importImage. */
  async import(params: Params<"imageImport">, signal?: AbortSignal): Promise<unknown> {
    const { path: given, name, tag, job: id } = params;
    ImageCatalog.assertName(name);
    const { store } = this.#parts;
    try {
      const { importImage } = await import("../../interop/index.ts");
      const { image, settings, layers, files } = await importImage(given, {
        ...{ tag, signal, unpack },
        architecture: ociArchitecture(),
        putFile: (content) => putBlob(store, content),
        onProgress: (progress) => {
          if (id !== undefined) this.#progress.set(id, progress);
        },
      });
      placeSettings(image, settings);
      return { ...(await this.#keep(name, await this.#builder.put(image))), layers, members: files };
    } finally {
      if (id !== undefined) this.#progress.delete(id);
    }
  }

  /** How far an import is; nothing when there is none of that name, or it is done. */
  progress({ job: id }: Params<"imageImportProgress">): unknown {
    return this.#progress.get(id) ?? {};
  }

  /** As an OCI layout, in a folder that is made. Errors as exportImage; NOT_FOUND, AMBIGUOUS for the image. */
  async export({ image: named, path: folder, tag }: Params<"imageExport">): Promise<unknown> {
    const { store } = this.#parts;
    const { name, tree } = await this.#find(named);
    const label = tag ?? name ?? tree.slice(0, 12);
    if (!TAG.test(label)) throw new GdoError("INPUT_INVALID", `not a tag: ${label}`);
    const image = new ImageTree(await readImage(store, tree));
    const settings = await this.#settings(image);
    const { exportImage } = await import("../../interop/index.ts");
    const { digest } = await exportImage(image, folder, {
      ...{ tag: label, settings },
      architecture: ociArchitecture(),
      content: { sizeOf: (file) => stored(file).sizeBytes, read: (file) => readBlob(store, stored(file).id) },
    });
    return { tree, tag: label, digest, path: folder };
  }

  async list(): Promise<unknown> {
    const images: unknown[] = [];
    for (const each of await this.#catalog.all()) images.push({ ...each, ...(await this.#size(each.tree)) });
    return { images };
  }

  /** NOT_FOUND when one of the names is none; then nothing is removed. */
  async remove({ names }: Params<"imageRemove">): Promise<unknown> {
    const found = await Promise.all(names.map((name) => this.#named(name)));
    for (const { name, tree } of found) {
      this.#onRemove(tree);
      await this.#catalog.remove(name);
    }
    return { removed: found.map(({ name, tree }) => ({ name, tree })), cache: await clearCache(this.#parts) };
  }

  async #keep(name: string, tree: Hash): Promise<object> {
    await this.#catalog.set({ name, tree, timeMs: this.#parts.clock.nowMs() });
    return { name, tree, ...(await this.#size(tree)) };
  }

  async #named(name: string): Promise<{ name: string; tree: Hash }> {
    const found = await this.#catalog.get(name);
    if (found !== undefined) return found;
    throw new GdoError("NOT_FOUND", `no image is called ${name}`, { hint: "gdo image list" });
  }

  /** By name; or a tree by the first digits of its id. */
  async #find(text: string): Promise<{ name?: string; tree: Hash }> {
    const named = await this.#catalog.get(text);
    if (named !== undefined) return named;
    if (!/^[0-9a-f]{6,64}$/.test(text)) return this.#named(text);
    const { id, kind } = await resolvePath(this.#parts.store, text);
    if (kind !== "tree") throw new GdoError("INPUT_INVALID", `${text} is no tree`);
    return { tree: id };
  }

  async #settings(image: ImageTree) {
    const node = image.find(SETTINGS_PATH);
    if (node?.type !== "file" || stored(node).sizeBytes > SETTINGS_BYTES_MAX) return { environment: {}, run: [] };
    const bytes = await readBlobBytes(this.#parts.store, stored(node).id, SETTINGS_BYTES_MAX);
    return parseSettings(Buffer.from(bytes).toString("utf8"));
  }

  async #size(tree: Hash): Promise<{ files: number; bytes: number }> {
    const { store } = this.#parts;
    if (!store.has(tree)) return { files: 0, bytes: 0 };
    return sizeOf(await readImage(store, tree));
  }
}

/** Lets the cache go of images that no installed or warm dapp uses. */
export async function clearCache({ images, dapps, db }: NodeParts): Promise<{ images: number; bytes: number }> {
  return images.keepOnly(() => new Set([...installedDapps(db.charterAt()).map(({ tree }) => tree), ...dapps.trees()]));
}

function stored({ content }: ImageFile): { id: Hash; sizeBytes: number } {
  if ("id" in content) return content;
  throw new GdoError("STORE_CORRUPT", "a file of a stored image is not in the store"); // readImage gives ids alone.
}

function sizeOf({ entries }: ImageFolder): { files: number; bytes: number } {
  let [files, bytes] = [0, 0];
  for (const node of entries.values()) {
    const { files: count, bytes: size } =
      node.type === "folder" ? sizeOf(node) : { files: 1, bytes: node.type === "file" ? stored(node).sizeBytes : 0 };
    files += count;
    bytes += size;
  }
  return { files, bytes };
}

function ociArchitecture(): string {
  return OCI_ARCHITECTURES[process.arch] ?? process.arch;
}
