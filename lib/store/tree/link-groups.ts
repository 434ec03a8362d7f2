/**
 * Which names of a folder are one file. A group is named by the first of its paths, not by a number
 * of the file system, so that the same folder gives the same tree anywhere [T4].
 */
import type { BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { blake3 } from "../../addon.ts";
import { compareBytes, toHex } from "../../base/index.ts";
import { joinPath } from "./name.ts";

const GROUP_BYTES = 8;

interface Group {
  first: Uint8Array;
  names: number;
}

export class LinkGroups {
  readonly #groups = new Map<string, Group>();

  /** Looks at everything below a folder. What vanishes meanwhile is left out. */
  async scan(folder: Buffer, relative: Uint8Array = new Uint8Array(0)): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true, encoding: "buffer" })) {
      const path = joinPath(folder, entry.name);
      const name = joinPath(relative, entry.name);
      if (entry.isDirectory()) await this.scan(path, name).catch(ignoreAbsence);
      else if (entry.isFile()) await this.#look(path, name).catch(ignoreAbsence);
    }
  }

  /** The group of a file that has more than one name in the folder. */
  of(stats: BigIntStats): string | undefined {
    const group = this.#groups.get(keyOf(stats));
    if (group === undefined || group.names < 2) return undefined;
    return toHex(blake3(Uint8Array.from(group.first)).subarray(0, GROUP_BYTES));
  }

  async #look(path: Buffer, name: Uint8Array): Promise<void> {
    const stats = await lstat(path, { bigint: true });
    if (stats.nlink < 2n) return;
    const group = this.#groups.get(keyOf(stats)) ?? { first: name, names: 0 };
    group.names += 1;
    if (compareBytes(name, group.first) < 0) group.first = name;
    this.#groups.set(keyOf(stats), group);
  }
}

function keyOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}

/** The reading that follows tells of what it cannot read; here it is enough not to have seen it. */
function ignoreAbsence(error: unknown): void {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || !["ENOENT", "ENOTDIR", "EACCES"].includes(code)) throw error;
}
