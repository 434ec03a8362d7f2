/**
 * One SQLite file: opening, transactions, errors. WAL; a commit of what this device signed is on disk
 * before it returns [L7], anything else could be fetched or computed again and need not wait for the disk.
 */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { GdoError } from "../base/index.ts";
import { SCHEMA, SCHEMA_VERSION } from "./schema.ts";

const BUSY_TIMEOUT_MS = 5_000;

/** How many pages SQLite's log may have before they are carried over to the file. */
const CHECKPOINT_PAGES = {
  /** 4 MB: what is durable one by one is soon written where the log has been before, which a disk does faster than to let it grow. */
  entry: 1_000,
  /** 16 MB: merges that follow one another change many pages again, and each is carried over once for several of them. */
  merge: 4_000,
} as const;

export class Connection {
  readonly raw: Database.Database;
  readonly path: string;
  /** As prepare() leaves it. */
  #synchronous: "FULL" | "NORMAL" = "NORMAL";
  #expected: keyof typeof CHECKPOINT_PAGES | undefined;
  readonly #transaction: Database.Transaction<(work: () => void) => void>;

  /** `raw` is prepared; it is closed with this. */
  constructor(raw: Database.Database, path: string) {
    this.path = path;
    this.raw = raw;
    this.#transaction = this.raw.transaction((work: () => void) => work());
  }

  /** Throws NOT_FOUND, CONFIG_INVALID (a later version's), LEDGER_CORRUPT, IO. */
  static open(path: string, readOnly: boolean): Connection {
    return new Connection(openFile(path, readOnly), path);
  }

  close(): void {
    this.raw.close();
  }

  /** What the next transactions are; in memory there is no log. */
  expect(kind: keyof typeof CHECKPOINT_PAGES): void {
    if (this.#expected === kind) return;
    this.raw.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES[kind]}`);
    this.#expected = kind;
  }

  /** One transaction; on disk when it returns [L7]. */
  durably(work: () => void): void {
    this.#transact("FULL", work);
  }

  /** One transaction; after a power cut it may be gone, as a whole. */
  write(work: () => void): void {
    this.#transact("NORMAL", work);
  }

  /** Switched only where it changes: a switch costs as much as inserting a row. */
  #transact(synchronous: "FULL" | "NORMAL", work: () => void): void {
    try {
      if (this.#synchronous !== synchronous) this.raw.exec(`PRAGMA synchronous = ${synchronous}`);
      this.#synchronous = synchronous;
      this.#transaction.immediate(work);
    } catch (error) {
      throw asGdoError(error, this.path);
    }
  }
}

function openFile(path: string, readOnly: boolean): Database.Database {
  // The driver says so by a TypeError, which would look like a bug of ours.
  if (!existsSync(dirname(path))) throw new GdoError("NOT_FOUND", `there is no folder ${dirname(path)}`);
  let raw: Database.Database | undefined;
  try {
    raw = new Database(path, { readonly: readOnly, fileMustExist: readOnly, timeout: BUSY_TIMEOUT_MS });
    prepare(raw, path, readOnly);
    return raw;
  } catch (error) {
    raw?.close();
    throw asGdoError(error, path);
  }
}

export function prepare(raw: Database.Database, path: string, readOnly: boolean): void {
  const version = raw.pragma("user_version", { simple: true });
  if (version !== 0 && version !== SCHEMA_VERSION) {
    throw new GdoError(
      "CONFIG_INVALID",
      `${path} has format ${String(version)}; this version of gdo reads ${SCHEMA_VERSION}`,
      { hint: "open it with the version of gdo that made it" },
    );
  }
  if (readOnly) return;
  raw.pragma("journal_mode = WAL");
  raw.pragma("synchronous = FULL");
  if (version === 0) raw.transaction(() => raw.exec(`${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}`))();
  raw.pragma("synchronous = NORMAL");
}

/** Errors of SQLite as ours; a bug of ours as it is. */
export function asGdoError(error: unknown, path: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const { code, message } = error;
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB") {
    return new GdoError("LEDGER_CORRUPT", `${path}: ${message}`, { cause: error, hint: "gdo verify" });
  }
  if (code.startsWith("SQLITE_FULL")) return new GdoError("STORE_FULL", `${path}: ${message}`, { cause: error });
  if (code.startsWith("SQLITE_CANTOPEN"))
    return new GdoError("NOT_FOUND", `${path} cannot be opened`, { cause: error });
  if (code.startsWith("SQLITE_CONSTRAINT")) return error;
  return new GdoError("IO", `${path}: ${message}`, { cause: error });
}
