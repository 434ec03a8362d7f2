/** Only one process writes to a home. Apart from home.ts, since who only asks the running agent needs no addon. */
import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { tryLockFile } from "../../addon.ts";
import { GdoError } from "../../base/index.ts";

/**
 * Takes the lock or throws HOME_LOCKED naming the holder. The kernel holds it for as long as the process
 * lives, so nothing is left of one that was killed. The result gives the lock back.
 */
export function lockHome(lockPath: string, what: string): () => void {
  const fd = openLock(lockPath);
  if (tryLockFile(fd)) {
    ftruncateSync(fd, 0);
    writeSync(fd, `${process.pid}\n`);
    return () => closeSync(fd);
  }
  const holder = readFileSync(fd, "utf8").trim();
  closeSync(fd);
  const who = /^\d+$/.test(holder) ? `process ${holder}` : "another process";
  throw new GdoError("HOME_LOCKED", `${what} is in use by ${who}`, { hint: "stop it, or use another --home" });
}

function openLock(lockPath: string): number {
  try {
    return openSync(lockPath, constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (cause) {
    throw new GdoError("IO", `cannot open ${lockPath}`, { cause });
  }
}
