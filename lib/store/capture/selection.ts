/**
 * What of a folder is read. Patterns have the words of .gitignore; of two that match, the later one
 * holds. From weakest to strongest: a file of patterns, the .gdoignore of each folder from the top
 * down, patterns given by hand. What lies in a folder that is left out is never looked at.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { OpenFolder } from "../tree/open-folder.ts";
import { type IgnorePattern, matchesPattern, parseIgnoreFile, parseIgnoreLine } from "./ignore-pattern.ts";

export interface Selection {
  /** Whether something is left out, by its names from the top. */
  leavesOut(names: readonly Uint8Array[], isFolder: boolean): boolean;
  /** The selection within a folder that is about to be read. */
  within(folder: OpenFolder, names: readonly Uint8Array[]): Promise<Selection>;
}

export const EVERYTHING: Selection = {
  leavesOut: () => false,
  within: async () => EVERYTHING,
};

/** Patterns, and how many names above them lie their folder. */
interface Layer {
  readonly depth: number;
  readonly patterns: readonly IgnorePattern[];
}

export interface ExclusionOptions {
  /** Patterns given by hand. */
  readonly patterns?: readonly string[];
  /** Contents of files of patterns. */
  readonly files?: readonly Uint8Array[];
}

const IGNORE_FILE = Buffer.from(".gdoignore");
const IGNORE_BYTES_MAX = 1024 * 1024;

/** Everything but what patterns and .gdoignore files name. */
export function selectionOf({ patterns = [], files = [] }: ExclusionOptions): Selection {
  const given = patterns.flatMap((pattern) => parseIgnoreLine(Buffer.from(pattern).toString("latin1")) ?? []);
  return new Exclusion(files.length === 0 ? [] : [{ depth: 0, patterns: files.flatMap(parseIgnoreFile) }], given);
}

class Exclusion implements Selection {
  /** Weakest first. */
  readonly #layers: readonly Layer[];
  readonly #given: readonly IgnorePattern[];

  constructor(layers: readonly Layer[], given: readonly IgnorePattern[]) {
    this.#layers = layers;
    this.#given = given;
  }

  leavesOut(names: readonly Uint8Array[], isFolder: boolean): boolean {
    if (this.#layers.length === 0 && this.#given.length === 0) return false;
    const texts = names.map((name) => Buffer.from(name).toString("latin1"));
    for (const { depth, patterns } of [{ depth: 0, patterns: this.#given }, ...this.#layers.toReversed()]) {
      const below = texts.slice(depth);
      const last = patterns.findLast((pattern) => matchesPattern(pattern, below, isFolder));
      if (last !== undefined) return !last.isNegated;
    }
    return false;
  }

  async within(folder: OpenFolder, names: readonly Uint8Array[]): Promise<Selection> {
    const patterns = await readPatterns(folder);
    if (patterns.length === 0) return this;
    return new Exclusion([...this.#layers, { depth: names.length, patterns }], this.#given);
  }
}

/** None where there is no such file; one that cannot be read is told of when its turn comes to be kept. */
async function readPatterns(folder: OpenFolder): Promise<IgnorePattern[]> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(folder.at(IGNORE_FILE), flags).catch(() => undefined);
  if (handle === undefined) return [];
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > IGNORE_BYTES_MAX) return [];
    return parseIgnoreFile(await handle.readFile());
  } catch {
    return [];
  } finally {
    await handle.close();
  }
}
