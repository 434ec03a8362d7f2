/** An image as an OCI layout of one layer, which other tools accept. The same image gives the same bytes. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { GdoError } from "../../base/index.ts";
import type { ImageSettings, ImageTree } from "../../dapp/index.ts";
import { type TarContent, writeTar } from "./tar-writer.ts";

const GZIP_LEVEL = 6;
/** Images carry no time of their own. */
const CREATED = "1970-01-01T00:00:00Z";

const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

export interface ExportOptions {
  /** By which other tools name it in the layout. */
  readonly tag: string;
  readonly architecture: string;
  readonly settings: ImageSettings;
  readonly content: TarContent;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Makes the folder, whole or not at all. INPUT_INVALID when something is there already; IO. */
export async function exportImage(image: ImageTree, folder: string, options: ExportOptions): Promise<Descriptor> {
  if ((await stat(folder).catch(() => undefined)) !== undefined) {
    throw new GdoError("INPUT_INVALID", `there is something at ${folder} already`, {
      hint: "name a folder that is to be made",
    });
  }
  const torn = `${folder}.torn`;
  try {
    await rm(torn, { recursive: true, force: true });
    await mkdir(join(torn, "blobs/sha256"), { recursive: true });
    const made = await writeLayout(torn, image, options);
    await rename(torn, folder);
    return made;
  } catch (cause) {
    await rm(torn, { recursive: true, force: true });
    throw cause instanceof GdoError ? cause : new GdoError("IO", `cannot write ${dirname(folder)}`, { cause });
  }
}

async function writeLayout(folder: string, image: ImageTree, options: ExportOptions): Promise<Descriptor> {
  const { layer, contentDigest } = await writeLayer(folder, image, options.content);
  const { architecture, settings } = options;
  const { environment, run } = settings;
  const env = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const config = await writeJson(folder, CONFIG_TYPE, {
    created: CREATED,
    architecture,
    os: "linux",
    config: { ...(env.length > 0 ? { Env: env } : {}), ...(run.length > 0 ? { Cmd: run } : {}) },
    rootfs: { type: "layers", diff_ids: [contentDigest] },
    history: [{ created: CREATED, created_by: "gdo image export" }],
  });
  const manifest = await writeJson(folder, MANIFEST_TYPE, {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config,
    layers: [layer],
  });
  const annotations = { "org.opencontainers.image.ref.name": options.tag };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  await writeFile(join(folder, "index.json"), JSON.stringify(index));
  await writeFile(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  return manifest;
}

/** The layer, under the sum of its compressed bytes, and the sum of the archive in it. */
async function writeLayer(
  folder: string,
  image: ImageTree,
  content: TarContent,
): Promise<{ layer: Descriptor; contentDigest: string }> {
  const [inner, outer] = [createHash("sha256"), createHash("sha256")];
  const fresh = join(folder, "layer");
  let size = 0;
  const archive = tapped(writeTar(image.root, content), (piece) => inner.update(piece));
  await pipeline(
    Readable.from(archive, { objectMode: true }),
    createGzip({ level: GZIP_LEVEL }),
    (compressed: AsyncIterable<Uint8Array>) =>
      tapped(compressed, (piece) => {
        outer.update(piece);
        size += piece.length;
      }),
    createWriteStream(fresh),
  );
  const hex = outer.digest("hex");
  await rename(fresh, join(folder, "blobs/sha256", hex));
  return {
    layer: { mediaType: LAYER_TYPE, digest: `sha256:${hex}`, size },
    contentDigest: `sha256:${inner.digest("hex")}`,
  };
}

async function* tapped(
  source: AsyncIterable<Uint8Array>,
  see: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    see(piece);
    if (piece.length > 0) yield piece;
  }
}

async function writeJson(folder: string, mediaType: string, value: unknown): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(value));
  const hex = createHash("sha256").update(bytes).digest("hex");
  await writeFile(join(folder, "blobs/sha256", hex), bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}
