/** A file's attributes: as read, and as written back as far as this user may [T4]. */
import type { BigIntStats } from "node:fs";
import { chmod, lchown } from "node:fs/promises";
import { setModifiedTime } from "../../addon.ts";
import type { Attributes } from "./node.ts";

const MODE_BITS = 0o7777n;
const SET_ID_BITS = 0o6000;

export function attributesOf(stats: BigIntStats): Attributes {
  return {
    mode: Number(stats.mode & MODE_BITS),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtimeNs: stats.mtimeNs,
  };
}

/** Added to every owner: where a container's user namespace begins on the host. */
export interface IdShift {
  readonly uid: number;
  readonly gid: number;
}

/** Gives a file its owner, mode and time, in the order in which none undoes another. Returns what was not possible. */
export async function applyAttributes(path: Buffer, wanted: Attributes, isLink: boolean): Promise<string[]> {
  const faults: string[] = [];
  const isOwned = await giveOwner(path, wanted);
  if (!isOwned) faults.push(`owner ${wanted.uid}:${wanted.gid} needs root`);
  if (wanted.xattrs !== undefined) faults.push("extended attributes are not restored yet");
  if (!isLink) {
    // A set-user-id program must not become one of another user.
    const mode = isOwned ? wanted.mode : wanted.mode & ~SET_ID_BITS;
    if (mode !== wanted.mode) faults.push("set-id bits are left out without the owner");
    await chmod(path, mode);
  }
  setModifiedTime(path, wanted.mtimeNs);
  return faults;
}

async function giveOwner(path: Buffer, { uid, gid }: Attributes): Promise<boolean> {
  try {
    await lchown(path, uid, gid);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EPERM") return false;
    throw error;
  }
}
