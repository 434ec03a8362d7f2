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
  readonly #kept = new Map<PublicKey, Map<string, KeptLog>>();
  /** As it was asked for last; a reader beside the writer does not hear of changes. */
  #frontier: readonly FrontierLog[] | undefined;
  readonly #isWriter: boolean;
  /** Whose `next` is not in the table yet. */
  readonly #advanced = new Set<KeptLog>();

  constructor({ raw }: Connection) {
    this.#isWriter = !raw.readonly;
    this.#find = raw.prepare("SELECT id, next FROM logs WHERE author = ? AND l = ?");
    this.#add = raw.prepare("INSERT INTO logs (author, l, next) VALUES (?, ?, 0)");
    this.#advance = raw.prepare("UPDATE logs SET next = ? WHERE id = ?");
    this.#all = raw.prepare("SELECT id, author, l, next FROM logs WHERE next > 0 ORDER BY author, l");
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
    this.#frontier = undefined;
  }

  /** To be called before a transaction ends, and before the table is read in it. */
  flush(): void {
    for (const { id, next } of this.#advanced) this.#advance.run(next, id);
    this.#advanced.clear();
  }

  /** To be called when a transaction was undone. */
  forget(): void {
    this.#kept.clear();
    this.#advanced.clear();
    this.#frontier = undefined;
  }

  frontier(): FrontierLog[] {
    const rows = this.#frontier ?? this.rows();
    if (this.#isWriter) this.#frontier = rows;
    return rows.map(({ author, l, n }) => ({ author, l, n }));
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
