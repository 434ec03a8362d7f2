/**
 * Where results go: one JSON object a line, or plain lines. Names in a ledger come from other
 * people, so what could steer a terminal is never printed as such.
 */
import type { Writable } from "node:stream";

// C0 and C1 control characters but newline, and the marks that reverse the writing direction.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text that cannot move a cursor, ring a bell or hide what stands before it. */
export function printable(text: string): string {
  return text.replace(STEERING, "\ufffd");
}

export class Output {
  readonly json: boolean;
  readonly #stream: Writable;

  constructor(stream: Writable, json: boolean) {
    this.#stream = stream;
    this.json = json;
  }

  /** One result: an object with its `type`, or what `text` makes of it (nothing when empty). */
  emit(type: string, fields: Readonly<Record<string, unknown>>, text: () => string): void {
    if (this.json) return void this.#stream.write(`${JSON.stringify({ type, ...fields })}\n`);
    const lines = text();
    if (lines !== "") this.line(lines);
  }

  /** Text for people; in JSON mode there is none. */
  line(text: string): void {
    if (!this.json) this.#stream.write(`${printable(text)}\n`);
  }

  /** Resolves when the reader has taken what was written: keeps long lists out of memory. */
  async drained(): Promise<void> {
    if (!this.#stream.writableNeedDrain) return;
    await new Promise<void>((resolve) => this.#stream.once("drain", () => resolve()));
  }
}
