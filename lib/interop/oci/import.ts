/** An image of others, flattened: its layers over each other into one tree in memory, its files into the store. */
import { GdoError } from "../../base/index.ts";
import { type ImageContent, type ImageSettings, ImageTree, isReserved } from "../../dapp/index.ts";
import { type Unpack, uncompressed, verified } from "./blob.ts";
import { Layer } from "./layer.ts";
import { type FoundImage, type FoundLayer, findImage } from "./manifest.ts";
import { type FileSource, openSource } from "./source.ts";
import { readTar } from "./tar-reader.ts";

/** Of all layers together. */
const MEMBERS_MAX = 500_000;
export const IMAGE_BYTES_MAX = 8 * 1024 ** 3;

export interface ImportOptions {
  readonly tag?: string | undefined;
  /** As OCI calls it, as in amd64. */
  readonly architecture: string;
  /** Unpacked; beyond, the image is refused. */
  readonly bytesMax?: number;
  putFile(content: AsyncIterable<Uint8Array>): Promise<ImageContent>;
  readonly unpack: Unpack;
  onProgress?(progress: ImportProgress): void;
  readonly signal?: AbortSignal | undefined;
}

export interface ImportProgress {
  /** Of the layers as they are kept, compressed. */
  readonly bytes: number;
  readonly bytesTotal: number;
  readonly files: number;
}

export interface ImportedImage {
  readonly name: string | undefined;
  readonly image: ImageTree;
  /** The program is what the image names as its entry point and arguments, if anything. */
  readonly settings: ImageSettings;
  readonly layers: number;
  readonly files: number;
  readonly bytes: number;
}

/** NOT_FOUND, AMBIGUOUS, INPUT_INVALID; nothing of a refused image is in any tree of the store. */
export async function importImage(path: string, options: ImportOptions): Promise<ImportedImage> {
  const source = await openSource(path);
  const found = await findImage(source, { tag: options.tag, architecture: options.architecture });
  assertPlatform(found, options.architecture);
  const merger = new Merger(source, found.layers, options);
  for (const layer of found.layers) await merger.add(layer);
  const { config } = found.config;
  return {
    name: found.name,
    image: merger.image,
    settings: {
      environment: environmentOf(config?.Env ?? []),
      run: [...(config?.Entrypoint ?? []), ...(config?.Cmd ?? [])],
    },
    layers: found.layers.length,
    files: merger.files,
    bytes: merger.bytes,
  };
}

class Merger {
  readonly image = new ImageTree();
  readonly #source: FileSource;
  readonly #options: ImportOptions;
  readonly #bytesTotal: number;
  #bytesRead = 0;
  files = 0;
  bytes = 0;

  constructor(source: FileSource, layers: readonly FoundLayer[], options: ImportOptions) {
    this.#source = source;
    this.#options = options;
    this.#bytesTotal = layers.reduce((sum, { path }) => sum + (source.sizeOf(path) ?? 0), 0);
  }

  async add({ path, digest, contentDigest }: FoundLayer): Promise<void> {
    const { unpack, putFile, signal, bytesMax = IMAGE_BYTES_MAX } = this.#options;
    const file = this.#counted(this.#source.read(path));
    const archive = uncompressed(digest === undefined ? file : verified(file, digest), unpack);
    const layer = new Layer(this.image);
    const limits = { members: MEMBERS_MAX - this.files, bytes: bytesMax - this.bytes };
    for await (const member of readTar(verified(archive, contentDigest), limits)) {
      signal?.throwIfAborted();
      await layer.apply(member, putFile);
      this.files += 1;
      this.bytes += member.sizeBytes;
    }
  }

  async *#counted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      this.#bytesRead += piece.length;
      const { files } = this;
      this.#options.onProgress?.({ bytes: this.#bytesRead, bytesTotal: this.#bytesTotal, files });
      yield piece;
    }
  }
}

function assertPlatform({ config: { os, architecture } }: FoundImage, wanted: string): void {
  const isOurs = (os ?? "linux") === "linux" && (architecture ?? wanted) === wanted;
  if (!isOurs)
    throw new GdoError("INPUT_INVALID", `the image is for ${os}/${architecture}, this machine is linux/${wanted}`);
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const VALUE_CHARACTERS_MAX = 32_768;

/** Variables that a container can be given; those that are the same in all are left out. */
function environmentOf(lines: readonly string[]): Record<string, string> {
  const pairs = lines.map((line) => [line.slice(0, Math.max(line.indexOf("="), 0)), line.slice(line.indexOf("=") + 1)]);
  return Object.fromEntries(pairs.filter(([name = "", value = ""]) => isVariable(name, value)));
}

function isVariable(name: string, value: string): boolean {
  const isSound = VARIABLE.test(name) && value.length <= VALUE_CHARACTERS_MAX && !value.includes("\0");
  return isSound && !isReserved(name);
}
