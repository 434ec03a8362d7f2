/** Images as other tools would never write them: tar archives and OCI layouts byte by byte. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface RawMember {
  readonly path: string;
  /** "0" file, "1" hard link, "2" link, "5" folder, or anything else. */
  readonly flag?: string;
  readonly content?: string | Uint8Array;
  readonly target?: string;
  readonly mode?: number;
  /** What the header says, when that is not the truth. */
  readonly sizeBytes?: number;
}

export function tarBytes(members: readonly RawMember[]): Buffer {
  return Buffer.concat([...members.flatMap(memberBytes), Buffer.alloc(1024)]);
}

function memberBytes(member: RawMember): Buffer[] {
  const { path, flag = "0", content = "", target = "", mode = 0o644 } = member;
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(path, 0, 100);
  header.write(`${mode.toString(8).padStart(7, "0")}\0${"0".repeat(7)}\0${"0".repeat(7)}\0`, 100);
  header.write((member.sizeBytes ?? body.length).toString(8).padStart(11, "0"), 124);
  header.write("0".repeat(11), 136);
  header.write(" ".repeat(8), 148);
  header.write(flag, 156);
  header.write(target, 157, 100);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export interface RawLayer {
  readonly tar: Uint8Array;
  /** As it is kept; the archive itself by default. */
  readonly kept?: Uint8Array;
}

export interface RawImage {
  readonly layers: readonly RawLayer[];
  readonly architecture?: string;
  readonly environment?: readonly string[];
  readonly tag?: string;
}

/** Writes an OCI layout with these images and gives the paths of the first one's layers. */
export function writeLayout(folder: string, images: readonly RawImage[]): string[] {
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  const blob = (bytes: Uint8Array) => {
    writeFileSync(join(folder, "blobs/sha256", sha256(bytes)), bytes);
    return { mediaType: "application/octet-stream", digest: `sha256:${sha256(bytes)}`, size: bytes.length };
  };
  const json = (value: unknown) => blob(Buffer.from(JSON.stringify(value)));
  const manifests = images.map(({ layers, architecture = "amd64", environment = [], tag }) => {
    const diffs = layers.map(({ tar }) => `sha256:${sha256(tar)}`);
    const rootfs = { type: "layers", diff_ids: diffs };
    const config = json({ architecture, os: "linux", config: { Env: environment }, rootfs });
    const manifest = json({ schemaVersion: 2, config, layers: layers.map(({ tar, kept = tar }) => blob(kept)) });
    return tag === undefined ? manifest : { ...manifest, annotations: { "org.opencontainers.image.ref.name": tag } };
  });
  writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return (images[0]?.layers ?? []).map(({ tar, kept = tar }) => join(folder, "blobs/sha256", sha256(kept)));
}
