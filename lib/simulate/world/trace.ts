/** All that happens, as one hash: two runs are the same run when theirs is. */
import { utf8 } from "../../base/index.ts";
import { deriveHash } from "../../codec/index.ts";

const KEPT_CHARACTERS_MAX = 1 << 16;

export class Trace {
  #hash = "";
  #lines: string[] = [];
  #characters = 0;

  add(line: string): void {
    this.#lines.push(line);
    this.#characters += line.length;
    if (this.#characters > KEPT_CHARACTERS_MAX) this.#fold();
  }

  /** Over everything so far. */
  hash(): string {
    this.#fold();
    return this.#hash;
  }

  #fold(): void {
    this.#hash = deriveHash("gdo v1 trace", utf8(`${this.#hash}\n${this.#lines.join("\n")}`));
    this.#lines = [];
    this.#characters = 0;
  }
}
