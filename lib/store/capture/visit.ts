/**
 * A folder that is being read: its names in order, and which of its folders are gone into. Both
 * passes over a folder, the survey and the reading, see it through this [T4].
 */
import type { BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { compareBytes } from "../../base/index.ts";
import { displayPath, joinPath } from "../tree/name.ts";
import { OpenFolder } from "../tree/open-folder.ts";
import { noteOfFailure, type OnNote } from "./note.ts";
import type { Selection } from "./selection.ts";

export interface VisitRules {
  readonly selection: Selection;
  /** Folders on which another file system is mounted are kept empty. */
  readonly oneFileSystem?: boolean;
  /** Folders that are kept empty, by keyOf: above all the store that is being written. */
  readonly closed?: ReadonlySet<string>;
}

/** Something in a folder. */
export interface Child {
  readonly name: Uint8Array;
  readonly stats: BigIntStats;
  /** For system calls, while the folder is open. */
  readonly at: Buffer;
  /** For people. */
  readonly shown: Buffer;
  /** Names from the top. */
  readonly names: readonly Uint8Array[];
}

const LOOKED_AT_ONCE = 64;

/** Which file it is, whatever its name. */
export function keyOf(stats: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${stats.dev}:${stats.ino}`;
}

interface VisitFields {
  readonly folder: OpenFolder;
  readonly rules: VisitRules;
  readonly selection: Selection;
  readonly shown: Buffer;
  readonly names: readonly Uint8Array[];
  readonly dev: bigint;
  /** Folders above and this one: who meets one of them again goes round in a loop. */
  readonly above: ReadonlySet<string>;
}

export class Visit {
  readonly #fields: VisitFields;

  private constructor(fields: VisitFields) {
    this.#fields = fields;
  }

  /** Opens the top. Throws as node:fs does. */
  static async open(path: Buffer, stats: BigIntStats, rules: VisitRules): Promise<Visit> {
    const folder = await OpenFolder.open(path, { followLink: true });
    const selection = await rules.selection.within(folder, []);
    const above = new Set([keyOf(stats)]);
    return new Visit({ folder, rules, selection, shown: path, names: [], dev: stats.dev, above });
  }

  /** The folder itself, for system calls. */
  get self(): Buffer {
    return this.#fields.folder.self;
  }

  get shown(): Buffer {
    return this.#fields.shown;
  }

  /** What is in the folder and not left out, by name. Throws as node:fs does when it cannot be listed. */
  async *children(onNote: OnNote): AsyncGenerator<Child> {
    const names = (await readdir(this.self, { encoding: "buffer" })).sort(compareBytes);
    for (let start = 0; start < names.length; start += LOOKED_AT_ONCE) {
      const some = names.slice(start, start + LOOKED_AT_ONCE);
      for (const child of await Promise.all(some.map((name) => this.#look(name, onNote)))) {
        if (child === undefined) continue;
        if (!this.#fields.selection.leavesOut(child.names, child.stats.isDirectory())) yield child;
      }
    }
  }

  /** Opens a folder in this one; undefined when it is to be kept empty. Throws as node:fs does. */
  async enter(child: Child, onNote: OnNote): Promise<Visit | undefined> {
    const { rules, above, dev } = this.#fields;
    const why = this.#barOf(child.stats);
    if (why !== undefined) {
      onNote({ kind: "skipped", path: displayPath(child.shown), why });
      return undefined;
    }
    const folder = await OpenFolder.open(child.at);
    const selection = await this.#fields.selection.within(folder, child.names);
    const key = keyOf(child.stats);
    return new Visit({
      folder,
      rules,
      selection,
      shown: child.shown,
      names: child.names,
      dev,
      above: new Set([...above, key]),
    });
  }

  async close(): Promise<void> {
    await this.#fields.folder.close();
  }

  #barOf(stats: BigIntStats): string | undefined {
    const { above, rules, dev } = this.#fields;
    if (above.has(keyOf(stats))) return "a folder above it is mounted here: a loop";
    if (rules.closed?.has(keyOf(stats))) return "the store itself";
    return rules.oneFileSystem && stats.dev !== dev ? "another file system" : undefined;
  }

  async #look(name: Buffer, onNote: OnNote): Promise<Child | undefined> {
    const { folder, shown, names } = this.#fields;
    const [at, path] = [folder.at(name), joinPath(shown, name)];
    try {
      return { name, stats: await lstat(at, { bigint: true }), at, shown: path, names: [...names, name] };
    } catch (error) {
      onNote(noteOfFailure(path, error));
      return undefined;
    }
  }
}
