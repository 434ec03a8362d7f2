/**
 * A disk in memory with a ledger's file on it: for simulations. It loses power exactly as a disk does: what
 * a commit had made durable stays, of what came after it nothing, a part or all stays, always whole
 * transactions in their order, as in SQLite's log. It can be full, be damaged, and be copied.
 *
 * How: a transaction of SQLite is open all the time. A durable commit ends it; a power cut rolls it back.
 */
import Database from "better-sqlite3";
import { GdoError } from "../base/index.ts";
import { asGdoError, Connection, prepare } from "./connection.ts";
import { LedgerDb } from "./ledger-db.ts";

const NAME = "a disk in memory";
/** SQLite's own greatest number of pages. */
const PAGES_MAX = 4_294_967_294;
const HEADER_BYTES = 100;

/** What is left of the transactions since the last durable one. */
export type Tail = "none" | "part" | "all";

/** Thrown in place of what a process would have gone on to do; to the process a failing disk. */
export class PowerCut extends GdoError {
  constructor(message: string) {
    super("IO", message);
  }
}

export class MemoryDisk {
  readonly #raw: Database.Database;
  #connection: MemoryConnection | undefined;
  #isFull = false;
  /**
   * Asked at each fsync: `before`, the power fails with nothing of it on disk; `after`, with all of it on
   * disk but nobody told.
   */
  onFsync: () => "before" | "after" | undefined = () => undefined;

  private constructor(raw: Database.Database) {
    this.#raw = raw;
  }

  static blank(): MemoryDisk {
    const raw = new Database(":memory:");
    prepare(raw, NAME, false);
    return new MemoryDisk(raw);
  }

  /** A process starts. Throws LEDGER_CORRUPT. */
  open(): LedgerDb {
    this.#connection = new MemoryConnection(this.#raw, () => this.onFsync());
    this.#connection.isFull = this.#isFull;
    try {
      return LedgerDb.on(this.#connection);
    } catch (error) {
      throw asGdoError(error, NAME);
    }
  }

  /** The process is gone, however it went: nothing that it still does reaches the disk. */
  powerCut(tail: Tail): void {
    this.#connection?.end(tail);
    this.#connection = undefined;
  }

  /** An image of what is on the disk, while no process uses it. */
  copy(): MemoryDisk {
    return MemoryDisk.#from(this.#raw.serialize());
  }

  /** As `copy`, with some bytes changed. The file's header is left alone: without it there is no file. */
  damaged(change: (bytes: Uint8Array) => void): MemoryDisk {
    const bytes = this.#raw.serialize();
    change(bytes.subarray(HEADER_BYTES));
    return MemoryDisk.#from(bytes);
  }

  static #from(bytes: Buffer): MemoryDisk {
    return new MemoryDisk(new Database(bytes));
  }

  /** While it is full no page can be added; what is there can change. */
  setFull(isFull: boolean): void {
    this.#isFull = isFull;
    this.#connection?.commit();
    const pages = Number(this.#raw.pragma("page_count", { simple: true }));
    this.#raw.pragma(`max_page_count = ${isFull ? pages : PAGES_MAX}`);
    if (this.#connection !== undefined) this.#connection.isFull = isFull;
  }

  get sizeBytes(): number {
    return Number(this.#raw.pragma("page_count", { simple: true })) * 4096;
  }

  close(): void {
    this.#raw.close();
  }
}

class MemoryConnection extends Connection {
  readonly #ask: () => "before" | "after" | undefined;
  #hasPower = true;
  #isEnded = false;
  #marked = false;
  #writes = 0;
  isFull = false;

  constructor(raw: Database.Database, ask: () => "before" | "after" | undefined) {
    super(raw, NAME);
    this.#ask = ask;
    raw.exec("BEGIN");
  }

  override durably(work: () => void): void {
    this.#assertPower();
    const cut = this.#ask();
    if (cut === "before") this.#fail();
    super.write(work);
    this.commit();
    if (cut === "after") this.#fail();
  }

  override write(work: () => void): void {
    this.#assertPower();
    try {
      super.write(work);
    } finally {
      // SQLite may end the open transaction of its own accord when the disk is full.
      if (!this.raw.inTransaction) this.raw.exec("BEGIN");
      else if (this.isFull) this.commit();
      else this.#mark();
    }
  }

  /** The disk is the file's: it outlives the process. */
  override close(): void {
    if (!this.#isEnded) this.end("all");
  }

  commit(): void {
    if (this.raw.inTransaction) this.raw.exec("COMMIT");
    this.raw.exec("BEGIN");
    this.#marked = false;
    this.#writes = 0;
  }

  end(tail: Tail): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#hasPower = false;
    if (!this.raw.inTransaction) return;
    try {
      if (tail === "part" && this.#marked) this.raw.exec("ROLLBACK TO mark");
      this.raw.exec(tail === "none" || (tail === "part" && !this.#marked) ? "ROLLBACK" : "COMMIT");
    } catch (error) {
      // Of a damaged file nothing more is expected.
      if (!(error instanceof Database.SqliteError && error.code.startsWith("SQLITE_CORRUPT"))) throw error;
    }
  }

  /** After a few writes, so that a part of the tail can be left. */
  #mark(): void {
    this.#writes += 1;
    if (this.#writes !== 2) return;
    this.raw.exec("SAVEPOINT mark");
    this.#marked = true;
  }

  #assertPower(): void {
    if (!this.#hasPower) throw new PowerCut("the process is gone");
  }

  #fail(): never {
    this.#hasPower = false;
    throw new PowerCut("the power failed");
  }
}
