/**
 * The demo's folder. A run begins with an empty one, and never deletes what no demo made: the
 * folder bears a mark, and only a marked folder is emptied.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { GdoError } from "../../base/index.ts";
import { NODE_NAMES } from "../demo-script/cast.ts";
import { lockHome } from "../home/lock.ts";

const MARK = ".gdo-demo";
const LOCK = "demo.lock";

/** `--home`, else a place for state that can be lost. */
export function demoFolder(flag: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  if (flag !== undefined) return resolve(flag);
  return join(env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "gdo-demo");
}

/** Makes the folder, or empties a former demo's. The result lets go of it; what it holds stays to be looked at. */
export function claimFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, MARK))) {
    if (readdirSync(folder).length > 0) {
      throw new GdoError("HOME_EXISTS", `${folder} holds something that no demo made`, {
        hint: "gdo demo --home NEW-FOLDER",
      });
    }
    writeFileSync(join(folder, MARK), "Made by gdo demo, which deletes and makes it again at its next run.\n");
  }
  const release = lockHome(join(folder, LOCK), `the demo in ${folder}`);
  for (const node of NODE_NAMES) {
    rmSync(join(folder, node), { recursive: true, force: true });
    for (const kind of ["agent", "door"]) rmSync(join(folder, `${node}-${kind}.log`), { force: true });
  }
  return release;
}
