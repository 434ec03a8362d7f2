/**
 * Which blobs an image is made of: by the OCI image layout, or by the manifest.json of `docker save`.
 * JSON of strangers, so sizes are looked at before reading, and every field that is used is checked.
 */
import * as z from "zod";
import { GdoError } from "../../base/index.ts";
import { type Digest, parseDigest, verified } from "./blob.ts";
import { ByteReader } from "./byte-reader.ts";
import type { FileSource } from "./source.ts";

const JSON_BYTES_MAX = 4 * 1024 * 1024;
const LAYERS_MAX = 512;
const INDEXES_DEEP_MAX = 3;

const TAG_KEYS = ["org.opencontainers.image.ref.name", "io.containerd.image.name"];
const INDEX_TYPES = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);

const descriptor = z.object({
  mediaType: z.string().optional(),
  digest: z.string(),
  size: z.int().min(0),
  annotations: z.record(z.string(), z.string()).nullish(),
  platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() }).nullish(),
});
const index = z.object({ manifests: z.array(descriptor).max(1000) });
const manifest = z.object({ config: descriptor, layers: z.array(descriptor).max(LAYERS_MAX) });
const saved = z.array(
  z.object({
    Config: z.string(),
    RepoTags: z.array(z.string()).nullish(),
    Layers: z.array(z.string()).max(LAYERS_MAX),
  }),
);
const config = z.object({
  architecture: z.string().optional(),
  os: z.string().optional(),
  config: z
    .object({
      Env: z.array(z.string()).nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
    })
    .nullish(),
  rootfs: z.object({ diff_ids: z.array(z.string()).max(LAYERS_MAX) }),
});

type Descriptor = z.infer<typeof descriptor>;
export type ImageConfig = z.infer<typeof config>;

/** One image of a source: its settings, and its layers from the lowest up. */
export interface FoundImage {
  readonly name: string | undefined;
  readonly config: ImageConfig;
  readonly layers: readonly FoundLayer[];
}

export interface FoundLayer {
  readonly path: string;
  /** Of the file; docker's older archives give none. */
  readonly digest: Digest | undefined;
  /** Of the tar archive in it. */
  readonly contentDigest: Digest;
}

export interface Choice {
  /** Name or tag of the image, where there are several. */
  readonly tag: string | undefined;
  /** As OCI calls it, as in amd64. */
  readonly architecture: string;
}

/** INPUT_INVALID when it is neither form, is damaged, or does not say which of several is meant. */
export async function findImage(source: FileSource, choice: Choice): Promise<FoundImage> {
  const files = new JsonFiles(source);
  if (source.sizeOf("index.json") !== undefined) return findInLayout(files, choice);
  if (source.sizeOf("manifest.json") !== undefined) return findSaved(files, choice);
  throw new GdoError(
    "INPUT_INVALID",
    "neither an OCI layout nor an archive of docker save: it has no index.json and no manifest.json",
  );
}

class JsonFiles {
  readonly source: FileSource;

  constructor(source: FileSource) {
    this.source = source;
  }

  async read<T>(path: string, form: z.ZodType<T>, digest?: Digest): Promise<T> {
    const sizeBytes = this.source.sizeOf(path);
    if (sizeBytes === undefined) throw new GdoError("INPUT_INVALID", `the image lacks its file ${path}`);
    if (sizeBytes > JSON_BYTES_MAX) throw new GdoError("INPUT_INVALID", `the image's ${path} is longer than 4 MiB`);
    const bytes = this.source.read(path);
    const reader = new ByteReader(digest === undefined ? bytes : verified(bytes, digest));
    const text = Buffer.from(await reader.read(sizeBytes)).toString("utf8");
    await reader.drain(0);
    const checked = form.safeParse(parsed(text, path));
    if (checked.success) return checked.data;
    const [issue] = checked.error.issues;
    throw new GdoError("INPUT_INVALID", `the image's ${path}: ${issue?.path.join(".")}: ${issue?.message}`);
  }

  /** A blob's path, when the blob is there and as long as its descriptor says. */
  pathOf({ digest, size }: Descriptor): { path: string; digest: Digest } {
    const sum = parseDigest(digest);
    const path = `blobs/${sum.algorithm}/${sum.hex}`;
    const found = this.source.sizeOf(path);
    if (found === undefined) throw new GdoError("INPUT_INVALID", `the image lacks its blob ${digest}`);
    if (found !== size)
      throw new GdoError("INPUT_INVALID", `blob ${digest} has ${found} bytes, the image says ${size}`);
    return { path, digest: sum };
  }

  blob<T>(named: Descriptor, form: z.ZodType<T>): Promise<T> {
    const { path, digest } = this.pathOf(named);
    return this.read(path, form, digest);
  }
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GdoError("INPUT_INVALID", `the image's ${path} is no JSON`, { cause });
  }
}

async function findInLayout(files: JsonFiles, choice: Choice): Promise<FoundImage> {
  const { manifests } = await files.read("index.json", index);
  const top = chosen(manifests, tagsOf, choice.tag);
  let found = top;
  for (let deep = 0; INDEX_TYPES.has(found.mediaType ?? ""); deep += 1) {
    if (deep === INDEXES_DEEP_MAX) throw new GdoError("INPUT_INVALID", "the image's indexes are nested too deep");
    found = forThisMachine((await files.blob(found, index)).manifests, choice.architecture);
  }
  const { config: settings, layers } = await files.blob(found, manifest);
  const settled = await files.blob(settings, config);
  const contents = contentDigests(settled, layers.length);
  return {
    name: tagsOf(top)[0],
    config: settled,
    layers: layers.map((layer, at) => ({ ...files.pathOf(layer), contentDigest: contents[at] as Digest })),
  };
}

async function findSaved(files: JsonFiles, choice: Choice): Promise<FoundImage> {
  const entry = chosen(await files.read("manifest.json", saved), ({ RepoTags }) => RepoTags ?? [], choice.tag);
  const [, hex] = entry.Config.match(/(?:^|\/)([0-9a-f]{64})(?:\.json)?$/) ?? [];
  const digest = hex === undefined ? undefined : { algorithm: "sha256", hex };
  const settled = await files.read(entry.Config, config, digest);
  const contents = contentDigests(settled, entry.Layers.length);
  for (const path of entry.Layers) {
    if (files.source.sizeOf(path) === undefined)
      throw new GdoError("INPUT_INVALID", `the image lacks its layer ${path}`);
  }
  const layers = entry.Layers.map((path, at) => ({ path, digest: undefined, contentDigest: contents[at] as Digest }));
  return { name: entry.RepoTags?.[0], config: settled, layers };
}

function contentDigests({ rootfs }: ImageConfig, layers: number): Digest[] {
  if (rootfs.diff_ids.length === layers) return rootfs.diff_ids.map(parseDigest);
  throw new GdoError("INPUT_INVALID", `the image has ${layers} layers and ${rootfs.diff_ids.length} sums of layers`);
}

function tagsOf({ annotations }: Descriptor): string[] {
  return TAG_KEYS.flatMap((key) => annotations?.[key] ?? []);
}

/** The one that is named, by its whole tag or what stands after the last colon; or the only one. */
function chosen<T>(all: readonly T[], tags: (each: T) => readonly string[], tag: string | undefined): T {
  const isMeant = (name: string): boolean => name === tag || name.endsWith(`:${tag}`) || name.endsWith(`/${tag}`);
  const [found, ...others] = tag === undefined ? all : all.filter((each) => tags(each).some(isMeant));
  if (found !== undefined && others.length === 0) return found;
  const names = all.flatMap((each) => [...tags(each)].slice(0, 1));
  const hint = names.length === 0 ? {} : { hint: `--tag, one of: ${names.slice(0, 20).join(", ")}` };
  if (found === undefined)
    throw new GdoError("NOT_FOUND", `there is no image ${tag ?? ""} in it`.replace("  ", " "), hint);
  throw new GdoError("AMBIGUOUS", `there are ${all.length} images in it`, hint);
}

function forThisMachine(all: readonly Descriptor[], architecture: string): Descriptor {
  const fits = all.filter(({ platform }) => platform?.os === "linux" && platform.architecture === architecture);
  const only = all.length === 1 && all[0]?.platform == null ? all[0] : undefined;
  const found = fits[0] ?? only;
  if (found !== undefined) return found;
  const offered = all.map(({ platform }) => `${platform?.os}/${platform?.architecture}`).join(", ");
  throw new GdoError("INPUT_INVALID", `the image is not for linux/${architecture}, but for ${offered}`);
}
