/** Blobs of an image: their sums, and what they are compressed with. */
import { createHash, type Hash as Hasher } from "node:crypto";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { GdoError } from "../../base/index.ts";
import { ByteReader } from "./byte-reader.ts";

/** "sha256:…" or "sha512:…"; other algorithms are refused. */
export interface Digest {
  readonly algorithm: string;
  readonly hex: string;
}

const HEX_DIGITS: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

/** INPUT_INVALID */
export function parseDigest(text: string): Digest {
  const [, algorithm = "", hex = ""] = text.match(/^([a-z0-9]+):([0-9a-f]+)$/) ?? [];
  if (HEX_DIGITS[algorithm] === hex.length) return { algorithm, hex };
  throw new GdoError(
    "INPUT_INVALID",
    `the image names a blob ${JSON.stringify(text.slice(0, 200))}: not a sum by sha256 or sha512`,
  );
}

/** The same bytes; INPUT_INVALID at their end when their sum is another. */
export async function* verified(source: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  const hash: Hasher = createHash(digest.algorithm);
  for await (const piece of source) {
    hash.update(piece);
    yield piece;
  }
  if (hash.digest("hex") !== digest.hex) {
    throw new GdoError(
      "INPUT_INVALID",
      `a blob of the image is not ${digest.algorithm}:${digest.hex}: its bytes were changed`,
    );
  }
}

/** What a layer may be compressed with beside gzip. */
export type PackedFormat = "zstd" | "xz" | "bzip2";

/** Turns a stream of a format into its content; INPUT_INVALID for what is not sound. */
export type Unpack = (format: PackedFormat, source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** An archive may begin with a file whose name looks like "BZh9": so much is asked of bzip2 that no name has it. */
const SNIFF_BYTES = 10;
const MAGIC: readonly (readonly [RegExp, PackedFormat])[] = [
  [/^(?:28b52ffd|5[0-9a-f]2a4d18)/, "zstd"],
  [/^fd377a585a00/, "xz"],
  [/^425a683[1-9](?:314159265359|177245385090)/, "bzip2"],
];

/** A layer's tar archive, whatever it is compressed with: its first bytes say, media types do not always. */
export async function* uncompressed(source: AsyncIterable<Uint8Array>, unpack: Unpack): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source);
  try {
    const first = await reader.read(SNIFF_BYTES);
    const whole = prefixed(first, reader);
    const magic = Buffer.from(first).toString("hex");
    const [, format] = MAGIC.find(([begin]) => begin.test(magic)) ?? [];
    if (magic.startsWith("1f8b")) yield* gunzipped(whole);
    else if (format !== undefined) yield* unpack(format, whole);
    else yield* whole;
  } finally {
    await reader.close();
  }
}

async function* prefixed(first: Uint8Array, reader: ByteReader): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  yield* reader.pieces(Number.POSITIVE_INFINITY);
}

async function* gunzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  // Each side's failure ends the other; the loop below throws it.
  pipeline(Readable.from(source), gunzip, () => {});
  try {
    for await (const piece of gunzip) yield piece as Uint8Array;
  } catch (cause) {
    if (cause instanceof GdoError) throw cause;
    throw new GdoError("INPUT_INVALID", "a layer is no sound gzip file", { cause });
  }
}
