/** Bytes to lines, with a bound on the length of one, so that a program cannot fill memory. Pure. */

const NEWLINE = 0x0a;

export class LineSplitter {
  readonly #bytesMax: number;
  #parts: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Lines that these bytes complete, without their ends. "too-long" ends it: nothing after makes sense. */
  push(bytes: Uint8Array): Uint8Array[] | "too-long" {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, start)) {
      if (!this.#hold(bytes.subarray(start, at))) return "too-long";
      lines.push(this.rest());
      start = at + 1;
    }
    return this.#hold(bytes.subarray(start)) ? lines : "too-long";
  }

  /** What stands after the last line's end; empties it. */
  rest(): Uint8Array {
    const [only, ...more] = this.#parts;
    const line = more.length === 0 ? (only ?? new Uint8Array()) : new Uint8Array(Buffer.concat(this.#parts));
    this.#parts = [];
    this.#heldBytes = 0;
    return line;
  }

  #hold(piece: Uint8Array): boolean {
    this.#heldBytes += piece.length;
    if (this.#heldBytes > this.#bytesMax) return false;
    if (piece.length > 0) this.#parts.push(piece);
    return true;
  }
}
