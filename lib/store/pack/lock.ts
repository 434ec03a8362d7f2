/**
 * One writer per store. The kernel holds the lock for as long as the process lives, so a killed writer
 * leaves nothing to clean up and no stale lock to guess about.
 */
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { tryLockFile } from "../../addon.ts";
import { GdoError } from "../../base/index.ts";
import { withIoErrors } from "../io-error.ts";

const LOCK_NAME = "lock";

/** Takes the writer's lock of a store or throws HOME_LOCKED. Closing the handle gives it back. */
export async function lockStore(dir: string): Promise<FileHandle> {
  const path = join(dir, LOCK_NAME);
  const handle = await withIoErrors(`cannot open ${path}`, () => open(path, "a+", 0o600));
  if (tryLockFile(handle.fd)) {
    await noteHolder(handle);
    return handle;
  }
  const holder = (await handle.readFile("utf8").catch(() => "")).trim();
  await handle.close();
  const who = /^\d+$/.test(holder) ? `process ${holder}` : "another process";
  throw new GdoError("HOME_LOCKED", `the store ${dir} is being written to by ${who}`, {
    hint: "wait until it is done, or stop it",
  });
}

/** Only for the message: on a full disk the lock holds without it. */
async function noteHolder(handle: FileHandle): Promise<void> {
  try {
    await handle.truncate(0);
    await handle.write(`${process.pid}\n`);
  } catch {
    // The lock itself is in the kernel.
  }
}
