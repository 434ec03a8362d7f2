/** A stream of bytes read by amounts. Pure, but for what its source does. */

export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** So many bytes, or fewer at the end. For small amounts: they are gathered in memory. */
  async read(sizeBytes: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of this.pieces(sizeBytes)) parts.push(part);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** So many bytes, or fewer at the end, as they come. */
  async *pieces(sizeBytes: number): AsyncGenerator<Uint8Array> {
    let left = sizeBytes;
    while (left > 0 && (await this.#fill())) {
      const part = this.#piece.subarray(0, left);
      this.#piece = this.#piece.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  /** False when the source ended before. */
  async skip(sizeBytes: number): Promise<boolean> {
    let left = sizeBytes;
    while (left > 0) {
      if (!(await this.#fill())) return false;
      const skipped = Math.min(left, this.#piece.length);
      this.#piece = this.#piece.subarray(skipped);
      left -= skipped;
    }
    return true;
  }

  /** Reads to the end, so that whoever sums the source has seen all of it. False when there is more than so much. */
  async drain(bytesMax: number): Promise<boolean> {
    for (let left = bytesMax; left >= 0; left -= this.#take()) if (!(await this.#fill())) return true;
    return false;
  }

  /** Lets go of a source that is not read to its end. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  #take(): number {
    const { length } = this.#piece;
    this.#piece = new Uint8Array(0);
    return length;
  }

  async #fill(): Promise<boolean> {
    while (this.#piece.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return false;
      this.#piece = next.value;
    }
    return true;
  }
}
