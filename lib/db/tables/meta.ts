/** A few texts by name: what a device remembers of itself. */
import type { Statement } from "better-sqlite3";
import type { Connection } from "../connection.ts";

export class MetaTable {
  readonly #get: Statement<[string], { value: string }>;
  readonly #set: Statement<[string, string]>;

  constructor({ raw }: Connection) {
    this.#get = raw.prepare("SELECT value FROM meta WHERE key = ?");
    this.#set = raw.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
  }

  get(key: string): string | undefined {
    return this.#get.get(key)?.value;
  }

  set(key: string, value: string): void {
    this.#set.run(key, value);
  }
}
