/** What layers are compressed with: zstd by the addon, xz and bzip2 by Debian's programs, which most machines have. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GdoError } from "../../base/index.ts";
import type { PackedFormat } from "../../interop/index.ts";
import { unzstd } from "./unzstd.ts";

type Program = Exclude<PackedFormat, "zstd">;

/** xz may ask for gigabytes to unpack with; so much is asked for by what it packs unless told otherwise. */
const PROGRAMS: Readonly<Record<Program, { readonly args: readonly string[]; readonly debian: string }>> = {
  xz: { args: ["-dc", "--memlimit-decompress=128MiB"], debian: "xz-utils" },
  bzip2: { args: ["-dc"], debian: "bzip2" },
};
const SAID_CHARACTERS_MAX = 300;

/** INPUT_INVALID for what is not sound; NOT_FOUND names the Debian package that this machine lacks. */
export function unpack(format: PackedFormat, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return format === "zstd" ? unzstd(source) : byProgram(format, source);
}

/** No more than pipes hold is unpacked ahead of who reads; who stops reading ends the program. */
async function* byProgram(program: Program, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const child = spawn(program, PROGRAMS[program].args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let said = "";
  child.stderr.on("data", (piece: Buffer) => {
    said = `${said}${piece}`.slice(0, SAID_CHARACTERS_MAX);
  });
  try {
    await once(child, "spawn").catch((cause: unknown) => {
      throw programMissing(program, cause);
    });
    const failed = pipeline(Readable.from(source), child.stdin).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    for await (const piece of child.stdout) yield piece as Uint8Array;
    const [status, cause] = [await ended, await failed];
    if (cause instanceof GdoError) throw cause; // The source's own: what it gave the program was cut short.
    if (status !== 0 || cause !== undefined) {
      throw new GdoError("INPUT_INVALID", `a layer is no sound ${program} file: ${said.trim()}`, { cause });
    }
  } finally {
    child.kill("SIGKILL");
  }
}

function programMissing(program: Program, cause: unknown): GdoError {
  const hint = `as root: apt-get install ${PROGRAMS[program].debian}`;
  return new GdoError("NOT_FOUND", `a layer needs ${program}, which is not on this machine`, { hint, cause });
}
