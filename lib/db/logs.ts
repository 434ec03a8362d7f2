/** Logs: which there are, and up to which number each is held. */
import type { Statement } from "better-sqlite3";
import { bytesOf, fromHex, GdoError, type PublicKey, publicKeyOf32, toHex } from "../base/index.ts";
import type { Connection } from "./connection.ts";

export interface LogRow {
  readonly id: number;
  /** Numbers 0 to next - 1 are held. */
  readonly next: number;
}

/** The newest number held of one log. */
export interface FrontierLog {
  readonly author: PublicKey;
  readonly l: string;
  readonly n: number;
}

type StoredLog = { id: number; author: Buffer; l: Buffer; next: number };

export class LogTable {
  readonly #find: Statement<[Uint8Array, Uint8Array], LogRow>;
  readonly #add: Statement<[Uint8Array, Uint8Array]>;
  readonly #advance: Statement<[number, number]>;
  readonly #all: Statement<[], StoredLog>;
  readonly #ofAuthor: Statement<[Uint8Array], { l: Buffer }>;
  /** Rows by author and incarnation; forgotten whenever a transaction fails. */
  readonly #kept = new Map<string, LogRow>();

  constructor({ raw }: Connection) {
    this.#find = raw.prepare("SELECT id, next FROM logs WHERE author = ? AND l = ?");
    this.#add = raw.prepare("INSERT INTO logs (author, l, next) VALUES (?, ?, 0)");
    this.#advance = raw.prepare("UPDATE logs SET next = ? WHERE id = ?");
    this.#all = raw.prepare("SELECT id, author, l, next FROM logs WHERE next > 0 ORDER BY author, l");
    this.#ofAuthor = raw.prepare("SELECT l FROM logs WHERE author = ? AND next > 0 ORDER BY id");
  }

  find(author: PublicKey, l: string): LogRow | undefined {
    const kept = this.#kept.get(author + l);
    if (kept !== undefined) return kept;
    const row = this.#find.get(bytesOf(author), logBytes(l));
    if (row !== undefined) this.#kept.set(author + l, row);
    return row;
  }

  findOrAdd(author: PublicKey, l: string): LogRow {
    const found = this.find(author, l);
    if (found !== undefined) return found;
    const id = Number(this.#add.run(bytesOf(author), logBytes(l)).lastInsertRowid);
    const row = { id, next: 0 };
    this.#kept.set(author + l, row);
    return row;
  }

  /** Notes that one more number is held. */
  advance(author: PublicKey, l: string, row: LogRow): void {
    const next = row.next + 1;
    this.#advance.run(next, row.id);
    this.#kept.set(author + l, { id: row.id, next });
  }

  /** To be called when a transaction was undone. */
  forget(): void {
    this.#kept.clear();
  }

  frontier(): FrontierLog[] {
    return this.#all.all().map(({ author, l, next }) => ({ author: publicKeyOf32(author), l: toHex(l), n: next - 1 }));
  }

  /** All rows, for verify(). */
  rows(): (FrontierLog & { readonly id: number })[] {
    return this.#all
      .all()
      .map(({ id, author, l, next }) => ({ id, author: publicKeyOf32(author), l: toHex(l), n: next - 1 }));
  }

  /** Incarnations of an author's log, in the order in which they were first seen. */
  ofAuthor(author: PublicKey): string[] {
    return this.#ofAuthor.all(bytesOf(author)).map(({ l }) => toHex(l));
  }
}

/** The bytes of an incarnation. INPUT_INVALID. */
export function logBytes(l: string): Uint8Array {
  const bytes = fromHex(l);
  if (bytes === undefined) throw new GdoError("INPUT_INVALID", `not a log: ${l}`);
  return bytes;
}
