/** `gdo restore`: a snapshot back into a folder, as far as this user may. */
import { resolve } from "node:path";
import { ERROR_CODES } from "../../../base/index.ts";
import type { CommandSpec, Session } from "../../command.ts";
import { bytesText, ProgressDisplay } from "../../progress.ts";
import { collected } from "../../values.ts";

/** Paths named for each reason, unless --json: a plain user may lack the owner of every file. */
const NAMED_MAX = 20;

export const restore: CommandSpec = {
  name: "restore",
  summary: "Write a snapshot back into a folder, and name what this user cannot restore.",
  arguments: [
    { form: "<name>", about: "the newest snapshot of this name, or NAME@ID, with the first digits of its id" },
    { form: "<dest>", about: "where to; it must not exist or be empty" },
  ],
  options: [
    { flags: "--overwrite", about: "replace files that are in the way, and keep what else is there" },
    { flags: "--include <path>", about: "only this path of the snapshot; may be given again", parse: collected },
  ],
  exits: {
    1: "something is in the way",
    3: "there is no home",
    8: "this user may not write there",
    10: "there is no such snapshot, or no such path in it",
    11: "several ids begin so",
    12: "the name or the id cannot be one",
    13: "a file cannot be written",
    14: "some things could not be restored as they were; they are named",
    20: "something in the store is damaged",
    21: "something is not in the store",
    22: "the disk is full",
  },
  example: "gdo restore shared@7f3c01d2 ./shared-in-may --include minutes",
  async run(session, { args: [spec, dest], options }) {
    const { homeRoot, openSnapshotReader } = await import("../../../agent/index.ts");
    const reader = await openSnapshotReader(homeRoot(session.homeFlag));
    const display = await ProgressDisplay.open(session);
    const lost = new Lost(session);
    try {
      const snapshot = await reader.resolve(String(spec));
      let bytes = 0;
      const include = (options.include ?? []) as readonly string[];
      await reader.restore(snapshot, resolve(String(dest)), {
        overwrite: options.overwrite === true,
        include,
        onSkipped: (path, why) => lost.add(path, why),
        onProgress: (doneBytes) => {
          bytes = doneBytes;
          display.show({ bytes, bytesTotal: snapshot.sizeBytes });
        },
      });
      display.close();
      lost.report();
      const { name, id, timeMs } = snapshot;
      const fields = { name, id, timeMs, path: resolve(String(dest)), bytes, skipped: lost.count };
      session.out.emit("summary", fields, () => `${name}@${id.slice(0, 12)} restored, ${bytesText(bytes)} of content`);
      return lost.count === 0 ? 0 : ERROR_CODES.INCOMPLETE;
    } finally {
      display.close();
      await reader.close();
    }
  },
};

/** What could not be restored, by its reason. */
class Lost {
  count = 0;
  readonly #session: Session;
  readonly #byReason = new Map<string, { count: number; readonly paths: string[] }>();

  constructor(session: Session) {
    this.#session = session;
  }

  add(path: string, why: string): void {
    this.count += 1;
    if (this.#session.json) return this.#session.out.emit("skipped", { path, why }, () => "");
    const group = this.#byReason.get(why) ?? { count: 0, paths: [] };
    group.count += 1;
    if (group.paths.length < NAMED_MAX) group.paths.push(path);
    this.#byReason.set(why, group);
  }

  report(): void {
    for (const [why, { count, paths }] of this.#byReason) {
      for (const path of paths) this.#session.out.line(`${path}: ${why}`);
      if (count > paths.length) this.#session.out.line(`and ${count - paths.length} more: ${why} (--json names all)`);
    }
  }
}
