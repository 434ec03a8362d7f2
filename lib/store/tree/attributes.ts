/** A file's attributes: as read, and as written back as far as this user may [T4]. */
import { type BigIntStats, constants } from "node:fs";
import { chmod, type FileHandle, lchown, open } from "node:fs/promises";
import { type FileTarget, getXattr, listXattrs, removeXattr, setModifiedTime, setXattr } from "../../addon.ts";
import { compareBytes, equalBytes } from "../../base/index.ts";
import { reasonOf } from "../io-error.ts";
import { displayPath } from "./name.ts";
import type { Attributes, Xattr } from "./node.ts";
import { O_PATH } from "./open-folder.ts";

const MODE_BITS = 0o7777n;
const SET_ID_BITS = 0o6000;

export function attributesOf(stats: BigIntStats, xattrs: readonly Xattr[] = []): Attributes {
  return {
    mode: Number(stats.mode & MODE_BITS),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtimeNs: stats.mtimeNs,
    ...(xattrs.length === 0 ? {} : { xattrs }),
  };
}

/** All that this user may see, by name: ACLs and capabilities are among them. Throws as node:fs does. */
export function readXattrs(file: FileTarget): Xattr[] {
  return xattrNames(file)
    .sort(compareBytes)
    .flatMap((name) => {
      try {
        return [{ name, value: getXattr(file, name) }];
      } catch (error) {
        if (codeOf(error) === "ENODATA") return []; // Removed since it was listed.
        throw error;
      }
    });
}

function xattrNames(file: FileTarget): Uint8Array[] {
  const names: Uint8Array[] = [];
  let list: Uint8Array;
  try {
    list = listXattrs(file);
  } catch (error) {
    if (codeOf(error) === "ENOTSUP") return names; // The file system knows none.
    throw error;
  }
  for (let start = 0; start < list.length; ) {
    const end = list.indexOf(0, start);
    names.push(list.slice(start, end));
    start = end + 1;
  }
  return names;
}

/** Added to every owner: where a container's user namespace begins on the host. */
export interface IdShift {
  readonly uid: number;
  readonly gid: number;
}

/** A file that attributes are given to: by its descriptor where it has one, else by a name that is not followed. */
interface Receiver {
  readonly file: FileTarget;
  chown(uid: number, gid: number): Promise<void>;
  chmod(mode: number): Promise<void>;
}

/** Gives an open file its attributes. Returns what was not possible. Throws as node:fs does. */
export function applyToHandle(handle: FileHandle, wanted: Attributes): Promise<string[]> {
  return apply(
    { file: handle.fd, chown: (uid, gid) => handle.chown(uid, gid), chmod: (mode) => handle.chmod(mode) },
    wanted,
  );
}

/** As applyToHandle, by a name. A symbolic link has no mode of its own. */
export function applyToPath(path: Buffer, wanted: Attributes, isLink: boolean): Promise<string[]> {
  return apply(
    {
      file: path,
      chown: (uid, gid) => lchown(path, uid, gid),
      chmod: (mode) => (isLink ? Promise.resolve() : chmodUnfollowed(path, mode)),
    },
    wanted,
  );
}

/** In the order in which none undoes another: a new owner takes capabilities away, a read-only mode refuses the rest. */
async function apply(to: Receiver, wanted: Attributes): Promise<string[]> {
  const isOwned = await giveOwner(to, wanted);
  const faults = isOwned ? [] : [`owner ${wanted.uid}:${wanted.gid} needs root`];
  faults.push(...giveXattrs(to.file, wanted.xattrs ?? []));
  // A set-user-id program must not become one of another user.
  const mode = isOwned ? wanted.mode : wanted.mode & ~SET_ID_BITS;
  if (mode !== wanted.mode) faults.push("set-id bits are left out without the owner");
  await to.chmod(mode);
  setModifiedTime(to.file, wanted.mtimeNs);
  return faults;
}

async function giveOwner(to: Receiver, { uid, gid }: Attributes): Promise<boolean> {
  try {
    await to.chown(uid, gid);
    return true;
  } catch (error) {
    if (codeOf(error) === "EPERM") return false;
    throw error;
  }
}

/** Exactly these: what the folder's default ACL has given is taken away again, where that is allowed. */
function giveXattrs(file: FileTarget, wanted: readonly Xattr[]): string[] {
  for (const name of xattrNames(file)) {
    if (!wanted.some((xattr) => equalBytes(xattr.name, name))) attempt(() => removeXattr(file, name));
  }
  return wanted.flatMap(({ name, value }) => {
    const error = attempt(() => setXattr(file, name, value));
    return error === undefined ? [] : [`extended attribute ${displayPath(name)}: ${reasonOf(error)}`];
  });
}

function attempt(call: () => void): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** chmod() follows links: through a descriptor it cannot meet one that has taken the file's place. */
async function chmodUnfollowed(path: Buffer, mode: number): Promise<void> {
  const handle = await open(path, O_PATH | constants.O_NOFOLLOW);
  try {
    await chmod(`/proc/self/fd/${handle.fd}`, mode);
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
