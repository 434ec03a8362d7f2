/**
 * An open folder. Names are looked up in it and not by its path, so it does not matter how long the
 * path is, nor that somebody moves the folder or puts a link in its place meanwhile [T4]. Node.js has
 * no openat() and its kin: a name below /proc/self/fd/N is the same to the kernel.
 */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { joinPath, toPath } from "./name.ts";

/** Linux: a place to look names up in, which needs no right to read. node:fs does not name it. */
export const O_PATH = 0o10000000;

export class OpenFolder {
  readonly #handle: FileHandle;
  /** The folder itself, for any system call while it is open. */
  readonly self: Buffer;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
    this.self = toPath(`/proc/self/fd/${handle.fd}/.`);
  }

  /** Opens a folder; not through a link unless told. Throws as node:fs does. */
  static async open(path: Buffer, options: { readonly followLink?: boolean } = {}): Promise<OpenFolder> {
    const flags = O_PATH | constants.O_DIRECTORY | (options.followLink ? 0 : constants.O_NOFOLLOW);
    return new OpenFolder(await open(path, flags));
  }

  /** A name in the folder, for any system call while it is open. */
  at(name: Uint8Array): Buffer {
    return joinPath(this.self.subarray(0, -2), name);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
