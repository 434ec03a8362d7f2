/** The base images by name: what each is made of. Rules: docs/design/dapps.md. */
import { GdoError } from "../../base/index.ts";
import { makeNodeBase } from "./node-base.ts";
import { makeSkeleton } from "./skeleton.ts";
import type { ImageTree } from "./tree.ts";

export interface BaseImage {
  /** Changes when what is made here changes, so that a base that was made before is made anew. */
  readonly edition: string;
  /** Writes its files into a new folder. */
  make(folder: string): void;
  readonly packages: readonly string[];
  /** What comes over the packages. */
  finish?(image: ImageTree): void;
}

/** The programs of busybox that a program in a container has use for: no network, no devices, no users. */
const APPLETS =
  `[ [[ ar arch ascii ash awk base64 basename bc bunzip2 bzcat bzip2 cat chmod clear cmp cp cpio cut date dc dd df diff
  dirname dos2unix du echo ed egrep env expand expr factor false fgrep find fold free getopt grep groups gunzip gzip head
  hexdump id kill killall link ln logname ls lzcat md5sum mkdir mkfifo mktemp mv nl nproc od paste patch pidof printf ps
  pwd readlink realpath rev rm rmdir sed seq sh sha1sum sha256sum sha3sum sha512sum shred shuf sleep sort stat strings
  stty sync tac tail tar tee test time timeout touch tr true truncate ts tty uname uncompress unexpand uniq unix2dos
  unlink unlzma unxz unzip uptime usleep uudecode uuencode wc which who whoami xargs xxd xz xzcat yes zcat`.split(
    /\s+/,
  );

const BASES: Readonly<Record<string, BaseImage>> = {
  empty: { edition: "1", make: makeSkeleton, packages: [] },
  node: { edition: `2 ${process.version}`, make: makeNodeBase, packages: [] },
  python: { edition: "1", make: makeSkeleton, packages: ["python3"] },
  busybox: { edition: "1", make: makeSkeleton, packages: ["busybox-static"], finish: linkApplets },
};

function linkApplets(image: ImageTree): void {
  for (const name of APPLETS) image.put(`/usr/bin/${name}`, { type: "link", target: "busybox" });
}

/** INPUT_INVALID, with the names there are. */
export function baseImage(name: string): BaseImage {
  const base = Object.hasOwn(BASES, name) ? BASES[name] : undefined;
  if (base !== undefined) return base;
  const hint = `base: ${Object.keys(BASES).join(", ")}`;
  throw new GdoError("INPUT_INVALID", `no base image is called ${name}`, { hint });
}
