/**
 * One layer of an image over those below it, by the rules of the OCI image specification (layer.md):
 * files replace, folders join, a whiteout hides what lower layers have at its name, an opaque one all that
 * they have in its folder. What a layer has itself is hidden by neither, in whatever order it comes.
 */
import { GdoError } from "../../base/index.ts";
import {
  checkedMode,
  type ImageContent,
  type ImageFolder,
  type ImageNode,
  type ImageTree,
  newFolder,
} from "../../dapp/index.ts";
import type { TarMember } from "./tar-reader.ts";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
/** Other names of this kind are notes of one storage driver, and no files. */
const NOTE = ".wh..wh.";
const TARGET_BYTES_MAX = 4095;

export class Layer {
  readonly #image: ImageTree;
  /** What this layer brought, or named. */
  readonly #own = new Set<ImageNode>();

  constructor(image: ImageTree) {
    this.#image = image;
  }

  /** `put` stores a file's content. INPUT_INVALID for a path or link that cannot be. */
  async apply(member: TarMember, put: (content: AsyncIterable<Uint8Array>) => Promise<ImageContent>): Promise<void> {
    const { path, kind } = member;
    const [folder, name] = splitPath(path);
    if (name.startsWith(WHITEOUT)) return this.#hide(folder, name);
    switch (kind) {
      case "folder":
        return this.#put(path, newFolder());
      case "file":
        return this.#put(path, { type: "file", mode: checkedMode(member.mode), content: await put(member.content) });
      case "link":
        return this.#put(path, { type: "link", target: checkedTarget(member) });
      case "hardlink":
        return this.#put(path, this.#linked(member));
      case "other":
        return this.#image.remove(path); // A device or pipe has no place in an image, nor has what it replaces.
    }
  }

  #put(path: string, node: ImageNode): void {
    this.#image.put(path, node);
    const there = this.#image.find(path);
    if (there !== undefined) this.#own.add(there);
  }

  /** A second name of a file or link that is there already: a node of its own, since it may be hidden alone. */
  #linked({ path, target }: TarMember): ImageNode {
    const node = this.#image.find(target);
    if (node !== undefined && node.type !== "folder") return { ...node };
    throw new GdoError("INPUT_INVALID", `a layer links ${path} to ${target}, which is no file of the image`);
  }

  #hide(folder: string, name: string): void {
    if (name === OPAQUE) {
      const there = this.#image.folderAt(folder);
      if (there !== undefined) this.#prune(there);
      return;
    }
    if (name.startsWith(NOTE)) return;
    const hidden = name.slice(WHITEOUT.length);
    if (hidden === "") throw new GdoError("INPUT_INVALID", "a layer hides a file without a name");
    const path = `${folder}/${hidden}`;
    const there = this.#image.find(path);
    if (there === undefined) return;
    if (there.type === "folder") this.#prune(there);
    if (!this.#own.has(there) && !(there.type === "folder" && there.entries.size > 0)) this.#image.remove(path);
  }

  /** Takes what lower layers brought out of a folder. */
  #prune({ entries }: ImageFolder): void {
    for (const [name, node] of entries) {
      if (node.type === "folder") this.#prune(node);
      const isKept = this.#own.has(node) || (node.type === "folder" && node.entries.size > 0);
      if (!isKept) entries.delete(name);
    }
  }
}

function splitPath(path: string): [folder: string, name: string] {
  const bare = path.replace(/\/+$/, "");
  const slash = bare.lastIndexOf("/");
  return [bare.slice(0, Math.max(slash, 0)), bare.slice(slash + 1)];
}

function checkedTarget({ path, target }: TarMember): string {
  const isSound = target !== "" && Buffer.byteLength(target) <= TARGET_BYTES_MAX && !target.includes("\0");
  if (!isSound) throw new GdoError("INPUT_INVALID", `the link ${path} leads to no path`);
  return target;
}
