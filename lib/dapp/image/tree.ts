/**
 * A root file system in memory: what layers, packages and folders are laid over each other in before it
 * is stored. Paths are resolved inside it, links included, so nothing that a layer says can reach a file
 * of this machine. Pure. Rules: docs/design/dapps.md.
 */
import { GdoError, type Hash } from "../../base/index.ts";

/** Where a file's bytes are: in the store, in a file of this machine, or here. */
export type ImageContent =
  | { readonly id: Hash; readonly sizeBytes: number }
  | { readonly path: string }
  | { readonly bytes: Uint8Array };

export interface ImageFile {
  readonly type: "file";
  /** Permission bits; 0o755 or 0o644 in effect, as checkedMode makes them. */
  readonly mode: number;
  readonly content: ImageContent;
}

export interface ImageLink {
  readonly type: "link";
  readonly target: string;
}

export interface ImageFolder {
  readonly type: "folder";
  readonly entries: Map<string, ImageNode>;
}

export type ImageNode = ImageFile | ImageFolder | ImageLink;

/** As Linux: more links than this on one way are a loop. */
const LINKS_MAX = 40;
const DEPTH_MAX = 256;
const NAME_BYTES_MAX = 255;

/** Read and execute stay; setuid, setgid, sticky and writing by others go [D1]. */
export function checkedMode(mode: number): number {
  return mode & 0o111 ? 0o755 : 0o644;
}

export function newFolder(): ImageFolder {
  return { type: "folder", entries: new Map() };
}

/** The names of a path. INPUT_INVALID for one that leads out, or that no file system can have. */
export function pathNames(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  const hasFault = names.some((name) => name === ".." || name.includes("\0") || name.length > NAME_BYTES_MAX);
  if (hasFault || names.length > DEPTH_MAX) {
    throw new GdoError("INPUT_INVALID", `an image cannot have the path ${JSON.stringify(path.slice(0, 200))}`);
  }
  return names;
}

export class ImageTree {
  readonly root: ImageFolder;

  constructor(root: ImageFolder = newFolder()) {
    this.root = root;
  }

  /** What is at a path, itself and not what it may point to. */
  find(path: string): ImageNode | undefined {
    const names = pathNames(path);
    const name = names.pop();
    if (name === undefined) return this.root;
    return this.#follow(names)?.entries.get(name);
  }

  /** The folder that a path leads to, through links. */
  folderAt(path: string): ImageFolder | undefined {
    return this.#follow(pathNames(path));
  }

  /** Replaces whatever is there; the folders above are made. A folder stays when a folder comes. */
  put(path: string, node: ImageNode): void {
    const names = pathNames(path);
    const name = names.pop();
    if (name === undefined) {
      if (node.type !== "folder") throw new GdoError("INPUT_INVALID", "an image's root is a folder");
      return;
    }
    const { entries } = this.#makeFolder(names);
    const isKept = node.type === "folder" && entries.get(name)?.type === "folder";
    if (!isKept) entries.set(name, node);
  }

  /** A folder at a path. A link to a folder that is there already is used, as dpkg does, and stays. */
  putFolder(path: string): void {
    this.#makeFolder(pathNames(path));
  }

  remove(path: string): void {
    const names = pathNames(path);
    const name = names.pop();
    if (name !== undefined) this.#follow(names)?.entries.delete(name);
  }

  /** Lays another tree over this one: its files win, its folders are joined with what is there. */
  lay(above: ImageFolder, at = ""): void {
    for (const [name, node] of above.entries) {
      const path = `${at}/${name}`;
      if (node.type !== "folder") this.put(path, node);
      else {
        this.putFolder(path);
        this.lay(node, path);
      }
    }
  }

  /** The folder at names, through links; made, in place of what is no folder, where it is missing. */
  #makeFolder(names: readonly string[]): ImageFolder {
    const walk = new Walk(this.root);
    return walk.to(names, (parent, name) => {
      const made = newFolder();
      parent.entries.set(name, made);
      return made;
    }) as ImageFolder;
  }

  #follow(names: readonly string[]): ImageFolder | undefined {
    return new Walk(this.root).to(names, () => undefined);
  }
}

/** One walk through folders and links; never above the root, as in a chroot. */
class Walk {
  readonly #root: ImageFolder;
  #links = 0;

  constructor(root: ImageFolder) {
    this.#root = root;
  }

  /** `absent` gives the folder to go on in where there is none, or undefined to stop. */
  to(
    names: readonly string[],
    absent: (parent: ImageFolder, name: string) => ImageFolder | undefined,
  ): ImageFolder | undefined {
    const ahead = names.toReversed();
    const above: ImageFolder[] = [];
    let here = this.#root;
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      if (name === "..") {
        here = above.pop() ?? this.#root;
        continue;
      }
      const node = here.entries.get(name);
      if (node?.type === "link") {
        this.#count(node);
        ahead.push(...linkNames(node).toReversed());
        if (node.target.startsWith("/")) {
          here = this.#root;
          above.length = 0;
        }
        continue;
      }
      const next = node?.type === "folder" ? node : absent(here, name);
      if (next === undefined) return undefined;
      above.push(here);
      here = next;
    }
    return here;
  }

  #count({ target }: ImageLink): void {
    this.#links += 1;
    if (this.#links > LINKS_MAX) {
      throw new GdoError("INPUT_INVALID", `the image's symbolic links lead in circles, as one to ${target}`);
    }
  }
}

function linkNames({ target }: ImageLink): string[] {
  return target.split("/").filter((name) => name !== "" && name !== ".");
}
