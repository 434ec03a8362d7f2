/**
 * Where an image of others comes from: a folder, or a tar archive that is read in place, so that nothing
 * is unpacked to this machine's disk.
 */
import { createReadStream, lstatSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { GdoError } from "../../base/index.ts";
import { readTar, type TarMember } from "./tar-reader.ts";

/** Files by their paths, as in "blobs/sha256/…". */
export interface FileSource {
  /** Undefined when there is no such file. */
  sizeOf(path: string): number | undefined;
  read(path: string): AsyncIterable<Uint8Array>;
}

/** A layout names one blob per layer and config; a hundred layers in a thousand images stay below. */
const MEMBERS_MAX = 200_000;
const LINKS_MAX = 8;

/** NOT_FOUND; INPUT_INVALID for what is neither a folder nor a tar archive. */
export async function openSource(path: string): Promise<FileSource> {
  const stats = await stat(path).catch((cause) => {
    throw new GdoError("NOT_FOUND", `no such file or folder: ${path}`, { cause });
  });
  return stats.isDirectory() ? new FolderSource(path) : TarSource.open(path, stats.size);
}

class FolderSource implements FileSource {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Links are not followed: an image that was downloaded says nothing of this machine's files. */
  sizeOf(path: string): number | undefined {
    const stats = lstatSync(join(this.#folder, checkedPath(path)), { throwIfNoEntry: false });
    return stats?.isFile() ? stats.size : undefined;
  }

  read(path: string): AsyncIterable<Uint8Array> {
    return createReadStream(join(this.#folder, checkedPath(path)));
  }
}

interface Range {
  readonly offset: number;
  readonly sizeBytes: number;
}

class TarSource implements FileSource {
  readonly #path: string;
  readonly #ranges = new Map<string, Range>();
  /** Older docker archives name a layer that images share by a link. */
  readonly #links = new Map<string, string>();

  private constructor(path: string) {
    this.#path = path;
  }

  static async open(path: string, sizeBytes: number): Promise<TarSource> {
    const source = new TarSource(path);
    const limits = { members: MEMBERS_MAX, bytes: sizeBytes };
    for await (const member of readTar(createReadStream(path), limits)) source.#add(member);
    return source;
  }

  #add({ path, kind, target, offset, sizeBytes }: TarMember): void {
    const name = path.replace(/^(\.?\/)+/, "");
    if (kind === "file") this.#ranges.set(name, { offset, sizeBytes });
    else if (kind === "hardlink") this.#links.set(name, target);
    else if (kind === "link") this.#links.set(name, join("/", name, "..", target).slice(1));
  }

  sizeOf(path: string): number | undefined {
    return this.#range(path)?.sizeBytes;
  }

  read(path: string): AsyncIterable<Uint8Array> {
    const { offset, sizeBytes } = this.#range(path) ?? { offset: 0, sizeBytes: 0 };
    if (sizeBytes === 0) return emptyFile();
    return createReadStream(this.#path, { start: offset, end: offset + sizeBytes - 1 });
  }

  #range(path: string): Range | undefined {
    let name: string | undefined = path;
    for (let links = 0; name !== undefined && links <= LINKS_MAX; links += 1) {
      const range = this.#ranges.get(name);
      if (range !== undefined) return range;
      name = this.#links.get(name);
    }
    return undefined;
  }
}

async function* emptyFile(): AsyncGenerator<Uint8Array> {}

/** A path that an image's own files name. */
function checkedPath(path: string): string {
  const isSound = /^[\w./:@+-]{1,512}$/.test(path) && !path.startsWith("/") && !path.split("/").includes("..");
  if (!isSound) throw new GdoError("INPUT_INVALID", `the image names the file ${JSON.stringify(path.slice(0, 200))}`);
  return path;
}
