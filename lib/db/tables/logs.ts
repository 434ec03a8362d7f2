/** Logs: which there are, and up to which number each is held. */
import type { Statement } from "better-sqlite3";
import { bytesOf, fromHex, GdoError, type Hash, type PublicKey, publicKeyOf32, toHex } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import type { Connection } from "../connection.ts";

export interface LogRow {
  readonly id: number;
  /** Numbers 0 to next - 1 are held. */
  readonly next: number;
  /** Number next - 1, where it was added in this run. */
  readonly last?: Hash;
}

type KeptLog = { -readonly [key in keyof LogRow]: LogRow[key] };

export const TIP_BYTES = 8;

/** The newest number held of one log. */
export interface NewestOfLog {
  readonly author: PublicKey;
  readonly l: string;
  readonly n: number;
}

export interface LogLine extends NewestOfLog {
  readonly id: number;
  /** First 16 digits of the newest block's id. */
  readonly tip: string;
}

type StoredLog = { id: number; author: Buffer; l: Buffer; next: number; tip: Buffer };

export class LogTable {
  readonly #find: Statement<[Uint8Array, Uint8Array], LogRow>;
  readonly #add: Statement<[Uint8Array, Uint8Array]>;
  readonly #advance: Statement<[number, Uint8Array, number]>;
  readonly #all: Statement<[], StoredLog>;
  readonly #ofAuthor: Statement<[Uint8Array], { l: Buffer }>;
  /** Rows by author and incarnation; forgotten whenever a transaction fails. */
  readonly #kept = new Map<PublicKey, Map<string, KeptLog>>();
  /** As it was asked for last; a reader beside the writer does not hear of changes. */
  #lines: readonly LogLine[] | undefined;
  readonly #isWriter: boolean;
  /** Whose `next` is not in the table yet. */
  readonly #advanced = new Set<KeptLog>();

  constructor({ raw }: Connection) {
    this.#isWriter = !raw.readonly;
    this.#find = raw.prepare("SELECT id, next FROM logs WHERE author = ? AND l = ?");
    this.#add = raw.prepare("INSERT INTO logs (author, l, next) VALUES (?, ?, 0)");
    this.#advance = raw.prepare("UPDATE logs SET next = ?, tip = ? WHERE id = ?");
    this.#all = raw.prepare("SELECT id, author, l, next, tip FROM logs WHERE next > 0 ORDER BY author, l");
    this.#ofAuthor = raw.prepare("SELECT l FROM logs WHERE author = ? AND next > 0 ORDER BY id");
  }

  find(author: PublicKey, l: string): LogRow | undefined {
    return this.#log(author, l);
  }

  findOrAdd(author: PublicKey, l: string): LogRow {
    return this.#log(author, l) ?? this.#keep(author, l, this.#addRow(author, l));
  }

  #log(author: PublicKey, l: string): KeptLog | undefined {
    const kept = this.#kept.get(author)?.get(l);
    if (kept !== undefined) return kept;
    const row = this.#find.get(bytesOf(author), logBytes(l));
    return row === undefined ? undefined : this.#keep(author, l, row);
  }

  #addRow(author: PublicKey, l: string): LogRow {
    return { id: Number(this.#add.run(bytesOf(author), logBytes(l)).lastInsertRowid), next: 0 };
  }

  #keep(author: PublicKey, l: string, row: LogRow): KeptLog {
    const logs = this.#kept.get(author) ?? new Map<string, KeptLog>();
    this.#kept.set(author, logs.set(l, row));
    return row;
  }

  /** Notes that its log's next number is held; flush() writes it. */
  advance({ a, l, id }: Pick<Block, "a" | "l" | "id">): void {
    const log = this.#log(a, l);
    if (log === undefined) return;
    log.next += 1;
    log.last = id;
    this.#advanced.add(log);
    this.#lines = undefined;
  }

  /** To be called before a transaction ends, and before the table is read in it. */
  flush(): void {
    for (const { id, next, last } of this.#advanced) if (last !== undefined) this.#advance.run(next, tipOf(last), id);
    this.#advanced.clear();
  }

  /** Notes where a log ends after it has taken another version. */
  end(log: number, next: number, tip: Hash): void {
    this.#advance.run(next, tipOf(tip), log);
    this.forget();
  }

  /** To be called when a transaction was undone. */
  forget(): void {
    this.#kept.clear();
    this.#advanced.clear();
    this.#lines = undefined;
  }

  /** The line of every log, and the beginning of its newest block's id. */
  lines(): readonly LogLine[] {
    const lines = this.#lines ?? this.rows();
    if (this.#isWriter) this.#lines = lines;
    return lines;
  }

  /** All rows, for verify(). */
  rows(): LogLine[] {
    return this.#all.all().map(({ id, author, l, next, tip }) => {
      return { id, author: publicKeyOf32(author), l: toHex(l), n: next - 1, tip: toHex(tip) };
    });
  }

  /** Incarnations of an author's log, in the order in which they were first seen. */
  ofAuthor(author: PublicKey): string[] {
    return this.#ofAuthor.all(bytesOf(author)).map(({ l }) => toHex(l));
  }
}

function tipOf(id: Hash): Uint8Array {
  return bytesOf(id).subarray(0, TIP_BYTES);
}

/** The bytes of an incarnation. INPUT_INVALID. */
export function logBytes(l: string): Uint8Array {
  const bytes = fromHex(l);
  if (bytes === undefined) throw new GdoError("INPUT_INVALID", `not a log: ${l}`);
  return bytes;
}
