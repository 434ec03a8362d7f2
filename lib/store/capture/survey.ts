/** The first pass over a folder: how much there is to read, and which names are one file. */
import type { BigIntStats } from "node:fs";
import { LinkGroups } from "./link-groups.ts";
import { noteOfFailure } from "./note.ts";
import { type Child, Visit, type VisitRules } from "./visit.ts";

export class Survey {
  readonly groups = new LinkGroups();
  /** Names of files; what has several names counts several times. */
  files = 0;
  /** Their content, holes included. */
  bytes = 0;

  /** Looks at everything below a folder. The second pass tells of what cannot be read. */
  static async of(path: Buffer, stats: BigIntStats, rules: VisitRules): Promise<Survey> {
    const survey = new Survey();
    await survey.#folder(await Visit.open(path, stats, rules));
    return survey;
  }

  async #folder(visit: Visit): Promise<void> {
    try {
      for await (const child of visit.children(() => {})) await this.#child(visit, child);
    } catch (error) {
      noteOfFailure(visit.shown, error); // Throws what is no failed system call.
    } finally {
      await visit.close();
    }
  }

  async #child(visit: Visit, child: Child): Promise<void> {
    const { stats, names } = child;
    if (!stats.isDirectory()) {
      this.groups.add(stats, names);
      if (!stats.isFile()) return;
      this.files += 1;
      this.bytes += Number(stats.size);
      return;
    }
    try {
      const inner = await visit.enter(child, () => {});
      if (inner !== undefined) await this.#folder(inner);
    } catch (error) {
      noteOfFailure(child.shown, error);
    }
  }
}
