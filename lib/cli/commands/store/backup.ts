/** `gdo backup`: a snapshot of a folder. What it could not read is named; the rest is kept. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ERROR_CODES } from "../../../base/index.ts";
import { type CommandSpec, type Given, type Session, withApi } from "../../command.ts";
import { moment } from "../../ids.ts";
import { bytesText } from "../../progress.ts";
import { collected } from "../../values.ts";
import { watched } from "../../watch.ts";

interface Taken {
  readonly name: string;
  readonly id?: string;
  readonly timeMs: number;
  readonly files: number;
  readonly bytes: number;
  readonly changes: { readonly new: number; readonly changed: number; readonly unchanged: number };
  readonly notes: Readonly<Record<string, number>>;
  readonly told: readonly { kind: string; path: string; why: string }[];
  readonly newBytes?: number;
  readonly storedBytes: number;
}

export const backup: CommandSpec = {
  name: "backup",
  summary: "Take a snapshot of a folder. What has not changed since the last one of it is not read again.",
  arguments: [{ form: "<path>", about: "a folder" }],
  options: [
    { flags: "--to <name>", about: "under which name it is kept" },
    {
      flags: "--exclude <pattern>",
      about: "leave out what matches, as in .gitignore; may be given again",
      parse: collected,
    },
    {
      flags: "--exclude-file <file>",
      about: "leave out what the file's patterns match; may be given again",
      parse: collected,
    },
    { flags: "--one-file-system", about: "keep folders empty on which another file system is mounted" },
    { flags: "--reread", about: "read every file again, also those that look unchanged" },
    { flags: "--dry-run", about: "read and count, but keep nothing" },
  ],
  exits: {
    3: "there is no home",
    4: "another process uses this home",
    10: "there is no such folder",
    12: "it is not a folder, or the name cannot be one",
    14: "some things could not be read; the rest is kept",
    22: "the disk is full",
  },
  example: "gdo backup /srv/shared --to shared --exclude '*.tmp' --one-file-system",
  async run(session, given) {
    const params = await paramsOf(given);
    const taken = (await withApi(session, (api) => watched(session, api, "backup", params))) as Taken;
    report(session, taken);
    return (taken.notes.unreadable ?? 0) > 0 ? ERROR_CODES.INCOMPLETE : 0;
  },
};

async function paramsOf({ args: [path], options }: Given): Promise<Record<string, unknown>> {
  if (options.to === undefined) {
    const { GdoError } = await import("../../../base/index.ts");
    throw new GdoError("USAGE", "--to says under which name the snapshot is kept", { hint: "gdo backup --help" });
  }
  const files = (options.excludeFile ?? []) as readonly string[];
  return {
    path: resolve(String(path)),
    name: options.to,
    exclude: options.exclude ?? [],
    excludeFiles: files.map((file) => readFileSync(file).toString("base64")),
    oneFileSystem: options.oneFileSystem === true,
    rereadAll: options.reread === true,
    dryRun: options.dryRun === true,
  };
}

function report({ out }: Session, { told, ...taken }: Taken): void {
  for (const note of told) out.emit("skipped", note, () => `${note.kind.padEnd(10)}  ${note.path}: ${note.why}`);
  const unnamed = Object.values(taken.notes).reduce((sum, count) => sum + count, 0) - told.length;
  if (unnamed > 0) out.line(`and ${unnamed} more`);
  const { id, name, timeMs, files, bytes, changes, newBytes, storedBytes } = taken;
  const head = id === undefined ? "nothing is kept: a dry run" : `${name}@${id.slice(0, 12)}  ${moment(timeMs)}`;
  const kinds = `${changes.new} new, ${changes.changed} changed, ${changes.unchanged} unchanged`;
  const cost = newBytes === undefined ? `${bytesText(storedBytes)} stored` : `${bytesText(newBytes)} new`;
  out.emit("summary", taken, () => `${head}\n${files} files, ${bytesText(bytes)}: ${kinds}; ${cost}`);
}
