/** `gdo import doorbot`: an access list as entries of the membership dapp. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { tagRef } from "../../access/index.ts";
import { fromHex, GdoError, type Hash } from "../../base/index.ts";
import {
  DOORBOT_FILE_BYTES_MAX,
  type DoorbotList,
  type DoorbotProblem,
  importActs,
  parseDoorbot,
} from "../../interop/index.ts";
import type { Act } from "../../ledger/index.ts";
import { credentialMac } from "./credential-mac.ts";

export interface ImportReport {
  readonly format: string;
  readonly rows: number;
  readonly people: number;
  readonly credentials: number;
  readonly allowed: number;
  readonly denied: number;
  readonly problems: readonly DoorbotProblem[];
  readonly entries: readonly Hash[];
}

export interface ImportOptions {
  readonly path: string;
  /** What the server's header X-Hash-SHA224 said. */
  readonly expectHash?: string;
  readonly credentialKey: Uint8Array;
  /** One entry for each group, all of them or none. */
  append(app: string, groups: readonly (readonly Act[])[]): Hash[];
}

/** NOT_FOUND, PERMISSION, INPUT_INVALID; then nothing was appended. */
export function importDoorbot(options: ImportOptions): ImportReport {
  const list = readList(options.path, options.expectHash);
  const mac = credentialMac(options.credentialKey);
  const groups = importActs(list.rows, (sha224) => tagRef(mac, fromHex(sha224) as Uint8Array));
  const acts = groups.flat();
  const verdicts = new Map(list.rows.map(({ hash, verdict }) => [hash, verdict]));
  const allowed = [...verdicts.values()].filter((verdict) => verdict === "allowed").length;
  return {
    format: list.format,
    rows: list.rows.length,
    people: acts.filter(({ type }) => type === "person.put").length,
    credentials: acts.filter(({ type }) => type === "credential.put").length,
    allowed,
    denied: verdicts.size - allowed,
    problems: list.problems,
    entries: options.append("membership", groups),
  };
}

function readList(path: string, expectHash: string | undefined): DoorbotList {
  const bytes = readBounded(path);
  const sha224Of = (body: Uint8Array): string => createHash("sha224").update(body).digest("hex");
  const expected = expectHash === undefined ? {} : { expected: { sha224: expectHash, sha224Of } };
  return parseDoorbot(bytes, { sha224Of, ...expected });
}

function readBounded(path: string): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > DOORBOT_FILE_BYTES_MAX)
      throw new GdoError("INPUT_INVALID", `${path} has ${size} bytes, more than ${DOORBOT_FILE_BYTES_MAX}`);
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    if (cause instanceof GdoError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new GdoError("NOT_FOUND", `no such file: ${path}`, { cause });
    throw new GdoError(code === "EACCES" ? "PERMISSION" : "IO", `cannot read ${path}: ${code ?? ""}`, { cause });
  }
}
