/**
 * Which names of a folder are one file. A group is named by the first of its paths, not by a number
 * of the file system, so that the same folder gives the same tree anywhere [T4].
 */
import type { BigIntStats } from "node:fs";
import { blake3 } from "../../addon.ts";
import { compareBytes, toHex } from "../../base/index.ts";
import { joinPath } from "../tree/name.ts";
import { keyOf } from "./visit.ts";

const GROUP_BYTES = 8;

interface Group {
  first: Uint8Array;
  names: number;
}

export class LinkGroups {
  readonly #groups = new Map<string, Group>();

  /** Sees one name of a file that is no folder, by its names from the top. */
  add(stats: BigIntStats, names: readonly Uint8Array[]): void {
    if (stats.nlink < 2n) return;
    const path = names.reduce<Uint8Array>(joinPath, new Uint8Array(0));
    const group = this.#groups.get(keyOf(stats)) ?? { first: path, names: 0 };
    group.names += 1;
    if (compareBytes(path, group.first) < 0) group.first = path;
    this.#groups.set(keyOf(stats), group);
  }

  /** The group of a file that has more than one name in the folder. */
  of(stats: BigIntStats): string | undefined {
    const group = this.#groups.get(keyOf(stats));
    if (group === undefined || group.names < 2) return undefined;
    return toHex(blake3(Uint8Array.from(group.first)).subarray(0, GROUP_BYTES));
  }
}
