/** The pack files of a folder: their names, and reading from them with a bounded number held open. */
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { GdoError } from "../../base/index.ts";
import { ioError, withIoErrors } from "../io-error.ts";
import type { ByteSource } from "./scan.ts";

const PACK_NAME = /^[0-9a-f]{8}\.pack$/;
const OPEN_MAX = 64; // 1 TB is 8,192 packs; a process may have 1,024 files open.
const READ_AHEAD_BYTES = 1024 * 1024;

interface OpenPack {
  readonly handle: Promise<FileHandle>;
  users: number;
}

export class PackFiles {
  readonly dir: string;
  /** Least recently used first. */
  readonly #open = new Map<number, OpenPack>();
  #isClosed = false;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Numbers of the packs there are, ascending. */
  async list(): Promise<number[]> {
    const names = await withIoErrors(`cannot read ${this.dir}`, () => readdir(this.dir));
    return names
      .filter((name) => PACK_NAME.test(name))
      .map((name) => Number.parseInt(name, 16))
      .sort((a, b) => a - b);
  }

  nameOf(pack: number): string {
    return `${pack.toString(16).padStart(8, "0")}.pack`;
  }

  pathOf(pack: number): string {
    return join(this.dir, this.nameOf(pack));
  }

  async sizeBytes(pack: number): Promise<number> {
    return this.#use(pack, async (handle) => (await handle.stat()).size);
  }

  /** Exactly these bytes, or STORE_CORRUPT where the file ends before. */
  async read(pack: number, offset: number, lengthBytes: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(lengthBytes);
    const readBytes = await this.#use(pack, (handle) => readFully(handle, buffer, offset));
    if (readBytes === lengthBytes) return buffer;
    throw new GdoError("STORE_CORRUPT", `${this.nameOf(pack)} ends before offset ${offset + lengthBytes}`);
  }

  /** The pack as it is now, for reading from front to back. */
  async source(pack: number): Promise<ByteSource> {
    const sizeBytes = await this.sizeBytes(pack);
    let start = 0;
    let window: Uint8Array = new Uint8Array(0);
    const read = async (offset: number, lengthBytes: number): Promise<Uint8Array> => {
      if (offset < start || offset + lengthBytes > start + window.length) {
        start = offset;
        window = await this.read(pack, offset, Math.max(lengthBytes, Math.min(READ_AHEAD_BYTES, sizeBytes - offset)));
      }
      return window.subarray(offset - start, offset - start + lengthBytes);
    };
    return { sizeBytes, read };
  }

  /** Lets go of packs that are about to go. */
  forget(packs: readonly number[]): void {
    for (const pack of packs) {
      const entry = this.#open.get(pack);
      this.#open.delete(pack);
      if (entry !== undefined) void this.#closeUnused(pack, entry);
    }
  }

  /** Lets go of all files; one that is being read, or is read later, is closed when that is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const entries = [...this.#open];
    this.#open.clear();
    for (const [pack, entry] of entries) await this.#closeUnused(pack, entry);
  }

  async #use<T>(pack: number, task: (handle: FileHandle) => Promise<T>): Promise<T> {
    const entry = this.#open.get(pack) ?? { handle: open(this.pathOf(pack), "r"), users: 0 };
    this.#open.delete(pack);
    if (!this.#isClosed) this.#open.set(pack, entry);
    entry.users += 1;
    try {
      return await task(await entry.handle);
    } catch (cause) {
      // The file may be gone or replaced: the next reader opens it anew.
      if (this.#open.get(pack) === entry) this.#open.delete(pack);
      throw ioError(cause, `cannot read ${this.pathOf(pack)}`);
    } finally {
      entry.users -= 1;
      await this.#closeUnused(pack, entry);
      await this.#evict();
    }
  }

  async #closeUnused(pack: number, entry: OpenPack): Promise<void> {
    if (entry.users > 0 || this.#open.get(pack) === entry) return;
    await entry.handle.then((handle) => handle.close()).catch(() => undefined); // Opened for reading: nothing is lost.
  }

  async #evict(): Promise<void> {
    for (const [pack, entry] of this.#open) {
      if (this.#open.size <= OPEN_MAX) return;
      if (entry.users > 0) continue;
      this.#open.delete(pack);
      await this.#closeUnused(pack, entry);
    }
  }
}

async function readFully(handle: FileHandle, buffer: Buffer, offset: number): Promise<number> {
  let done = 0;
  while (done < buffer.length) {
    const { bytesRead } = await handle.read(buffer, done, buffer.length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}
