/**
 * Appends to the one open pack. Nothing written is ever changed; a failed append is repeated at the
 * same place with the same bytes, so a reader beside it never sees two versions of one offset [T7].
 * Not for concurrent use: the store calls one method at a time.
 */
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { concatBytes, GdoError, type Hash } from "../../base/index.ts";
import { ioError, withIoErrors } from "../io-error.ts";
import type { PackContents } from "./catalog.ts";
import { encodeFooter, encodePackHeader, type FooterEntry } from "./frame.ts";
import { encodeMark } from "./record.ts";

const BUFFER_BYTES_MAX = 1024 * 1024;

export class PackWriter {
  readonly pack: number;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #entries: FooterEntry[];
  /** Written to the file; buffered pieces follow. */
  #writtenBytes: number;
  #pieces: Uint8Array[] = [];
  #piecesBytes = 0;
  /** Some record has no commit mark after it. */
  #needsMark: boolean;
  #needsSync: boolean;
  /** Set when a sync failed: the kernel may have dropped what it could not write, so nothing more is promised. */
  #failure: GdoError | undefined;

  private constructor(pack: number, path: string, handle: FileHandle, contents: PackContents) {
    this.pack = pack;
    this.#path = path;
    this.#handle = handle;
    this.#entries = [...contents.entries];
    this.#writtenBytes = contents.endBytes;
    this.#needsMark = contents.endBytes > contents.markedBytes;
    this.#needsSync = this.#needsMark;
  }

  /** Goes on with a pack, cutting off a torn append; with no contents, begins one. */
  static async open(pack: number, path: string, contents: PackContents): Promise<PackWriter> {
    return withIoErrors(`cannot open ${path}`, async () => {
      const handle = await open(path, contents.endBytes === 0 ? "w+" : "r+", 0o600);
      const writer = new PackWriter(pack, path, handle, contents);
      await handle.truncate(contents.endBytes);
      if (contents.endBytes === 0) {
        await syncFolder(dirname(path)); // Else a crash could take the file's name with it.
        writer.#push(encodePackHeader(pack));
      }
      return writer;
    });
  }

  /** Where the next record goes; also the pack's size, buffered bytes included. */
  get endBytes(): number {
    return this.#writtenBytes + this.#piecesBytes;
  }

  get records(): number {
    return this.#entries.length;
  }

  /** Takes a record and returns its offset. It is readable at once, and durable after the next commit. */
  async append(id: Hash, record: Uint8Array): Promise<number> {
    this.#assertUsable();
    // Before taking more: on a full disk the caller hears of it, and memory stays bounded.
    if (this.#piecesBytes >= BUFFER_BYTES_MAX) await this.#flush();
    const offset = this.endBytes;
    this.#push(record);
    this.#entries.push({ id, offset, recordBytes: record.length });
    this.#needsMark = true;
    return offset;
  }

  /** A record that is not in the file yet; undefined when it is. */
  buffered(offset: number): Uint8Array | undefined {
    let at = this.#writtenBytes;
    if (offset < at) return undefined;
    for (const piece of this.#pieces) {
      if (at === offset) return piece;
      at += piece.length;
    }
    return undefined;
  }

  /** Everything appended before is durable when it resolves. */
  async commit(): Promise<void> {
    this.#assertUsable();
    if (this.#needsMark) this.#push(encodeMark());
    this.#needsMark = false;
    await this.#flush();
    if (this.#needsSync) await this.#sync();
  }

  /** Ends the pack with its footer, durably, and closes it. */
  async seal(): Promise<void> {
    this.#assertUsable();
    await this.#flush();
    this.#push(encodeFooter(this.#entries, this.#writtenBytes));
    try {
      await this.#flush();
    } catch (error) {
      this.#pieces = []; // The pack stays open for a later attempt.
      this.#piecesBytes = 0;
      await this.#handle.truncate(this.#writtenBytes).catch(() => undefined); // Else it is a torn tail: harmless.
      throw error;
    }
    await this.#sync();
    await this.#handle.close();
  }

  /** Closes the file as it is. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  #push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#piecesBytes += piece.length;
  }

  async #flush(): Promise<void> {
    if (this.#piecesBytes === 0) return;
    const bytes = concatBytes(this.#pieces);
    this.#needsSync = true;
    await withIoErrors(`cannot write ${this.#path}`, async () => {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#writtenBytes + done);
        done += bytesWritten;
      }
    });
    this.#writtenBytes += bytes.length;
    this.#pieces = [];
    this.#piecesBytes = 0;
  }

  async #sync(): Promise<void> {
    try {
      await this.#handle.datasync();
      this.#needsSync = false;
    } catch (cause) {
      this.#failure = ioError(cause, `cannot make ${this.#path} durable`);
      throw this.#failure;
    }
  }

  #assertUsable(): void {
    if (this.#failure !== undefined)
      throw new GdoError("IO", "the store must be opened anew", { cause: this.#failure });
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
