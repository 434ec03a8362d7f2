/** Folders whose names a loss of power does not take away [T8]. */
import { mkdir, open, opendir } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";

/**
 * Makes a folder and those above it that are missing, for the owner alone; durable when it resolves. An
 * empty one may be what another process made and was killed before it could sync: it counts as just made,
 * and so does one above that holds nothing else.
 */
export async function makeFolder(path: string): Promise<void> {
  let made = resolve(path);
  await makeAll(made);
  for (let inside: string | undefined; made !== dirname(made) && (await holdsOnly(made, inside)); ) {
    await syncFolder(dirname(made));
    [made, inside] = [dirname(made), basename(made)];
  }
}

/** Level by level: `recursive` tells a full disk as a folder that is not there. */
async function makeAll(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || path === dirname(path)) throw error;
    await makeAll(dirname(path));
    await makeAll(path); // Somebody else may make it meanwhile: that is no failure.
  }
}

/** Whether a folder has no name in it but this one. */
async function holdsOnly(path: string, name: string | undefined): Promise<boolean> {
  for await (const entry of await opendir(path)) if (entry.name !== name) return false;
  return true;
}

/** The names in a folder are durable when it resolves. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
